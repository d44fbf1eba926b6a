"""Quaternions (w, x, y, z; unit; Hamilton), exponential maps and headings, batched in torch.

Every function takes and returns (…, 4) quaternions, (…, 3) vectors or (…, 3, 3) matrices.
"""
from __future__ import annotations

import torch
from torch import Tensor


def quat_mul(a: Tensor, b: Tensor) -> Tensor:
    """Hamilton product a b."""
    aw, ax, ay, az = a.unbind(-1)
    bw, bx, by, bz = b.unbind(-1)
    return torch.stack((
        aw * bw - ax * bx - ay * by - az * bz,
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw), -1)


def quat_conj(q: Tensor) -> Tensor:
    """Inverse of a unit quaternion."""
    return torch.cat((q[..., :1], -q[..., 1:]), -1)


def quat_rotate(q: Tensor, v: Tensor) -> Tensor:
    """The vector v turned by q."""
    w, x, y, z = q.unbind(-1)
    a, b, c = v.unbind(-1)
    # v + w t + q x t with t = 2 q x v, written out: two cross products cost more in torch
    tx, ty, tz = 2 * (y * c - z * b), 2 * (z * a - x * c), 2 * (x * b - y * a)
    return torch.stack((a + w * tx + y * tz - z * ty, b + w * ty + z * tx - x * tz,
                        c + w * tz + x * ty - y * tx), -1)


def normalise(q: Tensor) -> Tensor:
    """Unit quaternion along q."""
    return q / q.norm(dim=-1, keepdim=True).clamp_min(1e-9)


def exp_map_to_quat(e: Tensor) -> Tensor:
    """Quaternion of the rotation vector e (axis times angle, rad)."""
    angle = e.norm(dim=-1, keepdim=True)
    half = 0.5 * angle
    # sin(half)/angle, with its limit 1/2 where the angle vanishes
    scale = torch.where(angle > 1e-6, torch.sin(half) / angle.clamp_min(1e-6),
                        torch.full_like(angle, 0.5))
    return torch.cat((torch.cos(half), e * scale), -1)


def quat_to_exp_map(q: Tensor) -> Tensor:
    """Rotation vector of q, of length at most pi (the shorter way round)."""
    q = torch.where(q[..., :1] < 0, -q, q)
    sine = q[..., 1:].norm(dim=-1, keepdim=True)
    angle = 2.0 * torch.atan2(sine, q[..., :1])
    scale = torch.where(sine > 1e-6, angle / sine.clamp_min(1e-6), torch.full_like(sine, 2.0))
    return q[..., 1:] * scale


def quat_to_matrix(q: Tensor) -> Tensor:
    """Rotation matrix of q."""
    w, x, y, z = q.unbind(-1)
    rows = (1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
            2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
            2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y))
    return torch.stack(rows, -1).reshape(q.shape[:-1] + (3, 3))


def quat_to_six_d(q: Tensor) -> Tensor:
    """The rotation's x axis and z axis, (…, 6): continuous, unlike angles or quaternions."""
    w, x, y, z = q.unbind(-1)
    return torch.stack((
        1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y),
        2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)), -1)


def quat_slerp(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """Spherical interpolation from a (t = 0) to b (t = 1); t broadcasts as (…, 1)."""
    return quat_mul(a, exp_map_to_quat(t * quat_to_exp_map(quat_mul(quat_conj(a), b))))


def yaw_of(q: Tensor) -> Tensor:
    """Heading: the angle of the rotated x axis about z, rad, (…)."""
    w, x, y, z = q.unbind(-1)
    return torch.atan2(2 * (x * y + w * z), 1 - 2 * (y * y + z * z))


def up_z(q: Tensor) -> Tensor:
    """World z of the rotated z axis, (…): 1 upright, 0 lying, -1 upside down."""
    return 1 - 2 * (q[..., 1].square() + q[..., 2].square())


def yaw_quat(yaw: Tensor) -> Tensor:
    """Rotation about z by yaw, rad."""
    zero = torch.zeros_like(yaw)
    return torch.stack((torch.cos(0.5 * yaw), zero, zero, torch.sin(0.5 * yaw)), -1)


def heading_inverse(q: Tensor) -> Tensor:
    """Quaternion that takes world vectors into the heading frame of q."""
    return yaw_quat(-yaw_of(q))


def rotate_xy(v: Tensor, angle: Tensor) -> Tensor:
    """A plane vector (…, 2) turned by an angle (…), rad."""
    c, s = torch.cos(angle), torch.sin(angle)
    return torch.stack((c * v[..., 0] - s * v[..., 1], s * v[..., 0] + c * v[..., 1]), -1)


def rotate_about_z(v: Tensor, angle: Tensor) -> Tensor:
    """Turn vectors (..., 3) about the vertical by angles (...), rad."""
    return torch.cat((rotate_xy(v[..., :2], angle), v[..., 2:]), -1)


def wrap_angle(a: Tensor) -> Tensor:
    """The same angle in (-pi, pi]."""
    return torch.atan2(torch.sin(a), torch.cos(a))
