"""A program's behaviour on recorded rows, before anything is trained with it.

The gate can't see everything: `x - x.mean()` mixes rows without an axis in sight. So the rows are asked
again, in another order, and in pieces of awkward sizes; whatever changes was never a function of one row.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

import numpy as np

from eureka_loop.errors import RewardFailure
from eureka_loop.records import Array
from eureka_loop.reward.contract import Program
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.sandbox.process import RewardProcess, Terms

TOLERANCE = 1e-9  # of a term's size: a matrix product may add in another order for another number of rows
PIECES = (7, 11, 1)  # rows: primes that no observable's width is likely to share, and a row alone
SECONDS = 20.0  # for all of it, some 300 calls; usually well under one


def try_out(
    fork_server: ForkServer,
    program: Program,
    probe: Mapping[str, Array],
    shapes: Mapping[str, tuple[int, ...]],
) -> Terms:
    """Evaluate recorded rows in every way that must not matter; returns their terms.

    For a fitness or success program, whose rows belong together, only twice; its number is the one term.

    Args:
        probe: name → (N, *shape): recorded rows of several episodes.
        shapes: name → shape of one row.

    Raises:
        RewardFailure: the program failed; not_deterministic, rows_not_independent; timed_out, where each call
            is in time but all of them together are not.
    """
    columns = {name: probe[name] for name in program.parameters}
    rows, until = len(next(iter(columns.values()))), time.monotonic() + SECONDS
    with fork_server.start(program, shapes, rows=rows) as process:
        if program.kind != "reward":
            return _measured_twice(process, columns)
        terms = process.evaluate(columns)
        _compare(terms, process.evaluate(columns).values, "not_deterministic", "asked again")
        order = np.random.default_rng(0).permutation(rows)
        shuffled = process.evaluate({name: column[order] for name, column in columns.items()})
        _compare(terms, shuffled.values[:, np.argsort(order)], "rows_not_independent", "in another order")
        for size in PIECES:
            _compare(
                terms,
                np.concatenate([each.values for each in _in_pieces(process, columns, size, until)], axis=1),
                "rows_not_independent",
                f"in batches of {size}",
            )
    return terms


def _in_pieces(
    process: RewardProcess, columns: Mapping[str, Array], size: int, until: float
) -> Iterable[Terms]:
    rows = len(next(iter(columns.values())))
    for first in range(0, rows, size):
        if time.monotonic() > until:
            name = process.program.entry_point
            raise RewardFailure("timed_out", f"{rows} rows asked in batches of {size} took `{name}` too long")
        yield process.evaluate({name: column[first : first + size] for name, column in columns.items()})


def _measured_twice(process: RewardProcess, columns: Mapping[str, Array]) -> Terms:
    terms = Terms((process.program.kind,), np.array([[process.measure(columns)]]))
    _compare(terms, np.array([[process.measure(columns)]]), "not_deterministic", "asked again")
    return terms


def _compare(terms: Terms, values: Array, kind: str, how: str) -> None:
    for name, before, after in zip(terms.names, terms.values, values, strict=True):
        differing = np.abs(after - before) > TOLERANCE * np.abs(before).max()
        if differing.any():
            row = int(differing.argmax())
            what = f"Term {name!r} of row {row} is {before[row]:.9g}, but {after[row]:.9g} {how}"
            raise RewardFailure(kind, f"{what}: {_ADVICE[kind]}")


_ADVICE = {
    "not_deterministic": "a program may keep nothing from call to call",
    "rows_not_independent": "a row's terms may depend on that row alone, so reduce over `axis=1`, never over "
    "the N rows (`x.mean()`, `x.max()`, `np.cumsum(x)`, `x[0]`)",
}
