"""The dry run: a program's behaviour on recorded rows, before anything is trained with it.

Every row must have the same terms whatever else is in its batch. So the rows are evaluated twice, in another
order, in batches of awkward sizes, and drawn at random into a batch as large as in training; what changes
isn't a function of one row. Nor may that batch take out of proportion longer. Training: see `recheck`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from eureka_loop.errors import RewardFailure
from eureka_loop.records import Array
from eureka_loop.reward.contract import Program
from eureka_loop.reward.hints import Shape, for_failure
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.sandbox.process import Columns, RewardProcess, Terms, processor_seconds

TOLERANCE = 1e-9  # of a term's size: a matrix product may add in another order for another number of rows
SIZES = (7, 11, 1)  # rows: primes that no observable's width is likely to share, and a row alone
BATCHES = 30  # of each size
ROWS = 2_048  # of a call in training, where that isn't known; more than the longest `range`
SECONDS = 20.0  # for all of it, some 90 calls; usually well under one
LEAST = 5.0  # ms of a call that are never too much

Rows = npt.NDArray[np.intp]


def try_out(
    fork_server: ForkServer,
    program: Program,
    probe: Columns,
    shapes: Mapping[str, Shape],
    *,
    rows: int = ROWS,
) -> Terms:
    """The terms of recorded rows, evaluated in every way that must not matter.

    A fitness or success program is run twice on all rows together; its number is the one term.

    Args:
        probe: name → (N, *shape): recorded rows of several episodes.
        shapes: name → shape of one row.
        rows: of a call in training.

    Raises:
        RewardFailure: the program failed; not_deterministic, rows_not_independent; timed_out, where each call
            is in time but all of them together are not, or the rows of a larger batch take longer each. Each
            with lines, causes and what to write instead.
    """
    columns = {name: probe[name] for name in program.parameters}
    every, until = np.arange(len(next(iter(columns.values())))), time.monotonic() + SECONDS
    try:
        with fork_server.start(program, shapes, rows=max(rows, len(every))) as process:
            if program.kind != "reward":
                first, again = (np.array([[process.measure(columns)]]) for _ in range(2))
                terms = Terms((program.kind,), first)
                limit = TOLERANCE * np.abs(first)
                compare(terms.names, first, again, limit, "not_deterministic", "evaluated again")
                return terms
            terms = process.evaluate(columns)
            limit = TOLERANCE * np.abs(terms.values).max(axis=1, keepdims=True)
            large = np.random.default_rng(1).integers(len(every), size=rows)
            for kind, how, batches in _variants(every, large):
                values = []
                for batch in batches:
                    if time.monotonic() > until:
                        raise RewardFailure("timed_out", "The calls of the dry run took too long together")
                    values.append(process.evaluate(_of(columns, batch)).values)
                before, after = terms.values[:, np.concatenate(batches)], np.concatenate(values, axis=1)
                compare(terms.names, before, after, limit, kind, how)
            many = _of(columns, large)
            _require_proportion(process, columns, many, 4.0)
            _require_proportion(process, _of(many, np.arange(max(1, rows // 4))), many, 2.0)
    except RewardFailure as failure:
        text = for_failure(failure, program, {name: shapes[name] for name in program.parameters})
        raise RewardFailure(failure.kind, text, failure.detail) from failure
    return terms


def _variants(every: Rows, large: Rows) -> Iterator[tuple[str, str, list[Rows]]]:
    """Batches of row numbers, with the kind of failure and the words for it where a term differs."""
    yield "not_deterministic", "evaluated again", [every]
    yield "rows_not_independent", "in another order", [np.random.default_rng(0).permutation(every)]
    for size in SIZES:
        batches = [every[first : first + size] for first in range(0, len(every), size)]
        chosen = np.unique(np.linspace(0, len(batches) - 1, BATCHES).astype(int))
        yield "rows_not_independent", f"in batches of {size}", [batches[number] for number in chosen]
    yield "rows_not_independent", f"in a batch of {len(large):,}, as in training", [large]


def _of(columns: Columns, rows: Rows) -> Columns:
    return {name: column[rows] for name, column in columns.items()}


def compare(names: Sequence[str], before: Array, after: Array, limit: Array, kind: str, how: str) -> None:
    """Raise where terms (K, N) differ by more than a limit (K, 1), every such term on a line of its own."""
    found = []
    for name, was, now, most in zip(names, before, after, limit, strict=True):
        differing = np.abs(now - was) > most
        if differing.any():
            row = int(differing.argmax())
            found.append(f"Term {name!r} of one row is {was[row]:.9g}, but {now[row]:.9g} {how}")
    if found:
        raise RewardFailure(kind, "\n".join(found))


def _require_proportion(process: RewardProcess, few: Columns, many: Columns, growth: float) -> None:
    """Raise where each of `many` rows takes so many times longer than each of `few`; smaller caches are 2."""

    def milliseconds(columns: Columns) -> float:
        before = processor_seconds(process.pid)
        process.evaluate(columns)
        return 1e3 * (processor_seconds(process.pid) - before)

    short, long = (min(milliseconds(each) for _ in range(3)) for each in (few, many))
    rows, most = (len(next(iter(each.values()))) for each in (few, many))
    if long > max(LEAST, growth * short * most / rows):
        text = f"`compute_reward` takes {short:.2g} ms for {rows:,} rows, but {long:.2g} ms for {most:,}"
        advice = "compute each row by itself: the time may grow in proportion to the rows, not faster"
        raise RewardFailure("timed_out", f"{text}: {advice}")
