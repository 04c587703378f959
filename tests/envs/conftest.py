"""Real rollouts of every registered task: random ones, and scripted ones where there is a policy."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import gymnasium
import mujoco
import numpy as np
import pytest

from eureka_loop.envs.registry import find_domain, find_task
from eureka_loop.judge.base import TaskJudge
from eureka_loop.records import Array, Task
from eureka_loop.reward.gate import check
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.vocabulary import PREFIXES, Vocabulary
from eureka_loop.simulate.env import make_env
from eureka_loop.simulate.episodes import Episode, EpisodeCollector
from eureka_loop.simulate.observables import ObservableRegistry
from eureka_loop.simulate.recorded import RecordedEnv
from eureka_loop.simulate.step_buffer import StepBuffer, Transitions

STEPS, FEWER = 1000, 80  # the latter where an extra's env is slow and its family large

Policy = Callable[[Any, int], Array]  # (the env, steps since the reset) → action


@dataclass(frozen=True)
class Rollout:
    """Steps of one task's env, every name recorded, `prev_` and `init_` of each too; the first observation."""

    vocabulary: Vocabulary
    transitions: Transitions
    space: gymnasium.Space[Any]
    first: Any

    @property
    def episodes(self) -> list[Episode]:
        return EpisodeCollector(1).add(self.transitions)


@dataclass(frozen=True)
class Played:
    """A task's fitness and success of one episode, and the columns that they and the hand-written reward need."""

    fitness: float
    success: float | None
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


def roll(task: Task, policy: Policy | None, *, seed: int, steps: int) -> Rollout:
    """Steps of a policy in an env of their own, everything recorded."""
    env = make_env(task)
    registry = ObservableRegistry(env, find_domain(task.env_id))
    names = registry.vocabulary.names(hidden=True)
    buffer = registry.buffer([*names, *(prefix + name for prefix in PREFIXES for name in names)], 1)
    first = walk(env, buffer, policy, seed=seed, steps=steps)
    env.close()
    return Rollout(registry.vocabulary, buffer.take(), env.observation_space, first)


def play(
    task: Task, fork_server: ForkServer, policies: Sequence[Policy | None], *, steps: int, seed: int = 0
) -> list[Played]:
    """An episode of each policy, of random actions for None: from the same start, cut off after so many steps."""
    short = replace(task, env_kwargs={**task.env_kwargs, "max_episode_steps": steps})
    env = make_env(short)
    registry = ObservableRegistry(env, find_domain(task.env_id))
    human = check(task.human, registry.vocabulary).parameters if task.human else ()
    with TaskJudge(fork_server, short, registry.vocabulary) as judge:
        buffer = registry.buffer([*judge.names, *human, "native_reward"], 1)
        played = []
        for policy in policies:
            walk(env, buffer, policy, seed=seed, steps=steps)
            episode, *_ = EpisodeCollector(1).add(buffer.take())
            played.append(Played(*judge.measure(episode.columns), registry.vocabulary, episode.columns))
    env.close()
    return played


def env_of(name: str) -> Task:
    """What a task shares with others of its env. Where that comes from an extra, its episodes are cut short, so
    that two of them are seen.
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
        RANDOM[key] = roll(env, None, seed=0, steps=FEWER if find_domain(env.env_id).extra else STEPS)
    return RANDOM[key]


RANDOM: dict[str, Rollout] = {}


@cache
def scripted_rollout(name: str) -> Rollout | None:
    """None where there is no policy for the task."""
    policy = SCRIPTED.get(name)
    return roll(find_task(name), policy, seed=0, steps=STEPS) if policy else None


def clipped(env: Any, action: Array) -> Any:
    return np.clip(action, env.action_space.low, env.action_space.high).astype(env.action_space.dtype)


@pytest.fixture
def random_steps() -> Callable[[str], Rollout]:
    """1,000 random-action steps of a task's env; 80, of two episodes, where it comes from an extra."""
    return random_rollout


@pytest.fixture
def same_steps() -> Callable[[str, int], Rollout]:
    """The first of the same steps, in another env of the same kind."""
    return lambda name, steps: roll(env_of(name), None, seed=0, steps=steps)


@pytest.fixture
def scripted_steps() -> Callable[[str], Rollout | None]:
    """1,000 steps of the task's scripted policy."""
    return scripted_rollout


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
        shapes = {name: vocabulary.resolve(name).shape for name in program.parameters}
        native = columns["native_reward"]
        with fork_server.start(program, shapes, rows=len(native)) as process:
            terms = process.evaluate({name: columns[name] for name in program.parameters})
        return float(np.abs(terms.total - native).max())

    return furthest


@pytest.fixture(scope="session")
def fork_server() -> Iterator[ForkServer]:
    with ForkServer() as fork_server:
        yield fork_server


def gait(frequency: float, offset: Array, amplitude: Array, phase: Array) -> Policy:
    """Every motor swings on its own, whatever the body does (found by a cross-entropy search)."""

    def policy(env: Any, step: int) -> Array:
        swing = np.sin(2 * np.pi * frequency * step * env.dt + np.asarray(phase))
        return np.asarray(offset) + np.asarray(amplitude) * swing

    return policy


def sit_up(env: Any, step: int) -> Array:
    """Torques that grow for two seconds and then stay (found likewise): it sits, it doesn't stand."""
    return 0.4 * (SITTING[0] + SITTING[1] * min(1.0, step * env.dt / 2.0))


def balance_pole(env: Any, _: int) -> Array:
    x, angle, speed, turning = *env.data.qpos, *env.data.qvel
    return np.array([20 * angle + 3 * turning + 0.5 * x + speed])


def balance_two_poles(env: Any, _: int) -> Array:
    """Linear-quadratic regulator about the upright."""
    gain = np.array([0.213, 1.813, 5.569, 0.315, 0.902, 0.848])
    return np.array([-gain @ [*env.data.qpos, *env.data.qvel]])


def pull(env: Any, body: str, way: Array, motors: int, damping: float) -> Array:
    """Joint motion (damped least squares) that carries a body some way."""
    jacobian = np.zeros((3, env.model.nv))
    mujoco.mj_jacBody(env.model, env.data, jacobian, None, env.model.body(body).id)
    jacobian = jacobian[:, :motors]
    return np.asarray(jacobian.T @ np.linalg.solve(jacobian @ jacobian.T + damping * np.eye(3), way))


def reach(env: Any, _: int) -> Array:
    way = env.get_body_com("target") - env.get_body_com("fingertip")
    return pull(env, "fingertip", way, 2, damping=1e-3) - 0.1 * env.data.qvel[:2]


def push(env: Any, step: int) -> Array:
    """Get behind the object, then through it towards the goal."""
    thing, hand = env.get_body_com("object"), env.get_body_com("tips_arm")
    course = env.get_body_com("goal") - thing
    course = course * [1, 1, 0] / np.linalg.norm(course[:2])
    behind = 0.214 if step < 40 else 0.025
    way = thing - behind * course - hand
    return 16.1 * pull(env, "tips_arm", way, 7, damping=0.013) - 0.675 * env.data.qvel[:7]


SITTING = np.array(  # (2, 17): from the start, and what is added
    [
        (
            *(-0.22, 0.28, -0.82, -0.67, -0.14, -0.75, 1.03, -0.43, 0.33),
            *(0.54, 0.34, -0.37, -0.59, 0.13, -0.98, 0.52, -1.02),
        ),
        (
            *(0.38, -1.85, -0.03, -0.67, 0.4, -0.23, -0.46, -0.8, 0.2),
            *(-1.42, 0.56, -2.68, 0.89, 0.0, 0.4, -0.54, 0.17),
        ),
    ]
)

SCRIPTED: dict[str, Policy] = {
    "halfcheetah-run": gait(
        np.exp(1.39),
        0.5 * np.array([-0.96, -0.78, -0.55, -1.52, 0.19, -2.1]),
        np.array([-1.24, -1.1, -0.32, -0.93, 0.41, 0.21]),
        np.array([-0.49, 0.51, -1.59, 1.2, -1.04, 0.96]),
    ),
    "hopper-hop": gait(
        np.exp(-0.18),
        np.array([0.73, 0.13, 0.28]),
        np.array([-0.06, -0.23, -0.27]),
        np.array([-0.38, -1.53, 0.6]),
    ),
    "humanoidstandup-standup": sit_up,
    "swimmer-swim": gait(np.exp(-0.77), np.zeros(2), np.array([-1.04, -1.35]), np.array([0.34, -0.11])),
    "reacher-reach": reach,
    "pusher-push": push,
    "invertedpendulum-balance": balance_pole,
    "inverteddoublependulum-balance": balance_two_poles,
}
