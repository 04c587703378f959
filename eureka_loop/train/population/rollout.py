"""Rollouts of all learners, in one batch of envs: what SB3's `collect_rollouts` does, for K learners."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from eureka_loop.records import Array
from eureka_loop.simulate.batched import BatchedEnvs, Step
from eureka_loop.train.population.acting import Actors, Floats, ObservationScales
from eureka_loop.train.population.minibatches import Fields


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
        rows: (K, n, T + 1, fields), filled at the end of each rollout; until then what is seen and done goes
            into memory that lies by time.
    """

    def __init__(
        self, envs: BatchedEnvs, actors: Actors, scales: ObservationScales, fields: Fields, rows: Floats
    ) -> None:
        learners, n, times, _ = rows.shape
        self._envs, self._actors, self._scales = envs, actors, scales
        self._fields, self._rows = fields, rows
        self._inputs: Floats = np.ones((times, learners, n, fields.inputs + 1), np.float32)
        self._actions: Floats = np.zeros((times - 1, learners, n, fields.actions), np.float32)
        self._low, self._high = (each.astype(np.float32) for each in (envs.action_low, envs.action_high))
        self._observe(-1, envs.reset())

    def collect(self, noise: Floats) -> Rollout:
        """T steps of every env.

        Args:
            noise: (T, K, n, actions), standard normal; a learner's own. Written over.
        """
        count, learners, n, width = noise.shape
        noise *= self._actors.std
        asleep = np.flatnonzero(self._actors.asleep)
        self._inputs[0] = self._inputs[-1]
        done = np.zeros((count, learners * n), np.bool_)
        cuts: list[Cut] = []
        for at, actions in enumerate(self._actions):
            np.add(self._actors.means(self._inputs[at]), noise[at], out=actions)
            if len(asleep):
                actions[asleep] = 0.0
            bounded = np.minimum(np.maximum(actions, self._low), self._high)
            step = self._envs.step(bounded.reshape(learners * n, width))
            self._observe(at + 1, step.obs)
            np.logical_or(step.terminated, step.truncated, out=done[at])
            if np.count_nonzero(step.truncated):
                cuts += self._cuts(at, step)
        self._rows[..., : self._fields.inputs + 1] = self._inputs.transpose(1, 2, 0, 3)
        self._rows[:, :, :-1, self._fields.action] = self._actions.transpose(1, 2, 0, 3)
        return Rollout(done.T.reshape(learners, n, count), tuple(cuts))

    def seen(self, learner: int) -> Floats:
        """(n, inputs + 1), what one learner acts on next."""
        return np.array(self._inputs[-1, learner])

    def show(self, learner: int, seen: Floats) -> None:
        """Have it act on that instead."""
        self._inputs[-1, learner] = seen

    def _observe(self, at: int, observations: Array) -> None:
        raw = observations.reshape(*self._rows.shape[:2], -1)
        self._scales.update(raw)
        self._scales.apply(raw, self._inputs[at, :, :, :-1])

    def _cuts(self, at: int, step: Step) -> list[Cut]:
        shape = self._rows.shape[:2]
        scaled: Floats = np.empty((*shape, self._fields.inputs), np.float32)
        self._scales.apply(step.terminal_obs.reshape(scaled.shape), scaled)
        places = np.argwhere((step.truncated & ~step.terminated).reshape(shape))
        return [Cut(at, learner, env, scaled[learner, env].copy()) for learner, env in places.tolist()]
