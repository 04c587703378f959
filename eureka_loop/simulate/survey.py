"""A look at an env under random actions: ranges for the table, rows to try programs on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import gymnasium
import numpy as np

from eureka_loop.envs.domain import Domain
from eureka_loop.records import Array, Task
from eureka_loop.reward.vocabulary import PREFIXES, Observable, Vocabulary
from eureka_loop.simulate.documentation import reward_source
from eureka_loop.simulate.env import make_env
from eureka_loop.simulate.instruments import Instruments
from eureka_loop.simulate.recorder import Recorder, Transitions

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
        instruments = Instruments(env, domain)
        vocabulary = instruments.vocabulary
        names = vocabulary.names(hidden=True)
        recorder = instruments.recorder([*names, *(p + name for p in PREFIXES for name in names)], 1)
        seen = _wander(env, recorder, seed, steps)
        native = reward_source(env, task.native)
    finally:
        env.close()
    observables = tuple(_ranged(observable, seen) for observable in vocabulary)
    chosen = np.unique(np.linspace(0, len(seen) - 1, PROBE_ROWS).astype(int))
    probe = {name: column[chosen] for name, column in seen.columns.items()}
    return Survey(replace(vocabulary, observables=observables), probe, native)


def _wander(env: gymnasium.Env[Any, Any], recorder: Recorder, seed: int, steps: int) -> Transitions:
    env.action_space.seed(seed)
    cut = max(steps // EPISODES, 1)
    obs, info = env.reset(seed=seed)
    recorder.reset(0, env, obs, info)
    length = 0
    for _ in range(steps):
        action = env.action_space.sample()
        obs, reward, terminated, truncated, info = env.step(action)
        recorder.step(0, env, obs, action, reward, terminated, truncated or length + 1 == cut, info)
        length += 1
        if terminated or truncated or length == cut:
            obs, info = env.reset()
            recorder.reset(0, env, obs, info)
            length = 0
    return recorder.take()


def _ranged(observable: Observable, seen: Transitions) -> Observable:
    values = seen.columns[observable.name].reshape(len(seen), -1)
    starts = seen.columns[f"init_{observable.name}"][seen.episode_start].reshape(-1, values.shape[1])
    low, high = (
        np.minimum(values.min(axis=0), starts.min(axis=0)),
        np.maximum(values.max(axis=0), starts.max(axis=0)),
    )
    return replace(
        observable,
        start=tuple(starts.mean(axis=0).tolist()),
        low=tuple(low.tolist()),
        high=tuple(high.tolist()),
    )
