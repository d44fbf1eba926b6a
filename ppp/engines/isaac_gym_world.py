"""Isaac Gym's simulation: parameters, assets, actors and the tensors that describe them.

Calls and their order are those of the manual of Isaac Gym Preview 4 (chapters "Simulation Setup",
"Tensor API", and the reference of ``gymapi.Gym``); the physics settings are those that ASE and CALM
publish for this humanoid (nv-tlabs/ASE: ase/data/cfg/humanoid_ase_sword_shield.yaml).
"""
from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Tuple

import torch
from torch import Tensor

from ppp.engines.isaac_gym_asset import build_asset, shape_filter
from ppp.engines.scene import Prop, Scene
from ppp.errors import PPPError
from ppp.humanoid.skeleton import BODIES, DOF_NAMES, NUM_BODIES, NUM_DOFS, per_dof

#: one call of ``simulate``: two physics steps of 1/120 s; two calls are one control step
SIMULATE_DT = 1.0 / 60.0
SUBSTEPS = 2
#: distance between environments, m; each has its own coordinates and collisions
SPACING = 5.0
#: friction of everything: MuJoCo takes the larger of two, PhysX their mean
FRICTION = 1.0
#: compute capability from which on Isaac Gym's GPU PhysX crashes (IsaacGymEnvs issue 220: H100)
TOO_NEW = (9, 0)


@dataclass
class World:
    """A prepared simulation of N environments with A = 1 + P actors each.

    The tensors are Isaac Gym's own memory: writing to them changes nothing before a setter is
    called, and a refresh overwrites them.
    """

    gymapi: Any
    gymtorch: Any
    gym: Any
    sim: Any
    device: str
    root: Tensor  # (N, A, 13) position 3, rotation x, y, z, w, linear and angular velocity
    dofs: Tensor  # (N, 31, 2) position and velocity in Isaac Gym's order
    bodies: Tensor  # (N, 17 + P, 13) like root; the humanoid's first
    forces: Tensor  # (N, 17 + P, 3) net contact force, N
    body_index: Tensor  # (17,) where each of our bodies is in ``bodies``
    dof_index: Tensor  # (31,) where each of our degrees of freedom is in ``dofs``
    com: Tensor  # (17, 3) centre of mass of each of our bodies in its own frame, m

    def simulate(self) -> None:
        """1/60 s of physics; then the tensors hold what came of it."""
        self.gym.simulate(self.sim)
        if self.device == "cpu":
            self.gym.fetch_results(self.sim, True)
        self.refresh()

    def refresh(self) -> None:
        """Fill the tensors with the state after the last ``simulate``."""
        self.gym.refresh_actor_root_state_tensor(self.sim)
        self.gym.refresh_dof_state_tensor(self.sim)
        self.gym.refresh_rigid_body_state_tensor(self.sim)
        self.gym.refresh_net_contact_force_tensor(self.sim)

    def put(self, actors: Tensor) -> None:
        """Apply what was written into ``root`` and ``dofs`` for ``actors`` (N, A) bool.

        A setter may be called once only between two calls of ``simulate``, so this collects all.
        """
        unwrap, per_env = self.gymtorch.unwrap_tensor, self.root.shape[1]
        # kept in variables: Isaac Gym stores an address, which must outlive the call
        every = actors.flatten().nonzero().flatten().to(torch.int32)
        humanoids = (actors[:, 0].nonzero().flatten() * per_env).to(torch.int32)
        if len(every):
            self.gym.set_actor_root_state_tensor_indexed(
                self.sim, unwrap(self.root), unwrap(every), len(every))
        if len(humanoids):
            self.gym.set_dof_state_tensor_indexed(
                self.sim, unwrap(self.dofs), unwrap(humanoids), len(humanoids))


def choose_device(device: str) -> str:
    """``device`` with its number: ``cpu``, ``cuda:0``; PPPError where Isaac Gym can't use it."""
    if device == "cpu":
        return device
    kind, _, number = device.partition(":")
    if kind != "cuda" or not (number or "0").isdigit() or not torch.cuda.is_available():
        raise PPPError(f"engine isaac_gym: device '{device[:20]}' is not available here; use "
                       "'cuda', or 'cpu', which simulates on the processor")
    device = f"cuda:{number or 0}"
    capability = torch.cuda.get_device_capability(device)
    if capability >= TOO_NEW:
        raise PPPError(f"engine isaac_gym: Isaac Gym Preview 4 crashes on a "
                       f"{torch.cuda.get_device_name(device)}; use --engine mujoco_warp")
    return device


def build_world(gymapi: Any, gymtorch: Any, num_envs: int, scene: Scene, device: str,
                threads: int) -> World:
    """Create the simulation and acquire its tensors."""
    gym = gymapi.acquire_gym()
    number = 0 if device == "cpu" else int(device.split(":")[1])
    sim = gym.create_sim(number, -1, gymapi.SIM_PHYSX, _parameters(gymapi, device, threads))
    if sim is None:
        raise PPPError("engine isaac_gym: Isaac Gym could not create a simulation; its own "
                       "messages above say why, and a process can hold only one")
    plane = gymapi.PlaneParams()
    plane.normal = gymapi.Vec3(0.0, 0.0, 1.0)
    plane.static_friction = plane.dynamic_friction = FRICTION
    plane.restitution = 0.0
    gym.add_ground(sim, plane)
    humanoid = _load_humanoid(gymapi, gym, sim)
    boxes = [_make_box(gymapi, gym, sim, prop) for prop in scene.bodies]
    envs = [_fill(gymapi, gym, sim, i, num_envs, humanoid, boxes, scene) for i in range(num_envs)]
    body_index, dof_index = _order(gym, humanoid)
    coms = gym.get_actor_rigid_body_properties(*envs[0])
    com = torch.tensor([[coms[i].com.x, coms[i].com.y, coms[i].com.z] for i in body_index])
    gym.prepare_sim(sim)
    per_env = 1 + len(boxes)
    wrap = gymtorch.wrap_tensor
    world = World(
        gymapi, gymtorch, gym, sim, device,
        wrap(gym.acquire_actor_root_state_tensor(sim)).view(num_envs, per_env, 13),
        wrap(gym.acquire_dof_state_tensor(sim)).view(num_envs, NUM_DOFS, 2),
        wrap(gym.acquire_rigid_body_state_tensor(sim)).view(num_envs, -1, 13),
        wrap(gym.acquire_net_contact_force_tensor(sim)).view(num_envs, -1, 3),
        torch.tensor(body_index, device=device), torch.tensor(dof_index, device=device),
        com.to(device))
    world.refresh()
    return world


def _parameters(gymapi: Any, device: str, threads: int) -> Any:
    params = gymapi.SimParams()
    params.dt, params.substeps = SIMULATE_DT, SUBSTEPS
    params.up_axis = gymapi.UP_AXIS_Z
    params.gravity = gymapi.Vec3(0.0, 0.0, -9.81)
    params.use_gpu_pipeline = params.physx.use_gpu = device != "cpu"
    params.physx.num_threads = threads
    params.physx.solver_type = 1  # TGS
    params.physx.num_position_iterations = 4
    params.physx.num_velocity_iterations = 0
    params.physx.contact_offset = 0.02
    params.physx.rest_offset = 0.0
    params.physx.bounce_threshold_velocity = 0.2
    params.physx.max_depenetration_velocity = 10.0
    params.physx.default_buffer_size_multiplier = 10.0
    params.physx.max_gpu_contact_pairs = 8 * 1024 * 1024
    return params


def _load_humanoid(gymapi: Any, gym: Any, sim: Any) -> Any:
    options = gymapi.AssetOptions()
    options.angular_damping = 0.01
    options.max_angular_velocity = 100.0
    options.default_dof_drive_mode = gymapi.DOF_MODE_NONE
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "humanoid.xml").write_text(build_asset(), encoding="utf-8")
        asset = gym.load_asset(sim, folder, "humanoid.xml", options)
    if asset is None:
        raise PPPError("engine isaac_gym: Isaac Gym could not load the humanoid; its own messages "
                       "above say why")
    return asset


def _make_box(gymapi: Any, gym: Any, sim: Any, prop: Prop) -> Any:
    x, y, z = prop.size
    options = gymapi.AssetOptions()
    options.density = prop.kilograms / (x * y * z)
    options.fix_base_link = prop.kind != "target"
    options.angular_damping = options.linear_damping = 0.01
    options.max_angular_velocity = 100.0
    return gym.create_box(sim, x, y, z, options)


def _fill(gymapi: Any, gym: Any, sim: Any, index: int, count: int, humanoid: Any, boxes: List[Any],
          scene: Scene) -> Tuple[Any, int]:
    """Environment ``index`` with its actors; the environment and the humanoid's handle."""
    env = gym.create_env(sim, gymapi.Vec3(-SPACING, -SPACING, 0.0),
                         gymapi.Vec3(SPACING, SPACING, SPACING), max(1, int(count ** 0.5)))
    pose = gymapi.Transform()
    pose.p, pose.r = gymapi.Vec3(*BODIES[0].offset), gymapi.Quat(0.0, 0.0, 0.0, 1.0)
    # the group keeps environments apart
    actor = gym.create_actor(env, humanoid, pose, "humanoid", index, 1, 0)
    gym.set_actor_dof_properties(env, actor, _servos(gymapi, gym, humanoid))
    _set_shapes(gym, env, actor, gym.get_asset_rigid_body_names(humanoid))
    for number, (box, prop) in enumerate(zip(boxes, scene.bodies)):
        handle = gym.create_actor(env, box, _transform(gymapi, prop), f"prop_{number}", index, 0, 0)
        _set_shapes(gym, env, handle, [None])
    return env, actor


def _transform(gymapi: Any, prop: Prop) -> Any:
    x, y, z, qw, qx, qy, qz = prop.pose
    pose = gymapi.Transform()
    pose.p, pose.r = gymapi.Vec3(x, y, z), gymapi.Quat(qx, qy, qz, qw)
    return pose


def _servos(gymapi: Any, gym: Any, humanoid: Any) -> Any:
    """Properties of the degrees of freedom: position servos with our gains, limits and inertia."""
    servos = gym.get_asset_dof_properties(humanoid)
    servos["driveMode"][:] = gymapi.DOF_MODE_POS
    _, dof_index = _order(gym, humanoid)
    for field, attribute in (("stiffness", "kp"), ("damping", "kd"), ("effort", "effort")):
        for index, value in zip(dof_index, per_dof(attribute)):
            servos[field][index] = value
    return servos


def _set_shapes(gym: Any, env: Any, actor: int, names: List[Any]) -> None:
    """Friction and collision filter of an actor's shapes; names: of its bodies, None for a box."""
    shapes = gym.get_actor_rigid_shape_properties(env, actor)
    for name, span in zip(names, gym.get_actor_rigid_body_shape_indices(env, actor)):
        for index in range(span.start, span.start + span.count):
            shapes[index].friction = FRICTION
            shapes[index].restitution = 0.0
            shapes[index].filter = 0 if name is None else shape_filter(name)
    gym.set_actor_rigid_shape_properties(env, actor, shapes)


def _order(gym: Any, humanoid: Any) -> Tuple[List[int], List[int]]:
    """Where our bodies and degrees of freedom are in Isaac Gym's lists, by their names."""
    bodies = _places("bodies", gym.get_asset_rigid_body_names(humanoid), [b.name for b in BODIES],
                     NUM_BODIES)
    dofs = _places("degrees of freedom", gym.get_asset_dof_names(humanoid), list(DOF_NAMES),
                   NUM_DOFS)
    return bodies, dofs


def _places(what: str, found: List[str], wanted: List[str], count: int) -> List[int]:
    where: Dict[str, int] = {name: i for i, name in enumerate(found)}
    missing = [name for name in wanted if name not in where]
    if missing or len(found) != count:
        raise PPPError(f"engine isaac_gym: Isaac Gym made {len(found)} {what} of the humanoid, "
                       f"{count} were written"
                       + (f", '{missing[0]}' among those that are missing" if missing else "")
                       + "; is this Preview 4?")
    return [where[name] for name in wanted]
