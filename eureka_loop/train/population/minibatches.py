"""Rollouts of many learners as rows, and epochs of minibatches drawn from them.

A row holds all that one step contributes to an update, so that one gather an epoch shuffles everything.
Minibatches are filled up to whole vectors (see `population_layout`) with samples of weight 0: also the last
one, where the batch size doesn't divide the rollout.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from eureka_loop.train.population.layout import CPU, whole

Indices = npt.NDArray[np.intp]

LOG_2PI = math.log(2.0 * math.pi)

VALUE, LOG_PROB, ADVANTAGE, RETURN = range(4)  # a row's last four


@dataclass(frozen=True, slots=True)
class Fields:
    """What lies where in a row: observation, a one (the biases' input), action, and the four above."""

    inputs: int
    actions: int

    @property
    def size(self) -> int:
        return self.inputs + 1 + self.actions + 4

    @property
    def action(self) -> slice:
        return slice(self.inputs + 1, self.inputs + 1 + self.actions)

    def extra(self, which: int) -> int:
        return self.inputs + 1 + self.actions + which


class Rows:
    """Rows of all learners: here, where rollouts are made, and on the device that learns from them.

    On the CPU both are the same memory.

    Attributes:
        here: (K, n, T + 1, fields).
        there: (K, n · (T + 1), fields).
    """

    def __init__(
        self, learners: int, n_envs: int, steps: int, fields: Fields, device: torch.device = CPU
    ) -> None:
        self.here: npt.NDArray[np.float32] = np.ones((learners, n_envs, steps + 1, fields.size), np.float32)
        self._mirror = torch.from_numpy(self.here).flatten(1, 2)
        self.there = self._mirror.to(device)

    def send(self, columns: slice) -> None:
        """Have the device know what stands here."""
        if self.there is not self._mirror:
            self.there[..., columns] = self._mirror[..., columns].to(self.there.device)

    def fetch(self, columns: slice) -> None:
        """The reverse of `send`."""
        if self.there is not self._mirror:
            self._mirror[..., columns] = self.there[..., columns].to(CPU)


@dataclass(frozen=True, slots=True)
class Minibatch:
    """One minibatch of each of G learners; B samples, whole vectors.

    Attributes:
        inputs: (G, B, inputs + 1).
        features: the same, (G, inputs + 1, B).
        actions: (G, actions, B).
        values, returns: (G, B), of the rollout.
        offsets: (G, B), minus the rollout's log-probabilities, and minus what is the same in every one.
        pull: (G, B), minus the normalised advantage, by weight.
        weights: (B,), 1 / samples, or 0 where there is none.
    """

    inputs: Tensor
    features: Tensor
    actions: Tensor
    values: Tensor
    offsets: Tensor
    returns: Tensor
    pull: Tensor
    weights: Tensor


class Shuffler:
    """Makes minibatches as SB3 does.

    Args:
        steps: of a rollout in each of `n_envs` envs. A learner has n_envs · (steps + 1) rows: each env's end
            with the state after the rollout, which is no sample.
        device: where the rows are.

    Attributes:
        fields: of the rows.
        width: B.
        samples: of a rollout.
    """

    def __init__(
        self,
        fields: Fields,
        steps: int,
        n_envs: int,
        batch_size: int,
        *,
        normalize_advantage: bool,
        device: torch.device = CPU,
    ) -> None:
        self.fields, self._normalize = fields, normalize_advantage
        self.samples = samples = steps * n_envs
        self._rows = (steps + 1) * n_envs
        self._row = np.arange(samples) + np.arange(samples) // steps  # of each sample
        sizes = np.array([min(batch_size, samples - at) for at in range(0, samples, batch_size)])
        self.width = whole(int(sizes[0]))
        column = np.arange(self.width)
        there = column < sizes[:, None]  # (M, B)
        self._slots = np.where(there, batch_size * np.arange(len(sizes))[:, None] + column, 0)
        self._weights = torch.tensor(there / sizes[:, None], dtype=torch.float32).to(device)
        # Bessel's correction; SB3 leaves the advantage of a lone sample as it is.
        self._alone = torch.tensor(sizes == 1)[:, None, None].to(device)
        bessel = torch.tensor(sizes / np.maximum(sizes - 1, 1), dtype=torch.float32)
        self._bessel = bessel[:, None, None].to(device)

    def epoch(self, rows: Tensor, members: Indices, order: npt.NDArray[np.int64]) -> Iterator[Minibatch]:
        """The minibatches of one epoch.

        Args:
            rows: (K, rows of a learner, fields), of all learners.
            members: (G,) which ones.
            order: (G, samples), a permutation a learner: of steps env by env, as SB3's.
        """
        fields = self.fields
        picked = self._row[order[:, self._slots]] + (members * self._rows)[:, None, None]  # (G, M, B)
        places = torch.from_numpy(picked.reshape(-1)).to(rows.device)
        found = rows.view(-1, fields.size).index_select(0, places)
        table = found.view(*picked.shape, fields.size)
        columns = table[..., fields.inputs + 1 :].permute(1, 0, 3, 2).contiguous()  # (M, G, the rest, B)
        actions, extras = torch.split(columns, [fields.actions, 4], dim=2)
        values, log_probs, advantages, returns = extras.unbind(2)  # (M, G, B)
        offsets = -log_probs - 0.5 * fields.actions * LOG_2PI
        by_sample = table[..., : fields.inputs + 1].transpose(0, 1)
        by_minibatch = (
            by_sample,
            by_sample.transpose(2, 3),
            actions,
            values,
            offsets,
            returns,
            self._pull(advantages),
            self._weights,
        )
        yield from map(Minibatch, *(each.unbind(0) for each in by_minibatch))

    def _pull(self, advantages: Tensor) -> Tensor:
        """(M, G, B) → the same."""
        weights = self._weights[:, None]
        if self._normalize:
            centred = advantages - (advantages * weights).sum(-1, keepdim=True)
            variance = (centred * centred * weights).sum(-1, keepdim=True) * self._bessel
            normalised = centred / (variance.sqrt() + 1e-8)
            advantages = torch.where(self._alone, advantages, normalised)
        return -advantages * weights
