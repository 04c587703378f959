"""K policies of one architecture as stacked tensors, with one batched matrix product a layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from stable_baselines3.common.policies import ActorCriticPolicy
from torch import Tensor, nn

CPU = torch.device("cpu")


@dataclass(frozen=True, slots=True)
class Networks:
    """Weights (K, in, out) and biases (K, out) of both networks, layer by layer, and log_std (K, A)."""

    actor: Sequence[tuple[Tensor, Tensor]]
    critic: Sequence[tuple[Tensor, Tensor]]
    log_std: Tensor
    activation: nn.Module

    def means(self, observations: Tensor) -> Tensor:
        """Mean actions (K, B, A) at observations (K, B, D)."""
        return _forward(self.actor, self.activation, observations)

    def values(self, observations: Tensor) -> Tensor:
        """State values (K, B) at observations (K, B, D)."""
        return _forward(self.critic, self.activation, observations)[..., 0]


class StackedPolicies:
    """Parameters of K SB3 policies: Gaussian MLP actors and critics without shared layers.

    Args:
        policies: of the same architecture.
        device: of `parameters`.

    Attributes:
        parameters: (K, P) float32, one row a policy; weights are stored as (in, out).
    """

    def __init__(self, policies: Sequence[ActorCriticPolicy], device: torch.device = CPU) -> None:
        policy = policies[0]
        self._shapes = {name: tuple(each.t().shape) for name, each in policy.named_parameters()}
        self._sizes = [each.numel() for each in policy.parameters()]
        extractor = policy.mlp_extractor
        self._actor = [*_linear("mlp_extractor.policy_net", extractor.policy_net), "action_net"]
        self._critic = [*_linear("mlp_extractor.value_net", extractor.value_net), "value_net"]
        self._activation = policy.activation_fn()
        rows = [self.flatten(dict(each.named_parameters())) for each in policies]
        self.parameters = torch.stack(rows).to(device).requires_grad_()

    def networks(self, parameters: Tensor) -> Networks:
        """The networks of parameters (K, P); differentiable."""
        parts = torch.split(parameters, self._sizes, dim=1)
        named = {
            name: part.view(len(part), *shape)
            for part, (name, shape) in zip(parts, self._shapes.items(), strict=True)
        }
        actor, critic = (
            [(named[f"{layer}.weight"], named[f"{layer}.bias"]) for layer in layers]
            for layers in (self._actor, self._critic)
        )
        return Networks(actor, critic, named["log_std"], self._activation)

    def flatten(self, named: Mapping[str, Tensor]) -> Tensor:
        """SB3's parameters by name (or Adam's moments of them) as one row (P,)."""
        return torch.cat([named[name].detach().t().reshape(-1) for name in self._shapes])

    def unflatten(self, row: Tensor) -> dict[str, Tensor]:
        """The inverse of `flatten`, copied to the CPU."""
        parts = zip(torch.split(row.detach(), self._sizes), self._shapes.items(), strict=True)
        return {name: part.view(shape).t().to(CPU, copy=True) for part, (name, shape) in parts}


def _forward(layers: Sequence[tuple[Tensor, Tensor]], activation: nn.Module, inputs: Tensor) -> Tensor:
    *hidden, (weight, bias) = layers
    for hidden_weight, hidden_bias in hidden:
        inputs = activation(torch.baddbmm(hidden_bias[:, None], inputs, hidden_weight))
    return torch.baddbmm(bias[:, None], inputs, weight)


def _linear(name: str, network: nn.Sequential) -> list[str]:
    """SB3's names of the linear layers in a network."""
    return [f"{name}.{at}" for at, layer in network.named_children() if isinstance(layer, nn.Linear)]
