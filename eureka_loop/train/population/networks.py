"""Many small networks at once, forward and backward, without autograd.

Activations lie features first, (learners, features, samples): weights multiply them as SB3 stores them, both
networks of a tower come out of one batched product side by side, and a row of ones under a layer's features
makes the bias part of the product, in both directions. Every operation writes into memory made once: on
networks of this size allocating and tracking gradients cost more than the arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from eureka_loop.train.population.layout import Layout, Tower

aten = torch.ops.aten


@dataclass(frozen=True, slots=True)
class Activation:
    """
    Attributes:
        forward: (before, out=after).
        backward: (gradient, kept, grad_input=gradient), as autograd does it.
        keeps_result: whether `kept` is what came out, or what went in.
    """

    forward: Callable[..., Tensor]
    backward: Callable[..., Tensor]
    keeps_result: bool = True


ACTIVATIONS: Mapping[type[nn.Module], Activation] = {
    nn.Tanh: Activation(torch.tanh, aten.tanh_backward.grad_input),
    nn.ReLU: Activation(
        lambda before, *, out: torch.clamp_min(before, 0.0, out=out),
        lambda gradient, kept, *, grad_input: aten.threshold_backward.grad_input(
            gradient, kept, 0, grad_input=grad_input
        ),
    ),
    nn.ELU: Activation(
        aten.elu.out,
        lambda gradient, kept, *, grad_input: aten.elu_backward.grad_input(
            gradient, 1.0, 1.0, 1.0, True, kept, grad_input=grad_input
        ),
    ),
    nn.LeakyReLU: Activation(
        aten.leaky_relu.out,
        lambda gradient, kept, *, grad_input: aten.leaky_relu_backward.grad_input(
            gradient, kept, 0.01, True, grad_input=grad_input
        ),
    ),
    nn.SiLU: Activation(aten.silu.out, aten.silu_backward.grad_input, keeps_result=False),
    nn.GELU: Activation(
        # torch 2.13's gelu.out writes nonsense where `out` is not contiguous
        lambda before, *, out: out.copy_(nn.functional.gelu(before)),
        aten.gelu_backward.grad_input,
        keeps_result=False,
    ),
}


class Pass:
    """The way through one tower for G learners with B samples each.

    Attributes:
        out: (G, networks, outputs, B), what came out.
        delta: the same shape, the loss's gradient by it: the caller's to fill; begins as zeros.
    """

    def __init__(
        self, tower: Tower, activation: Activation, learners: int, samples: int, device: torch.device
    ) -> None:
        count = len(tower.nets)
        outs = [out for out, _ in tower.shapes]
        self._activation = activation
        self._results = [torch.zeros(learners * count, out, samples, device=device) for out in outs]
        # The last row stays 1.
        self._layers = [torch.ones(learners * count, out + 1, samples, device=device) for out in outs[:-1]]
        self._features = [layer[:, :-1] for layer in self._layers]
        self._transposed = [layer.transpose(1, 2) for layer in self._layers]
        self._deltas = [torch.zeros_like(each) for each in self._results]
        self._kept = self._results
        if activation.keeps_result:  # what went into an activation is not needed after it
            self._kept = self._features
            self._deltas[:-1] = self._results[:-1]
        together = (learners, count * outs[0], samples)
        self._first_result, self._first_delta = (
            self._results[0].view(together),
            self._deltas[0].view(together),
        )
        apart = (learners, count, outs[-1], samples)
        self.out, self.delta = self._results[-1].view(apart), self._deltas[-1].view(apart)

    def forward(self, inputs: Tensor, weights: Sequence[Tensor]) -> None:
        """Fill `out`.

        Args:
            inputs: (G, inputs + 1, B), the last feature 1.
            weights: see `matrices`.
        """
        torch.bmm(weights[0], inputs, out=self._first_result)
        activate = self._activation.forward
        for at in range(1, len(weights)):
            activate(self._results[at - 1], out=self._features[at - 1])
            torch.bmm(weights[at], self._layers[at - 1], out=self._results[at])

    def backward(self, inputs: Tensor, transposed: Sequence[Tensor], gradients: Sequence[Tensor]) -> None:
        """From `delta`, after `forward`, to the gradients by the weights.

        Args:
            inputs: (G, B, inputs + 1).
            transposed: see `backward_matrices`.
            gradients: as the weights; written.
        """
        back, deltas = self._activation.backward, self._deltas
        for at in range(len(gradients) - 1, 0, -1):
            after, before = deltas[at], deltas[at - 1]
            torch.bmm(after, self._transposed[at - 1], out=gradients[at])
            torch.bmm(transposed[at], after, out=before)
            back(before, self._kept[at - 1], grad_input=before)
        torch.bmm(self._first_delta, inputs, out=gradients[0])


@dataclass(frozen=True, slots=True)
class Heads:
    """What the networks of G learners say about B samples, or a loss's derivatives by it.

    Attributes:
        means: (G, actions, B).
        values: (G, B).
        log_std: (G, actions).
    """

    means: Tensor
    values: Tensor
    log_std: Tensor


class Networks:
    """Policies and value functions of G learners, for B samples at a time.

    Args:
        sections: the parameters, as `layout` puts them: used where they are.
        gradients: likewise; without them there is no way back.

    Attributes:
        heads: what `forward` gave.
        derivatives: by the heads, the caller's to fill for `backward`; by log_std it is the gradient itself.
    """

    def __init__(
        self,
        layout: Layout,
        activation: Activation,
        sections: Sequence[Tensor],
        samples: int,
        gradients: Sequence[Tensor] = (),
    ) -> None:
        learners = len(sections[0])
        self._passes = [Pass(tower, activation, learners, samples, layout.device) for tower in layout.towers]
        self._weights = [matrices(each) for each in layout.by_tower(sections)]
        self._transposed = [backward_matrices(each) for each in self._weights]
        self.heads = self._heads([each.out for each in self._passes], sections[0], layout.actions)
        if gradients:
            self._gradients = [matrices(each) for each in layout.by_tower(gradients)]
            deltas = [each.delta for each in self._passes]
            self.derivatives = self._heads(deltas, gradients[0], layout.actions)

    def forward(self, features: Tensor) -> None:
        """Fill the heads from (G, inputs + 1, B)."""
        for each, weights in zip(self._passes, self._weights, strict=True):
            each.forward(features, weights)

    def backward(self, inputs: Tensor) -> None:
        """From the derivatives to the gradients; `inputs` (G, B, inputs + 1): what `forward` was given."""
        for each, transposed, gradients in zip(self._passes, self._transposed, self._gradients, strict=True):
            each.backward(inputs, transposed, gradients)

    def _heads(self, outs: list[Tensor], log_std: Tensor, actions: int) -> Heads:
        values = outs[-1][:, -1, 0]  # the last network of the last tower
        return Heads(outs[0][:, 0, :actions], values, log_std[:, :actions])


def matrices(sections: Sequence[Tensor]) -> list[Tensor]:
    """A tower's sections as batched matrices: (G, networks · out, in + 1) of the first layer, whose input all
    networks share, (G · networks, out, in + 1) of the others."""
    return [sections[0].flatten(1, 2), *(section.flatten(0, 1) for section in sections[1:])]


def backward_matrices(weights: Sequence[Tensor]) -> list[Tensor]:
    """What gradients are multiplied by on their way back: transposed, without the bias."""
    return [each[:, :, :-1].transpose(1, 2) for each in weights]
