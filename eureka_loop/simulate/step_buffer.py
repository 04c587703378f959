"""Records steps of several envs and computes the columns that programs ask for.

A step only copies raw columns. Observables are computed at the `take`, over all rows of all envs at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from eureka_loop.records import Array
from eureka_loop.simulate.contacts import contact_sums
from eureka_loop.simulate.definitions import (
    CONTACTS,
    ContactSum,
    Definition,
    Definitions,
    Indices,
    Raw,
    raw_needs,
    split,
)

RESET, STEP, TERMINATED, TRUNCATED = 0, 1, 2, 4  # flags of a row; STEP with what ended the episode
FIRST_CAPACITY = 256  # rows
Flags = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Transitions:
    """Steps of some envs: env 0's in order of time, then env 1's, and so on.

    Attributes:
        columns: parameter → (N, *shape), float64.
        env_index: (N,).
        episode_start: (N,) the episode's first step.
        done: (N,) the episode's last step, terminated or truncated.
        truncated: (N,) cut off by a time limit without being terminated.
    """

    columns: Mapping[str, Array]
    env_index: Indices
    episode_start: npt.NDArray[np.bool_]
    done: npt.NDArray[np.bool_]
    truncated: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.env_index)


class StepBuffer:
    """Rows of several envs of one model: a row for every reset and every step.

    After a take two rows of each env stay, the episode's reset and the last one, so that `init_` and `prev_`
    of the next rows can be computed. Their observables are kept as computed, since their own past is gone.

    Args:
        names: parameters of programs (`prev_` and `init_` allowed), all known to `definitions`.
        model: MjModel.

    Attributes:
        raws: the columns that `append` takes: `CONTACTS` in place of sums over contacts.
    """

    def __init__(self, definitions: Definitions, names: Iterable[str], n_envs: int, model: Any) -> None:
        self.names, self.n_envs = tuple(dict.fromkeys(names)), n_envs
        self._definitions, self._model = definitions, model
        raws = raw_needs(definitions, self.names)
        self._sums = [raw for raw in raws if isinstance(raw, ContactSum)]
        self.raws = tuple(dict.fromkeys(CONTACTS if raw in self._sums else raw for raw in raws))
        self._columns: dict[Raw, Any] = {
            raw: np.zeros((FIRST_CAPACITY, *raw.shape), object if raw == CONTACTS else np.float64)
            for raw in self.raws
        }
        self._flags: Flags = np.zeros(FIRST_CAPACITY, np.uint8)
        self._envs = np.zeros(FIRST_CAPACITY, np.intp)
        self._length = self._carried = 0
        self._saved: dict[str, Array] = {}

    def append(self, envs: int | Indices, flags: int | Flags, values: Mapping[Raw, Any]) -> None:
        """One row for each of some envs.

        Args:
            envs: (E,) or one env.
            flags: (E,), RESET or STEP with what ended the episode.
            values: raw column → (E, *shape); copied.
        """
        start = self._length
        end = start + (1 if isinstance(envs, int) else len(envs))
        if end > len(self._flags):
            self._grow(end)
        rows: int | slice = start if isinstance(envs, int) else slice(start, end)
        self._envs[rows], self._flags[rows] = envs, flags
        for raw, column in self._columns.items():
            column[rows] = values[raw]
        self._length = end

    def take(self) -> Transitions:
        """All steps since the last take, with every name's column; the episodes go on.

        Raises:
            BadInput: an observable of a domain file doesn't return what it declares.
        """
        order = np.argsort(self._envs[: self._length], kind="stable")
        raw: dict[Raw, Any] = {each: column[order] for each, column in self._columns.items()}
        if self._sums:
            raw |= contact_sums(self._model, raw[CONTACTS], self._sums)
        rows = Rows(self._envs[order], self._flags[order], order, self._carried)
        evaluation = Evaluation(self._definitions, rows, raw, self._saved)
        steps = ((rows.flags & STEP) > 0) & ~rows.is_carried
        columns = {name: evaluation.column(name)[steps] for name in self.names}
        ended = rows.flags[steps] & (TERMINATED | TRUNCATED)
        taken = Transitions(
            columns=columns,
            env_index=rows.envs[steps],
            episode_start=(rows.previous == rows.first)[steps],
            done=ended > 0,
            truncated=ended == TRUNCATED,
        )
        self._saved = {name: column[rows.kept] for name, column in evaluation.computed.items()}
        self._move(order[rows.kept], rows.flags[rows.kept])
        return taken

    def snapshot(self, envs: slice) -> dict[str, Any]:
        """Of these envs, right after a take: what their next rows need of the two that stay."""
        kept = slice(2 * envs.start, 2 * envs.stop)
        saved = {name: column[kept] for name, column in self._saved.items()}
        return {"flags": self._flags[kept].copy(), "saved": saved}

    def restore(self, parts: Sequence[Mapping[str, Any]]) -> None:
        """Go on, right after a reset of all envs, from snapshots of these, in order.

        Raw columns of the rows that stay are the reset's: of these rows only saved observables count. What a
        part didn't record is 0 there.
        """
        rows = np.repeat(np.arange(self._length - self.n_envs, self._length), 2)
        self._move(rows, np.concatenate([part["flags"] for part in parts]))
        saved = [part["saved"] for part in parts]
        sizes = [len(part["flags"]) for part in parts]
        shapes = {name: column.shape[1:] for part in saved for name, column in part.items()}
        self._saved = {
            name: np.concatenate(
                [part.get(name, np.zeros((size, *shape))) for part, size in zip(saved, sizes, strict=True)]
            )
            for name, shape in shapes.items()
        }

    def _move(self, rows: Indices, flags: Flags) -> None:
        """Keep these rows alone, as carried ones."""
        count = self._length = self._carried = len(rows)
        if count > len(self._flags):
            self._grow(count)
        for column in self._columns.values():
            column[:count] = column[rows]
        self._flags[:count], self._envs[:count] = flags, self._envs[rows]

    def _grow(self, least: int) -> None:
        size = max(2 * len(self._flags), least)
        self._flags, self._envs = np.resize(self._flags, size), np.resize(self._envs, size)
        self._columns = {
            raw: np.resize(column, (size, *column.shape[1:])) for raw, column in self._columns.items()
        }


class Rows:
    """Rows sorted by env, in order of time; R of them, resets and carried ones included.

    Attributes:
        is_carried: (R,) the last take computed it already.
        first: (R,) index of the episode's reset row.
        previous: (R,) index of the row before; a reset row's own.
        starts: indices of reset rows and carried rows, rising: their accumulated values are known.
        kept: indices of the two rows of each env that the next take carries.
    """

    def __init__(self, envs: Indices, flags: Flags, order: Indices, carried: int) -> None:
        self.envs, self.flags = envs, flags
        rows = np.arange(len(flags))
        self.is_carried = order < carried
        origin = (flags == RESET) | (self.is_carried & (order % 2 == 0))  # the first of each carried pair
        self.first = np.maximum.accumulate(np.where(origin, rows, 0))
        fresh = origin | self.is_carried
        self.previous = np.where(fresh, rows, rows - 1)
        self.starts = np.flatnonzero(fresh)
        last = np.flatnonzero(np.append(envs[1:] != envs[:-1], True)) if len(envs) else rows
        self.kept = np.stack([self.first[last], last], axis=1).reshape(-1)


class Evaluation:
    """Columns over one set of rows, each observable computed once.

    Args:
        saved: observables of the carried rows as the last take computed them.
    """

    def __init__(
        self, definitions: Definitions, rows: Rows, raw: Mapping[Raw, Array], saved: Mapping[str, Array]
    ) -> None:
        self._definitions, self._rows, self._raw, self._saved = definitions, rows, raw, saved
        self.computed: dict[str, Array] = {}

    def column(self, need: Raw | str) -> Array:
        """(R, *shape) of a raw column, an observable, or `prev_`/`init_` of one."""
        if not isinstance(need, str):
            return self._raw[need]
        prefix, base = split(need, self._definitions)
        if base not in self.computed:
            self.computed[base] = self._compute(self._definitions[base])
        column = self.computed[base]
        if not prefix:
            return column
        return column[self._rows.previous if prefix == "prev_" else self._rows.first]

    def _compute(self, definition: Definition) -> Array:
        rows, saved = self._rows, self._saved.get(definition.name)
        values = definition.compute(map(self.column, definition.needs), len(rows.flags))
        known = np.zeros_like(values) if definition.accumulate else values
        if saved is not None:
            known[rows.is_carried] = saved
        return (
            definition.accumulate(values, rows.starts, known[rows.starts]) if definition.accumulate else known
        )
