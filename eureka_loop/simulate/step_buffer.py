"""Records steps of several envs and computes the columns that programs ask for.

A step only copies raw columns. Observables are computed at the `take`, over all rows of all envs at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from eureka_loop.records import Array
from eureka_loop.simulate.definitions import (
    CONTACTS,
    STEPS,
    Columns,
    Definitions,
    Indices,
    Raw,
    raw_needs,
    split,
)
from eureka_loop.simulate.physics import contact_sums

FIRST_CAPACITY = 256  # rows


@dataclass(frozen=True, slots=True)
class Transitions:
    """Steps of some envs: env 0's in order of time, then env 1's, and so on.

    Attributes:
        columns: parameter → (N, *shape), float64.
        env_index: (N,).
        episode_start: (N,) the episode's first step.
        done: (N,) the episode's last step, terminated or truncated.
    """

    columns: Mapping[str, Array]
    env_index: Indices
    episode_start: npt.NDArray[np.bool_]
    done: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.env_index)


class StepBuffer:
    """Rows of several envs of one model: a row for every reset and every step.

    After a take the episode's reset row and the last row of each env stay, with their observables, for
    `init_` and `prev_` of the next rows.

    Args:
        names: parameters of programs (`prev_` and `init_` allowed), all known to `definitions`.
        model: MjModel.

    Attributes:
        raws: the columns that `append` takes as values: `CONTACTS` in place of sums over contacts.
    """

    def __init__(self, definitions: Definitions, names: Iterable[str], n_envs: int, model: Any) -> None:
        self.names, self.n_envs = tuple(dict.fromkeys(names)), n_envs
        self._definitions, self._model = definitions, model
        raws = raw_needs(definitions, self.names)
        self._sums = [raw for raw in raws if raw.source == "contacts"]
        recorded = dict.fromkeys(CONTACTS if raw in self._sums else raw for raw in raws)
        self.raws = tuple(raw for raw in recorded if raw != STEPS)
        self._columns: dict[Raw, Any] = {
            raw: np.zeros((FIRST_CAPACITY, *raw.shape), object if raw == CONTACTS else np.float64)
            for raw in self.raws
        }
        self._rows = np.zeros((FIRST_CAPACITY, 3), np.intp)  # env, steps since the reset, whether done
        self._length = 0
        self._carried, self._columns_carried = self._rows[:0], dict[str, Array]()

    def append(self, envs: int | Indices, steps: Any, done: Any, values: Mapping[Raw, Any]) -> None:
        """One row for each of some envs.

        Args:
            envs: (E,) or one env.
            steps: (E,) since the reset, 0 of which is the reset itself.
            done: (E,) whether the episode ends with it.
            values: raw column → (E, *shape); copied.
        """
        start = self._length
        end = self._length = start + (1 if isinstance(envs, int) else len(envs))
        if end > len(self._rows):
            size = max(2 * len(self._rows), end)
            self._rows = np.resize(self._rows, (size, 3))
            for raw, column in self._columns.items():
                self._columns[raw] = np.resize(column, (size, *column.shape[1:]))
        at: int | slice = start if isinstance(envs, int) else slice(start, end)
        self._rows[at, 0], self._rows[at, 1], self._rows[at, 2] = envs, steps, done
        for raw, column in self._columns.items():
            column[at] = values[raw]

    def take(self) -> Transitions:
        """All steps since the last take, with every name's column; the episodes go on.

        Raises:
            BadInput: an observable of a domain file doesn't return what it declares.
        """
        order = np.argsort(self._rows[: self._length, 0], kind="stable")
        new = self._rows[order]
        envs, steps, done = new.T
        raw: dict[Raw, Any] = {each: column[order] for each, column in self._columns.items()}
        raw[STEPS] = steps.astype(np.float64)
        if self._sums:
            raw |= contact_sums(self._model, raw[CONTACTS], self._sums)
        rows = Rows(self._definitions, raw, new, self._carried, self._columns_carried)
        stepped = steps > 0
        taken = Transitions(
            columns={name: rows.at(rows.new[stepped], name) for name in self.names},
            env_index=envs[stepped],
            episode_start=steps[stepped] == 1,
            done=done[stepped] > 0,
        )
        last = np.flatnonzero(np.diff(rows.rows[:, 0], append=-1))
        kept = np.stack([rows.places["init_"][last], last], axis=1).reshape(-1)
        self._carried, self._length = rows.rows[kept], 0
        self._columns_carried = {name: column[kept] for name, column in rows.computed.items()}
        return taken


class Rows(Columns):
    """Carried and new rows, (R, 3), sorted by env, in order of time. As `Columns`: of the new ones.

    `places`: prefix → (R,) indices of the rows that it means: itself, the row before (a reset row's own), the
    episode's reset row.
    """

    def __init__(
        self, definitions: Definitions, raw: Any, new: Indices, carried: Indices, known: Mapping[str, Array]
    ) -> None:
        super().__init__(definitions, raw)
        order = np.argsort(np.concatenate([carried, new])[:, 0], kind="stable")
        self.rows = np.concatenate([carried, new])[order]
        is_new, is_reset, own = order >= len(carried), self.rows[:, 1] == 0, np.arange(len(order))
        self.new, self._old, self._carried = own[is_new], own[~is_new], known
        self._starts = np.flatnonzero(is_reset | ~is_new)  # accumulated values are known there
        previous = own - 1
        previous[self._starts] = self._starts
        first = np.maximum.accumulate(np.where(is_reset, own, 0))
        self.places = {"": own, "prev_": previous, "init_": first}
        self.computed: dict[str, Array] = {}

    def at(self, rows: Indices, name: str) -> Array:
        """(len(rows), *shape) of an observable, or `prev_`/`init_` of one."""
        prefix, base = split(name, self._definitions)
        if base not in self.computed:
            definition = self._definitions[base]
            values = np.zeros((len(self.rows), *definition.observable.shape))
            values[self.new] = definition.compute([self[need] for need in definition.needs], len(self.new))
            if definition.accumulate:
                values[self._starts] = 0.0
            if base in self._carried:
                values[self._old] = self._carried[base]
            accumulate = definition.accumulate or (lambda rows, _: rows)
            self.computed[base] = accumulate(values, self._starts)
        column: Array = self.computed[base][self.places[prefix][rows]]
        return column

    def _column(self, name: str) -> Array:
        return self.at(self.new, name)


class EpisodeCollector:
    """Keeps each env's episode under way until its last step; one broken off by a reset is dropped."""

    def __init__(self, n_envs: int) -> None:
        self.under_way: list[list[Mapping[str, Array]]] = [[] for _ in range(n_envs)]  # pieces, per env

    def add(self, transitions: Transitions) -> list[Mapping[str, Array]]:
        """Columns (length, *shape) of the episodes that these transitions finish, by env and time."""
        finished: list[Mapping[str, Array]] = []
        envs, begins = transitions.env_index, transitions.episode_start.copy()
        begins[1:] |= transitions.done[:-1] | (envs[1:] != envs[:-1])
        for begin, end in pairwise(sorted({0, *np.flatnonzero(begins).tolist(), len(transitions)})):
            env = int(envs[begin])
            if transitions.episode_start[begin]:
                self.under_way[env] = []
            pieces = self.under_way[env]
            pieces.append({name: column[begin:end] for name, column in transitions.columns.items()})
            if transitions.done[end - 1]:
                columns = {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}
                finished.append(columns)
                self.under_way[env] = []
        return finished
