"""Raw columns of many envs that step together: time by env, and the resets between."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from eureka_loop.records import Array
from eureka_loop.simulate.contacts import ContactTape
from eureka_loop.simulate.evaluation import Rows
from eureka_loop.simulate.memory import Indices
from eureka_loop.simulate.quantities import FromContacts, Raw
from eureka_loop.simulate.timeline import RESET, STEP

FIRST_CAPACITY = 64  # steps


class Tape:
    """Rows of N envs, all of which were reset before the first step.

    Args:
        raws: what is recorded, without sums over contacts.
        tapes: each env's contacts.
        summed: the sums over them.
    """

    def __init__(
        self, raws: Iterable[Raw], n_envs: int, tapes: Sequence[ContactTape], summed: Sequence[FromContacts]
    ) -> None:
        self._raws, self._n_envs = tuple(raws), n_envs
        self._tapes, self._summed = tapes, tuple(summed)
        self._steps = 0
        self._flags: npt.NDArray[np.uint8] = np.zeros((FIRST_CAPACITY, n_envs), np.uint8)
        self._columns = {raw: np.zeros((FIRST_CAPACITY, n_envs, *raw.shape)) for raw in self._raws}
        self._resets: list[tuple[int, Indices, dict[Raw, Array]]] = []
        self._carried: dict[Raw, Array] = {}
        self._carried_flags: npt.NDArray[np.uint8] = np.zeros(0, np.uint8)

    def reset(self, envs: Indices, columns: Mapping[Raw, Array]) -> None:
        """These envs were reset; `columns` (len(envs), *shape) are theirs and may be kept."""
        self._resets.append((self._steps, envs, {raw: columns[raw] for raw in self._raws}))

    def step(self, columns: Mapping[Raw, Array], ended: npt.NDArray[np.uint8]) -> None:
        """All envs took a step; `columns` (N, *shape) are copied; `ended` (N,): see `timeline`."""
        at = self._steps
        if at == len(self._flags):
            self._grow()
        for raw, column in self._columns.items():
            column[at] = columns[raw]
        self._flags[at] = STEP | ended
        self._steps = at + 1

    def rows(self) -> Rows:
        """Everything since the last `keep`, and before it what that carried: env-major, in order of time."""
        order, lengths = self._order()
        flags = [self._carried_flags, self._flags[: self._steps].reshape(-1)]
        flags += [np.full(len(envs), RESET, np.uint8) for _, envs, _ in self._resets]
        raw: dict[Raw, Array] = {raw: self._gathered(raw, order) for raw in self._raws}
        if self._summed:
            sums = ContactTape.joined(self._tapes).columns(self._summed)
            raw.update((each, sums[each]) for each in self._summed)
        carried = len(self._carried_flags) // self._n_envs
        return Rows.joined(raw, np.concatenate(flags)[order], lengths, [carried] * self._n_envs)

    def keep(self, rows: Rows) -> None:
        """Forget all rows but those that `rows` says to keep: two an env."""
        self._carried = {raw: rows.raw[raw][rows.kept] for raw in self._raws}
        self._carried_flags = rows.flags[rows.kept]
        begins = np.searchsorted(rows.env_index, np.arange(self._n_envs))
        for tape, begin, kept in zip(self._tapes, begins, rows.kept.reshape(-1, 2), strict=False):
            tape.keep((kept - begin).tolist())
        self._steps, self._resets = 0, []

    def carried(self, envs: slice) -> npt.NDArray[np.uint8]:
        """The flags of the two rows that each of these envs carries over, right after a `keep`."""
        return self._carried_flags[2 * envs.start : 2 * envs.stop].copy()

    def carry(self, flags: npt.NDArray[np.uint8]) -> None:
        """Begin, right after a reset of all envs, with rows that other tapes carried over.

        What was recorded in them stays behind: of rows carried over whoever takes keeps what was computed.
        """
        columns = self._resets[-1][2]
        self._carried = {raw: np.repeat(columns[raw], 2, axis=0) for raw in self._raws}
        self._carried_flags = flags
        for tape in self._tapes:
            tape.rows = [None, None]
        self._steps, self._resets = 0, []

    def _order(self) -> tuple[Indices, list[int]]:
        """Where each row of the result is among carried rows, steps and resets; rows per env."""
        envs = np.arange(self._n_envs)
        carried, steps = len(self._carried_flags) // self._n_envs, self._steps
        env = np.concatenate(
            [np.repeat(envs, carried), np.tile(envs, steps), *(reset[1] for reset in self._resets)]
        )
        # Before the first step: carried rows, then resets; after the step of index t: its own, then resets.
        times = [np.full(carried * self._n_envs, -1), np.repeat(2 * np.arange(steps) + 1, self._n_envs)]
        times += [np.full(len(each), 2 * at) for at, each, _ in self._resets]
        order = np.lexsort((np.concatenate(times), env))  # stable: carried rows keep theirs
        return order, np.bincount(env, minlength=self._n_envs).tolist()

    def _gathered(self, raw: Raw, order: Indices) -> Array:
        parts = [self._carried[raw]] if self._carried else []
        parts.append(self._columns[raw][: self._steps].reshape(-1, *raw.shape))
        parts += [columns[raw] for _, _, columns in self._resets]
        return np.asarray(np.concatenate(parts)[order])

    def _grow(self) -> None:
        self._flags = np.concatenate([self._flags, np.zeros_like(self._flags)])
        self._columns = {
            raw: np.concatenate([column, np.zeros_like(column)]) for raw, column in self._columns.items()
        }
