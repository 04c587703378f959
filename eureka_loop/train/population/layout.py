"""How the parameters of many SB3 policies lie in memory, so that one product serves them all.

A layer's weights and bias stand together as one matrix (out, in + 1): its input carries a last feature that
is always 1. Where policy and value network have the same hidden layers they form one *tower*: layer by layer,
the two matrices of a learner are neighbours. A *section* holds one layer of all learners, contiguous: the
batched product wants that of its results.

Widths are rounded up to whole vectors: rounding then never depends on how many learners there are, since no
learner's numbers are left over for the scalar code that ends a vectorised loop. What is added stays zero: its
weights are zero on both sides, and every activation offered maps 0 to 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import prod

import torch
from stable_baselines3.common.policies import ActorCriticPolicy
from torch import Tensor, nn

CPU = torch.device("cpu")
LANES = 32  # float32 numbers that torch's vectorised loops take at a time, at most: two registers of AVX-512

Row = list[Tensor]
"""One learner's part of every section."""


def whole(count: int) -> int:
    """Rounded up to whole vectors."""
    return -(-count // LANES) * LANES


@dataclass(frozen=True, slots=True)
class Net:
    """One of SB3's two networks.

    Attributes:
        layers: SB3's names, the hidden ones first.
        widths: what each layer gives.
    """

    layers: tuple[str, ...]
    widths: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Tower:
    """Networks with the same hidden layers, side by side."""

    nets: tuple[Net, ...]
    inputs: int

    @property
    def shapes(self) -> tuple[tuple[int, int], ...]:
        """(out, in + 1) of every layer; a network with fewer outputs than its neighbour leaves some zero."""
        outputs = max(net.widths[-1] for net in self.nets)
        widths = [self.inputs, *map(whole, self.nets[0].widths[:-1]), outputs]
        return tuple((out, before + 1) for before, out in pairwise(widths))


class Layout:
    """
    Args:
        policy: SB3's, for observations and actions that are arrays.
        device: where learners learn, and their memory is.

    Attributes:
        towers: one of two networks, or two of one: the policy first.
        sections: shapes of a learner's part: log_std, then (networks, out, in + 1), tower by tower.
    """

    def __init__(self, policy: ActorCriticPolicy, device: torch.device = CPU) -> None:
        self.device = device
        extractor = policy.mlp_extractor
        pi = _net("policy_net", extractor.policy_net, "action_net", policy.action_net)
        vf = _net("value_net", extractor.value_net, "value_net", policy.value_net)
        self.inputs, self.actions = int(policy.features_dim), pi.widths[-1]
        together = pi.widths[:-1] == vf.widths[:-1]
        self.towers = tuple(Tower(nets, self.inputs) for nets in ([(pi, vf)] if together else [(pi,), (vf,)]))
        layers = [(len(tower.nets), *shape) for tower in self.towers for shape in tower.shapes]
        self.sections: tuple[tuple[int, ...], ...] = ((whole(self.actions),), *layers)

    def zeros(self, learners: int) -> tuple[Tensor, list[Tensor]]:
        """Memory for so many learners: all of it as one vector, and its sections (learners, *shape)."""
        sizes = [learners * whole(prod(shape)) for shape in self.sections]
        flat = torch.zeros(sum(sizes), device=self.device)
        return flat, [
            part[: learners * prod(shape)].view(learners, *shape)
            for part, shape in zip(torch.split(flat, sizes), self.sections, strict=True)
        ]

    def pack(self, named: Mapping[str, Tensor]) -> Row:
        """SB3's named tensors in sections."""
        row = [torch.zeros(shape) for shape in self.sections]
        for name, view in self.views(row):
            view.copy_(named[name])
        return row

    def unpack(self, row: Row) -> dict[str, Tensor]:
        """The reverse of `pack`, on the CPU."""
        return {name: view.to(CPU, copy=True) for name, view in self.views(row)}

    def views(self, row: Sequence[Tensor]) -> Iterator[tuple[str, Tensor]]:
        """SB3's names with the parts of the sections that hold them."""
        yield "log_std", row[0][: self.actions]
        for tower, layers in zip(self.towers, self.by_tower(row), strict=True):
            for index, net in enumerate(tower.nets):
                yield from _net_views(net, tower.inputs, [layer[index] for layer in layers])

    def by_tower(self, sections: Sequence[Tensor]) -> list[Sequence[Tensor]]:
        """The sections of every tower's layers."""
        first = len(self.towers[0].shapes)
        return [sections[1 : 1 + first], sections[1 + first :]][: len(self.towers)]


def _net_views(net: Net, inputs: int, matrices: list[Tensor]) -> Iterator[tuple[str, Tensor]]:
    for name, (before, width), matrix in zip(
        net.layers, pairwise([inputs, *net.widths]), matrices, strict=True
    ):
        yield f"{name}.weight", matrix[:width, :before]
        yield f"{name}.bias", matrix[:width, -1]


def _net(name: str, hidden: nn.Sequential, head_name: str, head: nn.Module) -> Net:
    named = [(f"mlp_extractor.{name}.{at}", each) for at, each in hidden.named_children()]
    layers = [(full, each) for full, each in named if isinstance(each, nn.Linear)]
    assert isinstance(head, nn.Linear)
    layers.append((head_name, head))
    return Net(tuple(full for full, _ in layers), tuple(each.out_features for _, each in layers))
