"""Checkpoints and bundles of adapters: safetensors with their settings inside; no pickles.

A bundle is a folder with ``adapters.safetensors`` and ``llarp.yaml`` (the card). A checkpoint is
one file ``checkpoint.safetensors`` in a run's folder that also holds the optimiser's state.
"""
from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, NamedTuple, Union

import torch
import yaml
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from ppp.errors import PPPError
from ppp.outputs import whole
from ppp.rearrangement import ACTIONS, OBS
from ppp.settings import load_yaml

CHECKPOINT, ADAPTERS, CARD = "checkpoint.safetensors", "adapters.safetensors", "llarp.yaml"
FORMAT = 1


class Saved(NamedTuple):
    """What a file holds: tensors by name, and the facts beside them."""

    tensors: Dict[str, Tensor]
    facts: Dict[str, Any]

    def part(self, prefix: str) -> Dict[str, Tensor]:
        """The tensors whose names begin with ``prefix``, without it."""
        return {name[len(prefix):]: value for name, value in self.tensors.items()
                if name.startswith(prefix)}


def layout() -> Dict[str, Any]:
    """What adapters are made for: sizes of an observation, and the actions in their order."""
    return {"format": FORMAT, "observation": [int(OBS.S), int(OBS.E), int(OBS.F)],
            "actions": [f"{action.skill} {action.target}".strip() for action in ACTIONS]}


def write(path: Path, tensors: Dict[str, Tensor], facts: Dict[str, Any]) -> Path:
    """Write tensors and facts into one file, whole or not at all."""
    kept = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
    text = json.dumps({"layout": layout(), **facts})
    with whole(path) as part:
        save_file(kept, str(part), metadata={"ppp": text})
        part.chmod(0o644)  # the library leaves it to its owner alone
    return path


def read(path: Path) -> Saved:
    """The file's tensors and facts; PPPError where it is missing, damaged or does not fit."""
    if not path.is_file():
        raise PPPError(f"{path}: no such file; name a run's folder or a bundle of adapters")
    try:
        with safe_open(str(path), "pt") as file:
            facts = json.loads((file.metadata() or {})["ppp"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}
    except (SafetensorError, OSError, ValueError, KeyError):
        raise PPPError(f"{path}: damaged, or not written by ppp llarp; take another") from None
    _check_layout(facts.get("layout"), path)
    return Saved(tensors, facts)


def _check_layout(found: Any, path: Path) -> None:
    if not isinstance(found, dict):
        raise PPPError(f"{path}: field 'layout' is missing; train the adapters again")
    for name, value in layout().items():
        if found.get(name) != value:
            what = "another list of actions" if name == "actions" else str(found.get(name))
            own = "" if name == "actions" else f", this version has {value}"
            raise PPPError(f"{path}: field 'layout.{name}' is {what}{own}; train the adapters "
                           "again or use the version that wrote them")


def optimiser_tensors(optimiser: torch.optim.Optimizer) -> Dict[str, Tensor]:
    """An Adam's moments as named tensors."""
    return {f"{number}.{name}": torch.as_tensor(value)
            for number, state in optimiser.state_dict()["state"].items()
            for name, value in state.items()}


def restore_optimiser(optimiser: torch.optim.Optimizer, tensors: Dict[str, Tensor]) -> None:
    """Inverse of :func:`optimiser_tensors`."""
    states: Dict[int, Dict[str, Tensor]] = {}
    for key, value in tensors.items():
        number, name = key.split(".", 1)
        states.setdefault(int(number), {})[name] = value
    optimiser.load_state_dict({**optimiser.state_dict(), "state": states})


def find(path: Union[str, Path]) -> Path:
    """The file of adapters that a user means: a bundle's, a run's, or the file itself."""
    path = Path(path)
    if path.is_dir():
        for name in (ADAPTERS, CHECKPOINT):
            if (path / name).is_file():
                return path / name
        raise PPPError(f"{path}: no adapters here ({ADAPTERS} or {CHECKPOINT}); name a run's "
                       "folder or a bundle")
    return path


def load_adapters(policy: nn.Module, saved: Saved, path: Path) -> None:
    """Put a file's adapters into a policy built from the same settings."""
    try:
        policy.load_state_dict(saved.part("adapters."))
    except RuntimeError:
        raise PPPError(f"{path}: its tensors do not fit its field 'settings.model'; take another "
                       "file") from None


def adapter_tensors(policy: nn.Module) -> Dict[str, Tensor]:
    """What of a policy is saved: the adapters, and a backbone only where it is trained."""
    return {f"adapters.{name}": value for name, value in policy.state_dict().items()}


def write_bundle(folder: Path, tensors: Dict[str, Tensor], facts: Dict[str, Any]) -> Path:
    """Adapters and their card into a folder."""
    write(folder / ADAPTERS, tensors, facts)
    write_card(folder, facts)
    return folder


def write_card(folder: Path, facts: Dict[str, Any]) -> None:
    """What a reader of a bundle wants to know, as YAML."""
    with whole(folder / CARD) as part:
        part.write_text(yaml.safe_dump(facts, sort_keys=False), encoding="utf-8")


def read_card(folder: Path) -> Dict[str, Any]:
    """A bundle's card; {} without one."""
    return load_yaml(folder / CARD) if (folder / CARD).is_file() else {}
