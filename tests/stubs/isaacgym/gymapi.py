"""Types and calls of Isaac Gym Preview 4 that PPP uses; see the package."""
import itertools

import numpy as np

from . import gymdeps  # noqa: F401  the check of the import order comes first
from ._types import (  # noqa: F401
    DOF_MODE_EFFORT,
    DOF_MODE_NONE,
    DOF_MODE_POS,
    DOF_MODE_VEL,
    DTYPE_FLOAT32,
    DTYPE_UINT32,
    DTYPE_UINT64,
    ENV_SPACE,
    SIM_FLEX,
    SIM_PHYSX,
    UP_AXIS_Y,
    UP_AXIS_Z,
    Asset,
    AssetOptions,
    IndexRange,
    Misuse,
    PlaneParams,
    Quat,
    RigidBodyProperties,
    RigidShapeProperties,
    SimParams,
    Tensor,
    Transform,
    Vec3,
)
from ._world import World

_gym = None


def acquire_gym(*args):
    """The one Gym of a process."""
    global _gym
    _gym = _gym or Gym()
    return _gym


def _need(holds, message):
    if not holds:
        raise Misuse(message)


class Gym:
    """Calls by name; what they may be given, and when."""

    def __init__(self):
        self.calls = []  # names, in order, for the tests
        self.sims = 0

    # -- setting up ----------------------------------------------------------------------------
    def create_sim(self, compute_device=0, graphics_device=0, type=SIM_FLEX, params=None):
        self.calls.append("create_sim")
        _need(type == SIM_PHYSX, "the tensors need SIM_PHYSX")
        _need(params.up_axis == UP_AXIS_Z and params.gravity.z < 0, "gravity must point down z")
        _need(not params.use_gpu_pipeline, "the stub has no GPU")
        if self.sims:
            return None
        self.sims += 1
        return World(params)

    def destroy_sim(self, arg0, /):
        self.calls.append("destroy_sim")
        self.sims -= 1

    def add_ground(self, arg0, arg1, /):
        self._set_up(arg0, "add_ground")
        _need((arg1.normal.x, arg1.normal.y, arg1.normal.z) == (0, 0, 1), "z is up")
        arg0.ground = arg1

    def load_asset(self, sim, rootpath, filename, options=None):
        self._set_up(sim, "load_asset")
        with open(f"{rootpath}/{filename}", encoding="utf-8") as file:
            return Asset.from_mjcf(file.read(), options or AssetOptions())

    def create_box(self, sim, width, height, depth, options=None):
        self._set_up(sim, "create_box")
        return Asset.box((width, height, depth), options or AssetOptions())

    def create_env(self, arg0, arg1, arg2, arg3, /):
        self._set_up(arg0, "create_env")
        _need(arg1.x < arg2.x and arg3 >= 1, "an environment must have room")
        return arg0.add_env()

    def create_actor(self, env, asset, pose, name=None, group=-1, filter=-1, segmentationId=0):
        self._set_up(env.world, "create_actor")
        _need(group == env.index, "environments are kept apart by their collision group")
        _need(env is env.world.envs[-1], "actors belong to the newest environment")
        return env.add_actor(asset, pose, filter)

    def prepare_sim(self, arg0, /):
        self._set_up(arg0, "prepare_sim")
        _need(arg0.ground is not None, "there is no ground")
        arg0.prepare()
        return True

    def _set_up(self, world, name):
        self.calls.append(name)
        _need(not world.prepared, f"{name} after prepare_sim")

    # -- assets and actors ---------------------------------------------------------------------
    def get_asset_rigid_body_names(self, arg0, /):
        return list(arg0.body_names)

    def get_asset_dof_names(self, arg0, /):
        return list(arg0.dof_names)

    def get_asset_dof_properties(self, arg0, /):
        return arg0.dof_properties()

    def set_actor_dof_properties(self, arg0, arg1, arg2, /):
        self._set_up(arg0.world, "set_actor_dof_properties")
        actor = arg0.actors[arg1]
        _need(len(arg2) == len(actor.asset.dof_names), "a property for each degree of freedom")
        actor.dofs = np.array(arg2)
        return True

    def get_actor_rigid_body_properties(self, arg0, arg1, /):
        return arg0.actors[arg1].asset.body_properties()

    def get_actor_rigid_body_shape_indices(self, arg0, arg1, /):
        counts = arg0.actors[arg1].asset.shape_counts
        starts = [0, *itertools.accumulate(counts)]
        return [IndexRange(start, count) for start, count in zip(starts, counts)]

    def get_actor_rigid_shape_properties(self, arg0, arg1, /):
        return [shape.copy() for shape in arg0.actors[arg1].shapes]

    def set_actor_rigid_shape_properties(self, arg0, arg1, arg2, /):
        self._set_up(arg0.world, "set_actor_rigid_shape_properties")
        _need(len(arg2) == len(arg0.actors[arg1].shapes), "a property for each shape")
        arg0.actors[arg1].shapes = [shape.copy() for shape in arg2]
        return True

    # -- tensors -------------------------------------------------------------------------------
    def acquire_actor_root_state_tensor(self, arg0, /):
        return self._acquire(arg0, "root")

    def acquire_dof_state_tensor(self, arg0, /):
        return self._acquire(arg0, "dofs")

    def acquire_rigid_body_state_tensor(self, arg0, /):
        return self._acquire(arg0, "bodies")

    def acquire_net_contact_force_tensor(self, arg0, /):
        return self._acquire(arg0, "forces")

    def _acquire(self, world, name):
        self.calls.append(f"acquire {name}")
        _need(world.prepared, f"{name}: prepare_sim comes before the tensors")
        world.acquired.add(name)
        tensor = Tensor()
        tensor.owned = getattr(world, name)
        tensor.shape = list(tensor.owned.shape)
        return tensor

    def refresh_actor_root_state_tensor(self, arg0, /):
        return self._refresh(arg0, "root")

    def refresh_dof_state_tensor(self, arg0, /):
        return self._refresh(arg0, "dofs")

    def refresh_rigid_body_state_tensor(self, arg0, /):
        return self._refresh(arg0, "bodies")

    def refresh_net_contact_force_tensor(self, arg0, /):
        return self._refresh(arg0, "forces")

    def _refresh(self, world, name):
        self.calls.append(f"refresh {name}")
        _need(name in world.acquired, f"refresh of {name} before it was acquired")
        _need(not world.pending, f"refresh of {name} after a setter gives stale data")
        _need(world.fetched, "on the processor fetch_results comes before a refresh")
        world.refresh(name)
        return True

    def set_actor_root_state_tensor_indexed(self, arg0, arg1, arg2, arg3, /):
        rows = self._indexed(arg0, "root", arg1, arg2, arg3)
        fixed = [row for row in rows if arg0.actor(row).asset.options.fix_base_link]
        _need(not fixed, f"actors {fixed} are fixed")
        arg0.pending["root"] = (rows, self._read(arg1, (len(arg0.root), 13)))
        return True

    def set_dof_state_tensor_indexed(self, arg0, arg1, arg2, arg3, /):
        rows = self._indexed(arg0, "dofs", arg1, arg2, arg3)
        without = [row for row in rows if not arg0.actor(row).asset.dof_names]
        _need(not without, f"actors {without} have no degrees of freedom")
        arg0.pending["dofs"] = (rows, self._read(arg1, (len(arg0.dofs), 2)))
        return True

    def set_dof_position_target_tensor(self, arg0, arg1, /):
        self.calls.append("set targets")
        _need("targets" not in arg0.pending, "a setter may be called once between two simulates")
        _need(arg0.all_position_servos(), "targets act in DOF_MODE_POS only")
        arg0.pending["targets"] = self._read(arg1, (len(arg0.dofs),))
        return True

    def apply_rigid_body_force_tensors(self, sim, forceTensor=None, torqueTensor=None,
                                       space=ENV_SPACE):
        self.calls.append("apply forces")
        _need(forceTensor is not None and torqueTensor is None, "the stub applies forces only")
        sim.pending["push"] = self._read(forceTensor, (len(sim.bodies), 3))
        return True

    def _indexed(self, world, name, values, indices, count):
        self.calls.append(f"set {name}")
        _need(world.prepared, f"set {name} before prepare_sim")
        _need(name not in world.pending, "a setter may be called once between two simulates")
        _need(indices.dtype == DTYPE_UINT32, "actor indices must be 32-bit integers")
        rows = self._read(indices, (count,)).tolist()
        _need(count > 0 and len(set(rows)) == count, "actor indices must be distinct")
        _need(0 <= min(rows) and max(rows) < len(world.root), "actor indices out of range")
        return rows

    def _read(self, tensor, shape):
        """A copy of what a descriptor points at."""
        alive = tensor.alive() if tensor.owned is None else tensor.owned
        _need(alive is not None, "the tensor was garbage-collected before the call")
        array = np.asarray(alive)
        _need(array.size == np.prod(shape), f"a buffer of {array.shape} where {shape} is meant")
        _need(array.dtype in (np.float32, np.int32), f"a buffer of {array.dtype}")
        return array.reshape(shape).copy()

    # -- physics -------------------------------------------------------------------------------
    def simulate(self, arg0, /):
        self.calls.append("simulate")
        _need(arg0.prepared, "simulate before prepare_sim")
        arg0.simulate()

    def fetch_results(self, arg0, arg1, /):
        self.calls.append("fetch_results")
        arg0.fetched = bool(arg1)
