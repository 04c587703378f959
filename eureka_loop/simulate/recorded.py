"""Gymnasium envs whose steps are recorded: one, several for Stable-Baselines3, one under random actions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any, cast

import gymnasium
import numpy as np
from gymnasium.spaces import Box, flatdim
from gymnasium.wrappers import TimeLimit
from stable_baselines3.common.vec_env import DummyVecEnv

from eureka_loop.envs.domain import Domain
from eureka_loop.errors import BadInput
from eureka_loop.records import Array, Task
from eureka_loop.reward.vocabulary import PREFIXES, Observable, Vocabulary
from eureka_loop.seeds import env_seeds
from eureka_loop.simulate.definitions import CONTACTS, Definitions, Raw, view
from eureka_loop.simulate.env import finite, flat_parts, make_env, numbers_of, reward_source
from eureka_loop.simulate.observables import ObservableRegistry
from eureka_loop.simulate.physics import read_contacts
from eureka_loop.simulate.play import simulation
from eureka_loop.simulate.step_buffer import StepBuffer, Transitions

EPISODES = 10  # of a survey, at least, if need be by cutting episodes short
PROBE_ROWS = 256
MOST_BYTES, NUMBER = 1_000_000_000, 48  # of a survey; bytes that a step takes for each number of a row


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
        data = simulation(self.env)
        if data is not self._data:  # some envs make it anew
            self._data = data
            for raw in self.buffer.raws:
                if raw.source == "data":
                    self._values[raw] = view(data, raw)
        self._write(False, obs, info)
        return obs, info

    def step(self, action: Any) -> Any:
        obs, reward, terminated, truncated, info = self.env.step(np.asarray(action)[()])
        self._steps += 1
        results = {"action": np.ravel(action), "reward": finite(reward), "terminated": terminated}
        self._write(terminated or truncated, obs, info, **results)
        return obs, 0.0, terminated, truncated, info

    def _write(self, done: bool, obs: Any, info: Mapping[str, Any], **results: Any) -> None:
        results |= flat_parts(self._space, obs)
        if CONTACTS in self._returned:
            results[CONTACTS.key] = read_contacts(self._data.model, self._data)
        for raw in self._returned:
            own = raw.source == "step"
            self._values[raw] = results.get(raw.key, 0.0) if own else finite(info.get(raw.key), raw.shape)
        self.buffer.append(self._index, self._steps, done, self._values)


class WatchedEnv(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Collects what no program and no policy could use of what an env returns.

    Raises:
        BadInput: from reset and step: observations that aren't finite, or don't fit their space.
    """

    def __init__(self, env: gymnasium.Env[Any, Any]) -> None:
        super().__init__(env)
        self._steps, self._shapes = 0, dict[Any, tuple[int, ...]]()
        self._odd, self._finite = dict[Any, str](), set[Any]()

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        self._steps = 0
        return self._look(self.env.reset(seed=seed, options=options))

    def step(self, action: Any) -> Any:
        self._steps += 1
        return self._look(self.env.step(action))

    def _look(self, returned: Any) -> Any:
        space: Any = self.observation_space
        where = f"at step {self._steps} of an episode of random actions"
        for name, part in flat_parts(space, returned[0]).items():
            box = space if isinstance(space, Box) else space["observation" if name == "obs" else name]
            size, numbers = int(np.prod(box.shape)), np.asarray(part)
            if numbers.size != size or numbers.dtype.kind not in "biuf" or not np.isfinite(numbers).all():
                wrong = numbers.size != size
                problem = f"{numbers.size} numbers, not {size}" if wrong else "no finite number"
                raise BadInput(
                    f"the env's observation has {problem}, {where}: no policy can be trained; mend it there"
                )
        for key, value in returned[-1].items():
            array = numbers_of(value)
            if array is not None and self._shapes.setdefault(key, array.shape) != array.shape:
                change = f"{self._shapes[key]} to {array.shape}"
                if "left out" not in self._odd.get(key, ""):
                    self._odd[key] = f"info[{key!r}] changes its shape from {change} {where}: left out"
            elif array is not None and np.isfinite(array).all():
                self._finite.add(key)
            elif array is not None or value is None:
                self._odd.setdefault(key, f"info[{key!r}] is {value} {where}: it counts as 0 there")
        return returned

    def odd(self, definitions: Definitions) -> dict[str, str]:
        """Observable of `info` → what is odd about it; "left out" at the end of what no program may use."""
        found = {}
        for name, definition in definitions.items():
            raw = definition.needs[0] if definition.needs else None
            if isinstance(raw, Raw) and raw.source == "info" and raw.key in self._odd:
                never = raw.key not in self._finite
                found[name] = f"info[{raw.key!r}] is never finite: left out" if never else self._odd[raw.key]
        return found


def _about_spaces(env: gymnasium.Env[Any, Any]) -> Iterator[str]:
    """Values taken otherwise than the env has them, and a lacking time limit."""
    inner, size = env.unwrapped, int(flatdim(env.observation_space))
    if inner.observation_space != env.observation_space:
        yield f"observations {inner.observation_space} are taken as one row of {size} numbers"
    if inner.action_space != env.action_space:
        yield f"actions {inner.action_space} are taken as {env.action_space}"
    if env.spec is None or env.spec.max_episode_steps is None:
        yield "no time limit is known: unless the env has its own, give --env-arg max_episode_steps=1000"


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
    """Random actions for `steps` steps, fewer where rows are very wide; each time the same.

    Raises:
        BadInput: the env can't be made or measured.
    """
    with closing(make_env(task)) as env:
        registry = ObservableRegistry(env, domain)
        names = registry.vocabulary.names(hidden=True)
        width = sum(int(np.prod(each.shape)) for each in registry.vocabulary)
        steps = max(min(steps, MOST_BYTES // (NUMBER * width)), 1)
        buffer = registry.buffer([*names, *(prefix + name for prefix in PREFIXES for name in names)], 1)
        watched = WatchedEnv(env)
        recorded = RecordedEnv(TimeLimit(watched, max(steps // EPISODES, 1)), buffer)
        recorded.action_space.seed(0)
        recorded.reset(seed=0)
        for _ in range(steps):
            _, _, terminated, truncated, _ = recorded.step(recorded.action_space.sample())
            if terminated or truncated:
                recorded.reset()
    seen, odd = buffer.take(), watched.odd(registry.definitions)
    for name in names:
        if not np.isfinite(seen.columns[name]).all():
            odd[name] = f"{name} isn't finite under random actions: left out"
    left_out = {name for name, note in odd.items() if note.endswith("left out")}
    observables = tuple(
        replace(each, hidden=True) if each.name in left_out else _with_range(each, seen)
        for each in registry.vocabulary
    )
    notes = (*odd.values(), *(_about_spaces(env) if not domain.name else ()))
    chosen = np.unique(np.linspace(0, len(seen) - 1, PROBE_ROWS).astype(int))
    probe = {name: column[chosen] for name, column in seen.columns.items()}
    return Survey(
        replace(registry.vocabulary, observables=observables, notes=notes),
        probe,
        reward_source(env, task.native),
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
