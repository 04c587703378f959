"""One env's raw columns since the last take: reset rows and step rows, in order of time.

Only copies happen per step. MuJoCo's arrays are views of memory that stays where it is, so the list of
(column, view) pairs is made once per env and a step is a short loop over it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from eureka_loop.records import Array
from eureka_loop.simulate.contacts import ContactTape
from eureka_loop.simulate.observation import flattener
from eureka_loop.simulate.quantities import FromContacts, FromInfo, Given, Raw, Slice

RESET, STEP, TERMINATED, TRUNCATED = 0, 1, 2, 4  # a row's flag: RESET, or STEP with what ended the episode
FIRST_CAPACITY = 256


class Timeline:
    """Rows of one env.

    After a take the first `carried` rows (2, or 0 before the first reset) are the episode's reset row and the
    last row, kept so that `init_` and `prev_` of the next rows have something to look at.
    """

    def __init__(self, raws: Iterable[Raw]) -> None:
        self.length = 0
        self.carried = 0
        self.flags: npt.NDArray[np.uint8] = np.zeros(FIRST_CAPACITY, np.uint8)
        raws = tuple(raws)
        self._contact_raws = [raw for raw in raws if isinstance(raw, FromContacts)]
        self._columns: dict[Raw, Array] = {
            raw: np.zeros((FIRST_CAPACITY, *raw.shape)) for raw in raws if not isinstance(raw, FromContacts)
        }
        self._tape: ContactTape | None = None
        self._steps = 0
        self._env: Any = None
        self._bound: tuple[Any, Any] = (None, None)

    def reset(self, env: Any, obs: Any, info: Mapping[str, Any]) -> None:
        """A reset row: action 0, reward 0, the clock at 0."""
        inner = env.unwrapped
        if env is not self._env or inner.data is not self._bound[1]:  # some envs make their data anew
            self._env, self._bound = env, (inner.model, inner.data)
            self._bind()
        self._steps = 0
        self._write(RESET, obs, 0.0, 0.0, info)

    def step(self, obs: Any, action: Any, reward: float, ended: int, info: Mapping[str, Any]) -> None:
        """A step row; `ended` is 0 or of TERMINATED | TRUNCATED."""
        self._steps += 1
        self._write(STEP | ended, obs, action, reward, info)

    def table(self) -> dict[Raw, Array]:
        """Every raw column, (length, *shape)."""
        table = {raw: column[: self.length] for raw, column in self._columns.items()}
        if self._tape is not None:
            return table | self._tape.columns(self._contact_raws)
        return table | {raw: np.zeros((0, *raw.shape)) for raw in self._contact_raws}

    def keep(self, rows: npt.NDArray[np.intp]) -> None:
        """Forget all but these rows, which become the carried ones."""
        for column in self._columns.values():
            column[: len(rows)] = column[rows]
        if self._tape is not None:
            self._tape.keep(rows.tolist())
        self.flags[: len(rows)] = self.flags[rows]
        self.length = self.carried = len(rows)

    def _write(self, flag: int, obs: Any, action: Any, reward: float, info: Mapping[str, Any]) -> None:
        n = self.length
        if n == len(self.flags):
            self._grow()
        for column, view in self._copies:
            column[n] = view
        for column, pick in self._given:
            column[n] = pick(self, flag, obs, action, reward)
        for column, key in self._info:
            column[n] = info.get(key, 0.0)
        if self._tape is not None:
            self._tape.write()
        self.flags[n] = flag
        self.length = n + 1

    def _grow(self) -> None:
        self.flags = np.concatenate([self.flags, np.zeros_like(self.flags)])
        self._columns = {raw: np.concatenate([old, np.zeros_like(old)]) for raw, old in self._columns.items()}
        self._pair()

    def _bind(self) -> None:
        """Take hold of an env's memory; rows of the one before stay."""
        if self._contact_raws:
            rows = self._tape.rows if self._tape is not None else []
            self._tape = ContactTape(*self._bound)
            self._tape.rows = rows
        self._pair()

    def _pair(self) -> None:
        """Pair every column with where its values come from."""
        data, columns = self._bound[1], self._columns.items()
        self._copies = [(column, _view(data, raw)) for raw, column in columns if isinstance(raw, Slice)]
        self._given = [
            (column, _picker(raw.key, self._env)) for raw, column in columns if isinstance(raw, Given)
        ]
        self._info = [(column, raw.key) for raw, column in columns if isinstance(raw, FromInfo)]


Picker = Callable[[Timeline, int, Any, Any, float], Any]


def _view(data: Any, raw: Slice) -> Array:
    """The part of MjData's own memory that a column copies."""
    flat: Array = getattr(data, raw.field).reshape(-1)
    return flat[raw.start : raw.stop].reshape(raw.shape)


def _picker(key: str, env: Any) -> Picker:
    if key == "action":
        if len(env.action_space.shape) == 1:
            return lambda line, flag, obs, action, reward: action
        return lambda line, flag, obs, action, reward: np.ravel(action)
    if key == "reward":
        return lambda line, flag, obs, action, reward: reward
    if key == "terminated":
        return lambda line, flag, obs, action, reward: 1.0 if flag & TERMINATED else 0.0
    if key == "steps":
        return lambda line, flag, obs, action, reward: line._steps
    flatten = flattener(env, key)
    return lambda line, flag, obs, action, reward: flatten(obs)
