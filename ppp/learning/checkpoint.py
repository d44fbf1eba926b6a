"""Training checkpoints: written to a temporary name and renamed, read without pickles."""
from __future__ import annotations

import pickle
import zipfile
from pathlib import Path
from typing import Any, Dict, List, Union

import torch

from ppp.errors import PPPError
from ppp.outputs import whole

#: raised whenever the meaning of a field changes
LAYOUT = 2
#: what torch raises for a file that is cut short or no checkpoint at all
UNREADABLE = (RuntimeError, EOFError, OSError, ValueError, LookupError, TypeError, AttributeError,
              pickle.UnpicklingError, zipfile.BadZipFile)
_FIELDS = ("layout", "skills", "task", "settings", "policy", "optimizer", "style", "counters",
           "poses")


def save_checkpoint(path: Union[str, Path], state: Dict[str, Any]) -> Path:
    """Write ``state`` so that a crash at any moment leaves the old file or the new one."""
    path = Path(path)
    with whole(path) as part:
        torch.save({"layout": LAYOUT, **state}, part)
    return path


def load_checkpoint(path: Union[str, Path], device: str = "cpu") -> Dict[str, Any]:
    """Read a checkpoint; PPPError when it is missing, damaged or of another layout."""
    path = Path(path)
    if not path.is_file():
        raise PPPError(f"{path}: no such checkpoint; checkpoints are runs/NAME/checkpoints/*.pt")
    try:
        state = torch.load(path, map_location=device, weights_only=True)
    except UNREADABLE:
        raise PPPError(f"{path}: damaged or not a checkpoint; take an earlier one") from None
    if not isinstance(state, dict):
        raise PPPError(f"{path}: not a PPP checkpoint; take a file from runs/NAME/checkpoints")
    if state.get("layout", LAYOUT) != LAYOUT:
        raise PPPError(f"{path}: field 'layout' is {state['layout']}, this version reads {LAYOUT}; "
                       "train again or use the version that wrote it")
    for field in _FIELDS:
        if field not in state:
            raise PPPError(f"{path}: field '{field}' is missing; it is not a PPP checkpoint or was "
                           "written by another version")
    return state


def list_checkpoints(folder: Union[str, Path]) -> List[Path]:
    """The checkpoints of a run, oldest first."""
    return sorted(Path(folder).glob("iteration_*.pt"))


def latest_checkpoint(folder: Path) -> Path:
    """The newest checkpoint of a run; PPPError when there is none."""
    found = list_checkpoints(Path(folder) / "checkpoints")
    if not found:
        raise PPPError(f"{folder}: no checkpoint to resume from; start without --resume")
    return found[-1]


def prune(folder: Union[str, Path], keep: int) -> None:
    """Remove all but the newest ``keep`` checkpoints."""
    for old in list_checkpoints(folder)[:-max(1, keep)]:
        old.unlink()
