"""Policies that act as those of SB3; damaged files of them; episodes for the bank, and what they say."""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium.spaces import Box, Dict, Discrete, MultiDiscrete
from stable_baselines3.common.vec_env import DummyVecEnv

from eureka_loop.envs.registry import find_domain
from eureka_loop.judge.base import TaskJudge
from eureka_loop.judge.episodes import play
from eureka_loop.judge.screening import RANDOM, one_sided, screen
from eureka_loop.judge.trajectory import read
from eureka_loop.records import POLICY, Algorithm, Array
from eureka_loop.reward.gate import check
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.sandbox.process import Terms
from eureka_loop.reward.vocabulary import PREFIXES
from eureka_loop.search.bank import Bank, BankEpisode
from eureka_loop.simulate.env import make_env
from eureka_loop.simulate.observables import ObservableRegistry
from eureka_loop.simulate.play import load
from eureka_loop.train.hyperparameters import ACTIVATIONS, ALGORITHMS, SpacesOnly, make_model, settings
from eureka_loop.train.saved import RANDOM_EPISODES, record, record_random, save_policy
from tests.train.conftest import short

BOX = Box(-np.inf, np.inf, (5,))
GOAL = Dict({"observation": BOX, "desired_goal": Box(-1.0, 1.0, (3,)), "achieved_goal": Box(-1.0, 1.0, (3,))})
BOUNDS = Box(np.array([-0.4, -2.0], np.float32), np.array([0.4, 1.0], np.float32))
SKILLS = (-0.5, 0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0)


def saved(
    folder: Path, algorithm: Algorithm, observed: Any, acted: Any = BOUNDS, **hyperparameters: Any
) -> Any:
    """SB3's untrained model with statistics of some random observations, saved."""
    options = settings(algorithm, hyperparameters)
    model = make_model(algorithm, options, DummyVecEnv([lambda: SpacesOnly(observed, acted)]), 0)
    normalization = model.get_vec_normalize_env()
    rng, statistics = np.random.default_rng(0), vars(normalization).get("obs_rms", {})
    for each in statistics.values() if isinstance(statistics, dict) else [statistics]:
        each.update(rng.normal(3.0, 2.0, (50, *each.mean.shape)))
    save_policy(folder, model)
    return model


@pytest.mark.parametrize("acted", [Discrete(3), MultiDiscrete([3, 2])], ids=str)
def test_it_chooses_from_a_list_as_sb3s_own_files_do(tmp_path: Path, acted: Any) -> None:
    model = saved(tmp_path, "ppo", BOX, acted)
    for parameter in model.policy.parameters():
        parameter.data *= 3.0
    save_policy(tmp_path, model)
    act, rng, found = load(tmp_path), np.random.default_rng(1), []
    for _ in range(30):
        seen = rng.normal(3.0, 9.0, 5)
        normal = model.get_vec_normalize_env().normalize_obs(seen)
        found.append(np.asarray(act(seen)).tolist())
        assert found[-1] == model.predict(normal, deterministic=True)[0].tolist()
        assert acted.contains(act(seen))
    assert len({*map(str, found)}) > 1


@pytest.mark.parametrize("observed", [BOX, GOAL], ids=["flat", "goals"])
@pytest.mark.parametrize(
    ("algorithm", "hyperparameters"),
    [
        *(("ppo", {"policy_kwargs": {"activation_fn": name}}) for name in ACTIVATIONS),
        ("ppo", {"policy_kwargs": {"net_arch": []}, "normalize_observation": False}),
        ("ppo", {"use_sde": True, "policy_kwargs": {"squash_output": True}}),
        ("sac", {"policy_kwargs": {"net_arch": {"pi": [64, 32], "qf": [8]}}}),
        ("sac", {"use_sde": True, "normalize_observation": False}),
    ],
    ids=str,
)
def test_it_acts_as_sb3s_own_files_do(
    tmp_path: Path, algorithm: Algorithm, hyperparameters: Mapping[str, Any], observed: Any
) -> None:
    """To the last bit, whatever the network."""
    model = saved(tmp_path, algorithm, observed, **hyperparameters)
    for parameter in model.policy.parameters():  # far out, so that bounds and clips count
        parameter.data *= 3.0
    save_policy(tmp_path, model)
    theirs = ALGORITHMS[algorithm].load(tmp_path / "policy.zip", device="cpu")
    normalization: Any = pickle.loads((tmp_path / "vecnormalize.pkl").read_bytes())
    act, rng = load(tmp_path), np.random.default_rng(1)
    for _ in range(30):
        seen: Any = rng.normal(3.0, 9.0, 5)
        if observed is GOAL:
            seen = {key: rng.normal(3.0, 9.0, part.shape) for key, part in GOAL.spaces.items()}
        wanted, _ = theirs.predict(normalization.normalize_obs(seen), deterministic=True)
        found = act(seen)
        assert (found.dtype, found.tolist()) == (wanted.dtype, wanted.tolist())


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("layers", ["Linear", "Bilinear", "Linear"], "a layer 'Bilinear'; known are Linear, Tanh, "),
        ("layers", np.array(["Linear", pickle.loads], object), "Object arrays cannot be loaded when allow_pickle=False"),
        ("2.weight", np.zeros((64, 63), np.float32), ""),
        ("low", np.zeros(3, np.float32), "cannot reshape array of size 2 into shape (3,)"),
        ("4.bias", None, "'4.bias'"),
        ("more", np.zeros(33_000_000), "264,"),
        ("layers", ["Linear", *["Tanh"] * 99, "Linear"], "101 layers; at most 100"),
    ],
    ids=["unknown layer", "objects", "shape", "action", "missing", "too large", "too many"],
)  # fmt: skip
def test_a_damaged_policy_is_refused_with_the_reason(tmp_path: Path, name: str, value: Any, why: str) -> None:
    saved(tmp_path, "ppo", BOX)
    with np.load(tmp_path / POLICY) as archive:
        content = {**archive, name: value}
    if value is None:
        del content[name]
    np.savez_compressed(tmp_path / POLICY, **content)
    with pytest.raises(ValueError, match=rf"policy\.npz is damaged: .*{re.escape(why)}"):
        load(tmp_path)


def balance(skill: float) -> Callable[[Array], Array]:
    """A cart under its pole; with little skill it comes late."""
    return lambda seen: np.clip([skill * (20 * seen[1] + 3 * seen[3] + seen[0] + seen[2])], -3, 3)


def test_a_hand_written_reward_ranks_forwards_and_flipped_it_is_caught(
    fork_server: ForkServer, tmp_path: Path
) -> None:
    """On a bank of random actions, and of controllers of more and less skill."""
    task = short("invertedpendulum-balance", 100)
    domain = find_domain(task.env_id)
    record_random(task, domain, tmp_path)
    with closing(make_env(task)) as env:
        registry = ObservableRegistry(env, domain)
        vocabulary = registry.vocabulary
        for number, skill in enumerate(SKILLS):
            record(env, registry, balance(skill), 7, tmp_path / f"skill-{number}.npz")
    kept = []
    with TaskJudge(fork_server, task, vocabulary) as judge:
        for path in sorted(tmp_path.glob("*.npz")):
            policy = RANDOM if path.stem.startswith(RANDOM) else path.stem
            kept.append(BankEpisode(path, policy, judge.measure(read(path, judge.names))[0]))
    bank = Bank(kept)
    assert one_sided(bank.ranks, bank.policies) == ""
    program = check(task.human or "", vocabulary, hidden=True)
    shapes = vocabulary.shapes(program.parameters, hidden=True)
    terms, lengths = bank.ask(program, shapes, fork_server)
    for sign, verdict in ((1.0, "forwards"), (-1.0, "backwards")):
        assert screen(Terms(terms.names, sign * terms.values), lengths, bank.ranking, 0.99).verdict == verdict


def test_every_observable_can_be_read_back_as_it_was(tmp_path: Path) -> None:
    """Against a recorder that was asked for all names, `prev_` and `init_` included."""
    task = short("hopper-hop", 20)
    domain = find_domain(task.env_id)
    env = make_env(task)
    registry = ObservableRegistry(env, domain)
    record(env, registry, lambda seen: np.tanh(seen[:3]), 3, tmp_path / "e.npz")
    names = registry.vocabulary.names(hidden=True)
    names += [prefix + name for prefix in PREFIXES for name in names]
    expected = play(lambda seen: np.tanh(seen[:3]), env, registry.buffer(names, 1), 3)
    env.close()
    found = read(tmp_path / "e.npz", names)
    for name in names:
        np.testing.assert_allclose(found[name], expected[name].astype(np.float32), err_msg=name)


def test_random_episodes_differ_from_each_other_and_are_the_same_again(tmp_path: Path) -> None:
    task = short("hopper-hop", 100)
    for place in ("one", "two"):
        (tmp_path / place).mkdir()
        record_random(task, find_domain(task.env_id), tmp_path / place)
    ones, twos = (sorted((tmp_path / place).glob("random-*.npz")) for place in ("one", "two"))
    assert len(ones) == RANDOM_EPISODES
    assert [path.read_bytes() for path in ones] == [path.read_bytes() for path in twos]
    assert len({read(path, ["action"])["action"][0].tobytes() for path in ones}) == len(ones)
