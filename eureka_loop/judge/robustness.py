"""A policy's scores where something differs from training: mass, friction, latency, noise, the start."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np

from eureka_loop.envs.domain import Domain
from eureka_loop.judge.base import TaskJudge
from eureka_loop.judge.episodes import Predict, play
from eureka_loop.records import Array, Task
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.simulate.env import make_env
from eureka_loop.simulate.observables import ObservableRegistry
from eureka_loop.simulate.play import simulation

RANDOM_STEPS = 10  # of a start that differs
STREAM = 0xD1FF  # of the episode's seed: other numbers than those of the env


@dataclass(frozen=True, slots=True)
class Condition:
    """A difference from the environment of training.

    Attributes:
        mass: factor of every body's mass and inertia.
        friction: factor of every geom's friction.
        latency: steps by which an action comes late; the first one comes at once.
        noise: deviation of noise on each observation, as a share of its own deviation in unchanged episodes.
        start: random actions before the policy begins.
    """

    label: str
    mass: float = 1.0
    friction: float = 1.0
    latency: int = 0
    noise: float = 0.0
    start: int = 0


CONDITIONS = (
    Condition("as trained"),
    *(Condition(f"mass × {factor}", mass=factor) for factor in (0.7, 1.3)),
    *(Condition(f"friction × {factor}", friction=factor) for factor in (0.5, 1.5)),
    *(Condition(f"actions {steps} step{'s' * (steps > 1)} late", latency=steps) for steps in (1, 2)),
    *(Condition(f"noise, {share:.0%} of each observation", noise=share) for share in (0.05, 0.2)),
    Condition(f"{RANDOM_STEPS} random actions first", start=RANDOM_STEPS),
)


@dataclass(frozen=True, slots=True)
class Robustness:
    """Scores under a condition, a row for each policy and a column for each seed.

    Attributes:
        fitness, success: (policies, seeds); success is None where the task has none.
    """

    condition: Condition
    fitness: Array
    success: Array | None


def robustness(
    task: Task,
    domain: Domain,
    policies: Sequence[Predict],
    seeds: Sequence[int],
    fork_server: ForkServer,
    conditions: Sequence[Condition] = CONDITIONS,
) -> Iterator[Robustness]:
    """Each condition's scores as soon as they are there; the first one is the unchanged env.

    Raises:
        BadInput, RewardFailure: the env can't be made; fitness or success failed.
    """
    spread: list[Any] = [None] * len(policies)  # deviations of each policy's observations, unchanged
    for condition in conditions:
        with closing(make_env(task)) as env:
            registry = ObservableRegistry(env, domain)
            _change(simulation(env).model, condition)
            with TaskJudge(fork_server, task, registry.vocabulary) as judge:
                buffer, scores = registry.buffer(judge.program_names, 1), []
                for place, policy in enumerate(policies):
                    seen: list[Any] = []
                    for seed in seeds:
                        acting = _altered(policy, condition, env.action_space, spread[place], seed, seen)
                        scores.append(judge.measure(play(acting, env, buffer, seed)))
                    if spread[place] is None:
                        spread[place] = _each(lambda *parts: np.std(parts, axis=0), *seen)
        found = np.array(scores, np.float64).reshape(len(policies), len(seeds), 2)
        yield Robustness(condition, found[..., 0], None if task.success is None else found[..., 1])


def _change(model: Any, condition: Condition) -> None:
    """Change the env's own model, and what MuJoCo derives from it."""
    model.geom_friction *= condition.friction
    if condition.mass != 1.0:
        model.body_mass *= condition.mass
        model.body_inertia *= condition.mass
        mujoco.mj_setConst(model, mujoco.MjData(model))


def _altered(
    policy: Predict, condition: Condition, space: Any, spread: Any, seed: int, seen: list[Any]
) -> Predict:
    """The policy of one episode under a condition; each observation is added to `seen`."""
    random, late = np.random.default_rng([STREAM, seed]), deque[Any]()
    space.seed(seed)
    begun = len(seen)

    def noisy(part: Any, deviation: Any) -> Any:
        return part + condition.noise * deviation * random.standard_normal(np.shape(part))

    def act(observation: Any) -> Any:
        seen.append(observation)
        if len(seen) - begun <= condition.start:
            return space.sample()
        action = policy(_each(noisy, observation, spread) if condition.noise else observation)
        late.extend([action] * (1 if late else 1 + condition.latency))
        return late.popleft()

    return act


def _each(function: Callable[..., Any], *observations: Any) -> Any:
    """A function of observations, part by part where they are dicts."""
    if isinstance(observations[0], Mapping):
        return {key: function(*(each[key] for each in observations)) for key in observations[0]}
    return function(*observations)
