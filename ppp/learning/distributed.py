"""Data parallel over processes that torchrun started; with one process everything is a no-op.

Each rank steps environments of its own; what is learnt is the same on all of them, for gradients
are averaged and statistics joined before they are used. Tensors on a CPU go through gloo, on a
GPU through nccl. A rank that dies ends all of them: see :mod:`ppp.learning.watch`.
"""
from __future__ import annotations

import contextlib
import datetime
import hashlib
import io
import os
import signal
from dataclasses import dataclass
from typing import Any, Callable, Iterable, Iterator, List, Optional, Tuple, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

from ppp.errors import PPPError
from ppp.learning.watch import Watch

#: a collective may wait this long for a rank that lives but does not come
TIMEOUT = datetime.timedelta(minutes=20)
#: seeds of the ranks lie this far apart, so that neighbouring seeds of a user share none
SEED_STRIDE = 104_729
T = TypeVar("T")


@dataclass(frozen=True)
class World:
    """Who this process is among those of the run."""

    rank: int = 0
    size: int = 1
    local_rank: int = 0  # on its machine
    local_size: int = 1

    @property
    def first(self) -> bool:
        """Whether this is the one that writes checkpoints, curves and reports."""
        return self.rank == 0

    def seed(self, seed: int) -> int:
        """The seed of this rank's environments and noise; rank 0 has the run's own."""
        return seed + SEED_STRIDE * self.rank

    def threads(self) -> Optional[int]:
        """A fair share of the machine's cores; None (all of them) for one process."""
        return max(1, (os.cpu_count() or 1) // self.local_size) if self.size > 1 else None


_world: World = World()
_watch: Optional[Watch] = None


def world() -> World:
    """Who this process is; ``World()`` outside :func:`started`."""
    return _world


@contextlib.contextmanager
def started(device: str = "cpu") -> Iterator[World]:
    """Join the processes that torchrun started, and leave them together.

    Nothing happens where torchrun started one or none. PeerLost, a PPPError, in every rank
    that is left when one of them dies.
    """
    global _world, _watch
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield _world
        return
    try:
        mine = World(int(os.environ["RANK"]), size, int(os.environ.get("LOCAL_RANK", "0")),
                     int(os.environ.get("LOCAL_WORLD_SIZE", "1")))
    except (KeyError, ValueError):
        raise PPPError("WORLD_SIZE is set without RANK: start several processes with torchrun"
                       ) from None
    on_gpu = device.startswith("cuda")
    if on_gpu:
        torch.cuda.set_device(own_device(device, mine))
    dist.init_process_group("cpu:gloo,cuda:nccl" if on_gpu else "gloo", timeout=TIMEOUT)
    _watch = Watch(mine.rank, size)
    _world = mine
    signal.signal(signal.SIGTERM, _watch.asked_to_stop)
    try:
        _watch.begin()
        yield mine
        barrier()  # nobody leaves before the last file is written
    except BaseException as error:
        blamed = _watch.failed(error)  # a signal may come from another rank's death
        if blamed is error:
            raise
        raise blamed from error
    finally:
        _watch.leave()
        _world, _watch = World(), None
    dist.destroy_process_group()


def judging() -> bool:
    """Whether the run is lost and this rank is about to say why."""
    return _watch is not None and _watch.judging


def own_device(device: str, mine: Optional[World] = None) -> str:
    """The device of this rank: of several GPUs ``cuda`` means the one with its local rank."""
    mine = mine or _world
    return f"cuda:{mine.local_rank}" if mine.size > 1 and device == "cuda" else device


def _together(operation: Callable[..., Any], *arguments: Any) -> None:
    """A collective; PeerLost where another rank left it."""
    try:
        operation(*arguments)
    except RuntimeError as error:
        if _watch is None:
            raise
        raise _watch.verdict(str(error)) from error


# -- what the training needs ---------------------------------------------------------------------
def total(values: Tensor) -> Tensor:
    """The sum over the ranks of a tensor of the same shape on each; a new tensor."""
    if _world.size == 1:
        return values
    values = values.clone()
    _together(dist.all_reduce, values)
    return values


def mean(values: Tensor) -> Tensor:
    """The mean over the ranks."""
    return values if _world.size == 1 else total(values) / _world.size


def mean_gradients(parameters: Iterable[Tensor]) -> None:
    """Replace the gradients of ``parameters`` by their means over the ranks.

    With a loss that is a mean over samples, and as many samples in each rank, this is the gradient
    of the joined batch. A parameter without a gradient must have none in any rank.
    """
    if _world.size == 1:
        return
    gradients = [p.grad for p in parameters if p.grad is not None]
    if not gradients:
        return
    flat = mean(torch.cat([g.flatten() for g in gradients]))
    for gradient, part in zip(gradients, flat.split([g.numel() for g in gradients])):
        gradient.copy_(part.view_as(gradient))


def gathered(values: Tensor) -> List[Tensor]:
    """The tensors of all ranks, in their order; of one shape."""
    if _world.size == 1:
        return [values]
    parts = [torch.empty_like(values) for _ in range(_world.size)]
    _together(dist.all_gather, parts, values.contiguous())
    return parts


def joined(rows: Tensor) -> Tensor:
    """The rows (n, ...) of all ranks one below the other; n may differ and be 0."""
    if _world.size == 1:
        return rows
    counts = torch.cat(gathered(torch.tensor([len(rows)], device=rows.device))).tolist()
    padded = rows.new_zeros(max(counts), *rows.shape[1:])
    padded[:len(rows)] = rows
    return torch.cat([part[:count] for part, count in zip(gathered(padded), counts)])


def joined_moments(count: float, mean_: Tensor, var: Tensor) -> Tuple[float, Tensor, Tensor]:
    """Count, mean and variance (not corrected) of all ranks' samples from those of each.

    The variance within and that between the ranks (Chan et al., Algorithms for computing the
    sample variance, The American Statistician 37(3), 1983).
    """
    if _world.size == 1:
        return count, mean_, var
    size = len(mean_)
    table = torch.stack(gathered(torch.cat((mean_.new_tensor([count]), mean_, var))))
    n, means, variances = table[:, :1], table[:, 1:1 + size], table[:, 1 + size:]
    everything = n.sum()
    middle = (n * means).sum(0) / everything
    spread = (n * (variances + (means - middle).square())).sum(0) / everything
    return float(everything), middle, spread


def any_rank(flag: bool) -> bool:
    """Whether ``flag`` holds in one of the ranks."""
    return flag if _world.size == 1 else bool(total(torch.tensor(float(flag))) > 0)


def of_first(flag: bool) -> bool:
    """The flag of rank 0."""
    return any_rank(flag and _world.first)


def barrier() -> None:
    """Wait for all ranks, ``TIMEOUT`` at most; PeerLost where one does not come."""
    total(torch.zeros(1))


@contextlib.contextmanager
def one_at_first() -> Iterator[None]:
    """The block in one rank of each machine, then in its others: for a result kept on disk."""
    if _world.local_rank:
        barrier()
    yield
    if not _world.local_rank:
        barrier()


def same_weights(tensors: Iterable[Tensor]) -> None:
    """Overwrite ``tensors`` in every rank by those of rank 0."""
    if _world.size > 1:
        with torch.no_grad():
            for tensor in tensors:
                _together(dist.broadcast, tensor, 0)


def from_first(read: Callable[[], T]) -> T:
    """What ``read`` gives in rank 0, in every rank: only one machine needs the file.

    It must be something that ``torch.load`` accepts with ``weights_only``.
    """
    if _world.size == 1:
        return read()
    buffer = io.BytesIO()
    if _world.first:
        torch.save(read(), buffer)
    data = torch.frombuffer(bytearray(buffer.getvalue() or b"\0"), dtype=torch.uint8)
    size = total(torch.tensor(len(data) if _world.first else 0))
    data = data if _world.first else torch.empty(int(size), dtype=torch.uint8)
    _together(dist.broadcast, data, 0)
    return torch.load(io.BytesIO(data.numpy().tobytes()), map_location="cpu", weights_only=True)


def check_same(text: str, what: str) -> None:
    """PPPError where ``text`` differs between the ranks: they would wait for each other."""
    digest = hashlib.sha256(text.encode()).digest()
    parts = gathered(torch.tensor(list(digest), dtype=torch.uint8))
    for rank, other in enumerate(parts):
        if not torch.equal(other, parts[0]):
            raise PPPError(f"rank {rank} has other {what} than rank 0; start all processes with "
                           "the same command and files")
