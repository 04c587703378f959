"""The engine on envs that are made up; and which hyperparameters it takes."""

from collections.abc import Mapping
from typing import Any, cast

import gymnasium
import numpy as np
import numpy.typing as npt
import pytest
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import DummyVecEnv

from eureka_loop.records import Array
from eureka_loop.simulate.batched import BatchedEnvs, Step
from eureka_loop.train.hyperparameters import settings
from eureka_loop.train.population.engine import Population
from eureka_loop.train.population.models import trains

INPUTS, ACTIONS, ENVS, STEPS, LIMIT = 3, 2, 2, 16, 5
HYPERPARAMETERS = {"n_steps": STEPS, "batch_size": 8, "n_epochs": 2, "n_envs": ENVS}


class Nothing(gymnasium.Env[Any, Any]):
    """Spaces only."""

    observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (INPUTS,))
    action_space = gymnasium.spaces.Box(-0.5, 0.5, (ACTIONS,))


class Walks:
    """Observations that the actions push about; an env ends after LIMIT steps, or where it went too far.

    Args:
        broken: the learner whose observations turn into nan in the second rollout.
    """

    action_low, action_high = np.full(ACTIONS, -0.5), np.full(ACTIONS, 0.5)

    def __init__(self, seeds: list[int], broken: int | None = None) -> None:
        self._random = [np.random.default_rng([seed, env]) for seed in seeds for env in range(ENVS)]
        self._broken, self._count = broken, 0
        self.actions: list[Array] = []
        self._length = np.zeros(len(self._random), np.int64)

    def reset(self) -> Array:
        self._where = np.stack([random.normal(size=INPUTS) for random in self._random])
        return self._where.copy()

    def step(self, actions: npt.NDArray[Any]) -> Step:
        self._count += 1
        self.actions.append(actions.copy())
        self._where[:, :ACTIONS] += actions
        self._length += 1
        if self._broken is not None and self._count > STEPS:
            self._where[self._broken * ENVS] = np.nan
        terminal = self._where.copy()
        terminated, truncated = np.abs(terminal[:, 0]) > 2.0, self._length >= LIMIT
        for env in np.flatnonzero(terminated | truncated):
            self._where[env] = self._random[env].normal(size=INPUTS)
            self._length[env] = 0
        return Step(self._where.copy(), terminated, truncated, terminal)


class Ends(Walks):
    """Where the limit ends an episode in a learner's first env, the env itself ends it, too."""

    def step(self, actions: npt.NDArray[Any]) -> Step:
        step = super().step(actions)
        first = np.arange(len(step.truncated)) % ENVS == 0
        return step._replace(terminated=step.terminated | (step.truncated & first))


def population(
    seeds: list[int], broken: int | None = None, kind: type[Walks] = Walks
) -> tuple[Population, Walks]:
    options = settings("ppo", HYPERPARAMETERS)
    models = [
        PPO("MlpPolicy", DummyVecEnv([Nothing] * ENVS), seed=seed, **options.arguments) for seed in seeds
    ]
    envs = kind(seeds, broken)
    return Population(models, options, cast(BatchedEnvs, envs)), envs


def rewards(done: npt.NDArray[np.bool_]) -> Array:
    return np.cumsum(np.ones(done.shape), axis=2)


def rollout_and_update(learners: Population) -> list[int]:
    """Who diverged in the rollout."""
    with np.errstate(invalid="ignore"):
        rollout = learners.collect()
    diverged = learners.diverged()
    learners.drop(diverged)
    learners.learn(rewards(rollout.done), rollout, 0.5)
    return diverged


def test_one_that_diverges_leaves_and_the_others_do_not_notice() -> None:
    learners, envs = population([1, 2, 3], broken=1)
    assert [rollout_and_update(learners) for _ in range(3)] == [[], [1], []]
    assert learners.alive == [0, 2]
    assert all((actions[ENVS : 2 * ENVS] == 0.0).all() for actions in envs.actions[2 * STEPS :])
    others, _ = population([1, 3])
    assert [rollout_and_update(others) for _ in range(3)] == [[], [], []]
    for place, other in ((0, 0), (2, 1)):
        one, two = learners.states()[place].parameters, others.states()[other].parameters
        assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))
    learners.drop([0, 2])
    assert learners.alive == []
    assert learners.states() == {}


def test_those_who_left_cost_the_others_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody's memory is laid out anew when somebody leaves, and not when he is named again."""
    learners, _ = population([1, 2, 3])
    learners.drop([1])
    monkeypatch.setattr(learners, "_regroup", lambda states: pytest.fail("nobody left"))
    learners.drop([1])
    learners.drop([])
    assert learners.alive == [0, 2]


def test_a_rollout() -> None:
    """Actions are kept within bounds; the state where a time limit ended an episode is remembered."""
    learners, envs = population([4])
    rollout = learners.collect()
    actions = np.stack(envs.actions)
    assert actions.shape == (STEPS, ENVS, ACTIONS)
    assert actions.min() == -0.5
    assert actions.max() == 0.5
    assert rollout.done.shape == (1, ENVS, STEPS)
    assert rollout.steps == ENVS * STEPS
    assert rollout.done.any()
    assert rollout.cuts
    for cut in rollout.cuts:
        assert rollout.done[0, cut.env, cut.step]
        assert cut.observation.shape == (INPUTS,)


def test_bootstraps() -> None:
    """Where a time limit alone ended an episode, what SB3's policy expects of where it stood; nothing elsewhere."""
    learners, _ = population([4, 5], kind=Ends)
    rollout = learners.collect()
    rewards: npt.NDArray[np.float32] = np.zeros(rollout.done.shape, np.float32)
    with torch.inference_mode():
        for group in learners._groups:
            learners._add_bootstraps(group, rollout, rewards)
    assert {(cut.learner, cut.env) for cut in rollout.cuts} == {(0, 1), (1, 1)}
    assert rollout.done[:, 0].any()
    for place, seed in enumerate([4, 5]):
        options = settings("ppo", HYPERPARAMETERS)
        model = PPO("MlpPolicy", DummyVecEnv([Nothing] * ENVS), seed=seed, **options.arguments)
        for cut in (cut for cut in rollout.cuts if cut.learner == place):
            with torch.no_grad():
                value = model.policy.predict_values(torch.from_numpy(cut.observation[None]))
            assert rewards[place, cut.env, cut.step] == pytest.approx(0.99 * float(value), abs=1e-6)
            rewards[place, cut.env, cut.step] = 0.0
    assert not rewards.any()


@pytest.mark.parametrize(
    ("hyperparameters", "lacking"),
    [
        ({}, ""),
        (
            {"target_kl": 0.1, "clip_range_vf": 0.2, "policy_kwargs": {"net_arch": [8], "ortho_init": False}},
            "",
        ),
        ({"policy_kwargs": {"optimizer_kwargs": {"eps": 1e-4, "weight_decay": 0.1}}}, ""),
        ({"use_sde": True}, "use_sde"),
        ({"policy_kwargs": {"full_std": False}}, "policy_kwargs.full_std"),
        ({"policy_kwargs": {"optimizer_kwargs": {"amsgrad": True}}}, "optimizer_kwargs.amsgrad"),
        ({"policy_kwargs": {"optimizer_kwargs": {"eps": 0}}}, "optimizer_kwargs.eps = 0"),
        ({"policy_kwargs": {"optimizer_kwargs": {"eps": 1e-60}}}, "optimizer_kwargs.eps = 0"),
    ],
)
def test_hyperparameters_it_takes(hyperparameters: Mapping[str, Any], lacking: str) -> None:
    found = trains(settings("ppo", hyperparameters))
    assert found == (f"the population trainer has no {lacking}" if lacking else "")
