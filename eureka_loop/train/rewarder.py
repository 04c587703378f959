"""Rows the envs left behind → rewards: one call to the reward process for all that are pending."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from eureka_loop.records import Array
from eureka_loop.reward.sandbox.process import RewardProcess, Terms
from eureka_loop.simulate.step_buffer import StepBuffer, Transitions
from eureka_loop.train.reward_scale import RewardScale

Scalar = TypeVar("Scalar", np.float64, np.bool_)
Witness = Callable[[Transitions, Terms], None]


class Rewarder:
    """Rewards whatever was recorded since it was last asked. The buffers of both algorithms ask it.

    Args:
        witness: is shown every row with its terms, once, in order.

    Attributes:
        scale: brought up to date with every row rewarded; the buffers apply it.
        columns: what was recorded of the rows rewarded last, env by env.
    """

    def __init__(
        self, recorder: StepBuffer, process: RewardProcess, scale: RewardScale, witness: Witness
    ) -> None:
        self.scale = scale
        self.columns: Mapping[str, Array] = {}
        self._recorder, self._process, self._witness = recorder, process, witness

    def settle(self, n_envs: int) -> Array:
        """Rewards of all pending rows, (T, n_envs), unscaled.

        Raises:
            RewardFailure: the program, or the task's fitness, failed.
        """
        transitions = self._recorder.take()
        self.columns = transitions.columns
        terms = self._process.evaluate(transitions.columns)
        self._witness(transitions, terms)
        rewards = by_time(terms.total, n_envs)
        self.scale.update(rewards, by_time(transitions.done, n_envs))
        return rewards

    def again(self, columns: Mapping[str, Array]) -> Array:
        """Rewards of N rows that differ from what happened, (N,), unscaled: no witness hears of them.

        They may be many times what a rollout holds: as many calls as that takes, each with its own deadline.

        Raises:
            RewardFailure: the program failed.
        """
        count, most = len(next(iter(columns.values()))), self._process.rows
        parts = [
            {name: column[start : start + most] for name, column in columns.items()}
            for start in range(0, count, most)
        ]
        return np.concatenate([np.zeros(0), *(self._process.evaluate(part).total for part in parts)])


def by_time(rows: npt.NDArray[Scalar], n_envs: int) -> npt.NDArray[Scalar]:
    """Rows env by env, (n_envs · T, ...) → time by env, (T, n_envs, ...), as SB3's buffers lie."""
    return rows.reshape(n_envs, -1, *rows.shape[1:]).swapaxes(0, 1)
