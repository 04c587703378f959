"""Rewards in the buffers, with scripted ones in place of a program's."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch
from gymnasium import spaces

from eureka_loop.records import PENDING_ROWS, Array
from eureka_loop.reward.sandbox.process import Terms
from eureka_loop.train.buffers import DelayedReplayBuffer, DelayedRolloutBuffer, PendingRewards
from eureka_loop.train.normalization import RewardScale

OBS, ACTION = spaces.Box(-1, 1, (1,)), spaces.Box(-1, 1, (1,))


class ScriptedRewards:
    """Rewards step t of env i with t + i / 10; remembers how many steps each call had."""

    def __init__(self, scale: RewardScale) -> None:
        self.scale = scale
        self.recorded = self.rewarded = 0
        self.calls: list[int] = []

    def compute(self, n_envs: int) -> Array:
        steps = np.arange(self.rewarded, self.recorded, dtype=float)
        self.calls.append(len(steps))
        self.rewarded = self.recorded
        return steps[:, None] + np.arange(n_envs) / 10


class Halved(RewardScale):
    def apply(self, rewards: Array) -> Array:
        return rewards / 2


def test_bootstraps_are_not_scaled() -> None:
    """A time limit's bootstrap is a value, learnt in scaled units; only the reward beside it is halved."""
    buffer = DelayedRolloutBuffer(3, OBS, ACTION, gamma=1.0, gae_lambda=1.0, n_envs=1)
    buffer.pending_rewards = rewards = ScriptedRewards(Halved(1, 1, 0.99))
    buffer.rewards[:] = [[0.0], [7.0], [0.0]]
    rewards.recorded = 3
    buffer.compute_returns_and_advantage(torch.zeros(1), np.array([True]))
    assert buffer.rewards.ravel().tolist() == [0.0, 7.5, 1.0]
    assert buffer.returns.ravel().tolist() == [8.5, 8.5, 1.0]


def filled(size: int, steps: int) -> tuple[DelayedReplayBuffer, ScriptedRewards]:
    buffer, zeros = DelayedReplayBuffer(size, OBS, ACTION), np.zeros((1, 1))
    buffer.pending_rewards = rewards = ScriptedRewards(RewardScale(1, 1, 0.99, enabled=False))
    for _ in range(steps):
        rewards.recorded += 1
        buffer.add(zeros, zeros, zeros, np.zeros(1), np.zeros(1), [{}])
    return buffer, rewards


def test_the_number_of_pending_rows_is_bounded() -> None:
    assert filled(10_000, PENDING_ROWS + 1)[1].calls == [PENDING_ROWS]


def test_old_rewards_follow_the_scale() -> None:
    buffer, rewards = filled(8, 3)
    assert buffer._get_samples(np.array([2])).rewards.item() == 2.0
    rewards.scale = Halved(1, 1, 0.99)
    assert buffer._get_samples(np.array([2])).rewards.item() == 1.0


class Calls:
    """A reward process that counts the rows of each call; a call has a deadline."""

    request = SimpleNamespace(rows=4)

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def evaluate(self, columns: Mapping[str, Array]) -> Terms:
        self.sizes.append(len(columns["x"]))
        return Terms(("double", "_seen"), np.stack([2.0 * columns["x"], columns["y"][:, 0]]))


@pytest.mark.parametrize(("rows", "sizes"), [(10, [4, 4, 2]), (4, [4]), (0, [])])
def test_every_call_has_a_deadline_of_its_own(rows: int, sizes: list[int]) -> None:
    process, unused = Calls(), cast(Any, None)
    columns = {"x": np.arange(float(rows)), "y": np.ones((rows, 2))}
    rewards = PendingRewards(unused, cast(Any, process), unused, unused).relabel(columns)
    assert process.sizes == sizes
    assert rewards.tolist() == (2.0 * columns["x"]).tolist()
