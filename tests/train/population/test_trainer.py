"""Whole cohorts: real envs, locked processes, a few hundred steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from eureka_loop import files
from eureka_loop.records import Job
from eureka_loop.results import Failed, Trained
from eureka_loop.simulate.env import make_env
from eureka_loop.simulate.play import load

MakeJob = Callable[..., Job]
Cohort = Callable[..., list[Trained | Failed]]

SPEED = "def compute_reward(forward_velocity, *, k=1.0):\n    return {'speed': k * forward_velocity}\n"
# Fails when an episode has lasted so many seconds, in the second rollout.
LATE = (
    "def compute_reward(time, torso_contact_force, action):\n"
    "    return {'term': action.sum(axis=1) / np.where(time > 0.25, 0.0, 1.0)}\n"
)


def three(make_job: MakeJob, **fields: Any) -> list[Job]:
    """A program each, and a seed each."""
    fields = {"limit": 40, "steps": 384, "judge_seeds": (10, 11), **fields}
    sources = [None, SPEED, SPEED.replace("1.0", "0.1")]
    jobs = [make_job(seed=seed, **fields) for seed in (1, 1, 2)]
    return [replace(job, source=source or job.source) for job, source in zip(jobs, sources, strict=True)]


def state(folder: Path) -> dict[str, torch.Tensor]:
    """Parameters, and Adam's moments."""
    policy = PPO.load(folder / "policy.zip").policy
    moments = [value for each in policy.optimizer.state.values() for value in each.values()]
    return {**policy.state_dict(), **{str(at): each for at, each in enumerate(moments)}}


def assert_same(
    one: Sequence[Trained | Failed], other: Sequence[Trained | Failed], folders: Sequence[tuple[Path, Path]]
) -> None:
    """Results, policies and optimizers equal, bit for bit."""
    for mine, theirs in zip(one, other, strict=True):
        assert isinstance(mine, Trained), mine
        assert isinstance(theirs, Trained), theirs
        assert replace(mine, seconds=0.0) == replace(theirs, seconds=0.0)
    for first, second in folders:
        mine_state, their_state = state(first), state(second)
        assert mine_state.keys() == their_state.keys()
        assert all(torch.equal(mine_state[name], their_state[name]) for name in mine_state)


def test_results_of_a_cohort(make_job: MakeJob, cohort: Cohort, tmp_path: Path) -> None:
    jobs = three(make_job, checkpoints=3)
    results = cohort(jobs)
    for index, (job, trained) in enumerate(zip(jobs, results, strict=True)):
        assert isinstance(trained, Trained)
        assert (trained.candidate, trained.seed, trained.steps) == (job.candidate, job.seed, 384)
        assert [episode.seed for episode in trained.episodes] == [10, 11]
        assert all(0 < each.length <= 40 and each.success is not None for each in trained.episodes)
        assert [checkpoint.step for checkpoint in trained.checkpoints] == [128, 256, 384]
        terms = {"forward", "survive", "control"} if index == 0 else {"speed"}
        for checkpoint in trained.checkpoints:
            assert set(checkpoint.terms) == terms
            assert checkpoint.episodes >= 3
            assert checkpoint.fitness is not None
        noise = [checkpoint.action_noise for checkpoint in trained.checkpoints]
        assert noise[0] == 1.0  # SB3's first standard deviation; Hopper's actions are within ±1
        assert all(each and 0.8 < each < 1.2 for each in noise)
        assert noise[2] != 1.0
        assert set(trained.correlations) == terms
        assert files.plain(trained)
        tags = EventAccumulator(str(tmp_path / str(index))).Reload().Tags()["scalars"]
        assert {"episodes/fitness", "train/loss", "train/explained_variance", "time/steps_per_s"} <= set(tags)
        assert {f"terms/{term}" for term in terms} <= set(tags)


def test_the_same_cohort_gives_the_same_result(make_job: MakeJob, cohort: Cohort, tmp_path: Path) -> None:
    """Whatever number of threads steps its envs."""
    jobs = three(make_job)
    one, two = cohort(jobs, tmp_path / "one"), cohort(jobs, tmp_path / "two", threads=2)
    folders = [(tmp_path / "one" / name, tmp_path / "two" / name) for name in "012"]
    assert_same(one, two, folders)


def test_a_learner_that_fails_changes_nothing_for_the_others(
    make_job: MakeJob, cohort: Cohort, tmp_path: Path
) -> None:
    """Of the same cohort, whether it fails in the first rollout or in the second: its slot stays idle."""
    jobs = three(make_job)
    jobs[1] = replace(jobs[1], source=LATE.replace("0.25", "1e9"))
    whole = cohort(jobs, tmp_path / "whole")
    for name, limit in (("first", "-1.0"), ("second", "0.25")):
        failing = replace(jobs[1], source=LATE.replace("0.25", limit))
        results = cohort([jobs[0], failing, jobs[2]], tmp_path / name)
        assert isinstance(results[1], Failed)
        assert (results[1].kind, results[1].seed) == ("not_finite", 1)
        assert not (tmp_path / name / "1" / "policy.zip").exists()
        folders = [(tmp_path / "whole" / index, tmp_path / name / index) for index in "02"]
        assert_same([whole[0], whole[2]], [results[0], results[2]], folders)


def test_failures_of_every_kind(make_job: MakeJob, cohort: Cohort) -> None:
    job = make_job(limit=20, source=SPEED)
    sources = ["def compute_reward(torso_heihgt):\n    return {'a': torso_heihgt}\n", SPEED]
    sources.append(LATE.replace("time > 0.25", "action[:, 0] > -2.0"))
    results = cohort([replace(job, source=source, candidate=str(i)) for i, source in enumerate(sources)])
    assert kinds(results) == ["refused", "", "not_finite"]
    assert [result.candidate for result in results] == ["0", "1", "2"]
    assert kinds(cohort([make_job(source=LATE, limit=40, steps=10_000)])) == ["not_finite"], "none is left"
    assert kinds(cohort(three(make_job, hyperparameters={"learning_rate": 1e30}))) == ["diverged"] * 3


def test_a_program_that_mixes_rows_fails_in_its_first_rollout(make_job: MakeJob, cohort: Cohort) -> None:
    job = make_job(limit=20, source=SPEED, steps=1024, hyperparameters={"n_steps": 512})
    late = "def compute_reward(time, action):\n    return {'a': action[:, 0] * (1.0 + (time.max() > 0.15))}\n"
    results = cohort([job, replace(job, source=late), replace(job, source=late.replace("0.15", "1e9"))])
    assert kinds(results) == ["", "rows_not_independent", ""]
    assert "among others, in training" in results[1].message


def kinds(results: Sequence[Trained | Failed]) -> list[str]:
    return [result.kind if isinstance(result, Failed) else "" for result in results]


def test_a_fitness_that_fails_on_some(make_job: MakeJob, cohort: Cohort) -> None:
    """The message names the fitness, which is started again for the others."""
    job = make_job(limit=20, source=SPEED)
    fragile = "def fitness(action):\n    return 1.0 / np.where(action[0, 0] > 0.0, 0.0, 1.0).sum()\n"
    task = replace(job.task, fitness=fragile)
    for failed in cohort([replace(job, task=task, seed=seed) for seed in range(4)]):
        assert isinstance(failed, Failed)
        assert failed.message.startswith("fitness: ")
    unknown = replace(task, fitness="def fitness(nothing):\n    return 1.0\n")
    assert kinds(cohort([replace(job, task=unknown)])) == ["refused"]


@pytest.mark.parametrize("normalize", [True, False])
def test_a_saved_policy_is_sb3s(normalize: bool, make_job: MakeJob, cohort: Cohort, tmp_path: Path) -> None:
    """It acts as it was judged, and learns on."""
    hyperparameters = {"normalize_observation": normalize, "normalize_reward": normalize}
    job = make_job("halfcheetah-run", limit=30, steps=256, hyperparameters=hyperparameters)
    (trained,) = cohort([job])
    assert isinstance(trained, Trained)
    envs = DummyVecEnv([lambda: make_env(job.task)] * 2)
    normalization = VecNormalize.load(str(tmp_path / "0" / "vecnormalize.pkl"), envs)
    assert normalization.norm_obs == normalize
    assert (normalization.ret_rms.count > 100) == normalize
    model = PPO.load(tmp_path / "0" / "policy.zip", normalization)
    assert (model.num_timesteps, model._n_updates, model.seed) == (256, 4, job.seed)
    steps = {float(state["step"]) for state in model.policy.optimizer.state.values()}
    assert steps == {2.0 * 2 * 4}  # rollouts, epochs, minibatches
    predict = load(tmp_path / "0")
    observation = np.random.default_rng(0).normal(size=17)
    wanted, _ = model.predict(normalization.normalize_obs(observation), deterministic=True)
    assert predict(observation).tolist() == wanted.tolist()
    model.learn(128, reset_num_timesteps=False)
    assert model.num_timesteps == 384


def test_the_judge_sees_the_policy_that_was_saved(make_job: MakeJob, cohort: Cohort, tmp_path: Path) -> None:
    """The first action of a judged episode is the saved policy's; batches of episodes change no score."""
    fitness = "def fitness(action):\n    return action[0, 0] + 10.0 * action[0, 1]\n"
    job = make_job(limit=5, judge_seeds=(4, 5, 6), source=SPEED)
    job = replace(job, task=replace(job.task, fitness=fitness))
    jobs = [job, replace(job, seed=4)]
    trained = cohort(jobs)
    assert isinstance(trained[0], Trained)
    predict = load(tmp_path / "0")
    for episode in trained[0].episodes:
        action = predict(make_env(job.task).reset(seed=episode.seed)[0])
        assert episode.fitness == pytest.approx(action[0] + 10.0 * action[1], abs=1e-5)


def test_progress(make_job: MakeJob, cohort: Cohort, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eureka_loop.train.metrics.Pace.REPORT_EVERY", 0.0)
    seen: list[tuple[int, Mapping[str, float]]] = []
    cohort(three(make_job), report=lambda *line: seen.append(line))
    for index in range(3):
        lines = [line for at, line in seen if at == index]
        assert [line["step"] for line in lines] == [128, 256, 384, 384]
        assert all(set(line) == {"step", "steps_per_s", "fitness"} for line in lines)
