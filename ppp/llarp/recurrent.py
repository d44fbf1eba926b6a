"""The LSTM baselines: on the frozen pooled sentence vector, and on word embeddings of its own."""
from __future__ import annotations

from dataclasses import dataclass
from typing import List, Tuple

import torch
from torch import Tensor, nn

from ppp.llarp.backbones import Backbone, instructions_of
from ppp.llarp.heads import ActionHead
from ppp.llarp.observation import Obs, ObservationEncoder
from ppp.llarp.policy import Memory

#: layers and units of the LSTM that remembers the episode
LAYERS, UNITS = 2, 512


@dataclass
class Recurrent:
    """sentence (n, s); hidden and cell (LAYERS, n, UNITS)."""

    sentence: Tensor
    hidden: Tensor
    cell: Tensor

    def select(self, index: Tensor) -> "Recurrent":
        """The rows ``index`` (m,)."""
        return Recurrent(self.sentence[index], self.hidden[:, index], self.cell[:, index])

    def forget(self) -> None:
        """Back to before the first step."""
        self.hidden, self.cell = torch.zeros_like(self.hidden), torch.zeros_like(self.cell)

    def __len__(self) -> int:
        return len(self.sentence)


class PooledSentence(nn.Module):
    """The backbone's mean hidden state of a text, frozen."""

    trained = False

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        self._backbone, self.size = [backbone], backbone.d_model

    def forward(self, texts: List[str]) -> Tensor:
        """n texts -> (n, d)."""
        return instructions_of(self._backbone[0].prefill(texts))


class OwnWords(nn.Module):
    """Word vectors and a reading LSTM, both learned: nothing here was pretrained."""

    trained = True

    def __init__(self, tokenizer, vocabulary: int, size: int = 256) -> None:
        """tokenizer: anything with ``batch(texts)`` -> ids (n, t) and mask (n, t)."""
        super().__init__()
        self.tokenizer, self.size = tokenizer, size
        self.words = nn.Embedding(vocabulary, size)
        self.reader = nn.LSTM(size, size, batch_first=True)

    def forward(self, texts: List[str]) -> Tensor:
        """n texts -> (n, size): the reader's state at each text's last token."""
        ids, mask = self.tokenizer.batch(texts)
        read, _ = self.reader(self.words(ids))
        return read[torch.arange(len(read)), mask.sum(1) - 1]


class LstmPolicy(nn.Module):
    """Observation token and sentence vector into an LSTM; the same decoder as LLaRP's."""

    def __init__(self, sentence: nn.Module, encoder: ObservationEncoder, token: int,
                 head: ActionHead) -> None:
        """sentence: PooledSentence or OwnWords. token: length of the encoder's output."""
        super().__init__()
        self.sentence, self.encoder, self.head = sentence, encoder, head
        self.core = nn.LSTM(token + sentence.size, UNITS, LAYERS, batch_first=True)

    @torch.no_grad()
    def begin(self, texts: List[str], room: int) -> Memory:
        """See :class:`ppp.llarp.policy.Planner`."""
        empty = torch.zeros(LAYERS, len(texts), UNITS)
        return Memory(list(texts), Recurrent(self.sentence(list(texts)), empty, empty.clone()))

    @torch.no_grad()
    def step(self, memory: Memory, obs: Obs) -> Tensor:
        """See :class:`ppp.llarp.policy.Planner`."""
        state: Recurrent = memory.state
        seen = self.encoder(obs)
        out, (state.hidden, state.cell) = self.core(
            torch.cat([seen.token, state.sentence], -1)[:, None], (state.hidden, state.cell))
        memory.steps += 1
        return self.head(out[:, 0], seen, state.sentence)[0]

    def sequence(self, memory: Memory, obs: Obs, real: Tensor) -> Tuple[Tensor, Tensor]:
        """See :class:`ppp.llarp.policy.Planner`."""
        seen = self.encoder(obs)
        text = self.sentence(memory.texts) if self.sentence.trained else memory.state.sentence
        row, step = real.nonzero(as_tuple=True)
        x = seen.token.new_zeros(*real.shape, self.core.input_size)
        x = x.index_put((row, step), torch.cat([seen.token, text[row]], -1))
        out, _ = self.core(x)
        return self.head(out[row, step], seen, text[row])
