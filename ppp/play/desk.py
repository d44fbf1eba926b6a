"""Takes what visitors type and click, and says what is to be done: one errand, or a sentence."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, List, Optional, Sequence, Tuple

from ppp.errors import PPPError
from ppp.language.clauses import read_command
from ppp.planning.choosing import Maker
from ppp.planning.performer import WorldState
from ppp.planning.scenario import Scenario
from ppp.planning.search import SearchMaker
from ppp.planning.skills import GAIT, role
from ppp.planning.validate import point
from ppp.play.errand import Around, around, command_scenario, instruction_scenario
from ppp.play.reading import read
from ppp.play.things import Place, coordinates_in, named_in, points_at
from ppp.play.views import Heard

#: a command or an instruction is no longer than this, characters
LONGEST_TEXT = 1000

#: gives the planner for an instruction, and a line that says which one
MakerFor = Callable[[Scenario], Tuple[Maker, str]]


@dataclass(frozen=True)
class Errand:
    """What to perform, who plans it, and a line that says who that is."""

    scenario: Scenario
    maker: Maker
    how: str


@dataclass(frozen=True)
class Answer:
    """What a request leads to: an errand, an end of the one under way, or only a message."""

    message: str = ""
    errand: Optional[Errand] = None
    stop: bool = False


class Desk:
    """Remembers what was clicked, what was understood, and what waits for a click."""

    def __init__(self, scenario: Scenario, matcher: Any, skills: Sequence[str],
                 maker_for: MakerFor) -> None:
        self.scenario, self.matcher, self.skills = scenario, matcher, tuple(skills)
        self._maker_for = maker_for
        self.heard: Tuple[Heard, ...] = ()
        self.clear()

    def clear(self) -> None:
        """Forget all but the scenario."""
        self.target: Optional[Place] = None
        self.heard = ()
        self._pending = self._repeat = ""

    def over(self, success: bool) -> None:
        """The errand under way ended."""
        self._repeat = ""
        if success and self.target and not self.target.name:
            self.target = None  # the point was reached: the next walk goes straight ahead

    def say(self, text: str, state: WorldState) -> Answer:
        """A command in plain English. Raises PPPError for a text that no skill fits."""
        text = _checked(text)
        pairs, bad = self._read(text, state)
        if bad is not None:
            raise PPPError(_advice(bad))
        forbids = bool(read_command(text).forbidden)
        if len(pairs) == 1 and not forbids:
            return self._one(text, pairs[0][1], state)
        return self._search(instruction_scenario(self.scenario, text, pairs, self._around(state)))

    def press(self, skill: str, state: WorldState) -> Answer:
        """A skill by its name. Raises PPPError for one that the policy lacks."""
        if skill not in self.skills:
            raise PPPError(f"the policy has no skill '{skill[:40]}'")
        self.heard, self._pending = (), ""
        return self._one(skill.replace("_", " "), skill, state)

    def instruct(self, text: str, state: WorldState) -> Answer:
        """An instruction for the planner. Raises PPPError for one that it cannot plan."""
        text = _checked(text)
        own = text.split() == self.scenario.instruction.split()
        self.heard, self._pending = (), ""
        pairs, bad = ([], None) if own else self._read(text, state)
        scenario = self.scenario if own else instruction_scenario(
            self.scenario, text, [] if bad else pairs, self._around(state))
        maker, how = self._maker_for(scenario)
        if bad is not None and maker.name == SearchMaker.name:
            raise PPPError(f"{_advice(bad)} (the search planner reads one skill a clause)")
        self._repeat = ""
        return Answer(errand=Errand(scenario, maker, how))

    def aim(self, place: Optional[Place], state: WorldState) -> Answer:
        """A target was clicked; a command that waited for it, or a walk under way, goes there."""
        self.target = place
        again, self._pending = self._pending or self._repeat, ""
        if place is None:
            return Answer("no target: gaits go straight ahead, blows seek the nearest target")
        if again:
            return self.say(again, state)
        return Answer(f"target: {place.name or point(place.xy)}")

    def _read(self, text: str, state: WorldState) -> Tuple[List[Tuple[str, str]], Any]:
        """Each clause with its skill, and the first match that cannot be carried out, or None."""
        clauses = read(text, self.matcher, self._around(state), state)
        self.heard, self._pending = tuple(Heard.of(c.match, c.verb) for c in clauses), ""
        bad = next((c.match for c in clauses if not c.match.performable), None)
        return [(c.text, c.match.skill) for c in clauses], bad

    def _one(self, text: str, skill: str, state: WorldState) -> Answer:
        """One skill at the place that the text or the last click names."""
        now = self._around(state)
        named = named_in(text, now.props, now.here) or coordinates_in(text)
        if points_at(text) and named is None and self.target is None:
            self._pending = text
            return Answer("click a point of the floor or an object: the command waits for it")
        if skill == "idle":
            return Answer("stands still", stop=True)
        self._repeat = text if role(skill) == GAIT and named is None else ""
        return self._search(command_scenario(self.scenario, text, skill, now))

    def _search(self, scenario: Scenario) -> Answer:
        return Answer(errand=Errand(scenario, SearchMaker(self.matcher), SearchMaker.name))

    def _around(self, state: WorldState) -> Around:
        return around(self.scenario, state, self.target)


def _checked(text: str) -> str:
    text = " ".join(text.split())
    if not any(c.isalnum() for c in text):
        raise PPPError("write what to do in English, such as 'walk to the flag'")
    if len(text) > LONGEST_TEXT:
        raise PPPError(f"that is {len(text)} characters: at most {LONGEST_TEXT} are read")
    return text


def _advice(match: Any) -> str:
    """What to do about a text that is refused; the nearest skills are shown beside it."""
    if match.known or match.skill is None:
        return match.reason
    return f"'{match.text[:60]}' names no skill: say it in other words, or press a skill"
