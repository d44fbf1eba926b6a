"""All clips of a library as one table of frames at the control rate.

Training draws frames and windows from the table by index; nothing is stored per sample.
"""
from __future__ import annotations

from pathlib import Path
from typing import Dict, List, Optional, Sequence, Tuple, Union

import torch
from torch import Tensor

from ppp.errors import PPPError, unknown
from ppp.humanoid.observation import FRAME
from ppp.motion.clip import load_clip
from ppp.motion.clip_table import CONTROL_FPS, clip_table, resample
from ppp.motion.library_file import (
    MODES,
    ClipEntry,
    LibraryFile,
    SkillInfo,
    on_one_turn,
    read_library,
)
from ppp.motion.steering import CURVE, level_of, steering_table

__all__ = [
    "CONTROL_FPS", "CURVE", "LYING", "MODES", "PACE", "ClipEntry", "LibraryFile", "MotionLibrary",
    "SkillInfo", "clip_table", "on_one_turn", "read_library", "resample",
]  # fmt: skip

#: a stop is entered at most this long before its end, s: a whole stride at every pace
STOPPING = 1.0
#: a body whose velocity is off by more than this cannot fall in with a frame, m/s
PACE = 0.3
#: a clip whose last frame moves less than this may be held there: root m/s, joints rad/s (rms)
STILL_ROOT, STILL_JOINTS = 0.1, 0.3
#: a skill with frames whose pelvis is below this lies on the floor at times, m
LYING = 0.45


class MotionLibrary:
    """F frames of all clips of the chosen skills, and who follows whom.

    Columns, one row a frame: root_pos (F, 3), root_rot (F, 4), joint_pos and joint_vel (F, 31),
    root_lin_vel and root_ang_vel (F, 3, world frame), frame (F, 140 discriminator frame),
    skill (F,), clip (F,), next (F,) and prev (F,): index of the frame after and before (-1 at an
    end), goal_angle (F,): where the clip is going or facing, rad from the frame's own heading,
    rest (F,) bool: the still end of a clip, where its skill has no loop to go on in, stops (F,)
    bool: frames from which a clip comes to a stop, extent (F,):
    how far the farthest key body is ahead of the pelvis, m.

    Per skill (K,): travels and turns (bool), speed, m/s, and yaw_rate, rad/s (means over its
    loops, without the curves where others go straight), may_lie (bool), reach: how far ahead of
    the pelvis its blow lands, m (0: no blow).

    variants (9, F): for each frame that of the same phase in its gait's loop that turns to the
    right by level 4 to 1, not, and to the left by level 1 to 4 (:func:`steering_table`); level
    (F,): at which its own loop turns, 0 where it is none.
    """

    def __init__(self, path: Union[str, Path], skills: Optional[Sequence[str]] = None,
                 device: str = "cpu") -> None:
        self.path = Path(path)
        listed = read_library(self.path)
        self.skills: List[str] = list(skills) if skills else list(listed.skills)
        for name in self.skills:
            if name not in listed.skills:
                raise PPPError(f"field 'skills': {unknown('skill', name, listed.skills)} (the "
                               f"skills of {self.path})")
        self.info: List[SkillInfo] = [listed.skills[name] for name in self.skills]
        self.entries = on_one_turn([e for e in listed.clips if e.skill in self.skills])
        for name in self.skills:
            if not any(e.skill == name for e in self.entries):
                raise PPPError(f"{self.path}: skill '{name}' has no clip; add one or leave it out")
        self._build(device)

    def _build(self, device: str) -> None:
        columns: Dict[str, List[Tensor]] = {}
        start = 0
        for number, entry in enumerate(self.entries):
            clip = resample(load_clip(self.path.parent / entry.file), CONTROL_FPS)
            table = clip_table(clip, entry, self.info[self.skills.index(entry.skill)].mode)
            count = len(table["root_pos"])
            index = torch.arange(start, start + count)
            table["next"] = torch.cat((index[1:], index[:1] if entry.loop else -torch.ones(1)))
            table["prev"] = torch.cat((index[-1:] if entry.loop else -torch.ones(1), index[:-1]))
            table["skill"] = torch.full((count,), self.skills.index(entry.skill))
            table["clip"] = torch.full((count,), number)
            table["weight"] = torch.full((count,), float(entry.weight))
            for key, value in table.items():
                columns.setdefault(key, []).append(value)
            start += count
        whole = ("next", "prev", "skill", "clip")
        for key, parts in columns.items():
            column = torch.cat(parts).to(device)
            setattr(self, key, column.long() if key in whole else column.float())
        self.size = start
        #: frames (F,) bool of clips that loop
        self.looped = torch.tensor([e.loop for e in self.entries], device=device)[self.clip]
        modes = torch.tensor([MODES.index(info.mode) for info in self.info], device=device)
        self.travels, self.turns = modes == 0, modes == 1
        owned = self.skill[None] == torch.arange(len(self.skills), device=device)[:, None]
        # a clip that ends is not entered on its last third of a second
        self._start_weight = owned * self.weight * self._may_start()
        # to draw frames: those that may be drawn by skill, running sums of their weights, and those
        # sums where each skill begins and ends
        owner, frame = (self._start_weight > 0).nonzero(as_tuple=True)
        weight = self._start_weight[owner, frame].double()
        self._drawn, self._summed = frame, weight.cumsum(0)
        each = torch.zeros(len(self.skills), dtype=torch.double, device=device)
        self._ends = torch.cat((torch.zeros(1, dtype=torch.double, device=device),
                                each.index_add(0, owner, weight).cumsum(0)))
        rates = self._turn_rates()
        levels = torch.tensor([level_of(rate) for rate in rates], device=device)[self.clip]
        self.level = torch.where(self.looped & self.travels[self.skill], levels, 0)
        #: frames in which a skill can begin, by skill (K, F), and of any, (F,), bool
        self._enters = (self._start_weight > 0) & ~self._curved()
        self.enterable = self._enters.any(0)
        self.variants = self._variants(rates)
        #: spread of each column of a frame, the unit in which two frames are compared
        self.scale = self.frame.std(0).clamp_min(0.1)
        self.scaled = self.frame / self.scale
        self.mean_pose = torch.stack([self.joint_pos[o].mean(0) for o in owned]).mean(0)
        steady = [self._steady(o, rates) for o in owned]
        self.yaw_rate = torch.stack([self.root_ang_vel[o, 2].mean() for o in steady])
        heading_vel = self.frame[:, FRAME["linear"]][:, :2].norm(dim=-1)
        self.speed = torch.stack([heading_vel[o].mean() for o in steady])
        self.may_lie = torch.stack([(self.root_pos[o, 2] < LYING).any() for o in owned])
        self.rest = self._rests(heading_vel)
        self.stops = self._stops(heading_vel)
        self.extent = self._extent()
        self.reach = self._reaches()
        self._far: Optional[Tensor] = None

    def _rests(self, ground_speed: Tensor) -> Tensor:
        """Ends of clips at which a body may wait, (F,) bool: still and on its feet, in a skill
        without loops."""
        loops = {e.skill for e in self.entries if e.loop}
        loopless = torch.tensor([s not in loops for s in self.skills], device=self.skill.device)
        still = (ground_speed < STILL_ROOT) & (
            self.joint_vel.square().mean(-1).sqrt() < STILL_JOINTS)
        return (self.next < 0) & loopless[self.skill] & still & (self.root_pos[:, 2] > LYING)

    def _stops(self, ground_speed: Tensor) -> Tensor:
        """Frames in which a clip comes to a stop, (F,) bool: the last second of motion of clips
        that begin at a pace and end still."""
        stops = torch.zeros(self.size, dtype=torch.bool, device=self.next.device)
        lead, slow = int(STOPPING * CONTROL_FPS), STILL_ROOT + 0.1
        for number, entry in enumerate(self.entries):
            rows = (self.clip == number).nonzero().flatten()
            speed = ground_speed[rows]
            # a side-step is still for a moment too: the clips of a gait never stop
            goes_on = entry.loop or bool(self.travels[self.skills.index(entry.skill)])
            if not goes_on and speed[:lead].max() > PACE and speed[-1] < STILL_ROOT:
                last = int((speed > slow).nonzero()[-1])
                stops[rows[max(0, last - lead):last + 1]] = True
        return stops

    def _extent(self) -> Tensor:
        """How far the farthest key body is ahead of the pelvis in each frame, (F,), m."""
        ahead = self.frame[:, FRAME["keys"]].unflatten(-1, (-1, 3))[..., :2]
        goal = torch.stack((self.goal_angle.cos(), self.goal_angle.sin()), -1)
        return (ahead * goal[:, None]).sum(-1).amax(-1)

    def _reaches(self) -> Tensor:
        """The extent at the blows of each skill's clips, the least of them, (K,), m."""
        reach = torch.zeros(len(self.skills), device=self.frame.device)
        for number, entry in enumerate(self.entries):
            rows = (self.clip == number).nonzero().flatten()
            for hit in entry.hits:
                at = self.extent[rows[min(int(hit * len(rows)), len(rows) - 1)]]
                k = self.skills.index(entry.skill)
                reach[k] = torch.where(reach[k] > 0, torch.minimum(reach[k], at), at)
        return reach

    def _turn_rates(self) -> List[float]:
        """Mean yaw rate of each clip, rad/s."""
        return [float(self.root_ang_vel[self.clip == number, 2].mean())
                for number in range(len(self.entries))]

    def _curved(self) -> Tensor:
        """Frames (F,) bool of a gait's curves, where it has a loop that goes straight.

        Curves are for steering. Sharp ones are slow, so that they look most like a body at rest:
        entered there, two of three of the teacher's walks fell, and none by the clip that sets off.
        """
        bent, gaits = self.level != 0, self.looped & self.travels[self.skill]
        straight = torch.bincount(self.skill[gaits & ~bent], minlength=len(self.skills)) > 0
        return bent & straight[self.skill]

    def _variants(self, rates: List[float]) -> Tensor:
        """The steering table of the skills that travel; loops of one length share their phase."""
        rows = {number: (self.clip == number).nonzero().flatten()
                for number, entry in enumerate(self.entries)
                if entry.loop and self.travels[self.skills.index(entry.skill)]}
        gaits = {number: (self.entries[number].skill, len(own)) for number, own in rows.items()}
        return steering_table(self.size, rows, gaits, rates)

    def _steady(self, owned: Tensor, rates: List[float]) -> Tensor:
        """The frames (F,) bool, of those of a skill, that show what it keeps up: its loops, as
        starts and stops are on the way there; those that go straight, as curves are slower."""
        looped = owned & self.looped
        straight = looped & (torch.tensor(rates, device=owned.device)[self.clip].abs() < CURVE)
        return next((o for o in (straight, looped) if o.any()), owned)

    def _may_start(self) -> Tensor:
        ok = torch.ones(self.size, device=self.next.device)
        ends = (self.next < 0).nonzero().flatten().tolist()
        for end in ends:
            ok[max(0, end - 10):end + 1] = 0.0
        return ok

    def sample(self, skill: Tensor, generator: Optional[torch.Generator] = None) -> Tensor:
        """A random frame of each commanded skill (n,) by clip weight; frame indices (n,)."""
        ends = self._ends[skill + 1]
        begins = self._ends[skill]
        draw = torch.rand(len(skill), generator=generator, dtype=torch.double, device=ends.device)
        # a frame without weight adds nothing to the sum, so that no draw lands on it
        at = torch.searchsorted(self._summed, begins + draw * (ends - begins), right=True)
        return self._drawn[at.clamp_max(len(self._drawn) - 1)]

    def after(self, rows: Tensor) -> Tensor:
        """The frames that follow frames ``rows``; at the end of a clip that does not loop, itself.
        """
        following = self.next[rows]
        return torch.where(following >= 0, following, rows)

    def window(self, last: Tensor, length: int) -> Tensor:
        """The ``length`` discriminator frames that end at frames ``last`` (n,), (n, length, 140).

        Before the beginning of a clip its first frame is repeated.
        """
        index, frames = last, [self.frame[last]]
        for _ in range(length - 1):
            before = self.prev[index]
            index = torch.where(before >= 0, before, index)
            frames.append(self.frame[index])
        return torch.stack(frames[::-1], 1)

    def nearest(self, skill: Tensor, frame: Tensor, stopping: bool = False) -> Tensor:
        """For each state (n, 140) the most similar frame of its skill (n,), by scaled distance.

        With ``stopping`` a body that goes otherwise than that frame may first come to a stop: the
        frames of ``stops`` count too, whatever their skill.
        """
        return self.entry(skill, frame, stopping)[0]

    def entry(self, skill: Tensor, frame: Tensor, stopping: bool = True) -> Tuple[Tensor, Tensor]:
        """The frames (n,) of :meth:`nearest` and how far they are from the states, (n,)."""
        return self._entry(torch.cdist(frame / self.scale, self.scaled), skill, frame, stopping)

    def _entry(self, gap: Tensor, skill: Tensor, frame: Tensor, stopping: bool
               ) -> Tuple[Tensor, Tensor]:
        own = gap.masked_fill(~self._enters[skill], float("inf")).min(-1)
        if not (stopping and self.stops.any()):
            return own.indices, own.values
        velocity = [v[:, FRAME["linear"]][:, :2] for v in (frame, self.frame[own.indices])]
        otherwise = (velocity[0] - velocity[1]).norm(dim=-1) > PACE
        stop = gap.masked_fill(~self.stops, float("inf")).min(-1)
        better = otherwise & (stop.values < own.values)
        return (torch.where(better, stop.indices, own.indices),
                torch.where(better, stop.values, own.values))

    def entry_distances(self) -> Tensor:
        """How far every frame is from where each skill can be entered, (K, F); computed once."""
        if self._far is None:
            self._far = torch.cat([self._far_from(part) for part in self.frame.split(512)], 1)
        return self._far

    def _far_from(self, frame: Tensor) -> Tensor:
        gap = torch.cdist(frame / self.scale, self.scaled)
        kinds = torch.arange(len(self.skills), device=frame.device)
        return torch.stack([self._entry(gap, kind.expand(len(frame)), frame, True)[1]
                            for kind in kinds])
