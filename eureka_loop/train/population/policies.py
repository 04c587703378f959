"""K policies of one architecture as stacked tensors, with one batched matrix product a layer.

The gradient is written out: on networks of this size autograd takes longer than the arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from stable_baselines3.common.policies import ActorCriticPolicy
from torch import Tensor, nn

from eureka_loop.train.normalization import Floats

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

    def on_cpu(self) -> Callable[[Floats], Floats]:
        """`forward` for a few rows (K, n, in) on a CPU: numpy's products of that size take half the time."""
        *hidden, last = [(weight.mT.numpy(), bias.numpy()) for weight, bias in self.layers]

        def forward(inputs: Floats) -> Floats:
            for weight, bias in hidden:
                inputs = np.matmul(inputs, weight)
                inputs += bias
                if tanh:
                    np.tanh(inputs, out=inputs)
                else:
                    inputs = self._activation(torch.from_numpy(inputs)).numpy()
            outputs: Floats = np.matmul(inputs, last[0]) + last[1]
            return outputs

        tanh = isinstance(self._activation, nn.Tanh)
        return forward

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
        """Through the activation."""
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

    Attributes:
        parameters: (K, P) float32, one row a policy.
    """

    def __init__(self, policies: Sequence[ActorCriticPolicy], device: torch.device = CPU) -> None:
        extractor = policies[0].mlp_extractor
        self._actor = [*_linear("mlp_extractor.policy_net", extractor.policy_net), "action_net"]
        self._critic = [*_linear("mlp_extractor.value_net", extractor.value_net), "value_net"]
        self._activation = policies[0].activation_fn()
        layers = [f"{layer}.{part}" for layer in (*self._actor, *self._critic) for part in ("weight", "bias")]
        named = [dict(policy.named_parameters()) for policy in policies]
        self._shapes = {name: named[0][name].shape for name in ("log_std", *layers)}
        rows = [torch.cat([each[name].detach().flatten() for name in self._shapes]) for each in named]
        self.parameters = torch.stack(rows).to(device)

    def networks(self, device: torch.device | None = None) -> Networks:
        """Views of the parameters; on another device than theirs, of a copy."""
        named = self.of_sb3(self.parameters if device is None else self.parameters.to(device))
        actor, critic = (
            [(named[f"{layer}.weight"], named[f"{layer}.bias"].unsqueeze(1)) for layer in layers]
            for layers in (self._actor, self._critic)
        )
        log_std = named["log_std"].unsqueeze(1)
        return Networks(Network(actor, self._activation), Network(critic, self._activation), log_std)

    def of_sb3(self, rows: Tensor) -> dict[str, Tensor]:
        """Views of parameters, or of Adam's moments, (..., P), by SB3's names, (..., *shape)."""
        parts = torch.split(rows, [shape.numel() for shape in self._shapes.values()], dim=-1)
        named = zip(self._shapes.items(), parts, strict=True)
        return {name: part.view(*part.shape[:-1], *shape) for (name, shape), part in named}


def _linear(name: str, network: nn.Sequential) -> list[str]:
    """SB3's names of the linear layers in a network."""
    return [f"{name}.{at}" for at, layer in network.named_children() if isinstance(layer, nn.Linear)]
