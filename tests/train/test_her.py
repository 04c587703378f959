"""Hindsight in SAC: which transitions get which goals, and what they are paid then."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from stable_baselines3 import SAC

from eureka_loop.envs.registry import installed
from eureka_loop.errors import BadInput
from eureka_loop.records import Array, Job
from eureka_loop.results import Failed, Trained
from eureka_loop.train.buffers import HindsightReplayBuffer

needs_robotics = pytest.mark.skipif(not installed("robotics"), reason="needs the extra 'robotics'")

MakeJob = Callable[..., Job]


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
    """In a real training with the locked process: minus the distance from the goal, whichever that is; four of
    five goals were reached in the same training, each later in its transition's episode.
    """
    plain = {"normalize_reward": False, "normalize_observation": False, "batch_size": 50}
    samples: list[Any] = []
    original = HindsightReplayBuffer.sample

    def sample(buffer: HindsightReplayBuffer, size: int, env: Any) -> Any:
        reached = buffer.next_observations["achieved_goal"].copy()  # (buffer_size, n_envs, 3)
        samples.append((original(buffer, size, env), reached))
        return samples[-1][0]

    monkeypatch.setattr(HindsightReplayBuffer, "sample", sample)
    assert isinstance(run(goals(make_job, n_envs=2, **plain)), Trained)
    assert len(samples) > 20
    for each, reached in samples:
        seen = {name: part.numpy() for name, part in each.next_observations.items()}
        gaps = np.linalg.norm(seen["achieved_goal"] - seen["desired_goal"], axis=1)
        assert np.abs(each.rewards[:, 0].numpy() + gaps).max() < 1e-7  # float32
        assert (each.observations["desired_goal"].numpy() == seen["desired_goal"]).all()
        at, goal = (_place(seen[name], reached) for name in ("achieved_goal", "desired_goal"))
        other = (goal >= 0).all(axis=1)
        assert other.sum() == 40
        assert (at[other, 1] == goal[other, 1]).all()
        assert (at[other, 0] <= goal[other, 0]).all()
        assert (at[other, 0] // 12 == goal[other, 0] // 12).all()


def _place(rows: Array, reached: Array) -> Array:
    """(N, 2) step and env in which each row was reached; -1 where it was in none."""
    same = (rows[:, None, None] == reached).all(axis=-1).reshape(len(rows), -1)
    step, env = np.divmod(same.argmax(axis=1), reached.shape[1])
    return np.where(same.any(axis=1), [step, env], -1).T


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
