"""Batched envs against Gymnasium's own: 1,000 random-action steps of every env, from the same states.

A task gets these tests where its domain file states its env as vectorised functions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from eureka_loop.envs.registry import domains, find_domain, find_task, installed
from eureka_loop.records import Task
from eureka_loop.reward.gate import check
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.simulate.batched import BatchedEnvs, why_not_batched
from eureka_loop.simulate.recorded import RecordedVecEnv
from eureka_loop.simulate.step_buffer import Transitions

ENVS, STEPS, LIMIT = 4, 250, 90  # steps an episode may last, so that some are cut off
CLOSE = {"rtol": 1e-6, "atol": 1e-6}
EXACT, CLOSEST = {"rtol": 0.0, "atol": 0.0}, {"rtol": 1e-12, "atol": 1e-12}


def case(task: Task) -> Any:
    """A parameter of a test, skipped where the task's env isn't installed; most of Meta-World's are slow."""
    extra = find_domain(task.env_id).extra
    marks = [] if installed(extra) else [pytest.mark.skip(f"needs the extra {extra!r}")]
    if extra == "metaworld" and task.name not in SAMPLE:
        marks.append(pytest.mark.slow)
    return pytest.param(task.name, marks=marks)


def cases() -> Iterator[Any]:
    """One task of every env that is stated; every one of Meta-World's, whose envs differ."""
    for domain in domains():
        if domain.vectorised:
            chosen = domain.tasks if callable(domain.vectorised) else domain.tasks[:1]
            yield from (case(task) for task in chosen if task.name not in UNSERVED)


GYMNASIUMS = {
    "Ant-v5": "ant-run",
    "HalfCheetah-v5": "halfcheetah-run",
    "Hopper-v5": "hopper-hop",
    "Humanoid-v5": "humanoid-run",
    "HumanoidStandup-v5": "humanoidstandup-standup",
    "InvertedDoublePendulum-v5": "inverteddoublependulum-balance",
    "InvertedPendulum-v5": "invertedpendulum-balance",
    "Pusher-v5": "pusher-push",
    "Reacher-v5": "reacher-reach",
    "Swimmer-v5": "swimmer-swim",
    "Walker2d-v5": "walker2d-walk",
}
SAMPLE = ("metaworld-push", "metaworld-drawer-open", "metaworld-hammer")
UNSERVED = ("metaworld-stick-push",)
STATED = pytest.mark.parametrize("name", [*cases()])


@pytest.fixture(scope="module")
def fork_server() -> Iterator[ForkServer]:
    with ForkServer() as fork_server:
        yield fork_server


def task_of(name: str) -> Task:
    """A task, its episodes shorter."""
    task = find_task(name)
    return replace(task, env_kwargs={**task.env_kwargs, "max_episode_steps": LIMIT})


def both(name: str, **options: Any) -> tuple[BatchedEnvs, RecordedVecEnv]:
    """Every visible name recorded, with what came before and first; the native reward on one side."""
    task = task_of(name)
    domain = find_domain(task.env_id)
    vocabulary = BatchedEnvs(task, domain, [], 1, 0).vocabulary
    names = vocabulary.names()
    names += [f"{prefix}{each}" for prefix in ("prev_", "init_") for each in names[:: len(names) // 10]]
    names += check(task.human, vocabulary).parameters if task.human else ()
    batched = BatchedEnvs(task, domain, names, ENVS, 7, **options)
    return batched, RecordedVecEnv(task, domain, [*names, "native_reward"], ENVS, 7)


def flat(obs: Any) -> Any:
    """What a policy sees, in one piece: a goal env's parts as SB3 joins them."""
    return np.concatenate([obs[key] for key in sorted(obs)], axis=-1) if isinstance(obs, dict) else obs


def walk(batched: BatchedEnvs, single: RecordedVecEnv, steps: int, close: Mapping[str, float]) -> int:
    """Equal random actions; observations and episode ends are compared at every step. How many ended."""
    random, ended = np.random.default_rng(0), 0
    shape = (ENVS, len(batched.action_low))
    np.testing.assert_array_equal(batched.reset(), flat(single.reset()))
    for _ in range(steps):
        actions = random.uniform(batched.action_low, batched.action_high, shape).astype(np.float32)
        step, (obs, _, done, infos) = batched.step(actions), single.step(actions)
        np.testing.assert_array_equal(step.terminated | step.truncated, done)
        np.testing.assert_allclose(step.obs, flat(obs), **close)
        for index in np.flatnonzero(done):
            ended += 1
            assert step.truncated[index] >= infos[index]["TimeLimit.truncated"]
            np.testing.assert_allclose(
                step.terminal_obs[index], flat(infos[index]["terminal_observation"]), **close
            )
    return ended


def compare(got: Transitions, expected: Transitions, *, rtol: float, atol: float) -> None:
    for field in ("env_index", "episode_start", "done", "truncated"):
        np.testing.assert_array_equal(getattr(got, field), getattr(expected, field))
    for name, column in got.columns.items():
        wanted = expected.columns[name]
        # Of a force of 1,000 N a solver that stops at its tolerance doesn't find the last 1e-6 N.
        scale = max(1.0, float(np.abs(wanted).max()))
        np.testing.assert_allclose(column, wanted, rtol, atol * scale, err_msg=name)


def test_none_of_gymnasiums_is_left_out() -> None:
    """An env whose domain file states nothing any more would otherwise lose its tests without a word."""
    tried = {find_task(each.values[0]).env_id: each.values[0] for each in cases()}
    assert {env_id: tried.get(env_id) for env_id in GYMNASIUMS} == GYMNASIUMS


@STATED
def test_agrees_with_the_env(name: str, fork_server: ForkServer) -> None:
    batched, single = both(name, threads=2)
    assert walk(batched, single, STEPS, EXACT if name in GYMNASIUMS.values() else CLOSEST) >= ENVS
    got, expected = batched.take(), single.buffer.take()
    assert len(got) == ENVS * STEPS
    compare(got, expected, **CLOSE)
    batched.close()
    if not task_of(name).human:
        return
    program = check(task_of(name).human or "", batched.vocabulary)
    shapes = {each: batched.vocabulary.resolve(each).shape for each in program.parameters}
    with fork_server.start(program, shapes, rows=len(got)) as process:
        reward = process.evaluate({each: got.columns[each] for each in program.parameters}).total
    np.testing.assert_allclose(reward, expected.columns["native_reward"], **CLOSE)


@STATED
def test_serves(name: str) -> None:
    task = task_of(name)
    domain = find_domain(task.env_id)
    names = BatchedEnvs(task, domain, [], 1, 0).vocabulary.names()
    assert why_not_batched(task, domain, names) == ""
