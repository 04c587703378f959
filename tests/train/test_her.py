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
from eureka_loop.train.her import HindsightReplayBuffer
from eureka_loop.train.normalization import RewardScale

needs_robotics = pytest.mark.skipif(not installed("robotics"), reason="needs the extra 'robotics'")

POINT = spaces.Box(-np.inf, np.inf, (1,), np.float64)
PARTS = ("observation", "achieved_goal", "desired_goal")
MakeJob = Callable[..., Job]


class ScriptedHindsight:
    """A program that asks for both goals."""

    kept = ("achieved_goal",)

    def columns(self, kept: dict[str, Array], goal: Array) -> dict[str, Array]:
        return {**kept, "desired_goal": goal}


class ScriptedRewards:
    """Pays nothing for what happened, and for another goal how far it is from what was reached."""

    def __init__(self, n_envs: int) -> None:
        self.scale = RewardScale(1, n_envs, 0.99, enabled=False)
        self.columns: dict[str, Array] = {}
        self.pending: list[Array] = []
        self.asked: list[int] = []

    def compute(self, n_envs: int) -> Array:
        reached = np.array(self.pending)  # (T, n_envs)
        self.columns = {"achieved_goal": reached.T.reshape(-1, 1)}
        self.pending = []
        return np.zeros_like(reached)

    def relabel(self, columns: dict[str, Array]) -> Array:
        self.asked.append(len(columns["desired_goal"]))
        return (columns["desired_goal"] - columns["achieved_goal"])[:, 0]


class World:
    """Episodes of given lengths in each env, one after the other; what is achieved counts all steps.

    Attributes:
        episodes: (time, env) → the episode's number in its env; `ends`: how many have ended.
    """

    def __init__(self, lengths: list[list[int]], size: int, n_sampled_goal: int = 4) -> None:
        n_envs = len(lengths)
        self.rewards = ScriptedRewards(n_envs)
        self.buffer = HindsightReplayBuffer(
            size * n_envs,
            spaces.Dict(dict.fromkeys(PARTS, POINT)),
            POINT,
            n_envs=n_envs,
            hindsight=ScriptedHindsight(),  # type: ignore[arg-type]
            n_sampled_goal=n_sampled_goal,
            seed=0,
        )
        self.buffer.pending_rewards = self.rewards  # type: ignore[assignment]
        self._ends = [set(np.cumsum(each) - 1) for each in lengths]
        self.ended = np.array(
            [[sum(end < time for end in ends) for ends in self._ends] for time in range(999)]
        )
        self.time = 0

    def step(self, count: int = 1) -> None:
        for _ in range(count):
            reached = np.array([1000.0 * env + self.time for env in range(self.buffer.n_envs)])
            seen = dict.fromkeys(PARTS, reached[:, None])
            seen["desired_goal"] = np.full_like(reached[:, None], -1.0)
            done = np.array([float(self.time in ends) for ends in self._ends])
            limits = [{"TimeLimit.truncated": bool(each)} for each in done]
            self.rewards.pending.append(reached)
            self.buffer.add(seen, seen, reached[:, None], np.zeros_like(reached), done, limits)
            self.time += 1

    def times(self, places: Any) -> Any:
        """When what is stored there happened."""
        return self.time - 1 - (self.time - 1 - places) % self.buffer.buffer_size


@pytest.mark.parametrize(
    "size", [200, 50, 12, 6], ids=["whole", "wrapped", "small", "shorter than an episode"]
)
def test_goals_come_from_the_future_of_the_same_episode(size: int) -> None:
    """At any moment: every transition of a finished episode, each with everything that came after it there."""
    world = World([[7, 3, 1, 20, 5, 8] * 2, [10, 2, 9] * 5], size)
    world.step(5)
    for _ in range(7):
        world.step(9)
        if not world.buffer.finished().any():
            assert not set(possible(world))
            continue
        places, envs, reached = world.buffer.draw(20_000)
        begun, then = world.times(places), world.times(reached)
        assert (world.ended[begun, envs] == world.ended[then, envs]).all()
        assert (begun <= then).all()
        seen = set(zip(begun.tolist(), envs.tolist(), then.tolist(), strict=True))
        assert seen == set(possible(world))


def possible(world: World) -> Any:
    """(time, env, time of the goal) of all that may be drawn."""
    oldest = max(0, world.time - world.buffer.buffer_size)
    for env in range(2):
        for time in range(oldest, world.time):
            for then in range(time, world.time):
                episode = world.ended[time, env]
                if episode == world.ended[then, env] and episode < world.ended[world.time, env]:
                    yield time, env, then


def test_four_of_five_get_another_goal_and_are_paid_for_it_in_one_call() -> None:
    world = World([[6, 6, 6], [9, 9, 9]], 100)
    world.step(20)
    sample = world.buffer.sample(50)
    own = sample.observations["desired_goal"][:, 0] == -1.0
    assert own.sum() == 10
    assert world.rewards.asked == [40]
    assert (sample.observations["desired_goal"] == sample.next_observations["desired_goal"]).all()
    gaps = sample.next_observations["desired_goal"] - sample.next_observations["achieved_goal"]
    assert sample.rewards[~own].tolist() == gaps[~own].tolist()
    assert (sample.rewards[own] == 0.0).all()
    assert (sample.actions[:, 0] == sample.observations["observation"][:, 0]).all()
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
def test_a_program_that_fails_at_its_goal(make_job: MakeJob, run: Any) -> None:
    source = "def compute_reward(goal_distance):\n    return {'near': 1.0 / goal_distance}\n"
    failed = run(goals(make_job, source=source))
    assert isinstance(failed, Failed)
    assert failed.kind == "not_finite"
    assert failed.message.startswith("with a goal taken from what was reached: ")


@needs_robotics
def test_a_program_that_cannot_be_told_with_another_goal(make_job: MakeJob, run: Any) -> None:
    source = "def compute_reward(native_reward):\n    return {'native': native_reward}\n"
    failed = run(goals(make_job, source=source))
    assert isinstance(failed, Failed)
    assert failed.kind == "refused"
    assert "native_reward" in failed.message


def test_an_env_without_a_goal(make_job: MakeJob, run: Any) -> None:
    with pytest.raises(BadInput, match="no domain file states"):
        run(make_job("halfcheetah-run", "sac", hyperparameters={"her": True}))
