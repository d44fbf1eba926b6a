"""Reward terms: pure functions of one step, (N,) each, about 0 to 1 (style is the learner's).

A task names them with weights. `facing` and its variants are the paper's task reward
w1 d_root.d_t + w2 d_left.d_t + w3 d_right.d_t (PPP, section III), mapped from [-1, 1] to [0, 1].
"""
from __future__ import annotations

from typing import Callable, Dict, List

import torch
from torch import Tensor

from ppp.humanoid.observation import FRAME
from ppp.humanoid.rotations import rotate_xy, up_z
from ppp.humanoid.skeleton import BODY_ID
from ppp.tasks.context import Step

#: root, left and right thigh weights of the paper's task reward
FACING_WEIGHTS = (0.6, 0.2, 0.2)
_FACING_BODIES = [BODY_ID[name] for name in ("pelvis", "left_thigh", "right_thigh")]


def _direction(step: Step) -> Tensor:
    """Unit direction to the target, (N, 2)."""
    gap = step.target - step.state.root_pos[:, :2]
    return gap / gap.norm(dim=-1, keepdim=True).clamp_min(1e-6)


def _cosines(step: Step, bodies: List[int], offset: Tensor) -> Tensor:
    """Cosine between bodies' horizontal x axes, turned by ``offset``, and the target, (N, B)."""
    w, x, y, z = step.state.bodies.rot[:, bodies].unbind(-1)
    axis = torch.stack((1 - 2 * (y * y + z * z), 2 * (x * y + w * z)), -1)
    axis = axis / axis.norm(dim=-1, keepdim=True).clamp_min(1e-6)
    # turning the target back by the offset is turning the axis by it
    return (axis * rotate_xy(_direction(step), -offset)[:, None]).sum(-1)


def facing_root(step: Step) -> Tensor:
    """Ablation: the root's x axis against the target direction, without the travel offset."""
    return 0.5 + 0.5 * _cosines(step, [0], torch.zeros_like(step.travel_offset))[:, 0]


def facing_hips(step: Step) -> Tensor:
    """Ablation: root and both thighs, without the travel offset."""
    return _facing(step, torch.zeros_like(step.travel_offset))


def facing(step: Step) -> Tensor:
    """Root and both thighs, turned by the skill's own travel offset; 1 for turning skills."""
    return torch.where(step.turns, torch.ones_like(step.speed), _facing(step, step.travel_offset))


def _facing(step: Step, offset: Tensor) -> Tensor:
    weights = torch.tensor(FACING_WEIGHTS, device=offset.device)
    return 0.5 + 0.5 * _cosines(step, _FACING_BODIES, offset) @ weights


def progress(step: Step) -> Tensor:
    """Speed: towards the target at the clips' pace (travel), standing still otherwise.

    exp(-2 v_err^2) with v_err the shortfall of the speed towards the target, m/s; for skills on
    the spot v_err is the ground speed beyond that of the clips (a dodge moves a little). Turning
    skills are judged by their yaw rate, rad/s.
    """
    velocity = step.state.bodies.lin_vel[:, 0, :2]
    towards = (velocity * _direction(step)).sum(-1)
    beyond = (velocity.norm(dim=-1) - step.speed).clamp_min(0.0)
    error = torch.where(step.travels, (step.speed - towards).clamp_min(0.0), beyond)
    yaw_error = step.state.bodies.ang_vel[:, 0, 2] - step.yaw_rate
    error = torch.where(step.turns, yaw_error, error)
    return torch.exp(-2.0 * error.square())


def imitation(step: Step) -> Tensor:
    """How near the state is to its reference frame (DeepMimic's tracking reward in local terms).

    Peng et al., arXiv 1804.02717, section 5: exponentials of squared errors in pose, velocity,
    root and end effectors; here without horizontal position, each in its own heading frame.
    """
    gap = step.frame - step.reference
    square = {name: gap[:, columns].square().sum(-1) for name, columns in FRAME.items()}
    pose = torch.exp(-2.0 * square["joints"])
    velocity = torch.exp(-0.03 * square["joint_vel"])
    root = torch.exp(-20.0 * square["height"] - 5.0 * square["rotation"]
                     - 5.0 * square["linear"] - 2.0 * square["angular"])
    keys = torch.exp(-10.0 * square["keys"])
    return 0.4 * pose + 0.1 * velocity + 0.25 * root + 0.25 * keys


def heading(step: Step) -> Tensor:
    """Travel along the direction to the target, at the skill's pace, facing the skill's way.

    The heading task of ASE and CALM (arXiv 2205.01906; its released weights): 0.7 exp(-0.25 e^2 -
    0.1 s^2) + 0.3 max(0, f.d): e is the pace less the speed along the direction d, s the speed
    across it, m/s, f the pelvis' axis turned by the travel offset. The first part is 0 when moving
    the other way.
    """
    way = _direction(step)
    velocity = step.state.bodies.lin_vel[:, 0, :2]
    along = (velocity * way).sum(-1)
    across = (velocity - along[:, None] * way).square().sum(-1)
    moves = torch.exp(-0.25 * (step.speed - along).square() - 0.1 * across) * (along > 0)
    faces = _cosines(step, [0], step.travel_offset)[:, 0].clamp_min(0.0)
    return 0.7 * moves + 0.3 * faces


def location(step: Step) -> Tensor:
    """Being at the target: exp(-0.5 d^2) with d the pelvis' horizontal distance to it, m."""
    return torch.exp(-0.5 * (step.target - step.state.root_pos[:, :2]).square().sum(-1))


def reach(step: Step) -> Tensor:
    """Touching the point: 0.5 exp(-2 d) + 0.5 exp(-20 d^2), d the body's distance to it, m.

    ASE's reach task pays exp(-4 d^2), which is flat for who is a metre off; the first part is not,
    and the second pays for the last 20 cm.
    """
    square = (step.reaching - step.point).square().sum(-1)
    return 0.5 * torch.exp(-2.0 * square.sqrt()) + 0.5 * torch.exp(-20.0 * square)


def strike(step: Step) -> Tensor:
    """1 - up.z of the first prop, for those who are to strike it; CALM's target is tipped at 0.2.

    Who has another command gets nothing for a prop that lies about.
    """
    if step.state.prop_state.shape[1] == 0:
        return torch.zeros_like(step.speed)
    return (1.0 - up_z(step.state.prop_state[:, 0, 3:7]).clamp_min(0.0)) * step.striking


REWARDS: Dict[str, Callable[[Step], Tensor]] = {
    "facing_root": facing_root,
    "facing_hips": facing_hips,
    "facing": facing,
    "progress": progress,
    "imitation": imitation,
    "heading": heading,
    "location": location,
    "reach": reach,
    "strike": strike,
}
