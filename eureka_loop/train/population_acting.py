"""Every learner's policy on one observation of each of its envs: what happens at every single step.

In numpy: on a handful of rows its products take a third of the time of torch's batched ones, and each
learner's is a product of its own, the same whoever else is there.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from stable_baselines3.common.running_mean_std import RunningMeanStd
from torch import Tensor

from eureka_loop.records import Array
from eureka_loop.train.population_layout import Layout
from eureka_loop.train.population_networks import Activation

Floats = npt.NDArray[np.float32]


class Actors:
    """Policies of K learners, n observations each.

    Args:
        apart: every observation in a product of its own, so that the same action comes out whichever the
            others are, to the last bit.

    Attributes:
        inputs: (K, n, inputs + 1), to be filled with observations; the last stays 1.
    """

    def __init__(
        self, layout: Layout, activation: Activation, learners: int, n: int, *, apart: bool = False
    ) -> None:
        shapes = layout.towers[0].shapes
        self._actions, self._activation, self._apart = layout.actions, activation, apart
        self._weights = [np.zeros((learners, 1, *shape), np.float32) for shape in shapes]
        self._std = np.zeros((learners, 1, layout.actions), np.float32)
        self.inputs: Floats = np.ones((learners, n, layout.inputs + 1), np.float32)
        first = self.inputs[..., None] if apart else self.inputs.transpose(0, 2, 1)[:, None]
        products, columns = (n, 1) if apart else (1, n)  # features by columns, in each product
        layers = [np.ones((learners, products, out + 1, columns), np.float32) for out, _ in shapes[:-1]]
        self._sources = [first, *layers]
        self._targets = [np.zeros((learners, products, out, columns), np.float32) for out, _ in shapes]
        self._befores = [torch.from_numpy(target) for target in self._targets[:-1]]
        self._afters = [torch.from_numpy(layer)[:, :, :-1] for layer in layers]

    def copy(self, places: npt.NDArray[np.intp], sections: Sequence[Tensor]) -> None:
        """Take over the policies of these learners, whose parameters are in `sections`."""
        for own, section in zip(self._weights, sections[1:], strict=False):
            own[places, 0] = section[:, 0].numpy()
        self._std[places, 0] = sections[0][:, : self._actions].exp().numpy()

    def clear(self) -> None:
        """All policies do nothing."""
        for each in (*self._weights, self._std):
            each[:] = 0.0

    def act(self, noise: Floats | None = None) -> Floats:
        """Actions (K, n, actions) for the inputs: the mean, plus noise (the same shape) times the std."""
        activate = self._activation.forward
        for at, (weights, source) in enumerate(zip(self._weights, self._sources, strict=True)):
            np.matmul(weights, source, out=self._targets[at])
            if at < len(self._befores):
                activate(self._befores[at], out=self._afters[at])
        means = self._targets[-1][:, :, : self._actions]
        means = means[..., 0] if self._apart else means[:, 0].transpose(0, 2, 1)
        return means if noise is None else means + self._std * noise


class ObservationScales:
    """Running mean and variance of each learner's observations: SB3's `VecNormalize` for K learners.

    Args:
        enabled: off leaves observations as they are.
    """

    EPSILON, CLIP = 1e-8, 10.0

    def __init__(self, learners: int, inputs: int, *, enabled: bool = True) -> None:
        self._enabled = enabled
        self._mean, self._variance, self._std = (np.full((learners, 1, inputs), x) for x in (0.0, 1.0, 1.0))
        self._count = RunningMeanStd().count

    def update(self, observations: Array) -> None:
        """Take in one observation of each env, (K, n, inputs)."""
        if not self._enabled:
            return
        n, before = observations.shape[1], self._count
        self._count = total = before + n
        mean, squares = observations, self._variance * before
        if n > 1:
            mean = observations.mean(axis=1, keepdims=True)
            squares += np.square(observations - mean).sum(axis=1, keepdims=True)
        delta = mean - self._mean
        self._mean += delta * (n / total)
        squares += np.square(delta) * (before * n / total)
        self._variance = squares / total
        self._std = np.sqrt(self._variance + self.EPSILON)

    def apply(self, observations: Array) -> Array:
        """(K, n, inputs), scaled and clipped, with statistics up to the last update."""
        if not self._enabled:
            return observations
        scaled = (observations - self._mean) / self._std
        np.maximum(scaled, -self.CLIP, out=scaled)
        return np.asarray(np.minimum(scaled, self.CLIP, out=scaled))

    def only(self, learners: npt.NDArray[np.intp]) -> ObservationScales:
        """A copy with these learners alone."""
        chosen = ObservationScales(len(learners), self._mean.shape[2], enabled=self._enabled)
        chosen._count = self._count
        chosen._mean, chosen._variance, chosen._std = (
            each[learners] for each in (self._mean, self._variance, self._std)
        )
        return chosen

    def statistics(self, learner: int) -> RunningMeanStd:
        """As SB3 keeps them."""
        found = RunningMeanStd(shape=self._mean.shape[2:])
        found.mean, found.var = self._mean[learner, 0].copy(), self._variance[learner, 0].copy()
        found.count = self._count
        return found

    def finite(self) -> npt.NDArray[np.bool_]:
        """(K,), whether every observation so far was."""
        return np.asarray(np.isfinite(self._mean + self._variance).all(axis=(1, 2)))
