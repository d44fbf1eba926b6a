"""The humanoid and the props of a scene as one MjModel, for the MuJoCo engines."""
from __future__ import annotations

from typing import List, Optional

import mujoco
import numpy as np
import torch
from torch import Tensor

from ppp.engines.scene import Prop, Scene
from ppp.humanoid.mjcf import HUMANOID_BIT, WORLD_BIT, build_mjcf
from ppp.humanoid.rotations import quat_conj, quat_rotate
from ppp.humanoid.skeleton import BODIES

#: friction of a free prop on the floor and against the sword
PROP_FRICTION = (0.7, 0.01, 0.01)


def prop_pose(prop: Prop) -> np.ndarray:
    """Rest pose (7,) of a prop: centre of the box, then its rotation w, x, y, z."""
    return np.array(prop.pose)


def _body_name(index: int) -> str:
    # names from a scenario are data; the model gets names of our own
    return f"prop_{index}"


def build_model(scene: Scene, iterations: Optional[int] = None) -> mujoco.MjModel:
    """Compile the humanoid with the scene's bodies: obstacles fixed, targets free.

    iterations: of the contact solver, in place of the model's own, which are few and fast.
    """
    spec = mujoco.MjSpec.from_string(build_mjcf())
    for index, prop in enumerate(scene.bodies):
        pose = prop_pose(prop)
        body = spec.worldbody.add_body(name=_body_name(index), pos=pose[:3], quat=pose[3:])
        if prop.kind == "target":
            body.add_freejoint()
        density = prop.kilograms / float(np.prod(prop.size))
        body.add_geom(type=mujoco.mjtGeom.mjGEOM_BOX, size=[0.5 * s for s in prop.size],
                      density=density, friction=list(PROP_FRICTION), contype=WORLD_BIT,
                      conaffinity=HUMANOID_BIT | WORLD_BIT, rgba=[0.75, 0.25, 0.2, 1.0])
        # found-sensors: a contact with any body of the humanoid, and with the sword alone
        _add_touch(spec, index, "body", mujoco.mjtObj.mjOBJ_XBODY, BODIES[0].name)
        _add_touch(spec, index, "sword", mujoco.mjtObj.mjOBJ_BODY, "sword")
    model = spec.compile()
    # by default MuJoCo silently puts an exploding state back to its first pose; we want to know
    model.opt.disableflags |= mujoco.mjtDisableBit.mjDSBL_AUTORESET
    model.opt.iterations = iterations or model.opt.iterations
    return model


def _add_touch(spec: mujoco.MjSpec, index: int, what: str, kind: mujoco.mjtObj, name: str) -> None:
    spec.add_sensor(name=f"{_body_name(index)}_by_{what}", type=mujoco.mjtSensor.mjSENS_CONTACT,
                    needstage=mujoco.mjtStage.mjSTAGE_ACC, objtype=mujoco.mjtObj.mjOBJ_BODY,
                    objname=_body_name(index), reftype=kind, refname=name, intprm=[1, 0, 1])


def touch_columns(model: mujoco.MjModel, scene: Scene, what: str) -> np.ndarray:
    """Columns (P,) of sensordata, positive while ``what`` (body or sword) touches a prop."""
    return np.array([int(model.sensor(f"{_body_name(i)}_by_{what}").adr[0])
                     for i in range(len(scene.bodies))], dtype=np.int64)


class PropSlots:
    """Where each prop's pose lies in qpos and qvel (fixed props have none); on ``device``."""

    def __init__(self, model: mujoco.MjModel, scene: Scene, device: str = "cpu") -> None:
        rest = np.array([prop_pose(p) for p in scene.bodies]).reshape(-1, 7)
        self.rest = torch.as_tensor(rest).to(device)
        self.free: List[int] = [i for i, p in enumerate(scene.bodies) if p.kind == "target"]
        joints = [model.body(_body_name(i)).jntadr[0] for i in self.free]
        self._qpos = [int(model.jnt_qposadr[j]) for j in joints]
        self._qvel = [int(model.jnt_dofadr[j]) for j in joints]
        self._free = torch.tensor(self.free, dtype=torch.long, device=device)
        self._poses, self._velocities = (
            torch.tensor([a + i for a in addresses for i in range(width)], dtype=torch.long,
                         device=device)
            for addresses, width in ((self._qpos, 7), (self._qvel, 6)))

    def place(self, qpos: Tensor, poses: Optional[Tensor]) -> None:
        """Write the free props' poses (n, P, 7), or their rest places, into qpos (n, nq)."""
        for index, address in zip(self.free, self._qpos):
            qpos[:, address:address + 7] = self.rest[index] if poses is None else poses[:, index]

    def put(self, qpos: Tensor, qvel: Tensor, states: Tensor) -> None:
        """Write the free props' states (n, P, 13) into qpos (n, nq) and qvel (n, nv)."""
        spin = quat_rotate(quat_conj(states[..., 3:7]), states[..., 10:])
        for index, q, v in zip(self.free, self._qpos, self._qvel):
            qpos[:, q:q + 7] = states[:, index, :7]
            qvel[:, v:v + 3] = states[:, index, 7:10]
            # MuJoCo keeps a free joint's angular velocity in the body's own frame
            qvel[:, v + 3:v + 6] = spin[:, index]

    def read(self, qpos: Tensor, qvel: Tensor) -> Tensor:
        """(N, P, 13): position, rotation, linear and angular velocity (world frame)."""
        n = len(qpos)
        out = qpos.new_zeros(n, len(self.rest), 13)
        out[:, :, :7] = self.rest
        if self.free:
            pose = qpos.index_select(1, self._poses).reshape(n, -1, 7)
            velocity = qvel.index_select(1, self._velocities).reshape(n, -1, 6)
            spin = quat_rotate(pose[..., 3:], velocity[..., 3:])
            out.index_copy_(1, self._free, torch.cat((pose, velocity[..., :3], spin), -1))
        return out
