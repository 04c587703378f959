"""PPO's loss of G learners and its derivatives, written out.

The loss is SB3's (`PPO.train`). With z = (action − mean) / std of a diagonal Gaussian, its derivative
- by the log-probability is −advantage · ratio where that is the smaller of the two surrogates, else 0;
- by the mean that times z / std; by log std that times z² − 1, summed, minus the entropy's coefficient;
- by the value 2 · coefficient · (value − return), 0 beyond the value's clip range.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from eureka_loop.train.population.minibatches import LOG_2PI, Minibatch
from eureka_loop.train.population.networks import Heads


@dataclass(frozen=True, slots=True)
class Rates:
    """What SB3's schedules say for one update."""

    learning_rate: float
    clip_range: float
    clip_range_vf: float | None = None


def log_probs(heads: Heads, actions: Tensor) -> Tensor:
    """Of actions (G, actions, B): (G, B)."""
    z = (actions - heads.means) * heads.log_std.neg().exp()[..., None]
    return -0.5 * (z * z).sum(1) - heads.log_std.sum(-1, keepdim=True) - 0.5 * z.shape[1] * LOG_2PI


class Loss:
    """
    Args:
        given: where the networks leave what they give.
        wanted: where the derivatives go.
    """

    def __init__(self, given: Heads, wanted: Heads, *, ent_coef: float, vf_coef: float) -> None:
        learners, actions, samples = shape = given.means.shape
        self._given, self._wanted = given, wanted
        self._ent_coef, self._vf_coef = ent_coef, vf_coef
        self._constant = 0.5 * actions * LOG_2PI
        zeros = partial(torch.zeros, device=given.means.device)
        self._z, self._product = zeros(shape), zeros(shape)
        self._inverse = zeros(learners, actions, 1)
        self._log_std = given.log_std[..., None]
        self._log_ratio, self._ratio, self._surrogate, self._clipped, self._error = (
            zeros(learners, samples) for _ in range(5)
        )
        self._pulls = zeros(learners, 1, samples)
        self._flat_pulls = self._pulls[:, 0]
        self._log_stds = zeros(learners, 1)
        self._weights = zeros(samples)
        self._active = zeros(learners, samples, dtype=torch.bool)

    def derive(self, batch: Minibatch, rates: Rates) -> None:
        """Fill `wanted`."""
        self._weights = batch.weights
        self._derive_policy(batch, rates.clip_range)
        self._derive_value(batch, rates.clip_range_vf)

    def kl(self) -> Tensor:
        """SB3's approximate divergence from the rollout's policy, (G,), of the minibatch derived last."""
        return ((self._ratio - 1.0 - self._log_ratio) * self._weights).sum(-1)

    def losses(self, rates: Rates) -> Mapping[str, Tensor]:
        """What SB3 logs, (G,) each, of the minibatch derived last."""
        weights = self._weights
        policy = torch.maximum(self._surrogate, self._clipped).sum(-1)
        value = (self._error * self._error * weights).sum(-1)
        entropy = -(self._log_stds[:, 0] + self._constant + 0.5 * self._given.log_std.shape[1])
        beyond = ((self._ratio - 1.0).abs() > rates.clip_range).float()
        return {
            "policy_gradient_loss": policy,
            "value_loss": value,
            "entropy_loss": entropy,
            "loss": policy + self._ent_coef * entropy + self._vf_coef * value,
            "clip_fraction": (beyond * weights).sum(-1),
            "approx_kl": self.kl(),
        }

    def _derive_policy(self, batch: Minibatch, clip_range: float) -> None:
        given, wanted = self._given, self._wanted
        z, product, inverse, log_ratio = self._z, self._product, self._inverse, self._log_ratio
        torch.neg(self._log_std, out=inverse).exp_()
        torch.sub(batch.actions, given.means, out=z)
        z.mul_(inverse)
        torch.mul(z, z, out=product)
        torch.sum(product, dim=1, out=log_ratio)
        torch.sum(given.log_std, dim=-1, keepdim=True, out=self._log_stds)
        torch.add(batch.offsets, log_ratio, alpha=-0.5, out=log_ratio).sub_(self._log_stds)
        torch.exp(log_ratio, out=self._ratio)
        torch.mul(batch.pull, self._ratio, out=self._surrogate)
        torch.clamp(self._ratio, 1.0 - clip_range, 1.0 + clip_range, out=self._clipped).mul_(batch.pull)
        torch.ge(self._surrogate, self._clipped, out=self._active)
        pulls = self._pulls
        torch.mul(self._surrogate, self._active, out=self._flat_pulls)
        torch.mul(z, pulls, out=product)
        torch.mul(product, inverse, out=wanted.means)
        product.mul_(z).sub_(pulls)
        torch.sum(product, dim=-1, out=wanted.log_std)
        if self._ent_coef:
            wanted.log_std.sub_(self._ent_coef)

    def _derive_value(self, batch: Minibatch, clip_range: float | None) -> None:
        values, derivative, error = self._given.values, self._wanted.values, self._error
        if clip_range is None:
            torch.sub(values, batch.returns, out=error)
            torch.mul(error, batch.weights, out=derivative)
        else:
            moved = values - batch.values
            inside = moved.abs() <= clip_range
            torch.sub(moved.clamp_(-clip_range, clip_range).add_(batch.values), batch.returns, out=error)
            torch.mul(error, batch.weights * inside, out=derivative)
        derivative.mul_(2.0 * self._vf_coef)
