"""Recorded transitions at the start of a SAC training: as the environment gave them, paid by the program."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from stable_baselines3 import SAC

from eureka_loop.envs.registry import find_domain, installed
from eureka_loop.errors import BadInput
from eureka_loop.records import Array, Job, Task
from eureka_loop.results import Failed, Trained
from eureka_loop.reward.gate import check
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.simulate.env import make_env
from eureka_loop.simulate.observables import ObservableRegistry
from eureka_loop.simulate.recorded import RecordedVecEnv
from eureka_loop.train.buffers import BUFFERS, PendingRewards, fill
from eureka_loop.train.hyperparameters import make_model, settings
from eureka_loop.train.normalization import RewardScale
from eureka_loop.train.saved import record
from tests.train.conftest import short

STARTS = (3, 4)  # seeds of two episodes
GAMMA = 0.9


@dataclass
class Filled:
    """A fresh SAC that begins with the two episodes."""

    model: SAC
    buffer: Any
    statistics: Any  # of observations
    scale: RewardScale


def policy(width: int) -> Callable[[Any], Array]:
    """The same deterministic actions, wherever it is asked."""
    spread = np.random.default_rng(0).normal(size=(width, 40))

    def act(seen: Any) -> Array:
        row = (
            np.concatenate([np.ravel(seen[key]) for key in sorted(seen)]) if isinstance(seen, dict) else seen
        )
        return np.tanh(spread[:, : len(row)] @ row).astype(np.float32)

    return act


def kept(task: Task, folder: Path) -> list[Path]:
    paths = [folder / f"{seed}.npz" for seed in STARTS]
    with closing(make_env(task)) as env:
        registry = ObservableRegistry(env, find_domain(task.env_id))
        for seed, path in zip(STARTS, paths, strict=True):
            act = policy(env.action_space.shape[0])  # type: ignore[index]
            record(env, registry, act, seed, path)
    return paths


def lived(task: Task) -> list[tuple[Any, ...]]:
    """Both episodes once more: seen, seen next, action, reward, terminated, truncated."""
    env = make_env(task)
    act, rows = policy(env.action_space.shape[0]), []  # type: ignore[index]
    for seed in STARTS:
        seen, _ = env.reset(seed=seed)
        ended = False
        while not ended:
            action = act(seen)
            after, reward, terminated, truncated, _ = env.step(action)
            rows.append((seen, after, action, reward, terminated, truncated))
            seen, ended = after, terminated or truncated
    env.close()
    return rows


def filled(
    task: Task, paths: list[Path], fork_server: ForkServer, *, n_envs: int = 1, **arguments: Any
) -> Filled:
    domain = find_domain(task.env_id)
    envs = RecordedVecEnv(task, domain, ["action"], n_envs, 0)
    options = settings("sac", {"buffer_size": 1_000, "learning_starts": 150, **arguments})
    buffer_class = BUFFERS["sac", "Fetch" in task.env_id]
    model = make_model("sac", options, envs, 0, replay_buffer_class=buffer_class)
    program = check(task.human or task.sparse or "", envs.vocabulary, hidden=True)
    scale = RewardScale(1, n_envs, GAMMA)
    shapes = envs.vocabulary.shapes(program.parameters)
    with fork_server.start(program, shapes, rows=16) as process:
        rewards = PendingRewards(
            envs.buffer, process, scale, lambda *_: pytest.fail("no row is the training's own")
        )
        model.replay_buffer.pending_rewards = rewards
        fill(model, paths, program.parameters)
    envs.close()
    return Filled(model, model.replay_buffer, model.get_vec_normalize_env().obs_rms, scale)


@pytest.mark.parametrize(
    ("name", "limit"), [("hopper-hop", 100), ("halfcheetah-run", 20), ("invertedpendulum-balance", 30)]
)
def test_rows_are_what_the_environment_gave(
    name: str, limit: int, tmp_path: Path, fork_server: ForkServer
) -> None:
    """Episodes end by themselves, or by the time limit; actions reach from -1 to 1, or from -3 to 3, and SAC
    keeps them between -1 and 1; the reward is the native one.
    """
    task = short(name, limit)
    found, rows = filled(task, kept(task, tmp_path), fork_server), lived(task)
    seen, after, action, reward, terminated, truncated = map(np.array, zip(*rows, strict=True))
    assert terminated.sum() == (0 if name == "halfcheetah-run" else 2)
    buffer, count = found.buffer, len(rows)
    assert (buffer.pos, buffer.full, buffer.pending) == (count, False, 0)
    highest = 3.0 if name == "invertedpendulum-balance" else 1.0
    for column, expected in (
        ("observations", seen),
        ("next_observations", after),
        ("actions", action / highest),
    ):
        np.testing.assert_allclose(getattr(buffer, column)[:count, 0], expected, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(buffer.rewards[:count, 0], reward, rtol=1e-3, atol=1e-3)
    assert buffer.dones[:count, 0].tolist() == (terminated | truncated).tolist()
    assert buffer.timeouts[:count, 0].tolist() == (truncated & ~terminated).tolist()
    assert not buffer.rewards[count:].any()
    assert buffer._get_samples(np.arange(count)).dones.ravel().tolist() == terminated.tolist()


def test_statistics_and_the_start_of_learning_take_them_in(tmp_path: Path, fork_server: ForkServer) -> None:
    task = short("halfcheetah-run", 20)
    found = filled(task, kept(task, tmp_path), fork_server)
    seen, rewards = found.buffer.observations[:40, 0], found.buffer.rewards[:40, 0]
    np.testing.assert_allclose(found.statistics.mean, seen.mean(axis=0), atol=1e-4)
    np.testing.assert_allclose(found.statistics.var, seen.var(axis=0), rtol=1e-3, atol=1e-4)
    returns = [sum(GAMMA**back * rewards[at - back] for back in range(at % 20 + 1)) for at in range(40)]
    assert found.scale.statistics.var[0] == pytest.approx(np.var(returns), rel=1e-3)
    assert found.model.learning_starts == 150 - 40
    assert filled(task, kept(task, tmp_path), fork_server, learning_starts=30).model.learning_starts == 0


@pytest.mark.skipif(not installed("robotics"), reason="needs the extra 'robotics'")
def test_goals_are_seen_beside_the_rest(tmp_path: Path, fork_server: ForkServer) -> None:
    task = short("fetch-reach", 10)
    found, rows = filled(task, kept(task, tmp_path), fork_server), lived(task)
    for key in ("observation", "achieved_goal", "desired_goal"):
        before, after = (np.array([row[at][key] for row in rows]) for at in (0, 1))
        np.testing.assert_allclose(found.buffer.observations[key][:20, 0], before, atol=1e-6)
        np.testing.assert_allclose(found.buffer.next_observations[key][:20, 0], after, atol=1e-6)
        np.testing.assert_allclose(found.statistics[key].mean, before.mean(axis=0), atol=1e-4)


# whole trainings

MakeJob = Callable[..., Job]
Training = Callable[..., Trained | Failed]


def test_a_training_that_begins_with_them(make_job: MakeJob, run: Training, tmp_path: Path) -> None:
    """Again the same, bit for bit; it learns from its first step; its curves are of its own episodes alone."""
    job = make_job("halfcheetah-run", "sac", limit=20, steps=100)
    for number in range(2):
        (tmp_path / str(number)).mkdir()
    kept(job.task, tmp_path)
    begun = replace(job, begin_with=tuple(f"../{seed}.npz" for seed in STARTS))
    first, again = (run(begun, tmp_path / str(number)) for number in range(2))
    bare = run(job)
    assert isinstance(first, Trained)
    assert isinstance(again, Trained)
    assert isinstance(bare, Trained)
    assert again.episodes == first.episodes != bare.episodes
    assert again.checkpoints == first.checkpoints
    assert [each.episodes for each in first.checkpoints] == [each.episodes for each in bare.checkpoints]
    updates = [SAC.load(folder / "policy.zip")._n_updates for folder in (tmp_path / "0", tmp_path)]
    assert updates == [80, 40], "learning_starts is 60, and 40 were there"


def test_a_program_that_fails_on_them_has_failed(make_job: MakeJob, run: Training, tmp_path: Path) -> None:
    source = 'def compute_reward(time):\n    return {"late": 1.0 / np.minimum(time - 0.75, 0.0)}\n'
    job = make_job("halfcheetah-run", "sac", limit=20, steps=100, source=source)
    kept(job.task, tmp_path)
    assert isinstance(run(replace(job, steps=10)), Trained)
    found = run(replace(job, steps=10, begin_with=("3.npz",)))
    assert isinstance(found, Failed)
    assert found.kind == "not_finite"


def test_an_episode_that_is_gone(make_job: MakeJob, run: Training) -> None:
    with pytest.raises(BadInput, match="which this training is to begin with, isn't there any more"):
        run(make_job(algorithm="sac", begin_with=("gone.npz",)))
