"""The stacked update is SB3's: same weights, same rollout, same permutation, same parameters afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, cast

import gymnasium
import numpy as np
import pytest
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.vec_env import DummyVecEnv

from eureka_loop.records import Array
from eureka_loop.simulate.batched import BatchedEnvs, Step
from eureka_loop.train.hyperparameters import ACTIVATIONS, SpacesOnly, _arguments, settings
from eureka_loop.train.population.ppo import LOGGED, PopulationPPO, Rollout
from eureka_loop.train.population.trainer import OPTIMIZER_KWARGS, POLICY_KWARGS, unsupported

INPUTS, ACTIONS, STEPS, ENVS, LIMIT = 5, 3, 40, 2, 7
BASE: Mapping[str, Any] = {"n_steps": STEPS, "batch_size": 16, "n_epochs": 4, "learning_rate": 1e-3}

OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "plain": {},
    "one epoch": {"n_epochs": 1},
    "fewer steps": {"n_steps": 24},
    "networks of the domains": {"policy_kwargs": {"net_arch": [256, 256], "activation_fn": "relu"}},
    "an extractor each": {"policy_kwargs": {"share_features_extractor": False}},
    "a shorter last minibatch": {"batch_size": 33},
    "a last minibatch of one": {"batch_size": 79},
    "one minibatch": {"batch_size": 80},
    "advantages not normalised": {"normalize_advantage": False},
    "entropy": {"ent_coef": 0.05},
    "value coefficient": {"vf_coef": 1.3},
    "value clipping": {"clip_range_vf": 0.1},
    "narrow clipping": {"clip_range": 0.02},
    "small gradient norm": {"max_grad_norm": 0.05},
    "stops on divergence": {"target_kl": 0.003, "learning_rate": 3e-3},
    "schedules": {"learning_rate": "lin_2e-3", "clip_range": "lin_0.3", "clip_range_vf": "lin_0.4"},
    "relu": {"policy_kwargs": {"activation_fn": "relu"}},
    "elu": {"policy_kwargs": {"activation_fn": "elu"}},
    "leaky relu": {"policy_kwargs": {"activation_fn": "leaky_relu"}},
    "silu": {"policy_kwargs": {"activation_fn": "silu"}},
    "gelu": {"policy_kwargs": {"activation_fn": "gelu"}},
    "linear": {"policy_kwargs": {"net_arch": []}},
    "separate networks": {"policy_kwargs": {"net_arch": {"pi": [24, 16], "vf": [40]}}},
    "small noise": {"policy_kwargs": {"log_std_init": -2.0, "ortho_init": False}},
    "adam": {"policy_kwargs": {"optimizer_kwargs": {"eps": 1e-4, "betas": [0.8, 0.9], "weight_decay": 0.1}}},
}

# Hyperparameters that no update depends on, and the tests that compare them with SB3.
ELSEWHERE = {
    "gamma": "test_whole_training",
    "gae_lambda": "below",
    "n_envs": "test_whole_training",
    "normalize_observation": "test_whole_training",
    "normalize_reward": "test_whole_training",
    "device": "test_device",
    "use_sde": "unsupported",
    "sde_sample_freq": "of use_sde",
    "stats_window_size": "of SB3's own log",
    "policy_kwargs": "part by part",
}


def test_every_option_that_is_offered_is_tried() -> None:
    """An option that SB3's next version adds fails here."""
    own = {"n_envs", "normalize_observation", "normalize_reward"}
    tried = [BASE, *OPTIONS.values()]
    policy = [each["policy_kwargs"] for each in tried if "policy_kwargs" in each]
    assert {*_arguments("ppo"), *own} == {name for each in tried for name in each} | ELSEWHERE.keys()
    assert {name for each in policy for name in each} == POLICY_KWARGS
    assert {name for each in policy for name in each.get("optimizer_kwargs", ())} == OPTIMIZER_KWARGS
    names = {each["activation_fn"] for each in policy if "activation_fn" in each} | {"tanh"}  # SB3's own
    assert names == ACTIVATIONS.keys()


class Walks:
    """Observations that actions move; an env ends after LIMIT steps, or where it went too far."""

    action_low, action_high = np.full(ACTIONS, -0.5), np.full(ACTIONS, 0.5)
    observation_size = INPUTS

    def __init__(self, learners: int) -> None:
        self._random = [np.random.default_rng(env) for env in range(learners * ENVS)]
        self._length = np.zeros(len(self._random), np.int64)

    def reset(self) -> Array:
        self._position = np.stack([random.normal(size=INPUTS) for random in self._random])
        return self._position.copy()

    def step(self, actions: Array) -> Step:
        self._position[:, :ACTIONS] += actions
        self._length += 1
        terminal = self._position.copy()
        terminated, truncated = np.abs(terminal[:, 0]) > 2.0, self._length >= LIMIT
        for env in np.flatnonzero(terminated | truncated):
            self._position[env] = self._random[env].normal(size=INPUTS)
            self._length[env] = 0
        return Step(self._position.copy(), terminated, truncated, terminal)


def sb3(options: Mapping[str, Any], seed: int) -> PPO:
    box = gymnasium.spaces.Box(-np.inf, np.inf, (INPUTS,)), gymnasium.spaces.Box(-0.5, 0.5, (ACTIONS,))
    arguments = settings("ppo", {**BASE, **options}).arguments
    model = PPO("MlpPolicy", DummyVecEnv([lambda: SpacesOnly(*box)] * ENVS), seed=seed, **arguments)
    model.set_logger(Logger(None, []))
    model._current_progress_remaining = 0.7
    return model


def population(seeds: list[int], options: Mapping[str, Any]) -> PopulationPPO:
    envs = cast(BatchedEnvs, Walks(len(seeds)))
    given = settings("ppo", {**BASE, **options, "n_envs": ENVS})
    return PopulationPPO([sb3(options, seed) for seed in seeds], given, envs)


def rewards_of(rollout: Rollout) -> Array:
    return np.cumsum(np.random.default_rng(0).normal(size=rollout.dones.shape), axis=0)


def fill(model: PPO, rollout: Rollout, ppo: PopulationPPO, learner: int) -> None:
    """Put a learner's rollout into SB3's buffer."""
    buffer = model.rollout_buffer
    buffer.reset()
    scaled = ppo.reward_scale.apply(rewards_of(rollout)).astype(np.float32) + rollout.bootstraps
    starts = np.ones(ENVS)
    for t in range(model.n_steps):
        observations = torch.from_numpy(rollout.observations[t, learner])
        actions = torch.from_numpy(rollout.actions[t, learner])
        with torch.no_grad():
            values, log_probs, _ = model.policy.evaluate_actions(observations, actions)
        np.testing.assert_allclose(rollout.log_probs[t, learner], log_probs, atol=1e-4)
        buffer.add(observations.numpy(), actions.numpy(), scaled[t, learner], starts, values, log_probs)
        starts = rollout.dones[t, learner].astype(float)
    with torch.no_grad():
        last = model.policy.predict_values(torch.from_numpy(rollout.observations[-1, learner]))
    buffer.compute_returns_and_advantage(last, rollout.dones[-1, learner])


def generator(ppo: PopulationPPO, learner: int) -> np.random.Generator:
    """Draws what the learner will draw."""
    return deepcopy(ppo._random[learner])


def train(model: PPO, order: np.random.Generator) -> None:
    """SB3's update, with permutations from a generator."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("numpy.random.permutation", order.permutation)
        model.train()


@pytest.mark.filterwarnings("ignore:You have specified a mini-batch size")
@pytest.mark.parametrize("option", OPTIONS)
def test_parameters_agree_with_sb3(option: str) -> None:
    """Two learners, two rollouts and updates; each beside an SB3 model of its own."""
    ppo = population([1, 2], OPTIONS[option])
    models = [sb3(OPTIONS[option], seed) for seed in (1, 2)]
    stopped = False
    for _ in range(2):
        rollout = ppo.collect()
        orders = [generator(ppo, learner) for learner in range(2)]
        losses = ppo.update(rewards_of(rollout), rollout, 0.7)
        for learner, model in enumerate(models):
            fill(model, rollout, ppo, learner)
            before = model._n_updates
            train(model, orders[learner])
            assert losses[learner]["epochs"] == model._n_updates - before
            stopped |= model._n_updates - before < model.n_epochs
            explained = model.logger.name_to_value["train/explained_variance"]
            assert losses[learner]["explained_variance"] == pytest.approx(explained, abs=1e-4)
    for learner, model in enumerate(models):
        ours = ppo.policies.of_sb3(ppo.policies.parameters[learner])
        for name, theirs in model.policy.state_dict().items():
            beyond = (ours[name] - theirs).abs() > 1e-5
            # Rounding may put a ReLU unit's input on the other side of 0.
            assert beyond.float().mean() <= (0.01 if option == "networks of the domains" else 0.0), name
    assert stopped == (option == "stops on divergence")


def test_losses_are_those_that_sb3_logs() -> None:
    """With one minibatch and one epoch, where both take the mean over the same."""
    options = {"batch_size": 80, "n_epochs": 1, "clip_range_vf": 0.1, "ent_coef": 0.1}
    ppo, model = population([2], options), sb3(options, 2)
    rollout = ppo.collect()
    losses = ppo.update(rewards_of(rollout), rollout, 0.7)[0]
    fill(model, rollout, ppo, 0)
    model.train()
    for name in LOGGED:
        assert losses[name] == pytest.approx(model.logger.name_to_value[f"train/{name}"], abs=1e-6), name


def test_what_is_exported_is_sb3s() -> None:
    """Parameters, and Adam's moments, continue in SB3 as they do here."""
    ppo, model = population([4], {}), sb3({}, 4)
    for _ in range(2):
        rollout = ppo.collect()
        ppo.update(rewards_of(rollout), rollout, 0.7)
    ppo.export(0, model)
    rollout = ppo.collect()
    order = generator(ppo, 0)
    ppo.update(rewards_of(rollout), rollout, 0.7)
    fill(model, rollout, ppo, 0)
    train(model, order)
    ours = ppo.policies.of_sb3(ppo.policies.parameters[0])
    for name, theirs in model.policy.state_dict().items():
        assert torch.allclose(ours[name], theirs, rtol=0.0, atol=1e-6), name


@pytest.mark.parametrize(
    ("hyperparameters", "lacking"),
    [
        ({}, ""),
        ({"target_kl": 0.1, "policy_kwargs": {"net_arch": [8], "ortho_init": False}}, ""),
        ({"policy_kwargs": {"optimizer_kwargs": {"eps": 1e-4, "weight_decay": 0.1}}}, ""),
        ({"use_sde": True}, "use_sde"),
        ({"policy_kwargs": {"full_std": False}}, "policy_kwargs.full_std"),
        ({"policy_kwargs": {"optimizer_kwargs": {"amsgrad": True}}}, "optimizer_kwargs.amsgrad"),
    ],
)
def test_unsupported_hyperparameters(hyperparameters: Mapping[str, Any], lacking: str) -> None:
    found = unsupported(settings("ppo", hyperparameters))
    assert found == (f"the population trainer has no {lacking}" if lacking else "")
