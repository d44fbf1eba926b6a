"""A second look: a hidden state picks out of what is in view what it is after.

One token has to say of two dozen entities what each is, where it lies and whether it is in reach. A
query made of the hidden state, which knows the instruction, finds the one that is wanted by
attention over the entities themselves; what it found goes to the decoder beside the hidden state.
The paper's decoder has no such look.
"""
from __future__ import annotations

import torch
from torch import Tensor, nn

from ppp.llarp.observation import Seen

#: heads of the attention, and numbers a head
HEADS, SIZE = 8, 32
#: numbers of what was found
FOUND = HEADS * SIZE


class Gaze(nn.Module):
    """Attention (Vaswani et al., arXiv 1706.03762, equation 1) over entities, and over one more
    that stands for nothing: a query may find none of them fitting."""

    def __init__(self, d_model: int, width: int) -> None:
        """d_model: numbers of a hidden state. width: of an entity."""
        super().__init__()
        self.query = nn.Sequential(nn.Linear(d_model, FOUND), nn.ReLU(), nn.Linear(FOUND, FOUND))
        self.key, self.value = nn.Linear(width, FOUND), nn.Linear(width, FOUND)
        self.nothing = nn.Parameter(torch.zeros(width))
        self.norm = nn.LayerNorm(FOUND)

    def forward(self, hidden: Tensor, seen: Seen) -> Tensor:
        """(m, d_model) hidden states at m observations -> (m, FOUND). Order does not matter."""
        count = len(hidden)
        entities = torch.cat([seen.entities, self.nothing.expand(count, 1, -1)], 1)
        mask = torch.cat([seen.mask, seen.mask.new_ones(count, 1)], 1)
        query = self.query(hidden).view(count, HEADS, 1, SIZE)
        key, value = (part(entities).view(count, -1, HEADS, SIZE).transpose(1, 2)
                      for part in (self.key, self.value))
        score = (query @ key.transpose(-1, -2)) * SIZE ** -0.5
        share = score.masked_fill(~mask[:, None, None], float("-inf")).softmax(-1)
        return self.norm((share @ value).reshape(count, FOUND))
