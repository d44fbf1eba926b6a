"""CLIP text weights from a file: open_clip, OpenAI and transformers checkpoints, names mapped.

No file may run code: pickles are read with ``weights_only``, OpenAI's TorchScript archives by a
reader that knows tensors and containers only.
"""
from __future__ import annotations

import hashlib
import json
import pickle
import re
import warnings
import zipfile
from pathlib import Path
from typing import Any, Dict, Optional

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from ppp.errors import PPPError
from ppp.language.encoders.base import WeightsNotFound
from ppp.language.encoders.clip_text import HEAD, ClipSize, ClipText
from ppp.language.encoders.torchscript import is_torchscript, read_torchscript

MEND = "give the text tower or the whole model of open_clip, OpenAI or transformers"
State = Dict[str, torch.Tensor]
#: transformers' names -> OpenAI's, within one layer
LAYER_NAMES = (("layer_norm1", "ln_1"), ("layer_norm2", "ln_2"), ("mlp.fc1", "mlp.c_fc"),
               ("mlp.fc2", "mlp.c_proj"), ("self_attn.out_proj", "attn.out_proj"))
#: transformers' names -> OpenAI's, outside the layers
OUTER_NAMES = {"embeddings.token_embedding.weight": "token_embedding.weight",
               "embeddings.position_embedding.weight": "positional_embedding",
               "final_layer_norm.weight": "ln_final.weight",
               "final_layer_norm.bias": "ln_final.bias"}
#: what only OpenAI's checkpoints hold
OPENAI_MARKS = ("input_resolution", "context_length", "vocab_size")


def find_file(path: str) -> Path:
    """The weights file: ``path`` itself, or the known name in a folder."""
    place = Path(path)
    if place.is_dir():
        names = ("open_clip_model.safetensors", "model.safetensors", "open_clip_pytorch_model.bin",
                 "pytorch_model.bin")
        place = next((place / name for name in names if (place / name).is_file()), place)
    if not place.is_file():
        raise WeightsNotFound(f"--weights {path}: no weights file there, {MEND} "
                              "(.pt, .bin or .safetensors)")
    return place


def read_file(path: Path) -> State:
    """All tensors of a checkpoint by name. Raises PPPError; runs no code of the file."""
    try:
        if path.suffix == ".safetensors":
            found: Any = load_file(str(path))
        elif is_torchscript(path):
            found = read_torchscript(path)
        else:
            with warnings.catch_warnings():  # about pickle protocols: of no use to a reader
                warnings.simplefilter("ignore", UserWarning)
                found = torch.load(str(path), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise PPPError(f"{path}: not a checkpoint, or one that holds code besides tensors, which "
                       f"is not run; {MEND}") from error
    except (SafetensorError, OSError, EOFError, ValueError, KeyError, RuntimeError,
            zipfile.BadZipFile) as error:
        reason = str(error).split("\n")[0][:120]
        raise PPPError(f"{path}: not a readable checkpoint ({reason}), fetch it again") from error
    for key in ("state_dict", "model"):
        if isinstance(found, dict) and isinstance(found.get(key), dict):
            found = found[key]
    if not isinstance(found, dict):
        raise PPPError(f"{path}: holds a {type(found).__name__}, not named tensors; {MEND}")
    return {str(key): value for key, value in found.items() if isinstance(value, torch.Tensor)}


def canonical(state: State) -> State:
    """The text tower's tensors under OpenAI's names; everything else is left out.

    Reads the names of OpenAI and open_clip (also behind ``text.`` or ``module.``) and of
    transformers (``text_model.``), where queries, keys and values are three matrices.
    """
    out: State = {}
    joint: Dict[str, State] = {}
    for key, value in state.items():
        name = re.sub(r"^(module\.)?(text\.)?(text_model\.)?", "", key)
        layer = re.match(r"encoder\.layers\.(\d+)\.(.+)$", name)
        if name.startswith(("visual", "vision")):
            continue
        if layer:
            _add_layer(out, joint, f"transformer.resblocks.{layer.group(1)}.", layer.group(2),
                       value)
        elif name == "text_projection.weight":
            out["text_projection"] = value.T
        elif name in OUTER_NAMES:
            out[OUTER_NAMES[name]] = value
        elif name.startswith(("token_embedding.", "transformer.resblocks.", "ln_final.")) or name \
                in ("positional_embedding", "text_projection"):
            out[name] = value
    for name, parts in joint.items():
        if all(part in parts for part in "qkv"):
            out[name] = torch.cat([parts[part] for part in "qkv"])
    return out


def _add_layer(out: State, joint: Dict[str, State], prefix: str, name: str,
               value: torch.Tensor) -> None:
    """One tensor of a transformers layer: renamed, or kept for the joint matrix."""
    part = re.match(r"self_attn\.([qkv])_proj\.(weight|bias)$", name)
    if part:
        target = f"{prefix}attn.in_proj_{part.group(2)}"
        joint.setdefault(target, {})[part.group(1)] = value
        return
    for theirs, ours in LAYER_NAMES:
        if name.startswith(theirs + "."):
            out[prefix + ours + name[len(theirs):]] = value


def size_of(state: State, path: Path) -> ClipSize:
    """The sizes that canonical tensors have. Raises PPPError where the tower is not there."""
    try:
        vocabulary, width = state["token_embedding.weight"].shape
        context = state["positional_embedding"].shape[0]
        projection = state.get("text_projection")
        blocks = {int(key.split(".")[2]) for key in state if key.startswith("transformer.")}
        if not blocks or width % min(HEAD, width):
            raise ValueError("no layers")
        embed = projection.shape[1] if projection is not None else width
    except (KeyError, ValueError, IndexError) as error:
        raise PPPError(f"{path}: holds no CLIP text tower ({error} is missing or misshapen), {MEND}"
                       ) from error
    return ClipSize(embed, width, len(blocks), context, vocabulary,
                    projected=projection is not None)


def is_quick(state: State, path: Path) -> bool:
    """Do the weights say that they were trained with QuickGELU? OpenAI's do, and a transformers
    ``config.json`` beside them."""
    if all(mark in state for mark in OPENAI_MARKS):
        return True
    config = path.parent / "config.json"
    if not any(key.startswith("text_model.") for key in state) or not config.is_file():
        return False
    try:
        values = json.loads(config.read_text(encoding="utf-8"))
        values = values.get("text_config", values)
        return str(values.get("hidden_act")) == "quick_gelu"
    except (OSError, ValueError, AttributeError):
        return False


def build(state: State, expected: Optional[ClipSize], path: Path, quick: bool = False) -> ClipText:
    """The tower with the weights of ``state`` in single precision, each rounded to half.

    Rounded because half precision is what a saved text part carries: loading it again changes
    nothing. ``expected``: sizes of the named architecture, None takes any; ``quick``: QuickGELU
    whatever the weights say. Raises PPPError for another architecture than ``expected``, missing
    tensors, or values that are no numbers.
    """
    tensors = canonical(state)
    size = size_of(tensors, path)
    if expected is not None:
        _check_size(size, expected, path)
    quick = quick or is_quick(state, path) or (expected is not None and expected.quick_gelu)
    size = ClipSize(size.embed_dim, size.width, size.layers, size.context, size.vocabulary, quick,
                    size.projected)
    tensors = {name: value.half().float() for name, value in tensors.items()}
    bad = [name for name, value in tensors.items() if not bool(value.isfinite().all())]
    if bad:
        raise PPPError(f"{path}: tensor {bad[0]} holds values that are no numbers, fetch the file "
                       "again")
    with torch.no_grad():
        model = ClipText(size)
    wanted = model.state_dict()
    for name, value in wanted.items():
        if name not in tensors or tensors[name].shape != value.shape:
            raise PPPError(f"{path}: tensor {name} of the text tower is missing or misshapen, "
                           f"{MEND}")
    model.load_state_dict({name: tensors[name] for name in wanted})
    return model


def _check_size(found: ClipSize, expected: ClipSize, path: Path) -> None:
    """Refuse weights of another architecture than the one named."""
    pairs = [("width", found.width, expected.width), ("layers", found.layers, expected.layers)]
    if found.projected:
        pairs.append(("embedding", found.embed_dim, expected.embed_dim))
    for name, have, want in pairs:
        if have != want:
            raise PPPError(f"{path}: text tower of {name} {have}, the named architecture has {want}"
                           ", name the one that the weights belong to (--encoder openclip:NAME)")


def state_hash(state: State) -> str:
    """sha256 of named tensors in half precision: one for all formats and naming schemes."""
    digest = hashlib.sha256()
    for name in sorted(state):
        digest.update(name.encode())
        digest.update(state[name].half().contiguous().numpy().tobytes())
    return digest.hexdigest()
