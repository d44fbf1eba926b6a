"""The discriminator D(s, s' | z), or D(s, s'): its loss, its reward, its diagnostics.

After CALM (Tessler et al., arXiv 2305.02195, section 4) and AMP (arXiv 2104.02180): binary
cross-entropy, gradient penalty on demo observations, and negatives that are real motion under the
wrong skill, so that D has to look at z.
"""
from __future__ import annotations

from typing import Callable, Dict, Sequence, Tuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ppp.learning.config import DiscriminatorConfig
from ppp.learning.networks import mlp, scaled

#: floor of 1 - D in the reward, so that a certain discriminator pays at most -log(1e-4) = 9.21
REWARD_FLOOR = 1e-4


class Discriminator(nn.Module):
    """Logit of "this window is real motion of skill z". Windows (n, W, 140), z (n, latent).

    latent 0: it does not look at z.
    """

    def __init__(self, window: int, frame_mean: Tensor, frame_std: Tensor, latent: int,
                 hidden: Sequence[int]) -> None:
        super().__init__()
        # the clips' statistics are known and fixed, so the input does not move under training
        self.register_buffer("mean", frame_mean.clone())
        self.register_buffer("std", frame_std.clamp_min(0.05))
        self.latent = latent
        self.body = mlp([window * frame_mean.shape[0] + latent, *hidden])
        self.head = nn.Linear(hidden[-1], 1)

    def normalise(self, windows: Tensor) -> Tensor:
        """Windows (n, W, 140) as network input (n, W * 140)."""
        return ((windows - self.mean) / self.std).clamp(-8.0, 8.0).flatten(1)

    def logits(self, inputs: Tensor, z: Tensor) -> Tensor:
        """(n,) for inputs already normalised."""
        seen = torch.cat((inputs, scaled(z)), -1) if self.latent else inputs
        return self.head(self.body(seen))[:, 0]

    def forward(self, windows: Tensor, z: Tensor) -> Tensor:
        """(n,) logits of raw windows."""
        return self.logits(self.normalise(windows), z)


class Posterior(nn.Module):
    """q(z | s, s') of ASE: a von Mises-Fisher density about a mean direction, (n, latent).

    Peng et al., arXiv 2205.01906, section 5: log q = kappa mu(s, s')' z + constant; kappa is part
    of the weight that the settings give it.
    """

    def __init__(self, inputs: int, hidden: Sequence[int], latent: int) -> None:
        super().__init__()
        self.body = mlp([inputs, *hidden])
        self.head = nn.Linear(hidden[-1], latent)

    def forward(self, inputs: Tensor) -> Tensor:
        """Mean directions of windows as :meth:`Discriminator.normalise` gives them."""
        return F.normalize(self.head(self.body(inputs)), dim=-1)


def style_reward(logits: Tensor, loss: str = "bce") -> Tensor:
    """r_dis = -log max(1 - D, 1e-4), D = sigmoid(logit): log 2 at logit 0, rising with D.

    The PPP paper prints log(1 - D), which would push the policy away from the data.
    ``lsgan``: max(0, 1 - (D - 1)^2 / 4), D the logit itself (AMP, arXiv 2104.02180, equation 7).
    """
    if loss == "lsgan":
        return (1.0 - 0.25 * (logits - 1.0).square()).clamp_min(0.0)
    return -torch.log((1.0 - torch.sigmoid(logits)).clamp_min(REWARD_FLOOR))


def _losses(loss: str) -> Tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]:
    """Loss of a logit that should say real, and of one that should say fake."""
    if loss == "lsgan":  # least squares towards +1 and -1 (AMP, equation 6)
        return lambda d: (d - 1.0).square(), lambda d: (d + 1.0).square()
    return lambda d: F.softplus(-d), F.softplus


def discriminator_loss(net: Discriminator, demo: Tensor, policy: Tensor, demo_z: Tensor,
                       policy_z: Tensor, wrong_z: Tensor, config: DiscriminatorConfig
                       ) -> Tuple[Tensor, Dict[str, float]]:
    """Loss and diagnostics for windows demo (n, W, 140) of skill z, policy (m, W, 140).

    wrong_z (n, latent): for each demo window the z of another skill (mismatched negatives).
    """
    is_real, is_fake = _losses(config.loss)
    inputs = net.normalise(demo).requires_grad_(True)
    real = net.logits(inputs, demo_z)
    fake = net(policy, policy_z)
    negative = is_fake(fake).mean()
    if config.mismatched > 0:
        mismatch = net.logits(inputs.detach(), wrong_z)
        share = config.mismatched
        negative = (1 - share) * negative + share * is_fake(mismatch).mean()
    gradient = torch.autograd.grad(real.sum(), inputs, create_graph=True)[0]
    penalty = gradient.square().sum(-1).mean()
    loss = (0.5 * (is_real(real).mean() + negative) + config.gradient_penalty * penalty
            + config.logit_regularisation * net.head.weight.square().sum())
    info = {"logit_demo": float(real.detach().mean()), "logit_policy": float(fake.detach().mean()),
            "accuracy_demo": float((real > 0).float().mean()),
            "accuracy_policy": float((fake < 0).float().mean()),
            "gradient_penalty": float(penalty.detach()), "loss": float(loss.detach())}
    if config.mismatched > 0:
        info["logit_mismatch"] = float(mismatch.detach().mean())
    return loss, info
