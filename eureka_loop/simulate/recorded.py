"""Gymnasium envs whose steps are recorded: one, several for Stable-Baselines3, one under random actions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any, cast

import gymnasium
import numpy as np
from gymnasium.wrappers import TimeLimit
from stable_baselines3.common.vec_env import DummyVecEnv

from eureka_loop.envs.domain import Domain
from eureka_loop.records import Array, Task
from eureka_loop.reward.vocabulary import PREFIXES, Observable, Vocabulary
from eureka_loop.seeds import env_seeds
from eureka_loop.simulate.definitions import CONTACTS, Raw
from eureka_loop.simulate.env import flat_parts, make_env, reward_source
from eureka_loop.simulate.observables import ObservableRegistry
from eureka_loop.simulate.physics import read_contacts
from eureka_loop.simulate.step_buffer import StepBuffer, Transitions

EPISODES = 10  # of a survey, at least, if need be by cutting episodes short
PROBE_ROWS = 256


class RecordedEnv(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Writes every reset and step to a buffer, as env number `index` there. Its own rewards are 0.

    MuJoCo's arrays are views of memory that stays where it is, so what to copy is looked up once per env.
    """

    def __init__(self, env: gymnasium.Env[Any, Any], buffer: StepBuffer, index: int = 0) -> None:
        super().__init__(env)
        self.buffer, self._index, self._space = buffer, index, env.observation_space
        self._steps, self._data, self._values = 0, cast("Any", None), dict[Raw, Any]()
        self._returned = [raw for raw in buffer.raws if raw.source != "data"]

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        obs, info = self.env.reset(seed=seed, options=options)
        self._steps = 0
        data = self.env.unwrapped.data  # type: ignore[attr-defined]
        if data is not self._data:  # some envs make it anew
            self._data = data
            for raw in self.buffer.raws:
                if raw.source == "data":
                    part = slice(raw.index, raw.index + int(np.prod(raw.shape)))
                    self._values[raw] = getattr(data, raw.key).reshape(-1)[part].reshape(raw.shape)
        self._write(False, obs, info)
        return obs, info

    def step(self, action: Any) -> Any:
        obs, reward, terminated, truncated, info = self.env.step(action)
        self._steps += 1
        results = {"action": np.ravel(action), "reward": reward, "terminated": terminated}
        self._write(terminated or truncated, obs, info, **results)
        return obs, 0.0, terminated, truncated, info

    def _write(self, done: bool, obs: Any, info: Mapping[str, Any], **results: Any) -> None:
        results |= flat_parts(self._space, obs)
        if CONTACTS in self._returned:
            results[CONTACTS.key] = read_contacts(self._data.model, self._data)
        for raw in self._returned:
            self._values[raw] = (results if raw.source == "step" else info).get(raw.key, 0.0)
        self.buffer.append(self._index, self._steps, done, self._values)


class RecordedVecEnv(DummyVecEnv):
    """SB3's vectorised env of recorded envs.

    Args:
        names: parameters to record.
        seed: of the training; `env_seeds` derives the seed of each env's first reset.

    Attributes:
        buffer: every reset and step until it is taken.
        vocabulary: of these envs, without ranges.

    Raises:
        BadInput: the env can't be made, or a name doesn't exist.
    """

    def __init__(self, task: Task, domain: Domain, names: Iterable[str], n_envs: int, seed: int) -> None:
        envs = [make_env(task) for _ in range(n_envs)]
        registry = ObservableRegistry(envs[0], domain)
        self.vocabulary = registry.vocabulary
        self.buffer = registry.buffer(names, n_envs)
        super().__init__(
            [lambda env=env, i=i: RecordedEnv(env, self.buffer, i) for i, env in enumerate(envs)]  # type: ignore[misc]
        )
        self.seed(seed)

    def seed(self, seed: int | None = None) -> Sequence[int | None]:
        """Seed each env's next reset; SB3's own rule would give env 100 the seed of the next training."""
        if seed is None:
            return super().seed()
        self._seeds = list(env_seeds(seed, self.num_envs))
        return self._seeds


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


def survey(task: Task, domain: Domain, *, steps: int = 1000) -> Survey:
    """Random actions for `steps` steps, each time the same.

    Raises:
        BadInput: the env can't be made or measured.
    """
    with closing(make_env(task)) as env:
        registry = ObservableRegistry(env, domain)
        names = registry.vocabulary.names(hidden=True)
        buffer = registry.buffer([*names, *(prefix + name for prefix in PREFIXES for name in names)], 1)
        recorded = RecordedEnv(TimeLimit(env, max(steps // EPISODES, 1)), buffer)
        recorded.action_space.seed(0)
        recorded.reset(seed=0)
        for _ in range(steps):
            _, _, terminated, truncated, _ = recorded.step(recorded.action_space.sample())
            if terminated or truncated:
                recorded.reset()
    seen = buffer.take()
    observables = tuple(_with_range(observable, seen) for observable in registry.vocabulary)
    chosen = np.unique(np.linspace(0, len(seen) - 1, PROBE_ROWS).astype(int))
    probe = {name: column[chosen] for name, column in seen.columns.items()}
    return Survey(
        replace(registry.vocabulary, observables=observables), probe, reward_source(env, task.native)
    )


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
