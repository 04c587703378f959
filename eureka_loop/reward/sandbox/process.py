"""A reward program, running in its locked process: columns in, terms out."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType

import numpy as np
import numpy.typing as npt

from eureka_loop.errors import RewardFailure
from eureka_loop.records import Array
from eureka_loop.reward.contract import Program, is_diagnostic
from eureka_loop.reward.sandbox import answer
from eureka_loop.reward.sandbox.conversation import Conversation

Columns = Mapping[str, Array]


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """Reward terms of N rows.

    Attributes:
        names: in the program's order; those that begin with `_` are diagnostics.
        values: (K, N), finite, |value| <= 1e6.
    """

    names: tuple[str, ...]
    values: Array

    @property
    def total(self) -> Array:
        """The reward, (N,): the sum of all terms but the diagnostics, added in the program's order."""
        # Term by term: numpy's own sum may add the terms of a single row in another order than those of many.
        total = np.zeros(self.values.shape[1])
        for name, values in zip(self.names, self.values, strict=True):
            if not is_diagnostic(name):
                total += values
        return total

    def named(self) -> dict[str, Array]:
        """Term → (N,)."""
        return dict(zip(self.names, self.values, strict=True))


class RewardProcess:
    """One program in one locked process. Not for several threads at once; close it, or use it in `with`.

    After a RewardFailure the process is gone.

    Args:
        connect: starts a process for batches of that many rows.
        rows: capacity; larger batches go in pieces.
        deadline: seconds for one call, all its pieces together.
    """

    def __init__(
        self, program: Program, connect: Callable[[int], Conversation], *, rows: int, deadline: float
    ) -> None:
        if rows < 1:
            raise ValueError(f"rows is {rows}, expected at least 1")
        self.program = program
        self._connect, self._rows, self._deadline = connect, rows, deadline
        self._names: tuple[str, ...] = ()
        self._conversation = connect(rows)

    @property
    def rows(self) -> int:
        """How many one piece of a call holds at most."""
        return self._rows

    @property
    def pid(self) -> int:
        return self._conversation.pid

    def evaluate(self, columns: Columns, episode_start: npt.NDArray[np.bool_] | None = None) -> Terms:
        """The terms of every row.

        Args:
            columns: parameter → (N, *shape), any real dtype; others than the program's are ignored.
            episode_start: (N,), whether a row is its episode's first. Rows are in time order, env by env.

        Raises:
            RewardFailure: the program failed.
            SandboxError: the warm parent is gone, or this process was closed.
            ValueError: a column is missing or misshapen: the caller's mistake.
        """
        rows = self._count(columns)
        until = time.monotonic() + self._deadline
        pieces = [
            self._evaluate(columns, episode_start, slice(first, min(first + self._rows, rows)), rows, until)
            for first in range(0, rows, self._rows)
        ]
        if len(pieces) == 1:
            return Terms(self._names, pieces[0])
        values = np.concatenate(pieces, axis=1) if pieces else np.zeros((len(self._names), 0))
        return Terms(self._names, values)

    def measure(self, columns: Columns) -> float:
        """The number that a fitness or success program gives for one whole episode, (N, *shape) each.

        An episode longer than the capacity moves to a larger process.

        Raises: as `evaluate`.
        """
        rows = self._count(columns)
        if rows > self._rows:
            self._grow(max(rows, 2 * self._rows))
        self._fill(columns, None, slice(0, rows), rows)
        self._conversation.ask(rows, time.monotonic() + self._deadline)
        value = float(self._conversation.values[0, 0])
        if not np.isfinite(value):
            raise self._conversation.broken("a number that is not finite")
        return value

    def close(self) -> None:
        """End the process; may be called again."""
        self._conversation.close()

    def __enter__(self) -> RewardProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _count(self, columns: Columns) -> int:
        for name in (*self.program.parameters, *columns):
            if name not in columns:
                raise ValueError(f"no column {name!r}; there are {', '.join(columns)}")
            return len(columns[name])
        raise ValueError("no columns: how many rows are there?")

    def _evaluate(
        self, columns: Columns, starts: npt.NDArray[np.bool_] | None, piece: slice, total: int, until: float
    ) -> Array:
        """The values (K, rows) of one piece, copied out of the child's reach, then checked."""
        self._fill(columns, starts, piece, total)
        talk, rows = self._conversation, piece.stop - piece.start
        count, size = talk.ask(rows, until)
        if not self._names:
            self._names = self._told_names(talk.text(size))
        if count != len(self._names):
            raise talk.broken("another number of terms than before")
        values = talk.values[:count, :rows].copy()
        found = answer.fault(self._names, values, piece.start)
        if found is not None:
            failure, row = found
            inputs = answer.inputs_at(self.program.parameters, talk.columns, row)
            talk.close()
            raise RewardFailure(failure.kind, f"{failure}, where {inputs}")
        return values

    def _told_names(self, text: bytes) -> tuple[str, ...]:
        names = tuple(text.decode("ascii", "replace").split("\n"))
        try:
            answer.check_names(names)
        except RewardFailure:
            raise self._conversation.broken("term names that are none") from None
        return names

    def _fill(self, columns: Columns, starts: npt.NDArray[np.bool_] | None, piece: slice, total: int) -> None:
        talk, rows = self._conversation, piece.stop - piece.start
        for name, target in zip(self.program.parameters, talk.columns, strict=False):
            column = columns.get(name)
            if column is None or len(column) != total or column.shape[1:] != target.shape[1:]:
                raise ValueError(_misfit(name, column, total, target))
            target[:rows] = column[piece]
        if starts is not None:  # no program reads them yet; those that declare trackers of their own will
            talk.starts[:rows] = starts[piece]

    def _grow(self, rows: int) -> None:
        larger = self._connect(rows)
        self._conversation.close()
        self._conversation, self._rows = larger, rows


def _misfit(name: str, column: Array | None, total: int, target: Array) -> str:
    if column is None:
        return f"no column {name!r}"
    return f"column {name!r} has shape {column.shape}, expected {(total, *target.shape[1:])}"
