"""Batched envs against Gymnasium's own, under equal random actions, over the catalogue.

A task gets these tests where its domain file states its env as vectorised functions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from eureka_loop.envs.metaworld_vectorised import OBSERVED
from eureka_loop.envs.registry import domains, find_domain, find_task, installed
from eureka_loop.judge.behaviour import BehaviourRecorder
from eureka_loop.records import Array, Task
from eureka_loop.reward.contract import Program
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.simulate.batched import BatchedEnvs, why_not_batched
from eureka_loop.simulate.recorded import RecordedVecEnv

LIMIT = 30  # steps of an episode, so that some are truncated
GYMNASIUM = {"envs": 3, "steps": 200, "rtol": 0.0, "atol": 0.0}  # the same floats
OTHERS = {"envs": 2, "steps": 80, "rtol": 1e-12, "atol": 1e-12}  # observations take sums in another order
COLUMNS = {"rtol": 1e-6, "atol": 1e-6}
SAMPLE = ("metaworld-push", "metaworld-drawer-open", "metaworld-hammer")  # of Meta-World; the others are slow
NOT_VECTORISED = ("metaworld-stick-push",)


def case(name: str, *, sample: tuple[str, ...] = SAMPLE) -> Any:
    extra = find_domain(find_task(name).env_id).extra
    marks = [] if installed(extra) else [pytest.mark.skip(f"needs the extra {extra!r}")]
    if extra == "metaworld" and name not in sample:
        marks.append(pytest.mark.slow)
    return pytest.param(name, marks=marks)


def cases() -> Iterator[Any]:
    """One task of every env that is stated; every one of Meta-World's, since its envs differ."""
    for domain in domains():
        if domain.vectorised:
            chosen = domain.tasks if callable(domain.vectorised) else domain.tasks[:1]
            yield from (case(task.name) for task in chosen if task.name not in NOT_VECTORISED)


MEASURED = Program("fitness", "def fitness(time):\n    return time[-1]\n", ("time",), {})


def shortened(name: str) -> Task:
    task = find_task(name)
    return replace(task, env_kwargs={**task.env_kwargs, "max_episode_steps": LIMIT})


def flat(obs: Any) -> Any:
    """A policy's input: of a goal env the parts as SB3 concatenates them."""
    return np.concatenate([obs[key] for key in sorted(obs)], axis=-1) if isinstance(obs, dict) else obs


def walk(batched: BatchedEnvs, single: RecordedVecEnv, steps: int, close: Mapping[str, float]) -> int:
    """Compare observations and episode ends at every step. The number of episodes that ended."""
    random, ended = np.random.default_rng(0), 0
    shape = (batched.n_envs, len(batched.action_low))
    np.testing.assert_array_equal(batched.reset(), flat(single.reset()))
    for _ in range(steps):
        actions = random.uniform(batched.action_low, batched.action_high, shape).astype(np.float32)
        step, (obs, _, done, infos) = batched.step(actions), single.step(actions)
        np.testing.assert_array_equal(step.terminated | step.truncated, done)
        np.testing.assert_allclose(step.obs, flat(obs), **close)
        for index in np.flatnonzero(done):
            ended += 1
            assert step.truncated[index] >= infos[index]["TimeLimit.truncated"]
            last = flat(infos[index]["terminal_observation"])
            np.testing.assert_allclose(step.terminal_obs[index], last, **close)
    return ended


@pytest.mark.parametrize("name", [*cases()])
def test_batched_envs_are_gymnasiums(name: str, fork_server: ForkServer) -> None:
    """Every visible observable recorded, with the values before the step and at the start of some."""
    task = shortened(name)
    domain = find_domain(task.env_id)
    kind = OTHERS if domain.extra else GYMNASIUM
    vocabulary = BatchedEnvs(task, domain, [], [0]).vocabulary
    names = vocabulary.names()
    assert why_not_batched(task, domain, names) == ""
    assert {*BehaviourRecorder(fork_server, [MEASURED], vocabulary).names(["prev_qpos"])} <= {*names}
    names += [f"{prefix}{each}" for prefix in ("prev_", "init_") for each in names[:: len(names) // 10]]
    n_envs, steps = int(kind["envs"]), int(kind["steps"])
    batched = BatchedEnvs(task, domain, names, range(7, 7 + n_envs), threads=2)
    single = RecordedVecEnv(task, domain, names, n_envs, 7)
    close = {"rtol": kind["rtol"], "atol": kind["atol"]}
    assert walk(batched, single, steps, close) >= n_envs
    got, expected = batched.buffer.take(), single.buffer.take()
    batched.close()
    assert len(got) == n_envs * steps
    for field in ("env_index", "episode_start", "done"):
        np.testing.assert_array_equal(getattr(got, field), getattr(expected, field))
    for each, column in got.columns.items():
        scale = max(1.0, float(np.abs(expected.columns[each]).max()))
        np.testing.assert_allclose(column / scale, expected.columns[each] / scale, **COLUMNS, err_msg=each)


OWN_RESETS = [case(name) for name in ("adroit-pen", "fetch-pick-and-place", "metaworld-drawer-open")]
TASKS = pytest.mark.parametrize("name", ["hopper-hop", *OWN_RESETS])


def make(name: str, seeds: Sequence[int], threads: int = 1, more: Sequence[str] = ()) -> BatchedEnvs:
    task = shortened(name)
    domain = find_domain(task.env_id)
    names = ["obs", "prev_action", "init_obs", *(each.name for each in domain.observables), *more]
    return BatchedEnvs(task, domain, names, seeds, threads)


def run(envs: BatchedEnvs, moves: Array) -> Array:
    """Observations (steps, N, D)."""
    return np.stack([envs.step(move).obs for move in moves])


def moves_of(envs: BatchedEnvs) -> Array:
    shape = (LIMIT + 10, envs.n_envs, len(envs.action_low))
    return np.random.default_rng(1).uniform(-1.0, 1.0, shape).astype(np.float32)


@TASKS
def test_an_env_is_the_same_alone_among_others_and_on_any_thread(name: str) -> None:
    whole, threaded, alone = make(name, range(10, 15)), make(name, range(10, 15), 3), make(name, [13])
    moves = moves_of(whole)
    first = whole.reset()
    assert len(np.unique(first, axis=0)) == 5  # every copy has its own start
    np.testing.assert_array_equal(first, threaded.reset())
    np.testing.assert_array_equal(first[3:4], alone.reset())
    expected = run(whole, moves)
    np.testing.assert_array_equal(run(threaded, moves), expected)
    np.testing.assert_array_equal(run(alone, moves[:, 3:4]), expected[:, 3:4])
    threaded.close()


SEEDS = {"soccer": 4, "peg-insert-side": 5}  # of a start from which the scripted policy succeeds; else 3
SOLVED = [
    case(f"metaworld-{name}", sample=("metaworld-drawer-open", "metaworld-hammer")) for name in OBSERVED
]


@pytest.mark.filterwarnings("ignore:Constant")  # a policy asks for more than an action can be
@pytest.mark.parametrize("name", SOLVED)
def test_meta_worlds_success_is_the_envs(name: str) -> None:
    """Under Meta-World's own scripted policies: random actions never succeed."""
    from metaworld.policies import ENV_POLICY_MAP

    short = name.removeprefix("metaworld-")
    task, policy = find_task(name), ENV_POLICY_MAP[f"{short}-v3"]()
    domain, seed = find_domain(task.env_id), SEEDS.get(short, 3)
    batched = BatchedEnvs(task, domain, ["info_success"], [seed])
    single = RecordedVecEnv(task, domain, ["info_success"], 1, seed)
    batched.reset()
    obs: Any = single.reset()
    for _ in range(250):
        action = np.clip(policy.get_action(obs[0]), -1.0, 1.0).astype(np.float32)[None]
        batched.step(action)
        obs, *_ = single.step(action)
    got = batched.buffer.take().columns["info_success"]
    np.testing.assert_array_equal(got, single.buffer.take().columns["info_success"])
    assert got.any()
