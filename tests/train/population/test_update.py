"""The stacked update is SB3's: same weights, same rollout, same permutation, same parameters afterwards."""

from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.vec_env import DummyVecEnv

from eureka_loop.train import hyperparameters
from eureka_loop.train.hyperparameters import _arguments, settings
from eureka_loop.train.population import networks
from eureka_loop.train.population.acting import Actors
from eureka_loop.train.population.group import Group, LearnerState, Rules
from eureka_loop.train.population.loss import Rates
from eureka_loop.train.population.minibatches import ADVANTAGE, LOG_PROB, RETURN, VALUE, Fields, Shuffler
from eureka_loop.train.population.models import OPTIMIZER_KWARGS, POLICY_KWARGS

INPUTS, ACTIONS, STEPS, ENVS = 5, 3, 40, 2

BASE: Mapping[str, Any] = {"n_steps": STEPS, "batch_size": 16, "n_epochs": 4, "learning_rate": 1e-3}

OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "plain": {},
    "defaults of SB3's batches": {"batch_size": 64},
    "fewer steps": {"n_steps": 24},
    "one epoch": {"n_epochs": 1},
    "as domains have it": {"policy_kwargs": {"net_arch": [256, 256], "activation_fn": "relu"}},
    "an extractor each": {"policy_kwargs": {"share_features_extractor": False}},
    "a last minibatch cut short": {"batch_size": 33},
    "a last minibatch of one": {"batch_size": 79},
    "one minibatch": {"batch_size": 80},
    "advantages as they are": {"normalize_advantage": False},
    "entropy": {"ent_coef": 0.05},
    "value coefficient": {"vf_coef": 1.3},
    "value clipping": {"clip_range_vf": 0.1},
    "narrow clipping": {"clip_range": 0.02},
    "gradients clipped hard": {"max_grad_norm": 0.05},
    "gradients hardly clipped": {"max_grad_norm": 50.0},
    "stops on divergence": {"target_kl": 0.003, "learning_rate": 3e-3},
    "schedules": {"learning_rate": "lin_2e-3", "clip_range": "lin_0.3", "clip_range_vf": "lin_0.4"},
    "relu": {"policy_kwargs": {"activation_fn": "relu"}},
    "elu": {"policy_kwargs": {"activation_fn": "elu"}},
    "leaky relu": {"policy_kwargs": {"activation_fn": "leaky_relu"}},
    "silu": {"policy_kwargs": {"activation_fn": "silu"}},
    "gelu": {"policy_kwargs": {"activation_fn": "gelu"}},
    "another width": {"policy_kwargs": {"net_arch": [48, 20, 8]}},
    "one layer": {"policy_kwargs": {"net_arch": [32]}},
    "linear": {"policy_kwargs": {"net_arch": []}},
    "networks apart": {"policy_kwargs": {"net_arch": {"pi": [24, 16], "vf": [40]}}},
    "a linear policy": {"policy_kwargs": {"net_arch": {"pi": [], "vf": [40, 20]}, "activation_fn": "silu"}},
    "small noise": {"policy_kwargs": {"log_std_init": -2.0, "ortho_init": False}},
    "adam's own": {
        "policy_kwargs": {"optimizer_kwargs": {"eps": 1e-4, "betas": [0.8, 0.9], "weight_decay": 0.1}}
    },
}


# What else may be set, and where it is held to SB3's: nothing of an update, or nothing at all, depends on it.
ELSEWHERE = {
    "gamma": "test_cohort_identity",
    "gae_lambda": "test_returns",
    "n_envs": "test_cohort_identity",
    "normalize_observation": "test_cohort_identity",
    "normalize_reward": "test_cohort_identity",
    "device": "test_device",
    "use_sde": "refused: test_engine",
    "sde_sample_freq": "of use_sde",
    "stats_window_size": "of what SB3 prints",
    "policy_kwargs": "part by part",
}


def test_every_option_that_is_offered_is_tried() -> None:
    """One that SB3's next version adds, or this trainer, is missed here."""
    own = {"n_envs", "normalize_observation", "normalize_reward"}
    tried = [BASE, *OPTIONS.values()]
    policy = [each["policy_kwargs"] for each in tried if "policy_kwargs" in each]
    assert {*_arguments("ppo"), *own} == {name for each in tried for name in each} | ELSEWHERE.keys()
    assert {name for each in policy for name in each} == POLICY_KWARGS
    assert {name for each in policy for name in each.get("optimizer_kwargs", ())} == OPTIMIZER_KWARGS
    names = {each["activation_fn"] for each in policy if "activation_fn" in each} | {"tanh"}  # SB3's own
    assert names == hyperparameters.ACTIVATIONS.keys()
    assert {hyperparameters.ACTIVATIONS[name] for name in names} == networks.ACTIVATIONS.keys()


class Nothing(gymnasium.Env[Any, Any]):
    """Spaces, and no world behind them."""

    observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (INPUTS,))
    action_space = gymnasium.spaces.Box(-1.0, 1.0, (ACTIONS,))

    def reset(self, **_: Any) -> Any:
        return np.zeros(INPUTS, np.float32), {}


def sb3(options: Mapping[str, Any], seed: int) -> PPO:
    """SB3's learner after a first rollout of made-up steps, ready to be updated."""
    arguments = settings("ppo", {**BASE, **options}).arguments
    model = PPO("MlpPolicy", DummyVecEnv([Nothing] * ENVS), seed=seed, **arguments)
    model.set_logger(Logger(None, []))
    model._current_progress_remaining = 0.7
    fill(model, seed)
    return model


def fill(model: PPO, seed: int) -> None:
    """A rollout of random observations and rewards, with the actions that the policy takes."""
    random = np.random.default_rng(seed)
    model.rollout_buffer.reset()
    starts = np.ones(ENVS)
    for _ in range(model.n_steps):
        obs = random.normal(size=(ENVS, INPUTS)).astype(np.float32)
        with torch.no_grad():
            actions, values, log_probs = model.policy(torch.from_numpy(obs))
        rewards = random.normal(size=ENVS).astype(np.float32)
        model.rollout_buffer.add(obs, actions.numpy(), rewards, starts, values, log_probs)
        starts = random.random(ENVS) < 0.1
    model.rollout_buffer.compute_returns_and_advantage(torch.zeros(ENVS), starts)


def rows_of(model: PPO) -> torch.Tensor:
    """SB3's rollout in our rows, (rows, fields)."""
    fields, buffer = Fields(INPUTS, ACTIONS), model.rollout_buffer
    rows = np.ones((ENVS, model.n_steps + 1, fields.size), np.float32)
    steps = rows[:, :-1]
    steps[..., :INPUTS] = buffer.observations.swapaxes(0, 1)
    steps[..., fields.action] = buffer.actions.swapaxes(0, 1)
    numbers = [(VALUE, "values"), (LOG_PROB, "log_probs"), (ADVANTAGE, "advantages"), (RETURN, "returns")]
    for which, name in numbers:
        steps[..., fields.extra(which)] = getattr(buffer, name).T
    return torch.from_numpy(rows.reshape(-1, fields.size))


def group_of(models: list[PPO], members: Any = None) -> Group:
    rules = Rules.of(models[0])
    shuffler = Shuffler(
        Fields(INPUTS, ACTIONS),
        models[0].n_steps,
        ENVS,
        models[0].batch_size,
        normalize_advantage=models[0].normalize_advantage,
    )
    states = [LearnerState.fresh(rules.layout.pack(model.policy.state_dict())) for model in models]
    return Group(rules, shuffler, np.arange(len(models)) if members is None else members, states)


def orders_of(seeds: list[int], epochs: int, steps: int = STEPS) -> list[np.ndarray[Any, Any]]:
    """The permutations that SB3 draws after `np.random.seed(seed)`."""
    streams = [np.random.RandomState(seed) for seed in seeds]
    return [np.stack([stream.permutation(steps * ENVS) for stream in streams]) for _ in range(epochs)]


def rates_of(model: PPO) -> Rates:
    progress = model._current_progress_remaining
    clip_vf = model.clip_range_vf(progress) if model.clip_range_vf else None  # type: ignore[operator]
    return Rates(model.lr_schedule(progress), model.clip_range(progress), clip_vf)  # type: ignore[operator]


@pytest.mark.filterwarnings("ignore:You have specified a mini-batch size")
@pytest.mark.parametrize("option", OPTIONS)
def test_parameters_agree_with_sb3(option: str) -> None:
    """Two updates in a row of one learner."""
    model = sb3(OPTIONS[option], seed=1)
    group = group_of([model])
    stopped = False
    for update in range(2):
        if update:
            fill(model, seed=5)
        rows, rates = rows_of(model)[None], rates_of(model)
        losses = group.learn(rows, orders_of([7], model.n_epochs, model.n_steps), rates)[0]
        np.random.seed(7)
        before = model._n_updates
        model.train()
        assert losses["epochs"] == model._n_updates - before
        stopped |= model._n_updates - before < model.n_epochs
    ours = group.state(0)
    for name, theirs in model.policy.state_dict().items():
        found = dict(Rules.of(model).layout.views(ours.parameters))[name]
        assert torch.allclose(found, theirs, rtol=0.0, atol=1e-5), name
    assert stopped == (option == "stops on divergence")


def test_losses_are_those_that_sb3_logs() -> None:
    """With one minibatch and one epoch, where both take the mean over the same."""
    model = sb3({"batch_size": 80, "n_epochs": 1, "clip_range_vf": 0.1, "ent_coef": 0.1}, seed=2)
    losses = group_of([model]).learn(rows_of(model)[None], orders_of([7], 1), rates_of(model))[0]
    np.random.seed(7)
    model.train()
    for name in ("policy_gradient_loss", "value_loss", "entropy_loss", "loss", "clip_fraction", "approx_kl"):
        assert losses[name] == pytest.approx(model.logger.name_to_value[f"train/{name}"], abs=1e-6), name


@pytest.mark.filterwarnings("ignore:You have specified a mini-batch size")
@pytest.mark.parametrize(
    "options",
    [
        {"batch_size": 64},
        {"batch_size": 27, "policy_kwargs": {"net_arch": [40, 19]}},
        {"policy_kwargs": {"net_arch": {"pi": [64], "vf": [100, 9]}, "activation_fn": "elu"}},
        {"target_kl": 0.003, "learning_rate": 3e-3, "clip_range_vf": 0.1},
    ],
    ids=["plain", "odd sizes", "networks apart", "stops on divergence"],
)
def test_learners_do_not_notice_each_other(options: Mapping[str, Any]) -> None:
    """Five learners, then each alone, then two of them: values, losses and parameters equal, bit for bit."""
    models = [sb3(options, seed) for seed in range(5)]
    together = updated(models, range(5))
    for few in ([0], [1], [4], [3, 1]):
        for (losses, rows, state), place in zip(updated(models, few), few, strict=True):
            assert losses == together[place][0]
            assert torch.equal(rows, together[place][1])
            for part, expected in zip(parts(state), parts(together[place][2]), strict=True):
                assert torch.equal(part, expected)
            assert state.steps == together[place][2].steps


def updated(models: list[PPO], chosen: Sequence[int]) -> list[tuple[Any, torch.Tensor, LearnerState]]:
    """Losses, rows and state of the chosen after two updates as one group, their rows among others'."""
    rows = torch.stack([rows_of(model) for model in models])
    group = group_of([models[each] for each in chosen], np.array(chosen))
    for _ in range(2):
        group.evaluate(rows)
        orders = orders_of([100 + each for each in chosen], models[0].n_epochs)
        losses = group.learn(rows, orders, rates_of(models[0]))
    return [(losses[at], rows[place], group.state(at)) for at, place in enumerate(chosen)]


def parts(state: LearnerState) -> list[torch.Tensor]:
    return [*state.parameters, *state.moments[0], *state.moments[1]]


@pytest.mark.parametrize("apart", [False, True])
def test_actors_do_not_notice_each_other(apart: bool) -> None:
    models = [sb3({}, seed) for seed in range(3)]
    group = group_of(models)
    layout, activation = group.rules.layout, group.rules.activation
    inputs = np.random.default_rng(0).normal(size=(3, 4, INPUTS + 1)).astype(np.float32)
    inputs[..., -1] = 1.0
    all_of_them = Actors(layout, activation, 3, 4, apart=apart)
    all_of_them.copy(np.arange(3), group.sections)
    means = all_of_them.means(inputs).copy()
    for place, model in enumerate(models):
        alone = Actors(layout, activation, 1, 4, apart=apart)
        alone.copy(np.zeros(1, np.intp), [part[place : place + 1] for part in group.sections])
        assert (alone.means(inputs[place : place + 1])[0] == means[place]).all()
        theirs, _ = model.predict(inputs[place, :, :-1], deterministic=True)
        assert np.allclose(np.clip(means[place], -1.0, 1.0), theirs, atol=1e-6)


def test_actors_apart_do_not_notice_the_other_observations() -> None:
    group = group_of([sb3({}, 0)])
    inputs = np.random.default_rng(0).normal(size=(1, 7, INPUTS + 1)).astype(np.float32)
    means = []
    for n in (7, 1):
        actors = Actors(group.rules.layout, group.rules.activation, 1, n, apart=True)
        actors.copy(np.zeros(1, np.intp), group.sections)
        means.append(actors.means(inputs[:, :n])[0, 0].copy())
    assert (means[0] == means[1]).all()


def test_values_and_log_probabilities_of_a_rollout() -> None:
    """As SB3's policy gives them, for more rows than are worked on at a time; and of single states."""
    model = sb3({}, seed=3)
    group, rows, fields = group_of([model]), rows_of(model)[None], Fields(INPUTS, ACTIONS)
    wanted = rows.clone()
    extras = slice(fields.extra(VALUE), fields.extra(LOG_PROB) + 1)
    rows[..., extras] = 0.0
    group.evaluate(rows)
    steps = [env * (STEPS + 1) + step for env in range(ENVS) for step in range(STEPS)]
    assert torch.allclose(rows[0, steps], wanted[0, steps], atol=1e-5)
    values = group.values(0, rows[0, :3, :INPUTS].contiguous())
    assert torch.allclose(values, rows[0, :3, fields.extra(VALUE)], atol=1e-6)
