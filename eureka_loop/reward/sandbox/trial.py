"""The dry run: a program's behaviour on recorded rows, before anything is trained with it.

Every row must have the same terms whatever else is in its batch. So the rows are evaluated twice, in another
order, in batches of awkward sizes, and repeated in one large batch; what changes isn't a function of one row.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt

from eureka_loop.errors import RewardFailure
from eureka_loop.records import Array
from eureka_loop.reward.contract import Program
from eureka_loop.reward.hints import Shape, for_failure
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.sandbox.process import Columns, Terms

TOLERANCE = 1e-9  # of a term's size: a matrix product may add in another order for another number of rows
SIZES = (7, 11, 1)  # rows: primes that no observable's width is likely to share, and a row alone
BATCHES = 30  # of each size
ROWS = 2_048  # of the large batch, as in training; more than the longest `range`
SECONDS = 20.0  # for all of it, some 90 calls; usually well under one

Rows = npt.NDArray[np.intp]


def try_out(fork_server: ForkServer, program: Program, probe: Columns, shapes: Mapping[str, Shape]) -> Terms:
    """The terms of recorded rows, evaluated in every way that must not matter.

    A fitness or success program is run twice on all rows together; its number is the one term.

    Args:
        probe: name → (N, *shape): recorded rows of several episodes.
        shapes: name → shape of one row.

    Raises:
        RewardFailure: the program failed; not_deterministic, rows_not_independent; timed_out, where each call
            is in time but all of them together are not. Each with lines, causes and what to write instead.
    """
    columns = {name: probe[name] for name in program.parameters}
    every, until = np.arange(len(next(iter(columns.values())))), time.monotonic() + SECONDS
    try:
        with fork_server.start(program, shapes, rows=ROWS) as process:
            if program.kind != "reward":
                first, again = (np.array([[process.measure(columns)]]) for _ in range(2))
                terms = Terms((program.kind,), first)
                _compare(terms, every[:1], again, "not_deterministic", "evaluated again")
                return terms
            terms = process.evaluate(columns)
            for kind, how, batches in _variants(every):
                values = []
                for batch in batches:
                    if time.monotonic() > until:
                        raise RewardFailure("timed_out", "The calls of the dry run took too long together")
                    values.append(process.evaluate({name: columns[name][batch] for name in columns}).values)
                _compare(terms, np.concatenate(batches), np.concatenate(values, axis=1), kind, how)
    except RewardFailure as failure:
        text = for_failure(failure, program, {name: shapes[name] for name in program.parameters})
        raise RewardFailure(failure.kind, text, failure.detail) from failure
    return terms


def _variants(every: Rows) -> Iterator[tuple[str, str, list[Rows]]]:
    """Batches of row numbers, with the kind of failure and the words for it where a term differs."""
    yield "not_deterministic", "evaluated again", [every]
    yield "rows_not_independent", "in another order", [np.random.default_rng(0).permutation(every)]
    for size in SIZES:
        batches = [every[first : first + size] for first in range(0, len(every), size)]
        chosen = np.unique(np.linspace(0, len(batches) - 1, BATCHES).astype(int))
        yield "rows_not_independent", f"in batches of {size}", [batches[number] for number in chosen]
    yield "rows_not_independent", f"in a batch of {ROWS}", [np.resize(every, ROWS)]


def _compare(terms: Terms, rows: Rows, values: Array, kind: str, how: str) -> None:
    """Raise where a term of these rows differs, every such term on a line of its own."""
    found = []
    for name, expected, after in zip(terms.names, terms.values, values, strict=True):
        before = expected[rows]
        differing = np.abs(after - before) > TOLERANCE * np.abs(expected).max()
        if differing.any():
            row = int(differing.argmax())
            found.append(f"Term {name!r} of one row is {before[row]:.9g}, but {after[row]:.9g} {how}")
    if found:
        raise RewardFailure(kind, "\n".join(found))
