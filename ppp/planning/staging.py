"""What happens in a scene by itself: at the time of an event somebody moves a target."""
from __future__ import annotations

from typing import Any, Dict, List, Sequence, Tuple

import numpy as np

from ppp.engines.scene import Scene
from ppp.planning.geometry import BODY_RADIUS, Box, box_of, boxes_overlap, point_distance
from ppp.planning.performer import Performer, Poses, WorldState
from ppp.planning.scenario import Event
from ppp.planning.situation import lies

#: a target is put down only this far or further from the pelvis, m
ROOM = BODY_RADIUS + 0.2


class Staged:
    """A ``Performer`` to which the events of a scenario happen. happened: what did, and when.

    told: every change of skill as (time, s; skill), also those between the steps of a plan.
    """

    def __init__(self, performer: Performer, events: Sequence[Event]) -> None:
        self.performer, self.events = performer, tuple(events)
        self.control_dt, self.skills = performer.control_dt, performer.skills
        self.happened: List[Dict[str, Any]] = []
        self.told: List[Tuple[float, str]] = []

    def reset(
        self, scene: Scene, start_xy: Tuple[float, float], start_heading: float, seed: int
    ) -> WorldState:
        """Begin anew; no event has happened."""
        self._boxes = {p.name: box_of(p) for p in scene.bodies}
        self._due = sorted(self.events, key=lambda e: e.at)
        self.happened, self.told = [], []
        self._state = self.performer.reset(scene, start_xy, start_heading, seed)
        return self._state

    def command(self, skill: str, target_xy: Tuple[float, float]) -> None:
        """Set the skill and its target; see ``Performer``."""
        if not self.told or self.told[-1][1] != skill:
            self.told.append((self._state.time, skill))
        self.performer.command(skill, target_xy)

    def step(self) -> WorldState:
        """Let happen what is due, then advance by one control step."""
        for event in [e for e in self._due if e.at <= self._state.time + 1e-6]:
            if lies(self._state.props[event.move].up_z):
                self._due.remove(event)
                self._note(event, "it lay already")
            elif self._is_free(event):
                self._due.remove(event)
                self.performer.move(event.move, event.to)
                self._note(event, "moved")
        self._state = self.performer.step()
        return self._state

    def poses(self) -> Poses:
        """The recording since the last reset."""
        return self.performer.poses()

    def _is_free(self, event: Event) -> bool:
        """Whether neither the humanoid nor another body is where the target is to stand."""
        old = self._boxes[event.move]
        place = Box(old.name, event.to, old.half, old.yaw)
        if point_distance(np.array(self._state.xy), place) < ROOM:
            return False
        for name, prop in self._state.props.items():
            box = self._boxes[name]
            now = Box(name, (float(prop.position[0]), float(prop.position[1])), box.half, box.yaw)
            if name != event.move and boxes_overlap(place, now):
                return False
        return True

    def _note(self, event: Event, what: str) -> None:
        self.happened.append({
            "time": round(self._state.time, 3), "object": event.move, "to": list(event.to),
            "what": what,
        })
