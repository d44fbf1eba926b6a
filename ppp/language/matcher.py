"""From a command in English to a skill, or to "unknown command"."""
from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Dict, List, Optional, Sequence, Tuple

import torch

from ppp.errors import unknown
from ppp.language.clauses import plain, read_command, split_commands
from ppp.language.model import NO_THRESHOLD, TextModel

#: how many other skills a Match names
ALTERNATIVES = 3
#: longer texts are cut: no command needs more
MAX_CHARS = 1000


@dataclass(frozen=True)
class Match:
    """The answer for one command."""

    text: str
    #: nearest skill, also when the command is unknown; None only for an empty command
    skill: Optional[str]
    #: row of the codebook, -1 for an empty command
    index: int
    #: Euclidean distance of unit vectors to the nearest code, 0 to 2
    distance: float
    #: how much further the second nearest code is
    margin: float
    #: does the command name a skill of the codebook?
    known: bool
    #: (skill, distance) of the next nearest
    alternatives: List[Tuple[str, float]] = field(default_factory=list)
    #: can this policy perform the skill? True where no list of skills was given
    supported: bool = True
    #: the same skill where the policy can perform it, else its stand-in, else the nearest one
    nearest_supported: Optional[str] = None
    #: why it is refused, in one sentence; empty when it is not
    reason: str = ""

    @property
    def performable(self) -> bool:
        """Known, and within this policy's skills."""
        return self.known and self.supported

    def as_dict(self) -> Dict[str, Any]:
        """Plain values for JSON."""
        values = asdict(self)
        values["distance"], values["margin"] = round(self.distance, 4), round(self.margin, 4)
        values["alternatives"] = [[skill, round(d, 4)] for skill, d in self.alternatives]
        return {**values, "performable": self.performable}


class Matcher:
    """Answers commands with the skills of one text model."""

    def __init__(self, model: TextModel, skills: Optional[Sequence[str]] = None) -> None:
        """``skills``: what the policy can perform (default: all); PPPError for an unknown id."""
        self.model = model
        self.book = model.book
        self.threshold = model.threshold
        names = list(skills) if skills is not None else list(self.book.skills)
        for skill in names:
            if skill not in self.book.skills:
                raise unknown("skill of the policy:", skill, self.book.skills)
        self.supported = tuple(names)

    def __call__(self, text: str) -> Match:
        return self.match(text)

    def match(self, text: str) -> Match:
        """The one skill a command names; of a composite command, the sentence as a whole."""
        return self.match_many([text])[0]

    def match_many(self, texts: Sequence[str]) -> List[Match]:
        """``match`` for several texts in one pass of the encoder."""
        readings = [read_command(text[:MAX_CHARS]) for text in texts]
        wanted = [plain(reading.wanted) for reading in readings]
        # What only forbids something asks for the resting skill.
        rest = self._rest_label()
        wanted = [rest if not w and r.forbidden and rest else w for w, r in zip(wanted, readings)]
        distance = torch.cdist(self.model.encoder.encode(wanted), self.book.codes)
        return [self._answer(text, row) if read.strip() else self._empty(text)
                for text, read, row in zip(texts, wanted, distance)]

    def match_all(self, text: str) -> List[Match]:
        """The skills of a composite command in order: "creep up and bash it" -> two matches.

        Neighbouring clauses that name one skill become one match.
        """
        wanted = read_command(text[:MAX_CHARS]).wanted
        pieces = split_commands(wanted)
        if len(pieces) < 2:
            return [self.match(text)]
        out: List[Match] = []
        for match in self.match_many(pieces):
            if not out or match.skill != out[-1].skill or match.known != out[-1].known:
                out.append(match)
        return out

    def _rest_label(self) -> str:
        """Label of the resting skill, empty when there is none."""
        rest = self.model.rest
        return self.book.labels[self.book.index(rest)] if rest in self.book.skills else ""

    def _empty(self, text: str) -> Match:
        """The answer to a command without words."""
        reason = "the command is empty" if not text.strip() else "the command asks for no action"
        return Match(text, None, -1, NO_THRESHOLD, 0.0, known=False, reason=reason)

    def _answer(self, text: str, distance: torch.Tensor) -> Match:
        """The answer from one row of distances to all codes, (K,)."""
        ranked = [(self.book.skills[i], float(distance[i])) for i in distance.argsort().tolist()]
        skill, nearest = ranked[0]
        margin = ranked[1][1] - nearest if len(ranked) > 1 else NO_THRESHOLD - nearest
        known = nearest <= self.threshold
        supported = skill in self.supported
        order = self.model.stand_ins.get(skill, []) + [name for name, _ in ranked]
        able = skill if supported else next((n for n in order if n in self.supported), None)
        return Match(text, skill, self.book.index(skill), nearest, margin, known,
                     ranked[1:1 + ALTERNATIVES], supported, able,
                     self._reason(skill, nearest, known, able if not supported else None))

    def _reason(self, skill: str, distance: float, known: bool, instead: Optional[str]) -> str:
        """Why a command is refused; empty when it is not."""
        if not known:
            return (f"unknown command: nearest skill is {skill} at {distance:.2f}, "
                    f"over the limit of {self.threshold:.2f}")
        if skill not in self.supported:
            near = f", nearest it can do is {instead}" if instead else ""
            return f"this policy was not trained on {skill}{near}"
        return ""
