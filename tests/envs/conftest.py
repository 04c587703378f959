"""Real rollouts of every registered task, under random actions and under scripted policies."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint
from typing import Any

import gymnasium
import numpy as np
import pytest

from eureka_loop import registry as seam
from eureka_loop.envs import registry
from eureka_loop.envs.registry import find_domain, find_task
from eureka_loop.judge.base import TaskJudge
from eureka_loop.records import Array, Task
from eureka_loop.reward.gate import check
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.vocabulary import PREFIXES, Vocabulary
from eureka_loop.simulate.env import make_env
from eureka_loop.simulate.observables import ObservableRegistry
from eureka_loop.simulate.recorded import RecordedEnv
from eureka_loop.simulate.step_buffer import EpisodeCollector, StepBuffer, Transitions

STEPS, FEWER = 1000, 80  # the latter where an extra's env is slow and its family large

Policy = Callable[[Any, int], Array]  # (the env, steps since the reset) → action


@dataclass(frozen=True)
class Rollout:
    """Steps of one task's env, every name recorded, `prev_` and `init_` of each too; the first observation."""

    task: Task
    vocabulary: Vocabulary
    transitions: Transitions
    space: gymnasium.Space[Any]
    first: Any

    @property
    def episodes(self) -> list[Mapping[str, Array]]:
        return EpisodeCollector(1).add(self.transitions)


@dataclass(frozen=True)
class Played:
    """A task's scores of one episode, and the columns that they and the hand-written reward need."""

    fitness: float
    success: float | None
    progress: float | None
    vocabulary: Vocabulary
    columns: Mapping[str, Array]


def walk(env: Any, buffer: StepBuffer, policy: Policy | None, *, seed: int, steps: int) -> Any:
    """`steps` steps of a policy, of random actions without one; a reset after every episode's end. The first
    observation.
    """
    recorded = RecordedEnv(env, buffer)
    recorded.action_space.seed(seed)
    first, _ = recorded.reset(seed=seed)
    length, done = 0, False
    for _ in range(steps):
        if done:
            recorded.reset()
            length = 0
        action = env.action_space.sample() if policy is None else clipped(env, policy(env.unwrapped, length))
        _, _, terminated, truncated, _ = recorded.step(action)
        length, done = length + 1, terminated or truncated
    return first


def roll(task: Task, steps: int) -> Rollout:
    """Steps with random actions in an env of their own, everything recorded."""
    env = make_env(task)
    registry = ObservableRegistry(env, find_domain(task.env_id))
    names = registry.vocabulary.names(hidden=True)
    buffer = registry.buffer([*names, *(prefix + name for prefix in PREFIXES for name in names)], 1)
    first = walk(env, buffer, None, seed=0, steps=steps)
    env.close()
    return Rollout(task, registry.vocabulary, buffer.take(), env.observation_space, first)


def play(
    task: Task, fork_server: ForkServer, policies: Sequence[Policy | None], *, steps: int, seed: int = 0
) -> list[Played]:
    """An episode of each policy, of random actions for None: from the same start, cut off after so many steps."""
    short = replace(task, env_kwargs={**task.env_kwargs, "max_episode_steps": steps})
    env = make_env(short)
    registry = ObservableRegistry(env, find_domain(task.env_id))
    human = check(task.human, registry.vocabulary).parameters if task.human else ()
    never = replace(short, success="def success(dt):\n    return 0.0\n")  # then every episode has progress
    with (
        TaskJudge(fork_server, short, registry.vocabulary) as judge,
        TaskJudge(fork_server, never, registry.vocabulary) as by_progress,
    ):
        buffer = registry.buffer([*by_progress.names, *judge.names, *human, "native_reward"], 1)
        played = []
        for policy in policies:
            walk(env, buffer, policy, seed=seed, steps=steps)
            columns, *_ = EpisodeCollector(1).add(buffer.take())
            progress = by_progress.judge(seed, columns).progress
            played.append(Played(*judge.measure(columns), progress, registry.vocabulary, columns))
    env.close()
    return played


def env_of(name: str) -> Task:
    """The part of a task that others of its env share.

    Where the env comes from an extra, its episodes are cut short, so that two of them are seen.
    """
    task = find_task(name)
    kwargs = {key: value for key, value in task.env_kwargs.items() if key != "tasks_to_complete"}
    if find_domain(task.env_id).extra:
        kwargs["max_episode_steps"] = FEWER // 2
    return Task("any", task.env_id, "", "", env_kwargs=kwargs)


def random_rollout(name: str) -> Rollout:
    env = env_of(name)
    key = json.dumps((env.env_id, env.env_kwargs), sort_keys=True)
    if key not in RANDOM:
        RANDOM[key] = roll(env, FEWER if find_domain(env.env_id).extra else STEPS)
    return RANDOM[key]


RANDOM: dict[str, Rollout] = {}


def clipped(env: Any, action: Array) -> Any:
    return np.clip(action, env.action_space.low, env.action_space.high).astype(env.action_space.dtype)


@pytest.fixture
def random_steps() -> Callable[[str], Rollout]:
    """1,000 random-action steps of a task's env; 80, of two episodes, where it comes from an extra."""
    return random_rollout


@pytest.fixture
def register_domain(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    """Registers a domain as another package would; the catalogue is read anew, and once more afterwards."""

    def register(name: str, target: str) -> None:
        point = EntryPoint(name, target, "eureka_loop.domains")
        monkeypatch.setattr(seam, "entry_points", lambda group: [point] if group == point.group else [])
        forget()

    def forget() -> None:
        for cached in (registry.domains, registry._groups, registry._tasks):
            cached.cache_clear()

    yield register
    monkeypatch.undo()
    forget()


@pytest.fixture(scope="session")
def rollout_of() -> Callable[..., Rollout]:
    """`roll` itself."""
    return roll


@pytest.fixture(scope="session")
def episodes_of() -> Callable[..., list[Played]]:
    """`play` itself."""
    return play


@pytest.fixture(scope="session")
def off_native() -> Callable[..., float]:
    """How far a task's hand-written program is, at most, from the reward that the env gave."""

    def furthest(
        task: Task, fork_server: ForkServer, vocabulary: Vocabulary, columns: Mapping[str, Array]
    ) -> float:
        assert task.human is not None
        program = check(task.human, vocabulary)
        shapes = vocabulary.shapes(program.parameters)
        native = columns["native_reward"]
        with fork_server.start(program, shapes, rows=len(native)) as process:
            terms = process.evaluate({name: columns[name] for name in program.parameters})
        return float(np.abs(terms.total - native).max())

    return furthest
