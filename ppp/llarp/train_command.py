"""``ppp llarp train``: a training, started or gone on with."""
from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Dict, List, Optional

from ppp.errors import PPPError
from ppp.llarp import store
from ppp.llarp.config import LlarpConfig, check, load_config
from ppp.llarp.train import Trainer
from ppp.options import read_options
from ppp.outputs import check_folder

#: flags with a place on this machine, which matter to nobody else
LOCAL = ("--run-dir", "--export", "--weights", "--cfg")


@dataclass
class Train(LlarpConfig):
    """Train the adapters; Ctrl-C saves, and --resume goes on along the same curve."""

    run_dir: Optional[Path] = None
    """Folder of the run (default: runs/llarp_REGIME)."""
    cfg: Optional[Path] = None
    """Settings (default: cfg/llarp/REGIME.yaml); flags come on top."""
    resume: bool = False
    """Go on with the run in the folder."""
    export: Optional[Path] = None
    """Also write the adapters and their card to this folder at the end."""
    weights: Optional[str] = None
    """Folder of MiniLM's files (default: the installed package)."""


def options(argv: List[str]) -> Train:
    """The flags; --regime and --cfg choose the file whose values are the defaults of the rest."""
    chosen: Dict[str, Optional[str]] = {"regime": "imitation", "cfg": None}
    for at, word in enumerate(argv):
        name, sign, value = word[2:].partition("=")
        if word.startswith("--") and name in chosen:
            chosen[name] = value if sign else (argv[at + 1] if at + 1 < len(argv) else None)
    defaults = Train(**vars(load_config(chosen["cfg"], str(chosen["regime"]))))
    return read_options(Train, argv, "ppp llarp train", default=defaults)


def export(trainer: Trainer, folder: Path, argv: List[str]) -> Path:
    """Write a bundle, in half precision; its card says by which command, without places on this
    machine."""
    kept, skip = [], False
    for word in argv:
        own = word.partition("=")[0] in LOCAL
        if not own and not skip and word != "--resume":
            kept.append(word)
        skip = own and "=" not in word
    facts = {**trainer.facts(), "command": " ".join(["ppp llarp train", *kept])}
    tensors = {name: value.half() for name, value in
               store.adapter_tensors(trainer.policy).items()}
    return store.write_bundle(folder, tensors, facts)


def main(argv: List[str]) -> int:
    """Entry point of ``ppp llarp train``."""
    given = options(argv)
    config = LlarpConfig(**{f.name: getattr(given, f.name) for f in fields(LlarpConfig)})
    check(config, "flags")
    folder = given.run_dir or Path("runs") / f"llarp_{config.regime}"
    if (folder / store.CHECKPOINT).is_file() and not given.resume:
        raise PPPError(f"{folder}: holds a training already; go on with it by --resume, or name "
                       "another --run-dir")
    for place in (folder, given.export):
        if place is not None:
            check_folder(place)
    trainer = Trainer(config, folder, given.weights)
    if given.resume:
        trainer.restore()
    path = trainer.run()
    print(f"saved {path} after {trainer.iteration} of {trainer.iterations} iterations, "
          f"{trainer.seconds / 60:.1f} CPU minutes")
    if trainer.iteration < trainer.iterations:
        words = [word for word in argv if word != "--resume"]
        print("go on with: " + " ".join(["ppp llarp train", *words, "--resume"]))
    if given.export:
        export(trainer, given.export, argv)
        print(f"bundle {given.export}")
    return 0
