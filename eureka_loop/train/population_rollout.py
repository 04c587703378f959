"""Rollouts of all learners, in one batch of envs: what SB3's `collect_rollouts` does, for K learners."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from eureka_loop.records import Array
from eureka_loop.simulate.batched import BatchedEnvs, Step
from eureka_loop.train.population_acting import Actors, Floats, ObservationScales
from eureka_loop.train.population_minibatches import Fields


@dataclass(frozen=True, slots=True)
class Cut:
    """An episode that a time limit ended: the value of where it stood counts as its future.

    Attributes:
        observation: (inputs,), scaled as at that time.
    """

    step: int
    learner: int
    env: int
    observation: Floats


@dataclass(frozen=True, slots=True)
class Rollout:
    """
    Attributes:
        done: (K, n, T), whether the step ended its episode.
        cuts: in order of time.
    """

    done: npt.NDArray[np.bool_]
    cuts: tuple[Cut, ...]

    @property
    def steps(self) -> int:
        """That each learner took."""
        return int(self.done[0].size)


class Collector:
    """
    Args:
        envs: K · n of them, learner by learner.
        rows: (K, n, T + 1, fields), written.
    """

    def __init__(
        self, envs: BatchedEnvs, actors: Actors, scales: ObservationScales, fields: Fields, rows: Floats
    ) -> None:
        self._envs, self._actors, self._scales = envs, actors, scales
        self._observations = rows[..., : fields.inputs]
        self._actions = rows[..., fields.action]
        self._low, self._high = (each.astype(np.float32) for each in (envs.action_low, envs.action_high))
        self._shape = (*rows.shape[:2], fields.inputs)
        self._observe(-1, envs.reset())

    def collect(self, noise: Floats) -> Rollout:
        """T steps of every env.

        Args:
            noise: (T, K, n, actions), standard normal; a learner's own.
        """
        self._observations[:, :, 0] = self._observations[:, :, -1]
        done = np.zeros((len(noise), len(self._observations) * self._observations.shape[1]), np.bool_)
        cuts: list[Cut] = []
        for at, each in enumerate(noise):
            actions = self._actors.act(each)
            self._actions[:, :, at] = actions
            bounded = np.minimum(np.maximum(actions, self._low), self._high)
            step = self._envs.step(bounded.reshape(len(done[at]), -1))
            self._observe(at + 1, step.obs)
            np.logical_or(step.terminated, step.truncated, out=done[at])
            if step.truncated.any():
                cuts += self._cuts(at, step)
        return Rollout(done.T.reshape(*self._shape[:2], -1), tuple(cuts))

    def _observe(self, at: int, observations: Array) -> None:
        raw = observations.reshape(self._shape)
        self._scales.update(raw)
        self._actors.inputs[..., :-1] = self._scales.apply(raw)
        self._observations[:, :, at] = self._actors.inputs[..., :-1]

    def _cuts(self, at: int, step: Step) -> list[Cut]:
        scaled = self._scales.apply(step.terminal_obs.reshape(self._shape)).astype(np.float32)
        places = np.argwhere((step.truncated & ~step.terminated).reshape(self._shape[:2]))
        return [Cut(at, learner, env, scaled[learner, env].copy()) for learner, env in places.tolist()]
