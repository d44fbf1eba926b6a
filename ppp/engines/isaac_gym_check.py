"""Start-up checks: does Isaac Gym understand the humanoid as we do?

Two things can't be read from its manual: what the importer makes of three hinges (an exponential
map, by what is published) and whether a body's linear velocity is that of its frame's origin or of
its centre of mass. Both are measured here, on the user's own installation, before a run begins.
"""
from __future__ import annotations

import torch
from torch import Tensor

from ppp.engines.isaac_gym_state import Reader, pack_root
from ppp.engines.isaac_gym_world import SIMULATE_DT, World
from ppp.engines.scene import Scene
from ppp.errors import PPPError
from ppp.humanoid.kinematics import forward_kinematics
from ppp.humanoid.rotations import quat_rotate
from ppp.humanoid.skeleton import NUM_DOFS

#: high above the floor and every prop, m
HEIGHT = 20.0
#: largest deviation of a body from where it should be, m (the sword's tip moves 1 m/s in the trial)
TOLERANCE = 0.02


def check_props(world: World, scene: Scene) -> None:
    """The props are where the scene puts them, in every environment's own coordinates."""
    if not scene.bodies:
        return
    wanted = torch.tensor([prop.pose[:3] for prop in scene.bodies], device=world.device)
    off = (world.root[:, 1:, :3] - wanted).norm(dim=-1).max()
    if not off < TOLERANCE:
        raise PPPError(f"engine isaac_gym: a prop is {float(off):.2f} m off its place; the "
                       "coordinates of this version of Isaac Gym are not each environment's own")


def measure_frames(world: World) -> Tensor:
    """What linear velocities belong to, (17, 3) in each body's frame, m: its origin or its centre
    of mass.

    Lets every humanoid fall freely, bent and spinning; PPPError where its bodies are not where the
    joint angles say.
    """
    joints = 0.4 * torch.sin(torch.arange(NUM_DOFS, device=world.device) * 1.7)
    _throw(world, joints)
    seen = []
    for _ in range(2):
        world.simulate()
        seen.append(Reader(world, torch.zeros_like(world.com)).bodies())
        _compare(world, seen[-1].pos)
    moved = (seen[1].pos - seen[0].pos) / SIMULATE_DT
    errors = []
    for point in (torch.zeros_like(world.com), world.com):
        spoken = [b.lin_vel - torch.cross(b.ang_vel, quat_rotate(b.rot, point.expand_as(b.pos)),
                                          dim=-1) for b in seen]
        errors.append((0.5 * (spoken[0] + spoken[1]) - moved).square().mean())
    return world.com if errors[1] < errors[0] else torch.zeros_like(world.com)


def _throw(world: World, joints: Tensor) -> None:
    """Put all humanoids high up with joint angles (31,), spinning."""
    world.root[:, 0] = pack_root(
        torch.tensor([0.0, 0.0, HEIGHT]), torch.tensor([1.0, 0.0, 0.0, 0.0]), torch.zeros(3),
        torch.tensor([2.0, -1.5, 1.0])).to(world.device)
    world.dofs[:, world.dof_index, 0] = joints
    world.dofs[:, world.dof_index, 1] = 0.0
    actors = torch.zeros(world.root.shape[:2], dtype=torch.bool, device=world.device)
    actors[:, 0] = True
    world.put(actors)
    targets = world.dofs[..., 0].contiguous()
    world.gym.set_dof_position_target_tensor(world.sim, world.gymtorch.unwrap_tensor(targets))


def _compare(world: World, seen: Tensor) -> None:
    root = world.root[:, 0]
    zero = torch.zeros_like(root[:, :3])
    angles = world.dofs[:, world.dof_index, 0]
    told = forward_kinematics(root[:, :3], root[:, [6, 3, 4, 5]], angles, zero, zero,
                              torch.zeros_like(angles)).pos
    off = (told - seen).norm(dim=-1)
    if not off.max() < TOLERANCE:  # also for what is not a number
        raise PPPError(f"engine isaac_gym: bodies lie up to {float(off.max()):.2f} m from where "
                       "their joint angles say; this Isaac Gym does not make exponential-map "
                       "joints of three hinges, as Preview 4 does")
