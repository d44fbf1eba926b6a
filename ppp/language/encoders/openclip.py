"""OpenCLIP text towers as encoders: from a weights file, or by name through ``open_clip``."""
from __future__ import annotations

import os
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import torch
from safetensors.torch import save
from torch.nn import functional as F

from ppp.errors import PPPError, unknown
from ppp.language.encoders.base import WeightsNotFound, in_batches
from ppp.language.encoders.bert import mean_pool
from ppp.language.encoders.clip_bpe import BytePairs, find_vocabulary
from ppp.language.encoders.clip_text import QUICK, ClipSize, ClipText, architecture
from ppp.language.encoders.clip_weights import build, find_file, read_file, state_hash

PREFIX = "openclip"
DEFAULT = "ViT-B-32"
#: files of a text part that carries its encoder
CARRIED, MERGES = "encoder.safetensors", "merges.txt"
#: seconds to find out that there is no network
PATIENCE = 5.0


class OpenClip:
    """A CLIP text tower with its tokenizer; ``model`` can be trained."""

    frozen = ("token_embedding",)
    carried = True

    def __init__(self, arch: str, model: ClipText, tokenizer: BytePairs,
                 weights_hash: Optional[str] = None) -> None:
        """``weights_hash``: of the weights before training (default: of those in ``model``)."""
        if model.size.vocabulary != tokenizer.size:
            raise PPPError(f"CLIP vocabulary: {tokenizer.size} pieces do not fit weights for "
                           f"{model.size.vocabulary}, pass the --vocabulary that belongs to them")
        self.name = f"{PREFIX}:{arch}"
        self.model = model.eval()
        self.tokenizer = tokenizer
        self.dim = model.size.dim
        self.weights_hash = weights_hash or state_hash(model.state_dict())

    @classmethod
    def load(cls, arch: str = DEFAULT, weights: Optional[str] = None,
             vocabulary: Optional[str] = None, pretrained: Optional[str] = None) -> "OpenClip":
        """The tower ``arch`` with the weights of a file, or of a tag that open_clip knows.

        Never random weights: raises WeightsNotFound, with the two ways to get them, where there are
        none; PPPError where they do not fit.
        """
        size = architecture(arch)
        if weights is not None and pretrained is not None:
            raise PPPError("--weights and --pretrained name two sets of weights, give one")
        if weights is None and pretrained is None:
            raise WeightsNotFound(
                f"CLIP weights for {arch}: none are shipped, either pass --weights FILE (.pt, .bin "
                "or .safetensors of open_clip, OpenAI or transformers) or, with a network and the "
                f"open_clip package, --pretrained TAG (for {DEFAULT}: laion2b_s34b_b79k)")
        if pretrained is not None:
            weights, quick = fetch(arch, pretrained)
            size = ClipSize(size.embed_dim, size.width, size.layers,
                            quick_gelu=size.quick_gelu or quick)
        path = find_file(str(weights))
        model = build(read_file(path), size, path)
        words = find_vocabulary(vocabulary, path.parent)
        name = arch.replace("/", "-")
        if model.size.quick_gelu and not name.endswith(QUICK):
            name += QUICK
        return cls(name, model, BytePairs.from_file(words, model.size.context))

    def embed(self, texts: List[str]) -> torch.Tensor:
        """(n, d) unit rows of one batch, with gradient when the model is in training."""
        return F.normalize(self.model(*self.tokenizer.batch(texts)), dim=-1)

    def encode(self, texts: List[str]) -> torch.Tensor:
        """(n, d) unit rows; n may be 0."""
        return in_batches(texts, self.dim, self.embed)

    def bags(self, texts: List[str]) -> torch.Tensor:
        """(n, d) unit rows: mean of the byte pairs' embeddings without the two marks, filled up
        with zeros where they are shorter than d; where longer, of the last layer's states."""
        def bag(part: List[str]) -> torch.Tensor:
            ids, mask = self.tokenizer.batch(part)
            inner = mask & (ids != self.tokenizer.start) & (ids != self.tokenizer.end)
            missing = self.dim - self.model.size.width
            if missing < 0:
                return mean_pool(self.model.hidden(ids) @ self.model.text_projection, inner)
            return F.pad(mean_pool(self.model.token_embedding(ids), inner), (0, missing))
        return in_batches(texts, self.dim, bag)

    def save_whole(self, folder: Path) -> None:
        """Write tower (half precision) and merges, so that the folder loads anywhere."""
        tensors = {name: value.half().contiguous()
                   for name, value in self.model.state_dict().items()}
        (folder / CARRIED).write_bytes(save(tensors))
        self.tokenizer.save(folder / MERGES)

    @classmethod
    def load_whole(cls, folder: Path, name: str, weights_hash: Optional[str]) -> "OpenClip":
        """What ``save_whole`` wrote; ``weights_hash``: of the tower before training, None where it
        was not trained (the file's own is taken then)."""
        arch = name.split(":", 1)[1]
        path = folder / CARRIED
        model = build(read_file(path), None, path, arch.endswith(QUICK))
        return cls(arch, model, BytePairs.from_file(folder / MERGES, model.size.context),
                   weights_hash)


def _reachable(config: Dict[str, Any]) -> bool:
    """Does the server of these weights answer within PATIENCE seconds?"""
    server = os.environ.get("HF_ENDPOINT", "https://huggingface.co")
    address = server if config.get("hf_hub") or not config.get("url") else str(config["url"])
    try:
        request = urllib.request.Request(address, method="HEAD")
        with urllib.request.urlopen(request, timeout=PATIENCE):
            return True
    except urllib.error.HTTPError:
        return True
    except (OSError, ValueError):
        return False


def fetch(arch: str, tag: str) -> Tuple[str, bool]:
    """Weights file of ``tag`` through the installed open_clip, and whether it wants QuickGELU.

    Only open_clip's table of tags and its download are used; the weights go through our loader, so
    that nothing is ever filled up with random ones. Raises WeightsNotFound without package, network
    or file.
    """
    try:
        import open_clip  # type: ignore[import-not-found]
    except Exception as error:  # a broken torchvision raises RuntimeError here, not ImportError
        reason = str(error).split("\n")[0][:100]
        raise WeightsNotFound(
            f"--pretrained {tag}: the open_clip package cannot be imported ({reason}), install it "
            "as docs/language.md says or pass --weights FILE") from error
    config: Dict[str, Any] = {}
    for name in (arch, arch + QUICK, arch.replace(QUICK, "")):
        config = config or dict(open_clip.get_pretrained_cfg(name, tag))
    if not config:
        raise unknown(f"--pretrained tag for {arch}:", tag,
                      open_clip.list_pretrained_tags_by_model(arch))
    quick = bool(config.get("quick_gelu")) or tag == "openai"
    held = os.environ.get("HF_HUB_OFFLINE")
    if not held and not _reachable(config):
        # What was fetched before is still found; without this, five retries take most of a minute.
        os.environ["HF_HUB_OFFLINE"] = "1"
        _set_offline(True)
    try:
        return str(open_clip.download_pretrained(config)), quick
    except Exception as error:
        reason = str(error).split("\n")[0][:100]
        raise WeightsNotFound(
            f"--pretrained {tag}: could not be fetched ({reason}), try again with a network or pass"
            " --weights FILE with weights that you have") from error
    finally:
        if not held:
            os.environ.pop("HF_HUB_OFFLINE", None)
            _set_offline(False)


def _set_offline(value: bool) -> None:
    """huggingface_hub reads its switch once, when imported: set it there too."""
    try:
        from huggingface_hub import constants  # type: ignore[import-not-found]

        constants.HF_HUB_OFFLINE = value
    except ImportError:
        pass
