"""How the episodes of many copies begin: drawn by a domain's function, or by resetting an env for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any, Protocol

import gymnasium
import numpy as np

from eureka_loop.envs.domain import StartFunction
from eureka_loop.records import Array
from eureka_loop.simulate.memory import Indices
from eureka_loop.simulate.observation import in_one_row
from eureka_loop.simulate.pool import Pool
from eureka_loop.simulate.quantities import Noted

Generator = np.random.Generator


class Starts(Protocol):
    """Begins episodes of copies of an env.

    Attributes:
        columns: (N, *shape), what each copy's last reset noted down.
    """

    @property
    def columns(self) -> Mapping[Noted, Array]: ...

    def begin(self, index: int, random: Generator, physics: Pool) -> None:
        """Start one copy anew, with its own generator."""

    def observed(self, envs: Indices) -> Array | None:
        """(len(envs), D) of these starts by the env itself; None where the domain's function has to say."""

    def close(self) -> None:
        """Close what was kept for resets."""


class Drawn:
    """See `Starts`.

    Args:
        origin: the model's qpos and qvel.
    """

    columns: Mapping[Noted, Array] = {}

    def __init__(self, start: StartFunction, origin: tuple[Array, Array]) -> None:
        self._start, self._origin = start, origin

    def begin(self, index: int, random: Generator, physics: Pool) -> None:
        physics.reset(index, *self._start(random, *self._origin))

    def observed(self, envs: Indices) -> Array | None:
        return None

    def close(self) -> None:
        pass


class OwnResets:
    """One env is reset for every copy in turn; what it leaves behind is the copy's. See `Starts`.

    Args:
        env: nobody else's.
        noted: which of its attributes to keep.
    """

    def __init__(self, env: gymnasium.Env[Any, Any], noted: Sequence[Noted], n_envs: int) -> None:
        self._env, self._inner = env, env.unwrapped
        self.columns = {raw: np.zeros((n_envs, *raw.shape)) for raw in noted}
        self._observed = np.zeros((n_envs, gymnasium.spaces.flatdim(env.observation_space)))

    def begin(self, index: int, random: Generator, physics: Pool) -> None:
        inner: Any = self._inner
        inner.np_random = random
        obs, _ = self._env.reset()
        self._observed[index] = in_one_row(self._env, obs)
        for raw, column in self.columns.items():
            column[index] = attrgetter(raw.key)(inner)
        physics.adopt(index, inner.model, inner.data)

    def observed(self, envs: Indices) -> Array | None:
        return self._observed[envs]

    def close(self) -> None:
        self._env.close()
