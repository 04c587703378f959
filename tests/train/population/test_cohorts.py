"""Whole cohorts: real envs, locked processes, a few hundred steps."""

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
from eureka_loop.envs.registry import find_domain
from eureka_loop.records import Job
from eureka_loop.results import Failed, Trained
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.simulate.env import make_env
from eureka_loop.train.policy import load_policy
from eureka_loop.train.population.cohorts import train_cohort

MakeJob = Callable[..., Job]
Cohort = Callable[..., list[Trained | Failed]]

SPEED = "def compute_reward(forward_velocity, *, k=1.0):\n    return {'speed': k * forward_velocity}\n"
# Fails when an episode has lasted so many seconds.
LATE = (
    "def compute_reward(time, action):\n"
    "    return {'term': action.sum(axis=1) / np.where(time > 0.25, 0.0, 1.0)}\n"
)

# The same reward as SPEED, from somebody who looks at contacts as well.
TOUCH = (
    "def compute_reward(forward_velocity, torso_contact_force, time):\n"
    "    touch = np.abs(torso_contact_force).sum(axis=1)\n"
    "    return {'speed': 1.0 * forward_velocity, 'touch': 0.0 * touch + 0.0 * time}\n"
)


@pytest.fixture
def cohort(fork_server: ForkServer, tmp_path: Path) -> Cohort:
    """Train jobs in folders "0", "1", ... ; what was reported is dropped."""

    def run(jobs: Sequence[Job], folder: Path = tmp_path, threads: int = 1) -> list[Trained | Failed]:
        folders = [folder / str(place) for place in range(len(jobs))]
        domain = find_domain(jobs[0].task.env_id)
        return train_cohort(jobs, domain, fork_server, folders, lambda place, line: None, threads=threads)

    return run


def three(make_job: MakeJob, **fields: Any) -> list[Job]:
    """A program each, and a seed each."""
    fields = {"limit": 40, "steps": 384, "judge_seeds": (10, 11), **fields}
    sources = [None, SPEED, SPEED.replace("1.0", "0.1")]
    jobs = [make_job(seed=seed, **fields) for seed in (1, 1, 2)]
    return [replace(job, source=source or job.source) for job, source in zip(jobs, sources, strict=True)]


def policy(folder: Path) -> dict[str, torch.Tensor]:
    return PPO.load(folder / "policy.zip").policy.state_dict()


def same(one: Trained | Failed, other: Trained | Failed) -> bool:
    assert isinstance(one, Trained)
    assert isinstance(other, Trained)
    return replace(one, seconds=0.0) == replace(other, seconds=0.0)


def test_what_a_cohort_tells(make_job: MakeJob, cohort: Cohort, tmp_path: Path) -> None:
    jobs = three(make_job, checkpoints=3)
    results = cohort(jobs)
    for place, (job, trained) in enumerate(zip(jobs, results, strict=True)):
        assert isinstance(trained, Trained)
        assert (trained.candidate, trained.seed, trained.steps) == (job.candidate, job.seed, 384)
        assert [score.seed for score in trained.episodes] == [10, 11]
        assert all(0 < score.length <= 40 and score.success is not None for score in trained.episodes)
        assert [checkpoint.step for checkpoint in trained.checkpoints] == [128, 256, 384]
        terms = {"forward", "survive", "control"} if place == 0 else {"speed"}
        for checkpoint in trained.checkpoints:
            assert set(checkpoint.terms) == terms
            assert checkpoint.episodes >= 3
            assert checkpoint.fitness is not None
        assert set(trained.correlations) == terms
        assert files.plain(trained)
        tags = EventAccumulator(str(tmp_path / str(place))).Reload().Tags()["scalars"]
        assert {"episodes/fitness", "train/loss", "train/explained_variance", "time/steps_per_s"} <= set(tags)
        assert {f"terms/{term}" for term in terms} <= set(tags)
    states = [policy(tmp_path / str(place)) for place in range(3)]
    assert not torch.equal(states[0]["action_net.weight"], states[1]["action_net.weight"])
    assert not torch.equal(states[1]["action_net.weight"], states[2]["action_net.weight"])


def test_a_job_has_the_same_result_in_any_company(make_job: MakeJob, cohort: Cohort, tmp_path: Path) -> None:
    """Together; alone; with two threads; beside one that fails at its second rollout."""
    jobs = three(make_job)
    together = cohort(jobs, tmp_path / "together")
    (alone,) = cohort(jobs[1:2], tmp_path / "alone")
    assert same(alone, together[1])
    threads = cohort(jobs, tmp_path / "threads", threads=2)
    failing = replace(jobs[0], source=LATE)
    beside = cohort([jobs[0], failing, *jobs[1:]], tmp_path / "beside")
    assert isinstance(beside[1], Failed)
    assert (beside[1].kind, beside[1].seed) == ("not_finite", 1)
    for place, other in enumerate([0, 2, 3]):
        assert same(threads[place], together[place])
        assert same(beside[other], together[place])
        folders = (tmp_path / "together" / str(place), tmp_path / "beside" / str(other))
        one, two = map(policy, folders)
        assert all(torch.equal(one[name], two[name]) for name in one)
    assert not (tmp_path / "beside" / "1" / "policy.zip").exists()


@pytest.mark.parametrize("task", ["hopper-hop", "halfcheetah-run"])
def test_others_observables_do_not_move_ones_envs(
    task: str, make_job: MakeJob, cohort: Cohort, tmp_path: Path
) -> None:
    """Sensors make a control step several calls, which round otherwise than one. Contacts, then failing."""
    job = make_job(task, source=SPEED, limit=40, steps=384, checkpoints=3)
    (alone,) = cohort([job], tmp_path / "alone")
    (touching,) = cohort([replace(job, source=TOUCH)], tmp_path / "touching")
    failing = TOUCH.replace("0.0 * touch", "1.0 / np.where(time > 0.25, 0.0, 1.0)")
    sources = [TOUCH, SPEED, failing]
    beside = cohort([replace(job, source=source) for source in sources], tmp_path / "beside")
    assert same(beside[1], alone)
    assert same(beside[0], touching)
    assert isinstance(beside[2], Failed)
    one, two = policy(tmp_path / "alone" / "0"), policy(tmp_path / "beside" / "1")
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_failures_of_every_kind(make_job: MakeJob, cohort: Cohort) -> None:
    """The gate, the first rollout; and one that does well."""
    job = make_job(limit=20, source=SPEED)
    sources = [
        "def compute_reward(torso_heihgt):\n    return {'a': torso_heihgt}\n",
        SPEED,
        LATE.replace("time > 0.25", "action[:, 0] > -2.0"),
    ]
    results = cohort([replace(job, source=source, candidate=str(i)) for i, source in enumerate(sources)])
    assert [result.kind if isinstance(result, Failed) else "" for result in results] == [
        "refused",
        "",
        "not_finite",
    ]
    assert [result.candidate for result in results] == ["0", "1", "2"]


def test_nobody_left(make_job: MakeJob, cohort: Cohort) -> None:
    (late,) = cohort([make_job(source=LATE, limit=40, steps=10_000)])
    assert isinstance(late, Failed)
    assert late.kind == "not_finite"


def test_a_fitness_that_fails_on_some(make_job: MakeJob, cohort: Cohort) -> None:
    """It says that it is the fitness; it is asked again for the others."""
    job = make_job(limit=20, source=SPEED)
    fragile = "def fitness(action):\n    return 1.0 / np.where(action[0, 0] > {}, 0.0, 1.0).sum()\n"
    task = replace(job.task, fitness=fragile.format("0.0"))
    results = cohort([replace(job, task=task, seed=seed) for seed in range(4)])
    assert all(isinstance(result, Failed) for result in results)
    assert all(result.message.startswith("fitness: ") for result in results if isinstance(result, Failed))
    refused = cohort([replace(job, task=replace(task, fitness="def fitness(nothing):\n    return 1.0\n"))])
    assert isinstance(refused[0], Failed)
    assert refused[0].kind == "refused"


def test_divergence(make_job: MakeJob, cohort: Cohort) -> None:
    for failed in cohort(three(make_job, hyperparameters={"learning_rate": 1e30})):
        assert isinstance(failed, Failed)
        assert failed.kind == "diverged"
        assert "at step" in failed.message


@pytest.mark.parametrize("normalize", [True, False])
def test_a_saved_policy_is_sb3s(
    normalize: bool, make_job: MakeJob, cohort: Cohort, tmp_path: Path, fork_server: ForkServer
) -> None:
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
    predict = load_policy(tmp_path / "0", "ppo")
    observation = np.random.default_rng(0).normal(size=17)
    wanted, _ = model.predict(normalization.normalize_obs(observation), deterministic=True)
    assert predict(observation).tolist() == wanted.tolist()
    model.learn(128, reset_num_timesteps=False)
    assert model.num_timesteps == 384


def test_the_judge_sees_the_policy_that_was_saved(make_job: MakeJob, cohort: Cohort, tmp_path: Path) -> None:
    """The first action of a judged episode is the saved policy's."""
    fitness = "def fitness(action):\n    return action[0, 0] + 10.0 * action[0, 1]\n"
    job = make_job(limit=5, judge_seeds=(4, 5), source=SPEED)
    (trained,) = cohort([replace(job, task=replace(job.task, fitness=fitness))])
    assert isinstance(trained, Trained)
    predict = load_policy(tmp_path / "0", "ppo")
    for score in trained.episodes:
        action = predict(make_env(job.task).reset(seed=score.seed)[0])
        assert score.fitness == pytest.approx(action[0] + 10.0 * action[1], abs=1e-5)


def test_progress(make_job: MakeJob, fork_server: ForkServer, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("eureka_loop.train.population.cohort.REPORT_EVERY", 0.0)
    seen: list[tuple[int, Mapping[str, float]]] = []
    jobs = three(make_job)
    folders = [tmp_path / str(place) for place in range(3)]
    domain = find_domain(jobs[0].task.env_id)
    train_cohort(jobs, domain, fork_server, folders, lambda *line: seen.append(line), threads=2)
    for place in range(3):
        lines = [line for at, line in seen if at == place]
        assert [line["step"] for line in lines] == [128, 256, 384, 384]
        assert all(set(line) == {"step", "steps_per_s", "fitness"} for line in lines)
