"""Gymnasium envs whose steps are recorded: one, and several side by side for Stable-Baselines3."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import gymnasium
import numpy as np
from stable_baselines3.common.vec_env import DummyVecEnv

from eureka_loop.envs.domain import Domain
from eureka_loop.records import Task
from eureka_loop.seeds import env_seeds
from eureka_loop.simulate.contacts import read_contacts
from eureka_loop.simulate.definitions import CONTACTS, DataSlice, InfoValue, Raw, StepValue
from eureka_loop.simulate.env import flattener, make_env
from eureka_loop.simulate.observables import ObservableRegistry
from eureka_loop.simulate.step_buffer import RESET, STEP, TERMINATED, TRUNCATED, StepBuffer


class RecordedEnv(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Writes every reset and step to a buffer. Its own rewards are 0.

    MuJoCo's arrays are views of memory that stays where it is, so what to copy is looked up once per env.

    Args:
        index: of the env in the buffer.
    """

    def __init__(self, env: gymnasium.Env[Any, Any], buffer: StepBuffer, index: int = 0) -> None:
        super().__init__(env)
        self.buffer, self._index = buffer, index
        self._steps, self._data = 0, None
        self._values: dict[Raw, Any] = {}
        self._infos = [raw for raw in buffer.raws if isinstance(raw, InfoValue)]
        self._results = [(raw, raw.key) for raw in buffer.raws if isinstance(raw, StepValue)]
        parts = {key for _, key in self._results} & {"obs", "achieved_goal", "desired_goal"}
        self._flatteners: list[tuple[str, Callable[[Any], Any]]] = [
            (key, flattener(env, key)) for key in sorted(parts)
        ]

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        obs, info = self.env.reset(seed=seed, options=options)
        if self.env.unwrapped.data is not self._data:  # type: ignore[attr-defined]  # some envs make it anew
            self._bind()
        self._steps = 0
        self._write(RESET, obs, {"action": 0.0, "reward": 0.0, "terminated": 0.0, "steps": 0}, info)
        return obs, info

    def step(self, action: Any) -> Any:
        obs, reward, terminated, truncated, info = self.env.step(action)
        self._steps += 1
        flag = STEP | (TERMINATED if terminated else 0) | (TRUNCATED if truncated else 0)
        results = {
            "reward": reward,
            "terminated": terminated,
            "steps": self._steps,
            "action": np.ravel(action),
        }
        self._write(flag, obs, results, info)
        return obs, 0.0, terminated, truncated, info

    def _bind(self) -> None:
        self._data = self.env.unwrapped.data  # type: ignore[attr-defined]
        for raw in self.buffer.raws:
            if isinstance(raw, DataSlice):
                flat = getattr(self._data, raw.field).reshape(-1)
                self._values[raw] = flat[raw.start : raw.stop].reshape(raw.shape)

    def _write(self, flag: int, obs: Any, results: dict[str, Any], info: Mapping[str, Any]) -> None:
        if CONTACTS in self.buffer.raws:
            inner: Any = self.env.unwrapped
            results["contacts"] = read_contacts(inner.model, inner.data)
        for key, flatten in self._flatteners:
            results[key] = flatten(obs)
        for value, key in self._results:
            self._values[value] = results[key]
        for raw in self._infos:
            self._values[raw] = info.get(raw.key, 0.0)
        self.buffer.append(self._index, flag, self._values)


class RecordedVecEnv(DummyVecEnv):
    """SB3's vectorised env of recorded envs.

    Attributes:
        buffer: every reset and step until it is taken.
        vocabulary: of these envs, without ranges.
    """

    def __init__(self, task: Task, domain: Domain, names: Iterable[str], n_envs: int, seed: int) -> None:
        """
        Args:
            names: parameters to record.
            seed: of the training; `env_seeds` derives the seed of each env's first reset.

        Raises:
            BadInput: the env can't be made, or a name doesn't exist.
        """
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
