"""A policy from its settings."""
from __future__ import annotations

from typing import List

import torch
from torch import Tensor, nn

from ppp.errors import PPPError
from ppp.llarp.backbones import Backbone
from ppp.llarp.config import ModelConfig
from ppp.llarp.heads import ActionHead, action_keys
from ppp.llarp.observation import ObservationEncoder
from ppp.llarp.policy import LlarpPolicy
from ppp.llarp.recurrent import UNITS, LstmPolicy, OwnWords, PooledSentence
from ppp.rearrangement import ACTIONS, NAMES, OBS

#: length of an observation's token for the LSTM, which has no backbone to fit
TOKEN = 384


@torch.no_grad()
def sentence_vectors(backbone: Backbone, texts: List[str]) -> Tensor:
    """(n, d) float32 unit vectors of texts, as the backbone's weights are now; no gradient."""
    rows = [backbone.prefill(texts[at:at + 64]).pooled for at in range(0, len(texts), 64)]
    return torch.cat(rows).detach().clone()


def build_policy(config: ModelConfig, seed: int, backbone: Backbone) -> nn.Module:
    """The policy around ``backbone``, with fresh adapters drawn from ``seed``."""
    torch.manual_seed(seed)
    sizes = (int(OBS.S), int(OBS.E), int(OBS.F))
    names = sentence_vectors(backbone, list(NAMES)) if config.mode == "names" else None
    keys = None
    if config.head != "flat":
        keys = action_keys(sentence_vectors(backbone, [action.phrase for action in ACTIONS]))
    gaze = config.width if config.gaze else 0
    if config.policy == "llarp":
        encoder = ObservationEncoder(sizes, backbone.d_model, backbone.spread, config.width, names,
                                     config.echo)
        head = ActionHead(backbone.d_model, len(ACTIONS), config.head, config.critic, keys,
                          backbone.d_model, gaze, backbone.d_model if config.sentence else 0)
        return LlarpPolicy(backbone, encoder, head, config.look, config.remembers)
    reader = _sentence(config, backbone)
    encoder = ObservationEncoder(sizes, TOKEN, 1.0, config.width, names, config.echo)
    head = ActionHead(UNITS, len(ACTIONS), config.head, config.critic, keys, TOKEN, gaze,
                      reader.size if config.sentence else 0)
    return LstmPolicy(reader, encoder, TOKEN, head)


def _sentence(config: ModelConfig, backbone: Backbone) -> nn.Module:
    if config.policy == "lstm":
        return PooledSentence(backbone)
    size = getattr(getattr(backbone.module, "size", None), "vocab_size", None)
    if size is None:
        raise PPPError("field 'model.policy': lstm-words takes the vocabulary of minilm or tiny, "
                       f"not of {backbone.name}")
    return OwnWords(backbone.tokenizer, int(size))


def trainable_count(policy: nn.Module) -> int:
    """Numbers that training changes."""
    return sum(p.numel() for p in policy.parameters() if p.requires_grad)
