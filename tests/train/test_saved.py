"""Episodes for the bank: kept as they happened, and what they say of hand-written rewards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eureka_loop.envs.registry import find_domain, find_task
from eureka_loop.judge.base import TaskJudge
from eureka_loop.judge.episodes import play
from eureka_loop.judge.screening import RANDOM, Screened, one_sided, screen
from eureka_loop.judge.trajectory import read
from eureka_loop.records import Array, Task
from eureka_loop.reward.gate import check
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.sandbox.process import Terms
from eureka_loop.reward.vocabulary import PREFIXES
from eureka_loop.search.bank import Bank, BankEpisode
from eureka_loop.simulate.env import make_env
from eureka_loop.simulate.observables import ObservableRegistry
from eureka_loop.train.saved import RANDOM_EPISODES, record, record_random

Policy = Callable[[Array], Array]


@pytest.fixture(scope="module")
def fork_server() -> Iterator[ForkServer]:
    with ForkServer() as fork_server:
        yield fork_server


def short(name: str, steps: int) -> Task:
    return replace(find_task(name), env_kwargs={"max_episode_steps": steps})


def balance(skill: float, _: Any) -> Policy:
    """A cart under its pole; with little skill it comes late."""
    return lambda seen: np.clip([skill * (20 * seen[1] + 3 * seen[3] + seen[0] + seen[2])], -3, 3)


DOMAINS: dict[str, tuple[int, Callable[[float, Any], Policy]]] = {
    "invertedpendulum-balance": (100, balance),
}
SKILLS = (-0.5, 0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0)


@pytest.fixture(scope="module", params=DOMAINS)
def task(request: pytest.FixtureRequest) -> Task:
    return short(request.param, DOMAINS[request.param][0])


@pytest.fixture(scope="module")
def filled(task: Task, fork_server: ForkServer, tmp_path_factory: pytest.TempPathFactory) -> tuple[Bank, Any]:
    """A bank of real episodes: random actions, and controllers of more and less skill; the vocabulary."""
    folder = tmp_path_factory.mktemp(task.name)
    domain, make = find_domain(task.env_id), DOMAINS[task.name][1]
    record_random(task, domain, folder)
    with closing(make_env(task)) as env:
        for number, skill in enumerate(SKILLS):
            record(env, domain, make(skill, env.unwrapped), 7, folder / f"skill-{number}.npz")
        vocabulary = ObservableRegistry(env, domain).vocabulary
    kept = []
    with TaskJudge(fork_server, task, vocabulary) as judge:
        for path in sorted(folder.glob("*.npz")):
            policy = RANDOM if path.stem.startswith(RANDOM) else path.stem
            kept.append(BankEpisode(path, policy, judge.measure(read(path, judge.names))[0]))
    return Bank(kept), vocabulary


def asked(source: str, filled: tuple[Bank, Any], fork_server: ForkServer, *, sign: float = 1.0) -> Screened:
    bank, vocabulary = filled
    program = check(source, vocabulary, hidden=True)
    shapes = {name: vocabulary.resolve(name, hidden=True).shape for name in program.parameters}
    terms, lengths = bank.ask(program, shapes, fork_server)
    return screen(Terms(terms.names, sign * terms.values), lengths, bank.ranking, 0.99)


def test_a_hand_written_reward_ranks_forwards_and_flipped_it_is_caught(
    task: Task, filled: tuple[Bank, Any], fork_server: ForkServer
) -> None:
    assert one_sided(filled[0].fitness, filled[0].policies) == ""
    assert asked(task.human or "", filled, fork_server).verdict == "forwards"
    assert asked(task.human or "", filled, fork_server, sign=-1.0).verdict == "backwards"


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
