"""What asking a model may take and has taken: tokens, and their cost where prices are given."""
from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Dict, Optional, Sequence, Tuple

from ppp.errors import PPPError
from ppp.planning.reading import counted
from ppp.planning.server import Message

#: characters of English text that make one token, about; only where a server does not count
CHARACTERS = 4
#: a reply that may not be this long is not asked for, tokens
SHORTEST = 64


@dataclass
class Budget:
    """Limits over a whole run (first plan, repairs, later plans), and what was used of them.

    tokens: of all prompts and replies together. reply: of one reply. prices: of a million prompt
    tokens and of a million reply tokens, in any currency. cost: in the same, None for no limit.
    """

    tokens: int = 200_000
    reply: int = 4096
    prices: Optional[Tuple[float, float]] = None
    cost: Optional[float] = None

    def __post_init__(self) -> None:
        self.replies = self.prompt_tokens = self.reply_tokens = 0
        #: whether a count is our own estimate
        self.estimated = False
        for flag, value in (("--token-limit", self.tokens), ("--reply-tokens", self.reply)):
            if not SHORTEST <= value <= 10**9:
                raise PPPError(f"{flag} must be from {SHORTEST} to 1000000000 tokens, not {value}")
        if self.prices and not all(0.0 <= p <= 1e6 for p in self.prices):
            raise PPPError("--price needs two numbers from 0 to 1000000: of a million prompt "
                           "tokens and of a million reply tokens")
        if self.cost is not None and not 0.0 < self.cost <= 1e9:
            raise PPPError(f"--cost-limit must be a number above 0, not {self.cost:g}")
        if self.cost is not None and not self.prices:
            raise PPPError("--cost-limit needs --price: the prices of a million prompt tokens and "
                           "of a million reply tokens")

    def room(self, messages: Sequence[Message]) -> int:
        """How many tokens the reply to ``messages`` may have; PPPError when a limit is reached."""
        prompt = _estimate(messages)
        left = self.tokens - self.used - prompt
        if left < SHORTEST:
            raise PPPError(
                f"the limit of {self.tokens} tokens leaves no room for another reply (used: "
                f"{self.used}): raise --token-limit, or plan by --planner search"
            )
        if self.prices and self.cost is not None:
            money = self.cost - self.spent - prompt * self.prices[0] / 1e6
            price = self.prices[1] / 1e6
            affordable = math.inf if price == 0.0 and money > 0.0 else money / (price or 1.0)
            if affordable < SHORTEST:
                raise PPPError(
                    f"the limit of {self.cost:g} leaves no money for another reply (spent: "
                    f"{self.spent:.4g}): raise --cost-limit, or plan by --planner search"
                )
            left = int(min(left, affordable + 1e-6))  # what rounding took is given back
        return min(left, self.reply)

    def add(self, usage: Any, messages: Sequence[Message], reply: str) -> None:
        """Count one reply by the server's ``usage``, by its length where that is missing or odd."""
        usage = usage if isinstance(usage, dict) else {}
        prompt, answer = usage.get("prompt_tokens"), usage.get("completion_tokens")
        if not (_count(prompt) and _count(answer)):
            self.estimated = True
            prompt, answer = _estimate(messages), math.ceil(len(reply) / CHARACTERS)
        self.replies += 1
        self.prompt_tokens += prompt
        self.reply_tokens += answer

    @property
    def used(self) -> int:
        """Tokens of all prompts and replies so far."""
        return self.prompt_tokens + self.reply_tokens

    @property
    def spent(self) -> float:
        """Their cost; 0 without prices."""
        dear = self.prices or (0.0, 0.0)
        return (self.prompt_tokens * dear[0] + self.reply_tokens * dear[1]) / 1e6

    def __str__(self) -> str:
        about = "about " if self.estimated else ""
        cost = f"cost {self.spent:.4g}" if self.prices else "cost unknown without --price"
        return (
            f"{counted(self.replies, 'reply', 'replies')}, {about}{self.prompt_tokens} prompt "
            f"tokens and {self.reply_tokens} reply tokens, {cost}"
        )

    def as_dict(self) -> Dict[str, Any]:
        """The same as plain data."""
        return {
            "replies": self.replies,
            "prompt_tokens": self.prompt_tokens,
            "reply_tokens": self.reply_tokens,
            "tokens_estimated": self.estimated,
            "cost": self.spent if self.prices else None,
        }


def _count(value: Any) -> bool:
    """Whether a server's count can be one."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 10**9


def _estimate(messages: Sequence[Message]) -> int:
    return math.ceil(sum(len(m["content"]) for m in messages) / CHARACTERS)
