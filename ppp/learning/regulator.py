"""Optimal feedback around the clips: a linear-quadratic regulator along every frame.

The simulator itself is linearised: each frame of the library is disturbed in every coordinate and
stepped once on the servos. A Riccati recursion backwards through the clip (round and round, where
it loops) then gives for each frame the change of the servos' targets that best brings the body
back to the clip (Anderson and Moore, Optimal Control, 1990, chapter 2; for a simulated humanoid:
Tassa et al., IROS 2012). What is left is a table: F x 31 x 71 numbers.
"""
from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Optional, Tuple

import torch
from torch import Tensor

from ppp.engines import make_engine
from ppp.engines.base import EngineState
from ppp.engines.scene import Scene
from ppp.humanoid.mjcf import build_mjcf
from ppp.humanoid.observation import FRAME, discriminator_frame
from ppp.humanoid.rotations import exp_map_to_quat, quat_mul, rotate_about_z, yaw_of, yaw_quat
from ppp.humanoid.skeleton import NUM_DOFS
from ppp.motion.library import MotionLibrary
from ppp.outputs import whole
from ppp.progress import progress

#: counts up when the meaning of a stored result changes
VERSION = 4
#: coordinates of the state and their sizes
PARTS: Dict[str, int] = {"height": 1, "lean": 2, "joints": NUM_DOFS, "linear": 3, "angular": 3,
                         "joint_vel": NUM_DOFS}
STATE = sum(PARTS.values())
#: how far each part is disturbed to linearise: m, rad, rad, m/s, rad/s, rad/s
#: Steps this wide see a contact close and open: with a tenth of them the gait falls in 1 s.
STEPS: Dict[str, float] = {"height": 0.02, "lean": 0.06, "joints": 0.06, "linear": 0.2,
                           "angular": 0.6, "joint_vel": 1.2}
TARGET_STEP = 0.1
#: what an error of 1 in each part costs, and a change of a target by 1 rad
COSTS: Dict[str, float] = {"height": 20.0, "lean": 10.0, "joints": 1.0, "linear": 3.0,
                           "angular": 0.5, "joint_vel": 0.01}
TARGET_COST = 10.0
#: what a wrong target costs in itself: less, for the regulator's own thrift is no harm
WRONG_COST = 2.0
#: a target is moved at most this far, rad
LARGEST = 0.5
#: laps of the recursion through a loop
LAPS = 5
#: times that a last frame in which the body goes on standing follows itself
RESTING = 150
#: environments that are stepped at once
BATCH = 2048


@dataclass
class Regulator:
    """Per frame of a library: target = base + change + gain (state - nominal).

    A target that is off by e, rad, costs e' harm e more in the end; each frame's trace is 31. What
    is to be paid from a state on is d' value d / 2 + slope' d, with d = state - nominal.
    """

    nominal: Tensor  # (F, 71)
    change: Tensor  # (F, 31) rad
    gain: Tensor  # (F, 31, 71)
    harm: Tensor  # (F, 31, 31)
    value: Tensor  # (F, 71, 71)
    slope: Tensor  # (F, 71)

    def to(self, device: torch.device) -> Regulator:
        """The same on another device."""
        return Regulator(**{name: part.to(device) for name, part in vars(self).items()})

    def correction(self, rows: Tensor, state: EngineState) -> Tensor:
        """What to add to the base targets of frames ``rows`` (N,) in a state, (N, 31) rad."""
        off = coordinates(state) - self.nominal[rows]
        move = self.change[rows] + (self.gain[rows] @ off[..., None])[..., 0]
        return move.clamp(-LARGEST, LARGEST)


def coordinates(state: EngineState) -> Tensor:
    """The state without place and heading, (N, 71): what the feedback is linear in.

    Height, the pelvis' z axis (x and y in the heading frame), joint exponential maps, linear and
    angular velocity of the pelvis in the heading frame, joint velocities.
    """
    frame = discriminator_frame(state.bodies, state.joint_pos, state.joint_vel)
    return of_frames(frame, state.joint_pos, state.joint_vel)


def of_frames(frame: Tensor, joint_pos: Tensor, joint_vel: Tensor) -> Tensor:
    """The coordinates (n, 71) of discriminator frames (n, 140) with their joints (n, 31)."""
    return torch.cat((frame[:, FRAME["height"]], frame[:, FRAME["rotation"]][:, 3:5], joint_pos,
                      frame[:, FRAME["linear"]], frame[:, FRAME["angular"]], joint_vel), -1)


class Stepper:
    """Puts humanoids into disturbed frames of a library and steps them once."""

    def __init__(self, library: MotionLibrary, engine: str = "mujoco_cpu") -> None:
        self.library = library
        self.engine = make_engine(engine, BATCH, Scene())
        self.all = torch.arange(BATCH)

    def step(self, rows: Tensor, disturbance: Tensor, targets: Tensor) -> Tuple[Tensor, Tensor]:
        """Coordinates before and after one step, (n, 71) each, for frames ``rows`` (n,).

        disturbance (n, 71) is added to the frame, targets (n, 31) rad are the servos'.
        """
        before, after = [], []
        for start in range(0, len(rows), BATCH):
            part = slice(start, start + BATCH)
            one, two = self._batch(rows[part], disturbance[part], targets[part])
            before.append(one)
            after.append(two)
        return torch.cat(before), torch.cat(after)

    def _batch(self, rows: Tensor, disturbance: Tensor, targets: Tensor) -> Tuple[Tensor, Tensor]:
        count, library = len(rows), self.library
        move = dict(zip(PARTS, disturbance.split(list(PARTS.values()), -1)))
        yaw = yaw_of(library.root_rot[rows])
        rot = quat_mul(yaw_quat(-yaw), library.root_rot[rows])
        # leaning along x is a turn about y, along y a turn about -x
        turn = torch.stack((-move["lean"][:, 1], move["lean"][:, 0], torch.zeros(count)), -1)
        rot = quat_mul(exp_map_to_quat(turn), rot)
        pos = torch.zeros(count, 3)
        pos[:, 2] = library.root_pos[rows, 2] + move["height"][:, 0]
        linear, angular = (rotate_about_z(v[rows], -yaw)
                           for v in (library.root_lin_vel, library.root_ang_vel))
        self.engine.reset(self.all[:count], pos, rot, library.joint_pos[rows] + move["joints"],
                          library.joint_vel[rows] + move["joint_vel"], linear + move["linear"],
                          angular + move["angular"])
        before = coordinates(self.engine.state)[:count]
        padded = torch.zeros(BATCH, NUM_DOFS)
        padded[:count] = targets
        self.engine.step(padded)
        return before, coordinates(self.engine.state)[:count]

    def close(self) -> None:
        self.engine.close()


def held(library: MotionLibrary, targets: Tensor) -> Tensor:
    """Targets (F, 31) to hold from each frame to the next: the mean of theirs.

    A target held for a whole control step is half a step late on average; at a run that leaves the
    joints 1 to 5 rad/s behind.
    """
    return 0.5 * (targets + targets[library.after(torch.arange(library.size))])


def linearised(stepper: Stepper, rows: Tensor, targets: Tensor) -> Tuple[Tensor, ...]:
    """Nominal states before and after, A (n, 71, 71) and B (n, 71, 31) of frames ``rows`` (n,).

    Central differences: A = dx'/dx, B = dx'/d(target).
    """
    n = len(rows)
    steps = torch.cat([torch.full((size,), STEPS[name]) for name, size in PARTS.items()])
    kicks = torch.zeros(STATE + NUM_DOFS, STATE)
    kicks[:STATE] = torch.diag(steps)
    pushes = torch.zeros(STATE + NUM_DOFS, NUM_DOFS)
    pushes[STATE:] = TARGET_STEP * torch.eye(NUM_DOFS)
    kicks, pushes = (torch.cat((torch.zeros(1, v.shape[1]), v, -v)) for v in (kicks, pushes))
    each = len(kicks)
    before, after = stepper.step(rows.repeat_interleave(each), kicks.repeat(n, 1),
                                 targets.repeat_interleave(each, 0) + pushes.repeat(n, 1))
    before, after = (v.reshape(n, each, STATE).double() for v in (before, after))
    half = STATE + NUM_DOFS
    difference = after[:, 1:half + 1] - after[:, half + 1:]
    moved = (before[:, 1:half + 1] - before[:, half + 1:])[:, :STATE]
    a = torch.linalg.solve(moved, difference[:, :STATE]).transpose(1, 2)
    b = difference[:, STATE:].transpose(1, 2) / (2 * TARGET_STEP)
    return before[:, 0], after[:, 0], a, b


def regulator(library: MotionLibrary, base: Tensor, engine: str = "mujoco_cpu",
              cache: Optional[Path] = None) -> Regulator:
    """Feedback along every clip of a library for the base targets (F, 31), rad.

    A clip that ends goes on in the frame of its skill's loops most like its end, or stays there.
    It takes two minutes for the whole library, so a folder may keep the result: ``cache``.
    """
    path = cache / f"regulator_{_identity(library, base)}.pt" if cache else None
    if path and path.is_file():
        return Regulator(**torch.load(path, weights_only=True))
    kept = f"; kept in {path.parent} for later runs" if path else ""
    print(f"making the teacher, some minutes{kept}", file=sys.stderr, flush=True)
    found = _solved(library, base, engine)
    if path:
        with whole(path) as part:
            torch.save(vars(found), part)
    return found


def _identity(library: MotionLibrary, base: Tensor) -> str:
    """Of what the result depends on: frames, who follows whom, targets, settings, body."""
    settings = [VERSION, PARTS, STEPS, TARGET_STEP, COSTS, TARGET_COST, WRONG_COST, LAPS, RESTING,
                library.skills]
    text = hashlib.sha256((repr(settings) + build_mjcf()).encode())
    for column in (library.frame, library.next, library.root_pos[:, 2], base):
        text.update(column.contiguous().numpy().tobytes())
    return text.hexdigest()[:16]


def _solved(library: MotionLibrary, base: Tensor, engine: str) -> Regulator:
    stepper = Stepper(library, engine)
    parts = [linearised(stepper, rows, base[rows])
             for rows in progress(torch.arange(library.size).split(64), "teacher")]
    stepper.close()
    before, after, a, b = (torch.cat(part) for part in zip(*parts))
    costs = torch.cat([torch.full((size,), COSTS[name]) for name, size in PARTS.items()]).double()
    solver = _Riccati(library, before, after, a, b, torch.diag(costs))
    clips = range(len(library.entries))
    for number in sorted(clips, key=lambda c: not library.entries[c].loop):
        solver.solve((library.clip == number).nonzero().flatten(), library.entries[number].loop)
    return Regulator(before.float(), solver.change.float(), solver.gain.float(),
                     solver.harm.float(), solver.value.float(), solver.slope.float())


class _Riccati:
    """Backwards through clips: value = x' P x / 2 + p' x around each frame."""

    def __init__(self, library: MotionLibrary, before: Tensor, after: Tensor, a: Tensor, b: Tensor,
                 costs: Tensor) -> None:
        self.library, self.before, self.after = library, before, after
        self.a, self.b, self.costs = a, b, costs
        size = len(before)
        self.value = costs.repeat(size, 1, 1)
        self.slope = torch.zeros(size, STATE, dtype=torch.double)
        self.gain = torch.zeros(size, NUM_DOFS, STATE, dtype=torch.double)
        self.change = torch.zeros(size, NUM_DOFS, dtype=torch.double)
        self.harm = torch.zeros(size, NUM_DOFS, NUM_DOFS, dtype=torch.double)

    def solve(self, rows: Tensor, loop: bool) -> None:
        """One clip; the loops of its skill come before the clips that end in them."""
        order: List[int] = rows.tolist()[::-1]
        follow = {row: row + 1 for row in order}
        follow[order[0]] = order[-1] if loop else self._onward(order[0])
        if follow[order[0]] == order[0] and self.library.rest[order[0]]:
            for _ in range(RESTING):
                self._back(order[0], order[0])
        for _ in range(LAPS if loop else 1):
            for row in order:
                self._back(row, follow[row])

    def _onward(self, row: int) -> int:
        library = self.library
        same = (library.looped & (library.skill == library.skill[row])).nonzero().flatten()
        if not len(same):
            return row
        gap = (library.frame[same] - library.frame[row]) / library.scale
        return int(same[gap.square().sum(-1).argmin()])

    def _back(self, row: int, following: int) -> None:
        a, b, p = self.a[row], self.b[row], self.value[following]
        drift = p @ (self.after[row] - self.before[following]) + self.slope[following]
        one, pushed = torch.eye(NUM_DOFS, dtype=torch.double), b.T @ p @ b
        quu = TARGET_COST * one + pushed
        qux = b.T @ p @ a
        both = torch.linalg.solve(quu, torch.cat((qux, (b.T @ drift)[:, None]), 1))
        gain = -both[:, :-1]
        self.gain[row], self.change[row] = gain, -both[:, -1]
        harm = WRONG_COST * one + 0.5 * (pushed + pushed.T)
        self.harm[row] = harm * (NUM_DOFS / harm.trace())
        value = self.costs + a.T @ p @ a + qux.T @ gain
        self.value[row] = 0.5 * (value + value.T)
        self.slope[row] = a.T @ drift + qux.T @ self.change[row]
