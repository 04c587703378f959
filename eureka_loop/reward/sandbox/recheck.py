"""Calls in training, a random part of which is evaluated again: they may differ from those of the dry run.

Rows of every call are kept with their terms. Once there are enough, they are evaluated again, with those of
other calls, in an order and in batches of sizes that the program can't foresee. Their terms must be the same.
The time of a call is bounded on average, since each may be in time, and a training far too long.
"""

from __future__ import annotations

from contextlib import AbstractContextManager

import numpy as np

from eureka_loop.errors import RewardFailure
from eureka_loop.records import Array
from eureka_loop.reward.contract import Program
from eureka_loop.reward.hints import for_failure
from eureka_loop.reward.sandbox.process import Columns, RewardProcess, Terms, processor_seconds
from eureka_loop.reward.sandbox.trial import compare

SHARE = 16  # one in so many rows of a call is kept, and at least one
ENOUGH = 64  # kept rows that are evaluated again; also the most of one call, and of a batch (often few)
TOLERANCE = 1e-6  # of a term's largest size in the calls that rows were kept of
CALL_SECONDS, ROW_SECONDS = 5e-3, 2e-5  # of a processor on average: 100 and 4 times what honest programs take
PACED = 1.0  # seconds of a processor over which the average is taken
_STREAM = 0x5EED  # of the training's seed: other numbers than those of its envs and networks


class CheckedProcess(AbstractContextManager["CheckedProcess"]):
    """A reward process as training calls it; closes it.

    Args:
        seed: of the training. It decides which rows are evaluated again; the terms don't depend on it.
    """

    def __init__(self, process: RewardProcess, seed: int) -> None:
        self.request, self._process = process.request, process
        self._random = np.random.default_rng([_STREAM, seed])
        self._kept: list[tuple[Columns, Array, Array]] = []  # rows, terms, sizes of terms (K, 1)
        self._calls = self._rows = 0  # since the pace was looked at
        self._spent = processor_seconds(process.pid)

    def evaluate(self, columns: Columns) -> Terms:
        """The terms of every row, as `RewardProcess.evaluate`.

        Raises:
            RewardFailure: also rows_not_independent, with lines and what to write instead.
        """
        terms = self._evaluate(columns)
        self._check(columns, terms)
        return terms

    def __exit__(self, *_: object) -> None:
        self._process.close()

    def _evaluate(self, columns: Columns) -> Terms:
        terms = self._process.evaluate(columns)
        self._calls, self._rows = self._calls + 1, self._rows + terms.values.shape[1]
        return terms

    def _require_pace(self) -> None:
        """Raise where calls take too long on average."""
        seconds = (now := processor_seconds(self._process.pid)) - self._spent
        if seconds < PACED:
            return
        calls, most = self._calls, self._calls * CALL_SECONDS + self._rows * ROW_SECONDS
        if seconds > most:
            taken, allowed, rows = 1e3 * seconds / calls, 1e3 * most / calls, self._rows / calls
            text = f"`compute_reward` takes {taken:.2g} ms for {rows:,.0f} rows in training, on average"
            advice = f"{allowed:.2g} ms are allowed: compute less, whatever the rows hold"
            raise RewardFailure("timed_out", f"{text}; {advice}")
        self._calls, self._rows, self._spent = 0, 0, now

    def _check(self, columns: Columns, terms: Terms) -> None:
        """Keep some rows of a call; evaluate rows again once there are enough."""
        rows = terms.values.shape[1]
        if rows:
            chosen = self._random.integers(rows, size=min(ENOUGH, -(-rows // SHARE)))
            part = {name: columns[name][chosen] for name in self.request.shapes}
            size = np.abs(terms.values).max(axis=1, keepdims=True)
            self._kept.append((part, terms.values[:, chosen], size))
        if sum(values.shape[1] for _, values, _ in self._kept) >= ENOUGH:
            self._ask_again(terms.names)

    def _ask_again(self, names: tuple[str, ...]) -> None:
        """Evaluate the kept rows again, in batches of random sizes, and forget them."""
        rows, terms, sizes = zip(*self._kept, strict=True)
        parts = {name: np.concatenate([each[name] for each in rows]) for name in self.request.shapes}
        values, limit = np.concatenate(terms, axis=1), TOLERANCE * np.max(sizes, axis=0)
        left, self._kept = self._random.permutation(values.shape[1]), []
        try:
            while len(left):
                size = min(self.request.rows, int(ENOUGH ** self._random.random()))
                batch, left = left[:size], left[size:]
                after = self._evaluate({name: column[batch] for name, column in parts.items()}).values
                how = "among others, in training"
                compare(names, values[:, batch], after, limit, "rows_not_independent", how)
            self._require_pace()
        except RewardFailure as failure:
            shapes = {name: tuple(shape) for name, shape in self.request.shapes.items()}
            program = Program("reward", self.request.source, tuple(shapes), {})
            text = for_failure(failure, program, shapes)
            raise RewardFailure(failure.kind, text, failure.detail) from failure
