"""Episodes for the bank: kept as they happened, and what they say of hand-written rewards."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np

from eureka_loop.envs.registry import find_domain
from eureka_loop.judge.base import TaskJudge
from eureka_loop.judge.episodes import play
from eureka_loop.judge.screening import RANDOM, one_sided, screen
from eureka_loop.judge.trajectory import read
from eureka_loop.records import Array
from eureka_loop.reward.gate import check
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.sandbox.process import Terms
from eureka_loop.reward.vocabulary import PREFIXES
from eureka_loop.search.bank import Bank, BankEpisode
from eureka_loop.simulate.env import make_env
from eureka_loop.simulate.observables import ObservableRegistry
from eureka_loop.train.saved import RANDOM_EPISODES, record, record_random
from tests.train.conftest import short

SKILLS = (-0.5, 0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0)


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
        for number, skill in enumerate(SKILLS):
            record(env, domain, balance(skill), 7, tmp_path / f"skill-{number}.npz")
        vocabulary = ObservableRegistry(env, domain).vocabulary
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
    record(env, domain, lambda seen: np.tanh(seen[:3]), 3, tmp_path / "e.npz")
    registry = ObservableRegistry(env, domain)
    names = registry.vocabulary.names(hidden=True)
    names += [prefix + name for prefix in PREFIXES for name in names]
    expected = play(lambda seen: np.tanh(seen[:3]), env, registry.buffer(names, 1), 3)
    env.close()
    found = read(tmp_path / "e.npz", names)
    for name in names:
        np.testing.assert_allclose(found[name], expected[name].astype(np.float32), err_msg=name)


def test_random_episodes_are_the_same_again(tmp_path: Path) -> None:
    task = short("hopper-hop", 100)
    for place in ("one", "two"):
        (tmp_path / place).mkdir()
        record_random(task, find_domain(task.env_id), tmp_path / place)
    ones, twos = (sorted((tmp_path / place).glob("random-*.npz")) for place in ("one", "two"))
    assert len(ones) == RANDOM_EPISODES
    assert [path.read_bytes() for path in ones] == [path.read_bytes() for path in twos]
    assert len({path.read_bytes() for path in ones}) == len(ones)
