"""K policies of one architecture as stacked tensors, with one batched matrix product a layer.

The gradient is written out: on networks of this size autograd takes longer than the arithmetic.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from stable_baselines3.common.policies import ActorCriticPolicy
from torch import Tensor, nn

CPU = torch.device("cpu")


class Network:
    """An MLP of each of K policies.

    Attributes:
        layers: (K, out, in) weights and (K, 1, out) biases; the activation follows all but the last.
    """

    def __init__(self, layers: Sequence[tuple[Tensor, Tensor]], activation: nn.Module) -> None:
        self.layers, self._activation = layers, activation
        self._inputs: list[Tensor] = []  # of each layer, in the last forward pass
        self._before: list[Tensor] = []  # each activation

    def forward(self, inputs: Tensor) -> Tensor:
        """(K, B, in) → (K, B, out); what `backward` needs is kept."""
        self._inputs, self._before = [inputs], []
        *hidden, (weight, bias) = self.layers
        for hidden_weight, hidden_bias in hidden:
            self._before.append(torch.baddbmm(hidden_bias, self._inputs[-1], hidden_weight.mT))
            self._inputs.append(self._activation(self._before[-1]))
        return torch.baddbmm(bias, self._inputs[-1], weight.mT)

    def backward(self, gradient: Tensor) -> list[Tensor]:
        """Gradients of weight and bias, layer by layer, from the gradient of the output, (K, B, out)."""
        found: list[Tensor] = []
        for at in reversed(range(len(self.layers))):
            found += [gradient.sum(1), torch.bmm(gradient.mT, self._inputs[at])]
            if at:
                gradient = torch.bmm(gradient, self.layers[at][0])
                gradient = self._derive(gradient, self._before[at - 1], self._inputs[at])
        return found[::-1]

    def _derive(self, gradient: Tensor, before: Tensor, after: Tensor) -> Tensor:
        if isinstance(self._activation, nn.Tanh):
            return torch.ops.aten.tanh_backward(gradient, after)  # type: ignore[no-any-return]
        if isinstance(self._activation, nn.ReLU):
            return torch.ops.aten.threshold_backward(gradient, after, 0)  # type: ignore[no-any-return]
        with torch.inference_mode(False), torch.enable_grad():
            before = before.clone().requires_grad_()
            return torch.autograd.grad(self._activation(before), before, gradient)[0]


class Networks(NamedTuple):
    """Actor (mean actions), critic (values), and log_std (K, 1, A)."""

    actor: Network
    critic: Network
    log_std: Tensor


class StackedPolicies:
    """Parameters of K SB3 policies: Gaussian MLP actors and critics without shared layers.

    Args:
        policies: of the same architecture.
        device: of `parameters`.

    Attributes:
        parameters: (K, P) float32, one row a policy.
    """

    def __init__(self, policies: Sequence[ActorCriticPolicy], device: torch.device = CPU) -> None:
        policy = policies[0]
        extractor = policy.mlp_extractor
        self._actor = [*_linear("mlp_extractor.policy_net", extractor.policy_net), "action_net"]
        self._critic = [*_linear("mlp_extractor.value_net", extractor.value_net), "value_net"]
        self._activation = policy.activation_fn()
        layers = [f"{layer}.{part}" for layer in (*self._actor, *self._critic) for part in ("weight", "bias")]
        named = dict(policy.named_parameters())
        self._shapes = {name: tuple(named[name].shape) for name in ("log_std", *layers)}
        self._sizes = [named[name].numel() for name in self._shapes]
        self.parameters = torch.stack([self._row(dict(each.named_parameters())) for each in policies]).to(
            device
        )

    def networks(self, device: torch.device | None = None) -> Networks:
        """Views of the parameters; on another device than theirs, of a copy."""
        parameters = self.parameters if device is None else self.parameters.to(device)
        named = {
            name: part.unflatten(1, shape if len(shape) == 2 else (1, *shape))  # type: ignore[no-untyped-call]
            for part, (name, shape) in zip(
                torch.split(parameters, self._sizes, dim=1), self._shapes.items(), strict=True
            )
        }
        actor, critic = (
            Network(
                [(named[f"{layer}.weight"], named[f"{layer}.bias"]) for layer in layers], self._activation
            )
            for layers in (self._actor, self._critic)
        )
        return Networks(actor, critic, named["log_std"])

    def of_sb3(self, row: Tensor) -> dict[str, Tensor]:
        """A row (P,) of parameters, or of Adam's moments, with SB3's names and shapes, on the CPU."""
        parts = zip(torch.split(row, self._sizes), self._shapes.items(), strict=True)
        return {name: part.view(shape).to(CPU, copy=True) for part, (name, shape) in parts}

    def _row(self, named: Mapping[str, Tensor]) -> Tensor:
        return torch.cat([named[name].detach().reshape(-1) for name in self._shapes])


def _linear(name: str, network: nn.Sequential) -> list[str]:
    """SB3's names of the linear layers in a network."""
    return [f"{name}.{at}" for at, layer in network.named_children() if isinstance(layer, nn.Linear)]
