"""Whole jobs: real envs, the locked process, a few hundred steps.

Rewards that come late teach the same as rewards given at every step: weights equal SB3's, bit for bit.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from stable_baselines3 import PPO, SAC
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from eureka_loop.records import Job
from eureka_loop.results import Failed, Trained
from tests.train.conftest import RUN

MakeJob = Callable[..., Job]

FAILING = "def compute_reward(action):\n    return {{'term': {body}}}\n"


@pytest.mark.parametrize("algorithm", ["ppo", "sac"])
def test_the_same_job_gives_the_same_result(
    algorithm: str, make_job: MakeJob, run: Any, tmp_path: Path
) -> None:
    job = make_job("halfcheetah-run", algorithm, limit=50, steps=128)
    folders = [tmp_path / "first", tmp_path / "second"]
    first, second = (run(job, folder) for folder in folders)
    assert isinstance(first, Trained)
    assert replace(first, seconds=0.0) == replace(second, seconds=0.0)
    kind = {"ppo": PPO, "sac": SAC}[algorithm]
    models: list[Any] = [kind.load(folder / "policy.zip") for folder in folders]
    buffer = models[0].rollout_buffer_class if algorithm == "ppo" else models[0].replay_buffer_class
    assert buffer.__module__.startswith("stable_baselines3"), "a saved policy loads without this package"
    policies = [model.policy.state_dict() for model in models]
    assert all(torch.equal(policies[0][name], policies[1][name]) for name in policies[0])


def test_curves_and_progress_which_is_repeated_while_judging(
    make_job: MakeJob, run: Any, tmp_path: Path
) -> None:
    lines: list[Any] = []
    run(make_job(limit=10, steps=512, judge_seeds=(1, 2, 3)), tmp_path, lines.append)
    assert lines[-1]["step"] == 512
    assert set(lines[-1]) == {"step", "steps_per_s", "fitness"}
    assert lines[-3:] == [lines[-1]] * 3
    events = EventAccumulator(str(tmp_path)).Reload()
    tags = set(events.Tags()["scalars"])
    assert {"terms/forward", "terms/control", "episodes/fitness", "episodes/length", "train/loss"} <= tags
    assert [point.step for point in events.Scalars("terms/forward")] == [128, 256, 384, 512]


@pytest.mark.parametrize("algorithm", ["ppo", "sac"])
def test_a_reward_that_mixes_rows_fails(algorithm: str, make_job: MakeJob, run: Any) -> None:
    """Though nothing examined it before: SAC's later calls are of two rows each."""
    mixed = "def compute_reward(forward_velocity):\n    return {'a': forward_velocity - forward_velocity.mean()}\n"
    sizes = {"n_steps": 512} if algorithm == "ppo" else {"n_envs": 2}
    result = run(make_job(algorithm=algorithm, source=mixed, limit=50, steps=1024, hyperparameters=sizes))
    assert isinstance(result, Failed)
    assert result.kind == "rows_not_independent"
    assert "write `forward_velocity`" in result.message


@pytest.mark.parametrize("algorithm", ["ppo", "sac"])
def test_a_reward_that_fails_is_a_result(algorithm: str, make_job: MakeJob, run: Any) -> None:
    body = "action.sum(axis=1) / np.where(action[:, 0] > -2.0, 0.0, 1.0)"
    failed = run(make_job(algorithm=algorithm, source=FAILING.format(body=body)))
    assert isinstance(failed, Failed)
    assert (failed.candidate, failed.seed, failed.kind) == ("g0-00", 3, "not_finite")
    assert "term" in failed.message
    refused = run(make_job(source="def compute_reward(torso_heihgt):\n    return {'a': torso_heihgt}\n"))
    assert isinstance(refused, Failed)
    assert refused.kind == "refused"
    assert "torso_height" in refused.message


@pytest.mark.parametrize("algorithm", ["ppo", "sac"])
def test_divergence(algorithm: str, make_job: MakeJob, run: Any) -> None:
    failed = run(make_job(algorithm=algorithm, hyperparameters={"learning_rate": 1e30}))
    assert isinstance(failed, Failed)
    assert (failed.kind, failed.seed) == ("diverged", 3)


class StepReward(gymnasium.Wrapper[Any, Any, Any, Any]):
    """RUN, one step at a time."""

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        before = self.unwrapped.data.qpos[0]
        obs, _, terminated, truncated, info = self.env.step(action)
        speed = (self.unwrapped.data.qpos[0] - before) / self.unwrapped.dt
        effort = -0.1 * np.square(action.astype(np.float64)).sum()
        return obs, speed + effort + -3.0 * terminated, terminated, truncated, info


def plain(job: Job, arguments: dict[str, Any], kind: type[PPO] | type[SAC], *, normalize: bool) -> Any:
    """SB3's own training of the same job."""

    def make() -> gymnasium.Env[Any, Any]:
        return StepReward(gymnasium.make(job.task.env_id, **job.task.env_kwargs))

    n_envs = arguments.pop("n_envs", 1)
    envs = VecNormalize(DummyVecEnv([make] * n_envs), norm_obs=normalize, norm_reward=False)
    return kind("MlpPolicy", envs, seed=job.seed, device="cpu", **arguments).learn(job.steps)


def assert_same(ours: Any, theirs: Any) -> None:
    """Every parameter, and the optimizers' moments, equal."""
    for name, parameters in theirs.get_parameters().items():
        for got, wanted in zip(_tensors(ours.get_parameters()[name]), _tensors(parameters), strict=True):
            assert torch.equal(got, wanted), name


def _tensors(node: Any) -> list[torch.Tensor]:
    if isinstance(node, torch.Tensor):
        return [node]
    return [tensor for each in node.values() for tensor in _tensors(each)] if isinstance(node, dict) else []


@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize(
    ("task", "limit"), [("hopper-hop", None), ("halfcheetah-run", 50)], ids=["terminations", "time limits"]
)
def test_ppo(
    task: str, limit: int | None, normalize: bool, make_job: Callable[..., Job], run: Any, tmp_path: Path
) -> None:
    """Three rollouts; the first case ends episodes by falling, the second by bootstrapped time limits."""
    small = {"n_steps": 64, "batch_size": 32, "n_epochs": 2, "n_envs": 2, "gamma": 0.97}
    ours = {**small, "normalize_reward": False, "normalize_observation": normalize}
    job = make_job(task, limit=limit, source=RUN, steps=384, hyperparameters=ours)
    assert isinstance(run(job), Trained)
    assert_same(PPO.load(tmp_path / "policy.zip"), plain(job, small, PPO, normalize=normalize))


@pytest.mark.parametrize(
    ("task", "limit", "normalize", "more"),
    [
        ("hopper-hop", None, False, {}),
        ("hopper-hop", None, True, {}),
        ("halfcheetah-run", 50, True, {"buffer_size": 120}),
        ("hopper-hop", 30, True, {"n_envs": 2, "train_freq": 4, "gradient_steps": 3}),
    ],
    ids=["terminations", "normalised", "time limits, in a small ring", "several envs and gradient steps"],
)
def test_sac(
    task: str,
    limit: int | None,
    normalize: bool,
    more: dict[str, Any],
    make_job: Callable[..., Job],
    run: Any,
    tmp_path: Path,
) -> None:
    small = {"learning_starts": 60, "batch_size": 16, "policy_kwargs": {"net_arch": [16, 16]}, **more}
    ours = {**small, "normalize_reward": False, "normalize_observation": normalize}
    job = make_job(task, "sac", limit=limit, source=RUN, steps=250, hyperparameters=ours)
    assert isinstance(run(job), Trained)
    assert_same(SAC.load(tmp_path / "policy.zip"), plain(job, small, SAC, normalize=normalize))
