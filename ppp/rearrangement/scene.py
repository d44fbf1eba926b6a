"""A scenario of ``ppp plan`` as a learned planner sees it, and its action as the humanoid's steps.

The planner was trained on a fixed vocabulary. The scenario's targets become the dummies, its other
things the landmarks, by their own name where the vocabulary has it; the instruction is rewritten to
match. A thing called "fire pit" or "guard" is that.
"""
from __future__ import annotations

import re
from dataclasses import replace
from typing import Dict, List, Optional, Sequence, Tuple, Union

import numpy as np

from ppp.engines.scene import Prop
from ppp.errors import PPPError
from ppp.planning.conditions import KnockedOver, Performed
from ppp.planning.drafting import Draft, turn, walk
from ppp.planning.geometry import ahead, box_of, distance, point_distance
from ppp.planning.places import TOLERANCE, reach_places, strike_places
from ppp.planning.plan_schema import PlanStep
from ppp.planning.scenario import Scenario
from ppp.planning.search import SearchMaker
from ppp.planning.situation import Matcher, Situation
from ppp.planning.skills import REACH
from ppp.planning.wording import say
from ppp.rearrangement import actions as acts
from ppp.rearrangement import vocabulary as words
from ppp.rearrangement.layout import OUTSIDE, STANDS, Layout, P
from ppp.rearrangement.observe import Eyes, Observation, tell
from ppp.rearrangement.sight import FAR, GEOMETRY, GUARD_AT, HAZARD_AT, Sight
from ppp.rearrangement.world import State, World

#: an object's side is within reach up to here: a walk to it ends a blow's reach away, m
NEAR = REACH["slash"] + TOLERANCE
#: where the middle of the scene lies in the yards of training, m
_MIDDLE = (19.0, 4.5)
#: one turns to what one blocks or taunts, if it is further aside than this, rad
_ASIDE = 0.7


class Bridge:
    """One scenario between the abstract world and the real one. skills: what the policy has."""

    def __init__(self, scenario: Scenario, matcher: Matcher, mode: str = "appearance") -> None:
        self.scenario, self.matcher, self.mode = scenario, matcher, mode
        props = scenario.scene().props
        self.slots = _slots(props, scenario.instruction)
        self.things = {prop: slot for slot, prop in self.slots.items()}
        spots = [p.position for p in props] + [scenario.start.position]
        self._shift = np.asarray(_MIDDLE) - np.mean(spots, axis=0)
        self._layout = self._empty_layout()

    @property
    def instruction(self) -> str:
        """The instruction in the words of the vocabulary."""
        text = self.scenario.instruction
        # longest first: "red box" before "box"; marked, so that no name is replaced in another
        names = sorted(self.things, key=len, reverse=True)
        for i, name in enumerate(names):
            text = re.sub(rf"\b{re.escape(name)}\b", f"\0{i}\0", text, flags=re.IGNORECASE)
        for i, name in enumerate(names):
            text = text.replace(f"\0{i}\0", self.things[name])
        return text

    def observe(
        self, now: Situation, step: int, last: Optional[acts.Action] = None,
        invalid: bool = False, failed: bool = False,
    ) -> Observation:
        """What the planner is told: where everything is from here, and how ``last`` went.

        step: actions so far. The furniture of the house is taken to be out of sight.
        """
        at = min(self._placed(), key=lambda i: distance(now.xy, now.prop(self._prop(i)).position))
        layout, sight = self._tables(now, at)
        down = [self.slots.get(d) in now.fallen for d in words.DUMMIES]
        seen = set(self.slots)
        world = World(layout, sight, ("apple",), ("",), (0,), words.GUARD in seen,
                      words.HAZARD in seen)
        state = State(at, [0], [False] * len(words.OPENABLE), down, step=step)
        _, observation = Eyes(world, [0] * (P + 3), self.mode).look(state)
        if last is not None:
            tell(observation, last, invalid, failed)
        return observation

    def steps(self, action: acts.Action, now: Situation) -> Union[List[PlanStep], str]:
        """The humanoid's steps for an action, or in words why it cannot be done here.

        PPPError where the floor leaves no way.
        """
        skill, target = action.skill, action.target
        if skill not in acts.HUMANOID:
            return "the humanoid's hands hold a sword and a shield"
        if acts.HUMANOID[skill] not in now.skills:
            return f"the policy has no skill '{acts.HUMANOID[skill]}'"
        if target and target not in self.slots:
            return f"there is no {target} here"
        draft = Draft(now, self.matcher, acts.HUMANOID[skill], now.xy, now.heading)
        if skill in acts.MOVES:
            self._walk(draft, now.prop(self.slots[target]))
            return draft.steps or "it is there already"
        if skill in acts.STRIKES:
            return self._strike(now, now.prop(self.slots[target]), acts.HUMANOID[skill])
        self._in_place(draft, acts.HUMANOID[skill])
        return draft.steps

    def _walk(self, draft: Draft, prop: Prop) -> None:
        """To where a blow would reach a target, or as near to another thing as one can stand."""
        boxes, keeps = draft.boxes(), draft.keeps()
        if prop.kind == "target" and prop.name not in draft.now.fallen:
            gap = REACH["slash"] - TOLERANCE
            goals = strike_places(draft.now, prop, "slash", gap, boxes, keeps, 48)
        else:
            goals = reach_places(draft.now, prop.name, max(prop.size[:2]) + NEAR, boxes, keeps)
        if not goals:
            raise PPPError(f"no place near '{prop.name}' is free: move what stands around it")
        walk(draft, goals, f"reach '{prop.name}'", prop.name)

    def _strike(self, now: Situation, prop: Prop, skill: str) -> Union[List[PlanStep], str]:
        if prop.kind != "target" or prop.name in now.fallen:
            return f"the {self.things[prop.name]} lies already"
        if _gap(now, prop) > NEAR:
            return f"the {self.things[prop.name]} is out of reach"
        lasting = [c for c in self.scenario.success if hasattr(c, "kept_away")]
        blow = [KnockedOver(knocked_over=prop.name), Performed(performed=skill), *lasting]
        scenario = self.scenario.model_copy(update={"success": blow})
        part = replace(now, scenario=scenario, progress=(0,) * len(blow))
        return SearchMaker(self.matcher).make(part).steps

    def _in_place(self, draft: Draft, skill: str) -> None:
        """Facing the nearest target in reach, if there is one."""
        now = draft.now
        near = [p for p in now.props if p.kind == "target" and _gap(now, p) <= NEAR
                and p.name not in now.fallen]
        facing = ahead(now.xy, now.heading, 2.0)
        if near:
            prop = min(near, key=lambda p: _gap(now, p))
            facing = prop.position
            turn(draft, facing, prop.name, _ASIDE)
        draft.add(skill, say(skill, self.matcher), facing, "done")

    # What is seen ------------------------------------------------------------------------------

    def _placed(self) -> List[int]:
        """The places of the vocabulary that stand for something here."""
        places = [words.PLACE[s] for s in self.slots if s in words.PLACE]
        if not places:
            raise PPPError(f"scenario '{self.scenario.name}': objects: the learned planner needs "
                           "a target or another thing to go to: add one")
        return places

    def _prop(self, place: int) -> str:
        return self.slots[words.PLACES[place]]

    def _empty_layout(self) -> Layout:
        """The house with its furniture somewhere else; of the yard only what is here."""
        exists = np.ones(P, dtype=bool)
        for name in (*words.DUMMIES, *words.LANDMARKS):
            exists[words.PLACE[name]] = name in self.slots
        nowhere = np.full((STANDS, 2), 1e3)
        side = np.full(STANDS, OUTSIDE)
        return Layout(-1, exists, nowhere[:P], nowhere, np.zeros(STANDS), np.full(P, -1), side, (),
                      np.zeros((0, 4)), {}, nowhere[0], nowhere[0])

    def _tables(self, now: Situation, at: int) -> Tuple[Layout, Sight]:
        """Layout and sight in which one stands at ``at``, where the humanoid is."""
        points, sees = np.full((P + 2, 2), 1e3), np.zeros(P + 2, dtype=bool)
        near = np.zeros(P, dtype=bool)
        for slot, name in self.slots.items():
            index = {words.GUARD: GUARD_AT, words.HAZARD: HAZARD_AT}.get(slot)
            index = words.PLACE[slot] if index is None else index
            prop = now.prop(name)
            points[index] = prop.position
            sees[index] = distance(now.xy, prop.position) < FAR
            if index < P:
                near[index] = _gap(now, prop) <= NEAR
        offset = points - np.asarray(now.xy)
        c, s = np.cos(now.heading), np.sin(now.heading)
        forward, left = offset @ np.array([c, s]), offset @ np.array([-s, c])
        far = np.maximum(np.linalg.norm(offset, axis=1), 1e-6)
        geometry = np.zeros((STANDS, P + 2, GEOMETRY), dtype=np.float32)
        geometry[at] = np.stack([forward / 10, left / 10, far / 10, left / far, forward / far], 1)
        stand, heading = self._layout.stand.copy(), self._layout.heading.copy()
        stand[at], heading[at] = np.asarray(now.xy) + self._shift, now.heading
        none = np.zeros((STANDS, STANDS), dtype=bool)
        sight = Sight(_row(sees, at), _row(np.zeros(P, dtype=bool), at), _row(near, at), geometry,
                      none, none, _row(np.argsort(np.argsort(far)), at), np.zeros((STANDS, STANDS)))
        return replace(self._layout, stand=stand, heading=heading), sight


def _row(values: np.ndarray, at: int) -> np.ndarray:
    """(STANDS, n): the values in row ``at``, else zeros."""
    table = np.zeros((STANDS, len(values)), dtype=values.dtype)
    table[at] = values
    return table


def _gap(now: Situation, prop: Prop) -> float:
    """From the humanoid to the side of a thing, m."""
    return float(point_distance(now.xy, box_of(prop)))


def _slots(props: Sequence[Prop], instruction: str) -> Dict[str, str]:
    """Name of the vocabulary -> name of the prop; what the instruction names comes first."""
    found: Dict[str, str] = {}
    ordered = sorted(props, key=lambda p: p.name.lower() not in instruction.lower())
    groups = {True: words.DUMMIES, False: words.LANDMARKS}
    special = (words.GUARD, words.HAZARD)
    own = [p for p in ordered if p.name in (*groups[p.kind == "target"], *special)]
    for prop in own:
        found[prop.name] = prop.name
    for prop in ordered:
        slot = _free(groups[prop.kind == "target"], found) if prop not in own else None
        if slot:
            found[slot] = prop.name
    return found


def _free(group: Sequence[str], taken: Dict[str, str]) -> Optional[str]:
    return next((name for name in group if name not in taken), None)


