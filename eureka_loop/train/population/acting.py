"""Every learner's policy on one observation of each of its envs: what happens at every single step.

In numpy: on a handful of rows its products take a third of the time of torch's batched ones, and each
learner's is a product of its own, the same whoever else is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from stable_baselines3.common.running_mean_std import RunningMeanStd
from torch import Tensor

from eureka_loop.records import Array
from eureka_loop.train.population.layout import Layout
from eureka_loop.train.population.networks import Activation

Floats = npt.NDArray[np.float32]


class Actors:
    """Policies of K learners, n observations each.

    Args:
        apart: every observation in a product of its own, so that the same action comes out whichever the
            others are, to the last bit.

    Attributes:
        std: (K, 1, actions), of the noise.
        asleep: (K,), who has no policy.
    """

    def __init__(
        self, layout: Layout, activation: Activation, learners: int, n: int, *, apart: bool = False
    ) -> None:
        shapes = layout.towers[0].shapes
        self._activate, self._apart, self._actions = activation.forward, apart, layout.actions
        self._weights = [np.zeros((learners, 1, *shape), np.float32) for shape in shapes]
        self.std: Floats = np.zeros((learners, 1, layout.actions), np.float32)
        self.asleep = np.ones(learners, np.bool_)
        products, columns = (n, 1) if apart else (1, n)  # of features by columns each
        layers = [np.ones((learners, products, out + 1, columns), np.float32) for out, _ in shapes[:-1]]
        befores = [np.zeros((learners, products, out, columns), np.float32) for out, _ in shapes[:-1]]
        self._befores, self._sources = befores, layers
        self._tensors = [
            (torch.from_numpy(before), torch.from_numpy(layer)[:, :, :-1])
            for before, layer in zip(befores, layers, strict=True)
        ]
        self._out = np.zeros((learners, products, shapes[-1][0], columns), np.float32)
        means = self._out[:, :, : layout.actions]
        self._means: Floats = means[..., 0] if apart else means[:, 0].transpose(0, 2, 1)

    def copy(self, places: npt.NDArray[np.intp], sections: Sequence[Tensor]) -> None:
        """Take over the policies of these learners, whose parameters are in `sections`."""
        for own, section in zip(self._weights, sections[1:], strict=False):
            own[places, 0] = section[:, 0].cpu().numpy()
        self.asleep[places] = False
        self.std[places, 0] = sections[0][:, : self._actions].cpu().exp().numpy()

    def clear(self) -> None:
        """Nobody has a policy."""
        self.asleep[:] = True

    def means(self, inputs: Floats) -> Floats:
        """Actions (K, n, actions), written over by the next call.

        Args:
            inputs: (K, n, inputs + 1), scaled observations; the last is 1.
        """
        source = inputs[..., None] if self._apart else inputs.transpose(0, 2, 1)[:, None]
        for at, (before, after) in enumerate(self._tensors):
            np.matmul(self._weights[at], source, out=self._befores[at])
            self._activate(before, out=after)
            source = self._sources[at]
        np.matmul(self._weights[-1], source, out=self._out)
        return self._means


class ObservationScales:
    """Running mean and variance of each learner's observations: SB3's `VecNormalize` for K learners.

    Args:
        enabled: off leaves observations as they are.
    """

    EPSILON, CLIP = 1e-8, 10.0

    def __init__(self, learners: int, inputs: int, *, enabled: bool = True) -> None:
        begin = RunningMeanStd()
        shape = (learners, 1, inputs)
        self._enabled, self._count = enabled, begin.count
        self._mean, self._std, self._spare = np.zeros(shape), np.ones(shape), np.zeros(shape)
        self._squares = np.full(shape, begin.count)  # variance times count

    def update(self, observations: Array) -> None:
        """Take in one observation of each env, (K, n, inputs)."""
        if not self._enabled:
            return
        n, before, spare = observations.shape[1], self._count, self._spare
        self._count = total = before + n
        mean = observations
        if n > 1:
            mean = observations.mean(axis=1, keepdims=True)
            self._squares += np.square(observations - mean).sum(axis=1, keepdims=True)
        delta = mean - self._mean
        self._mean += np.multiply(delta, n / total, out=spare)
        np.multiply(delta, delta, out=spare)
        self._squares += np.multiply(spare, before * n / total, out=spare)
        np.divide(self._squares, total, out=spare)
        np.sqrt(np.add(spare, self.EPSILON, out=spare), out=self._std)

    def apply(self, observations: Array, out: Floats) -> None:
        """Scale and clip (K, n, inputs), with statistics up to the last update."""
        if not self._enabled:
            out[...] = observations
            return
        scaled = observations - self._mean
        scaled /= self._std
        np.maximum(scaled, -self.CLIP, out=scaled)
        np.minimum(scaled, self.CLIP, out=out)

    def only(self, learners: npt.NDArray[np.intp]) -> ObservationScales:
        """A copy with these learners alone."""
        chosen = ObservationScales(len(learners), self._mean.shape[2], enabled=self._enabled)
        chosen._count = self._count
        chosen._mean, chosen._squares, chosen._std = (
            each[learners] for each in (self._mean, self._squares, self._std)
        )
        return chosen

    def snapshot(self, learner: int) -> list[Any]:
        """Count, mean, squares and std of one learner."""
        return [self._count, *(each[learner].copy() for each in (self._mean, self._squares, self._std))]

    def restore(self, learner: int, snapshot: Sequence[Any]) -> None:
        """For every learner, with the same count."""
        self._count, self._mean[learner], self._squares[learner], self._std[learner] = snapshot

    def statistics(self, learner: int) -> RunningMeanStd:
        """As SB3 keeps them."""
        found = RunningMeanStd(shape=self._mean.shape[2:])
        found.count, found.mean = self._count, self._mean[learner, 0].copy()
        found.var = self._squares[learner, 0] / self._count
        return found

    def finite(self) -> npt.NDArray[np.bool_]:
        """(K,), whether every observation so far was."""
        return np.asarray(np.isfinite(self._mean + self._squares).all(axis=(1, 2)))
