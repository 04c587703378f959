"""Hindsight in SAC: which transitions get which goals, and what they are paid then."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from stable_baselines3 import SAC

from eureka_loop.envs.registry import installed
from eureka_loop.errors import BadInput
from eureka_loop.records import Array, Job
from eureka_loop.results import Failed, Trained
from eureka_loop.train.buffers import HindsightReplayBuffer
from eureka_loop.train.normalization import RewardScale

needs_robotics = pytest.mark.skipif(not installed("robotics"), reason="needs the extra 'robotics'")

POINT = spaces.Box(-np.inf, np.inf, (1,), np.float64)
PARTS = ("observation", "achieved_goal", "desired_goal")
LENGTHS = np.array([6, 9])  # of the episodes of two envs
MakeJob = Callable[..., Job]


class ScriptedHindsight:
    """A program that asks for both goals."""

    kept = ("achieved_goal",)

    def columns(self, kept: dict[str, Array], goal: Array) -> dict[str, Array]:
        return {**kept, "desired_goal": goal}


class ScriptedRewards:
    """Pays nothing for what happened, and for another goal how far it is from what was reached."""

    def __init__(self) -> None:
        self.scale = RewardScale(1, 2, 0.99, enabled=False)
        self.columns: dict[str, Array] = {}
        self.pending: list[Array] = []
        self.asked: list[int] = []

    def compute(self, n_envs: int) -> Array:
        reached = np.array(self.pending)  # (T, n_envs)
        self.columns, self.pending = {"achieved_goal": reached.T.reshape(-1, 1)}, []
        return np.zeros_like(reached)

    def relabel(self, columns: dict[str, Array]) -> Array:
        self.asked.append(len(columns["desired_goal"]))
        return (columns["desired_goal"] - columns["achieved_goal"])[:, 0]


def played(steps: int, size: int) -> tuple[HindsightReplayBuffer, ScriptedRewards]:
    """A buffer after some steps of two envs; what is achieved counts the steps, from 0 and from 1,000."""
    parts = spaces.Dict(dict.fromkeys(PARTS, POINT))
    given: Any = {"env": None, "n_envs": 2, "hindsight": ScriptedHindsight()}
    buffer, rewards = HindsightReplayBuffer(2 * size, parts, POINT, **given), ScriptedRewards()
    buffer.pending_rewards = rewards  # type: ignore[assignment]
    for time in range(steps):
        reached = np.array([time, 1000.0 + time])
        seen = dict.fromkeys(PARTS, reached[:, None])
        seen["desired_goal"] = np.full((2, 1), -1.0)
        done = (time + 1) % LENGTHS == 0
        rewards.pending.append(reached)
        limits = [{"TimeLimit.truncated": bool(each)} for each in done]
        buffer.add(seen, seen, reached[:, None], np.zeros(2), done, limits)
    return buffer, rewards


@pytest.mark.parametrize("size", [100, 25], ids=["whole", "a ring"])
def test_four_of_five_get_a_later_goal_of_their_episode_and_are_paid_for_it_in_one_call(size: int) -> None:
    buffer, rewards = played(40, size)
    sample = buffer.sample(500)
    reached, goal = (sample.next_observations[name][:, 0].numpy() for name in PARTS[1:])
    other = goal != -1.0
    assert other.sum() == 400
    assert rewards.asked == [400]
    assert (goal == sample.observations["desired_goal"][:, 0].numpy()).all()
    assert (sample.rewards[:, 0].numpy() == np.where(other, goal - reached, 0.0)).all()
    assert (goal >= reached)[other].all()
    assert set((goal - reached)[other]) == set(range(9))
    length = np.where(reached >= 1000.0, 9, 6)
    assert (goal % 1000 // length == reached % 1000 // length)[other].all()
    assert (sample.actions == sample.observations["observation"]).all()
    assert not sample.dones.any()  # time limits


def goals(make_job: MakeJob, *, source: str | None = None, **hyperparameters: Any) -> Job:
    more = {"her": True, "learning_starts": 40, **hyperparameters}
    programs = {"source": source} if source else {}
    return make_job("fetch-reach", "sac", limit=12, steps=90, hyperparameters=more, **programs)


@needs_robotics
def test_without_goals_to_sample_it_is_plain_sac(make_job: MakeJob, run: Any, tmp_path: Path) -> None:
    """Bit for bit."""
    results, weights = [], []
    for more in ({"her": False}, {"n_sampled_goal": 0}):
        folder = tmp_path / str(more)
        results.append(run(goals(make_job, **more), folder))
        weights.append(SAC.load(folder / "policy.zip").policy.state_dict())
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
    assert results[0].episodes == results[1].episodes


@needs_robotics
def test_a_sample_is_paid_as_the_env_would_pay(
    make_job: MakeJob, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a real training with the locked process: minus the distance from the goal, whichever that is."""
    samples: list[Any] = []
    original = HindsightReplayBuffer.sample

    def sample(*arguments: Any, **named: Any) -> Any:
        samples.append(original(*arguments, **named))
        return samples[-1]

    monkeypatch.setattr(HindsightReplayBuffer, "sample", sample)
    plain = {"normalize_reward": False, "normalize_observation": False}
    assert isinstance(run(goals(make_job, n_envs=2, **plain)), Trained)
    assert len(samples) > 20
    for each in samples:
        seen = each.next_observations
        gaps = np.linalg.norm(seen["achieved_goal"] - seen["desired_goal"], axis=1)
        assert np.abs(each.rewards[:, 0].numpy() + gaps).max() < 1e-7  # float32
        assert (gaps == 0.0).sum() <= 13
    assert sum((each.rewards == 0.0).sum() for each in samples) > 0  # a goal reached in that very step


@needs_robotics
@pytest.mark.parametrize(
    ("body", "kind", "message"),
    [
        ("goal_distance): return {'near': 1.0 / goal_distance}", "not_finite", "with a goal taken from what"),
        ("native_reward): return {'native': native_reward}", "refused", "native_reward"),
    ],
    ids=["fails at its goal", "depends on the goal in an unknown way"],
)
def test_a_program_that_hindsight_cannot_use(
    body: str, kind: str, message: str, make_job: MakeJob, run: Any
) -> None:
    failed = run(goals(make_job, source=f"def compute_reward({body}\n"))
    assert isinstance(failed, Failed)
    assert failed.kind == kind
    assert message in failed.message


def test_an_env_without_a_goal(make_job: MakeJob, run: Any) -> None:
    with pytest.raises(BadInput, match="no domain file states"):
        run(make_job("halfcheetah-run", "sac", hyperparameters={"her": True}))
