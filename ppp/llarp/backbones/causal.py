"""Any causal language model of the ``transformers`` package (extra ``llm``), frozen.

Vectors take the place of tokens through ``inputs_embeds``; texts are padded on the left, so that
what follows lies beside its text in every row.
"""
from __future__ import annotations

from typing import Any, List, Tuple

import torch
from torch import Tensor

from ppp.errors import PPPError
from ppp.language.encoders.bert import mean_pool
from ppp.llarp.backbones.base import freeze

MAX_TOKENS = 64


class CausalState:
    """A cache of ``transformers`` with what belongs to it; rows are texts.

    layers: (keys, values) of the texts, one pair a layer, and the same with the steps taken;
    mask (n, t) bool of real tokens; lengths (n,).
    """

    def __init__(self, cache: Any, mask: Tensor, pooled: Tensor) -> None:
        self.cache, self.mask, self.pooled = cache, mask, pooled
        self.text, self.lengths, self.used = mask.shape[1], mask.sum(1), 0

    def __len__(self) -> int:
        return len(self.mask)

    def select(self, index: Tensor) -> "CausalState":
        """The rows ``index`` (m,), copied."""
        new = CausalState(_cache([(k[index], v[index]) for k, v in _pairs(self.cache)]),
                          self.mask[index], self.pooled[index])
        new.text, new.used = self.text, self.used
        new.lengths = self.lengths[index]
        return new

    def forget(self) -> None:
        """Let go of the steps."""
        self.used, self.mask = 0, self.mask[:, :self.text]
        self.cache = _cache([(k[:, :, :self.text], v[:, :, :self.text])
                             for k, v in _pairs(self.cache)])


def _pairs(cache: Any) -> List[Tuple[Tensor, Tensor]]:
    """(keys, values) of every layer, whichever version of the package made the cache."""
    if hasattr(cache, "layers"):
        return [(layer.keys, layer.values) for layer in cache.layers]
    return list(zip(cache.key_cache, cache.value_cache))


def _cache(pairs: List[Tuple[Tensor, Tensor]]) -> Any:
    """A new cache that holds ``pairs``."""
    from transformers import DynamicCache

    cache = DynamicCache()
    for number, (keys, values) in enumerate(pairs):
        cache.update(keys, values, number)
    return cache


class CausalBackbone:
    """A frozen causal model; see :class:`ppp.llarp.backbones.base.Backbone`."""

    trained = False

    def __init__(self, name: str, module: Any, tokenizer: Any) -> None:
        self.name, self.module, self.tokenizer = name, module, tokenizer
        freeze(module)
        self.table = module.get_input_embeddings()
        self.d_model = int(self.table.weight.shape[1])
        self.spread = float(self.table.weight.detach().float().std())

    def tokens(self, texts: List[str]) -> Tuple[Tensor, Tensor]:
        """(n, t) ids padded on the left, and the (n, t) bool mask."""
        rows = [list(self.tokenizer(text)["input_ids"])[:MAX_TOKENS] or [0] for text in texts]
        longest = max(map(len, rows))
        ids = torch.zeros(len(rows), longest, dtype=torch.long)
        mask = torch.zeros(len(rows), longest, dtype=torch.bool)
        for number, row in enumerate(rows):
            ids[number, longest - len(row):] = torch.tensor(row)
            mask[number, longest - len(row):] = True
        return ids, mask

    def embed(self, texts: List[str]) -> Tuple[Tensor, Tensor]:
        """(n, t, d) word vectors; (n, t) mask."""
        ids, mask = self.tokens(texts)
        return self.table(ids), mask

    @torch.no_grad()
    def prefill(self, texts: List[str], room: int = 0) -> CausalState:
        """The texts' state; the cache grows by itself."""
        x, mask = self.embed(texts)
        places = (mask.cumsum(1) - 1).clamp(min=0)
        out = self.module(inputs_embeds=x, attention_mask=mask.long(), position_ids=places,
                          use_cache=True)
        hidden = out.last_hidden_state.float()
        return CausalState(out.past_key_values, mask, mean_pool(hidden, mask))

    @torch.no_grad()
    def step(self, state: CausalState, x: Tensor) -> Tensor:
        """(n, d) -> (n, d) float32."""
        state.mask = torch.cat([state.mask, torch.ones(len(state), 1, dtype=torch.bool)], 1)
        places = (state.lengths + state.used)[:, None]
        out = self._run(x[:, None], state.cache, state.mask, places)
        state.cache, state.used = out.past_key_values, state.used + 1
        return out.last_hidden_state[:, 0].float()

    def sequence(self, state: CausalState, x: Tensor, real: Tensor) -> Tensor:
        """(m, d) at the places of ``real`` (n, t) -> (m, d) float32."""
        n, t = real.shape
        cache = _cache([(k[:, :, :state.text], v[:, :, :state.text])
                        for k, v in _pairs(state.cache)])
        # a row's tokens begin at its left: what pads it comes later, and nobody sees it
        mask = torch.cat([state.mask[:, :state.text], torch.ones(n, t, dtype=torch.bool)], 1)
        index = real.flatten().nonzero()[:, 0]
        full = x.new_zeros(n * t, x.shape[-1]).index_copy(0, index, x).view(n, t, -1)
        out = self._run(full, cache, mask, state.lengths[:, None] + torch.arange(t))
        return out.last_hidden_state.float().flatten(0, 1)[index]

    def _run(self, x: Tensor, cache: Any, mask: Tensor, places: Tensor) -> Any:
        return self.module(inputs_embeds=x.to(self.table.weight.dtype), past_key_values=cache,
                           attention_mask=mask.long(), position_ids=places, use_cache=True)


def load_causal(name: str, precision: str = "bfloat16") -> CausalBackbone:
    """A model by its name at the hub or its folder. PPPError says what is missing.

    Remote code is never run. What lies on this machine is preferred; a name that does not is
    fetched by the package, as it always does, unless HF_HUB_OFFLINE is set.
    """
    try:
        from transformers import AutoModel, AutoTokenizer
    except ImportError:
        raise PPPError(f"--backbone {name}: needs the transformers package, run "
                       "'pip install \"ppp[llm]\"'") from None
    try:
        tokenizer = AutoTokenizer.from_pretrained(name)
        module = AutoModel.from_pretrained(name, dtype=getattr(torch, precision))
    except (OSError, ValueError, KeyError, ImportError) as error:
        why = str(error).strip().splitlines()
        raise PPPError(f"--backbone {name}: no causal model that transformers can load from there "
                       f"({why[0][:160] if why else 'no reason given'}); give a folder with its "
                       "files, or minilm") from None
    return CausalBackbone(name, module, tokenizer)
