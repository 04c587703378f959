"""An env under random actions: ranges for the vocabulary, and rows to try programs on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from eureka_loop.envs.domain import Domain
from eureka_loop.records import Array, Task
from eureka_loop.reward.vocabulary import PREFIXES, Observable, Vocabulary
from eureka_loop.simulate.documentation import reward_source
from eureka_loop.simulate.env import make_env
from eureka_loop.simulate.observables import ObservableRegistry
from eureka_loop.simulate.recorded import RecordedEnv
from eureka_loop.simulate.step_buffer import Transitions

EPISODES = 10  # at least so many starts are seen, if need be by cutting episodes short
PROBE_ROWS = 256


@dataclass(frozen=True, slots=True)
class Survey:
    """
    Attributes:
        vocabulary: with `start`, `low` and `high`.
        probe: rows of random actions, spread over all episodes: every name, hidden ones too, with its
            `prev_` and `init_`: (rows, *shape).
        native: the source of the env's own reward, for people to read.
    """

    vocabulary: Vocabulary
    probe: Mapping[str, Array]
    native: str = ""


def survey(task: Task, domain: Domain, *, seed: int = 0, steps: int = 1000) -> Survey:
    """Random actions for `steps` steps; equal seeds give equal surveys.

    Raises:
        BadInput: the env can't be made or measured.
    """
    env = make_env(task)
    try:
        registry = ObservableRegistry(env, domain)
        names = registry.vocabulary.names(hidden=True)
        buffer = registry.buffer([*names, *(prefix + name for prefix in PREFIXES for name in names)], 1)
        seen = _random_steps(RecordedEnv(env, buffer), seed, steps)
        native = reward_source(env, task.native)
    finally:
        env.close()
    observables = tuple(_with_range(observable, seen) for observable in registry.vocabulary)
    chosen = np.unique(np.linspace(0, len(seen) - 1, PROBE_ROWS).astype(int))
    probe = {name: column[chosen] for name, column in seen.columns.items()}
    return Survey(replace(registry.vocabulary, observables=observables), probe, native)


def _random_steps(env: RecordedEnv, seed: int, steps: int) -> Transitions:
    env.action_space.seed(seed)
    env.reset(seed=seed)
    longest, length = max(steps // EPISODES, 1), 0
    for _ in range(steps):
        _, _, terminated, truncated, _ = env.step(env.action_space.sample())
        length += 1
        if terminated or truncated or length == longest:
            env.reset()
            length = 0
    return env.buffer.take()


def _with_range(observable: Observable, seen: Transitions) -> Observable:
    values = seen.columns[observable.name].reshape(len(seen), -1)
    starts = seen.columns[f"init_{observable.name}"][seen.episode_start].reshape(-1, values.shape[1])
    everything = np.concatenate([values, starts])
    return replace(
        observable,
        start=tuple(starts.mean(axis=0).tolist()),
        low=tuple(everything.min(axis=0).tolist()),
        high=tuple(everything.max(axis=0).tolist()),
    )
