"""A teacher that performs the clips in closed loop: their replay, and feedback.

Open loop, servos lose most gaits within seconds, whatever feeds them. The feedback is a regulator
computed from the simulator (:mod:`ppp.learning.regulator`), or three simple ones that are known
from legged robots, all of them by the stance legs and within the joints' efforts:

- the pelvis is pulled to where the clip has it over the stance feet, as by a spring and a damper;
  the legs' targets are moved by the torques that make this force while the foot stands still,
  tau = J' F (virtual model control: Pratt et al., Int. J. Robotics Research 20(2), 2001);
- in the same way a moment rights the pelvis;
- a foot in the air is carried towards where the body drifts (Raibert, Legged Robots That Balance,
  1986, section 2).

The policy never sees a clip; what it learns from the teacher is what to do in each state.
"""
from __future__ import annotations

from pathlib import Path
from typing import Optional, Tuple

import torch
from torch import Tensor

from ppp.errors import unknown
from ppp.humanoid.observation import FRAME, KEY_BODIES, discriminator_frame
from ppp.humanoid.rotations import quat_rotate, rotate_about_z, yaw_of
from ppp.humanoid.skeleton import BODY_ID, FEET, JOINTS, NUM_DOFS, dof_slices, per_dof
from ppp.learning.cost_to_go import CostToGo
from ppp.learning.regulator import held, of_frames, regulator
from ppp.motion.body import clip_qpos, load_mujoco
from ppp.motion.clip import load_clip
from ppp.motion.library import CONTROL_FPS, MotionLibrary, resample
from ppp.tasks.env import HumanoidEnv

FEEDBACKS = ("regulator", "legs", "none")
#: spring N/m, damper N s/m and largest force, N, that keep the pelvis over the feet
FORCE = (900.0, 220.0, 300.0)
#: spring N m/rad, damper N m s/rad and largest moment, N m, that right the pelvis
MOMENT = (200.0, 20.0, 100.0)
#: s of drift that a foot in the air makes up for, and the most that it is moved, m
PLACEMENT, FARTHEST = 0.15, 0.15
#: share of the load below which a foot is in the air
UNLOADED = 0.1
#: the weight acts about this far above the pelvis' origin, m; length of a leg, m
ABOVE, LEG = 0.1, 0.8
#: so many frames after arms and trunk have left the floor the feet carry the body
LEFT = 10
_LEG_JOINTS = (("hip", "thigh", 3), ("knee", "shin", 1), ("ankle", "foot", 3))
_DOFS = {joint.name: columns for joint, columns in zip(JOINTS, dof_slices())}
_FOOT_KEYS = [KEY_BODIES.index(foot) for foot in FEET]


def servo_targets(library: MotionLibrary) -> Tensor:
    """Joint targets (F, 31) that make the servos follow the clips, one row a frame of the library.

    q + (kd / kp) q' makes up for the servo's lag, and tau / kp of inverse dynamics for its sag
    (:func:`ppp.motion.replay.servo_targets`). Loops are taken from the second of three laps.
    """
    load_mujoco()  # the Python of Isaac Gym has none: told before anything imports it
    from ppp.motion import replay

    rows = []
    for entry in library.entries:
        clip = resample(load_clip(library.path.parent / entry.file), CONTROL_FPS)
        if entry.loop:
            lap = clip.frames - 1
            qpos = replay.looped_qpos(clip, 3 * clip.seconds)
            targets = replay.servo_targets(qpos, 1 / CONTROL_FPS, feedforward=True)[lap:2 * lap]
        else:
            targets = replay.servo_targets(clip_qpos(clip), 1 / CONTROL_FPS, feedforward=True)
        rows.append(torch.as_tensor(targets, dtype=torch.float32))
    return torch.cat(rows)


def on_the_floor(library: MotionLibrary) -> Tensor:
    """Frames (F,) bool of clips that begin on the floor until arms and trunk have left it.

    There contacts come and go, which the regulator's linear model knows nothing of: with it one
    of nine bodies got up from the front, without it in these frames eight (measured).
    """
    load_mujoco()
    from ppp.motion.contacts import propped

    found = torch.zeros(library.size, dtype=torch.bool)
    for number, entry in enumerate(library.entries):
        if not library.may_lie[library.skills.index(entry.skill)]:
            continue
        clip = resample(load_clip(library.path.parent / entry.file), CONTROL_FPS)
        touch = propped(clip_qpos(clip)).nonzero()[0]
        rows = (library.clip == number).nonzero().flatten()
        found[rows[:int(touch[-1]) + LEFT if len(touch) else 0]] = True
    return found


class Teacher:
    """Joint targets for the state of every environment, from its reference frame.

    feedback: ``regulator``, ``legs`` (both above) or ``none`` (the clips' replay, open loop).
    cache: folder that keeps a regulator for the next time.
    """

    def __init__(self, env: HumanoidEnv, feedback: str = "regulator",
                 cache: Optional[Path] = None) -> None:
        if feedback not in FEEDBACKS:
            raise unknown("feedback", feedback, FEEDBACKS)
        self.env, self.feedback = env, feedback
        device = env.library.frame.device
        # clips are read and the simulator linearised on the CPU, once
        library = env.library if device.type == "cpu" else MotionLibrary(env.library.path,
                                                                         env.library.skills)
        table = servo_targets(library)
        if feedback == "regulator":
            table = held(library, table)
            self.regulator = reg = regulator(library, table, cache=cache).to(device)
            self._cost = CostToGo(env.library, reg.nominal, reg.value, reg.slope)
            self._loose = on_the_floor(library).to(device)
            env.reference.refine = self._entry
        self.table = table.to(device)

    def targets(self) -> Tensor:
        """(N, 31), rad: those of the reference frame, corrected for the state."""
        rows = self.env.reference.index
        if self.feedback == "regulator":
            change = self.regulator.correction(rows, self.env.engine.state)
            return self.table[rows] + change.masked_fill(self._loose[rows][:, None], 0.0)
        targets = self.table[self.env.library.after(rows)]
        return targets + self._correction(rows) if self.feedback == "legs" else targets

    def actions(self) -> Tensor:
        """The targets as actions of the environment, (N, 31)."""
        return (self.targets() - self.env.actions.offset) / self.env.actions.scale

    def _entry(self, ids: Tensor, rows: Tensor, frame: Tensor) -> Tensor:
        """Frames (n,) to begin in instead of ``rows`` for states (n, 140) of ``ids``."""
        state = self.env.engine.state
        return self._cost.best(rows, of_frames(frame, state.joint_pos[ids], state.joint_vel[ids]))

    def harm(self) -> Optional[Tensor]:
        """What wrong actions cost in each frame, (F, 31, 31): an error e of an action e' harm e.

        None where the feedback is no regulator, which alone knows.
        """
        if self.feedback != "regulator":
            return None
        scale = self.env.actions.scale
        return self.regulator.harm * scale[:, None] * scale

    def _correction(self, rows: Tensor) -> Tensor:
        state = self.env.engine.state
        frame = discriminator_frame(state.bodies, state.joint_pos, state.joint_vel)
        load = state.contact_force[:, list(FEET), 2].abs()
        share = load / load.sum(-1, keepdim=True).clamp_min(1.0)
        force, moment, drift = pull(frame, self.env.library.frame[rows], share)
        yaw = yaw_of(state.root_rot)
        force, moment = rotate_about_z(force, yaw), rotate_about_z(moment, yaw)
        return stance(state.bodies.pos, state.bodies.rot, share, force, moment) + placed(
            drift, share)


def pull(frame: Tensor, reference: Tensor, share: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
    """Force (N, 3), N, and moment (N, 3), N m, on the pelvis, and its drift (N, 2), m/s.

    frame, reference (N, 140): discriminator frames of the state and of the clip; share (N, 2): of
    the load on the right and the left foot. All in the heading frame.
    """
    gap = frame - reference
    feet = gap[:, FRAME["keys"]].unflatten(-1, (-1, 3))[:, _FOOT_KEYS, :2]
    over = -(share[..., None] * feet).sum(1)  # the pelvis against the feet that carry it
    drift = gap[:, FRAME["linear"]][:, :2]
    spring, damper, most = FORCE
    force = frame.new_zeros(len(frame), 3)
    force[:, :2] = -spring * over - damper * drift
    up, goal = frame[:, FRAME["rotation"]][:, 3:6], reference[:, FRAME["rotation"]][:, 3:6]
    stiffness, damping, largest = MOMENT
    moment = -stiffness * torch.cross(goal, up, dim=-1) - damping * gap[:, FRAME["angular"]]
    return bounded(force, most), bounded(moment, largest), drift


def stance(pos: Tensor, rot: Tensor, share: Tensor, force: Tensor, moment: Tensor) -> Tensor:
    """Changes of targets (N, 31) by which the stance legs make a force and a moment on the pelvis.

    pos (N, 17, 3), rot (N, 17, 4), force and moment (N, 3) in the world frame. With the foot at
    rest a joint's turn dq about the axis a moves the pelvis by -a x (r - p) dq and turns it by
    -a dq, so that its torque is -(a x (r - p)) . F - a . M, and its target moves by that over kp.
    """
    out = pos.new_zeros(len(pos), NUM_DOFS)
    gains = torch.tensor(per_dof("kp"), device=pos.device)
    centre = pos[:, 0] + pos.new_tensor([0.0, 0.0, ABOVE])
    for number, side in enumerate(("right", "left")):
        for name, body, width in _LEG_JOINTS:
            index, columns = BODY_ID[f"{side}_{body}"], _DOFS[f"{side}_{name}"]
            axis = torch.eye(3).to(pos) if width == 3 else pos.new_tensor([[0.0, 1.0, 0.0]])
            axis = quat_rotate(rot[:, index, None].expand(-1, width, -1),
                               axis.expand(len(pos), -1, -1))
            lever = (centre - pos[:, index])[:, None].expand_as(axis)
            torque = -(torch.cross(axis, lever, dim=-1) * force[:, None]).sum(-1) \
                - (axis * moment[:, None]).sum(-1)
            out[:, columns] = share[:, number, None] * torque / gains[columns]
    return out


def placed(drift: Tensor, share: Tensor) -> Tensor:
    """Changes of the hips' targets (N, 31) that carry a foot in the air after the drift (N, 2)."""
    out = drift.new_zeros(len(drift), NUM_DOFS)
    move = (PLACEMENT * drift).clamp(-FARTHEST, FARTHEST) / LEG
    for number, side in enumerate(("right", "left")):
        hip = _DOFS[f"{side}_hip"].start
        airborne = (share[:, number] < UNLOADED).float()
        out[:, hip] = airborne * move[:, 1]
        out[:, hip + 1] = -airborne * move[:, 0]
    return out


def bounded(vector: Tensor, largest: float) -> Tensor:
    """Vectors (N, 3) scaled down to ``largest`` where they are longer."""
    return vector * (largest / vector.norm(dim=-1, keepdim=True).clamp_min(1e-6)).clamp_max(1.0)
