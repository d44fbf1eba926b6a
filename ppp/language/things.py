"""Commands about things, taught so that the thing says nothing about the skill.

"walk to the dummy" must not become a slash because dummies were only ever struck in training. So a
phrase file may hold carriers, "walk to {thing}", for every skill and for commands that none fits,
and one list of names; every carrier is written out with some of the names, in turn, so that each
thing is met with each skill.
"""
from __future__ import annotations

from typing import List

from ppp.errors import PPPError

#: stands for a thing in a carrier
THING = "{thing}"
#: names that one carrier is written out with
EACH = 4
FIELDS = ("names", "train", "oos_train")


class Writer:
    """Writes carriers out with the names of one list, going on where the last carrier stopped."""

    def __init__(self, names: List[str], where: str) -> None:
        """``names``: noun phrases with their article; ``where``: file and field, for errors."""
        self.names = names
        self.where = where
        self.used = 0

    def write(self, carriers: List[str], where: str) -> List[str]:
        """Phrases from carriers, EACH for each. PPPError for a carrier without ``{thing}``."""
        out: List[str] = []
        for carrier in carriers:
            if THING not in carrier:
                raise PPPError(f"{where}: '{carrier[:60]}' has no {THING} in it, put it where the "
                               "thing is named, or move the phrase to train")
            if not self.names:
                raise PPPError(f"{self.where}: empty, list the things that {THING} stands for")
            some = min(EACH, len(self.names))
            out += [carrier.replace(THING, self.names[(self.used + i) % len(self.names)])
                    for i in range(some)]
            self.used += some
        return out

