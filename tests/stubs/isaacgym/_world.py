"""The stub's simulation: environments of one MuJoCo model, and Isaac Gym's tensors of them."""
import mujoco
import numpy as np

from ._types import DOF_MODE_POS, Misuse, RigidShapeProperties

#: "com" or "origin": the point whose velocity is told (tests try both)
VELOCITY_OF = "com"


class Actor:
    """One instance of an asset in an environment."""

    def __init__(self, asset, pose, collision_filter):
        self.asset, self.pose = asset, pose
        self.dofs = asset.dof_properties()
        self.shapes = [RigidShapeProperties() for _ in range(sum(asset.shape_counts))]
        for shape in self.shapes:
            shape.filter = collision_filter


class Env:
    """An environment: its actors, then its MuJoCo data."""

    def __init__(self, world, index):
        self.world, self.index, self.actors, self.data = world, index, [], None

    def add_actor(self, asset, pose, collision_filter):
        self.actors.append(Actor(asset, pose, collision_filter))
        return len(self.actors) - 1


class World:
    """See the package. All environments must be alike; the first actor is the articulated one."""

    def __init__(self, params):
        self.params, self.ground, self.envs = params, None, []
        self.prepared, self.fetched, self.acquired, self.pending = False, True, set(), {}

    def add_env(self):
        self.envs.append(Env(self, len(self.envs)))
        return self.envs[-1]

    def actor(self, row):
        per_env = len(self.envs[0].actors)
        return self.envs[row // per_env].actors[row % per_env]

    def all_position_servos(self):
        return all((env.actors[0].dofs["driveMode"] == DOF_MODE_POS).all() for env in self.envs)

    # -- building ------------------------------------------------------------------------------
    def prepare(self):
        first = self.envs[0].actors
        if any([a.asset for a in e.actors] != [a.asset for a in first] for e in self.envs):
            raise Misuse("the stub's environments must be alike")
        self.model = self._model(first)
        for env in self.envs:
            env.data = mujoco.MjData(self.model)
            mujoco.mj_forward(self.model, env.data)
            env.force = np.zeros((self._count("bodies"), 3))
        humanoid = first[0].asset
        n = len(self.envs)
        self._body_ids = [self.model.body(name).id for name in humanoid.body_names]
        self._body_ids += [self.model.body(f"box_{i}").id for i in range(1, len(first))]
        self._joints = [self._joint(name) for name in humanoid.dof_names]
        self.root = np.zeros((n * len(first), 13), np.float32)
        self.dofs = np.zeros((n * len(humanoid.dof_names), 2), np.float32)
        self.bodies = np.zeros((n * len(self._body_ids), 13), np.float32)
        self.forces = np.zeros((n * len(self._body_ids), 3), np.float32)
        self.prepared = True

    def _count(self, what):
        return len(self.envs[0].actors[0].asset.body_names) + len(self.envs[0].actors) - 1

    def _model(self, actors):
        spec = actors[0].asset.spec.copy()
        spec.option.timestep = self.params.dt / self.params.substeps
        spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
        spec.option.cone = mujoco.mjtCone.mjCONE_PYRAMIDAL
        spec.option.gravity = [self.params.gravity.x, self.params.gravity.y, self.params.gravity.z]
        names, shapes = actors[0].asset.body_names, iter(actors[0].shapes)
        given = [(geom, next(shapes)) for name in names for geom in spec.body(name).geoms]
        for i, actor in enumerate(actors[1:], 1):
            given.append((_add_box(spec, f"box_{i}", actor), actor.shapes[0]))
        floor = spec.worldbody.add_geom(type=mujoco.mjtGeom.mjGEOM_PLANE, size=[0, 0, 1])
        ground = RigidShapeProperties()
        ground.friction = self.ground.static_friction
        given.append((floor, ground))
        _set_filters(given)
        for name, dof in zip(actors[0].asset.dof_names, actors[0].dofs):
            _add_servo(spec, name, dof)
        return spec.compile()

    def _joint(self, name):
        """(joint id, component) of a degree of freedom."""
        for joint in range(self.model.njnt):
            parts = self.model.joint(joint).name.split("|")
            if name in parts:
                return joint, parts.index(name)
        raise Misuse(f"no joint {name}")

    # -- physics -------------------------------------------------------------------------------
    def simulate(self):
        if "root" in self.pending:
            self._put_roots(*self.pending["root"])
        if "dofs" in self.pending:
            self._put_dofs(*self.pending["dofs"])
        for env in self.envs:
            if "targets" in self.pending:
                count = len(self._joints)
                env.data.ctrl[:] = self.pending["targets"][env.index * count:][:count]
            env.data.xfrc_applied[:] = 0.0
            if "push" in self.pending:
                rows = self.pending["push"].reshape(len(self.envs), -1, 3)[env.index]
                env.data.xfrc_applied[self._body_ids, :3] = rows
            env.force[:] = 0.0
            for _ in range(self.params.substeps):
                mujoco.mj_step(self.model, env.data)
                env.force += self._contact_forces(env.data) / self.params.substeps
            mujoco.mj_forward(self.model, env.data)
        self.pending, self.fetched = {}, False

    def _contact_forces(self, data):
        total, force = np.zeros((self.model.nbody, 3)), np.zeros(6)
        for i in range(data.ncon):
            contact = data.contact[i]
            mujoco.mj_contactForce(self.model, data, i, force)
            push = contact.frame.reshape(3, 3).T @ force[:3]
            total[self.model.geom_bodyid[contact.geom2]] += push
            total[self.model.geom_bodyid[contact.geom1]] -= push
        return total[self._body_ids]

    def _put_roots(self, rows, values):
        per_env = len(self.envs[0].actors)
        for row in rows:
            data, slot = self.envs[row // per_env].data, row % per_env
            body = self._root_body(slot)
            joint = self.model.body_jntadr[body]
            q, v = self.model.jnt_qposadr[joint], self.model.jnt_dofadr[joint]
            pos, (x, y, z, w), lin, ang = np.split(values[row].astype(float), [3, 7, 10])
            rot = np.zeros(9)
            mujoco.mju_quat2Mat(rot, np.array([w, x, y, z]))
            rot = rot.reshape(3, 3)
            if VELOCITY_OF == "com":
                lin = lin - np.cross(ang, rot @ self.model.body_ipos[body])
            data.qpos[q:q + 7] = [*pos, w, x, y, z]
            data.qvel[v:v + 6] = [*lin, *(rot.T @ ang)]

    def _root_body(self, slot):
        return self._body_ids[0] if slot == 0 else self.model.body(f"box_{slot}").id

    def _put_dofs(self, rows, values):
        count, per_env = len(self._joints), len(self.envs[0].actors)
        for row in rows:
            env = self.envs[row // per_env]
            mine = values[env.index * count:][:count].astype(float)
            balls = {}
            for (joint, part), (angle, speed) in zip(self._joints, mine):
                q, v = self.model.jnt_qposadr[joint], self.model.jnt_dofadr[joint]
                env.data.qvel[v + part] = speed
                if self.model.jnt_type[joint] == mujoco.mjtJoint.mjJNT_BALL:
                    balls.setdefault(joint, np.zeros(3))[part] = angle
                else:
                    env.data.qpos[q] = angle
            for joint, turn in balls.items():
                q = self.model.jnt_qposadr[joint]
                angle = np.linalg.norm(turn)
                mujoco.mju_axisAngle2Quat(env.data.qpos[q:q + 4],
                                          turn / max(angle, 1e-9), angle)

    # -- tensors -------------------------------------------------------------------------------
    def refresh(self, name):
        for env in self.envs:
            if name == "root":
                per_env = len(env.actors)
                for slot in range(per_env):
                    self.root[env.index * per_env + slot] = self._state(
                        env.data, self._root_body(slot))
            elif name == "dofs":
                self._read_dofs(env)
            else:
                count = len(self._body_ids)
                rows = slice(env.index * count, (env.index + 1) * count)
                self.bodies[rows] = [self._state(env.data, body) for body in self._body_ids]
                self.forces[rows] = env.force

    def _state(self, data, body):
        kind = mujoco.mjtObj.mjOBJ_BODY if VELOCITY_OF == "com" else mujoco.mjtObj.mjOBJ_XBODY
        speed = np.zeros(6)
        mujoco.mj_objectVelocity(self.model, data, kind, body, speed, 0)
        w, x, y, z = data.xquat[body]
        return [*data.xpos[body], x, y, z, w, *speed[3:], *speed[:3]]

    def _read_dofs(self, env):
        start, turn = env.index * len(self._joints), np.zeros(3)
        for i, (joint, part) in enumerate(self._joints):
            q, v = self.model.jnt_qposadr[joint], self.model.jnt_dofadr[joint]
            self.dofs[start + i, 1] = env.data.qvel[v + part]
            if self.model.jnt_type[joint] == mujoco.mjtJoint.mjJNT_BALL:
                mujoco.mju_quat2Vel(turn, env.data.qpos[q:q + 4], 1.0)
                self.dofs[start + i, 0] = turn[part]
            else:
                self.dofs[start + i, 0] = env.data.qpos[q]


def _add_box(spec, name, actor):
    pose, options = actor.pose, actor.asset.options
    body = spec.worldbody.add_body(name=name, pos=[pose.p.x, pose.p.y, pose.p.z],
                                   quat=[pose.r.w, pose.r.x, pose.r.y, pose.r.z])
    if not options.fix_base_link:
        body.add_freejoint()
    return body.add_geom(type=mujoco.mjtGeom.mjGEOM_BOX, density=options.density,
                         size=[0.5 * v for v in actor.asset.spec])


def _set_filters(given):
    """Shapes collide where their filters share no bit, as MuJoCo's contact bits."""
    kinds = sorted({shape.filter for _, shape in given})
    for geom, shape in given:
        geom.friction = [shape.friction, 0.005, 0.0001]
        geom.contype = 1 << kinds.index(shape.filter)
        geom.conaffinity = sum(1 << i for i, kind in enumerate(kinds) if not kind & shape.filter)


def _add_servo(spec, name, dof):
    joint = next(j for j in spec.joints if name in j.name.split("|"))
    gear = [0.0] * 6
    gear[joint.name.split("|").index(name)] = 1.0
    servo = spec.add_actuator(name=name, target=joint.name, gear=gear,
                              trntype=mujoco.mjtTrn.mjTRN_JOINT)
    servo.set_to_position(kp=float(dof["stiffness"]), kv=float(dof["damping"]))
    servo.forcelimited = True
    servo.forcerange = [-float(dof["effort"]), float(dof["effort"])]
