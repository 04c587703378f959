"""Two programs side by side: which lines differ, and which terms pair up."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from statistics import fmean
from typing import Literal

from eureka_loop.judge.agreement import Agreement, Match
from eureka_loop.report import text
from eureka_loop.report.facts import terms
from eureka_loop.results import Evaluated
from eureka_loop.reward.contract import is_diagnostic

Kind = Literal["same", "changed", "only left", "only right"]


@dataclass(frozen=True, slots=True)
class Line:
    """One row of two columns; a number is None where that side has no line there."""

    kind: Kind
    left_number: int | None
    left: str
    right_number: int | None
    right: str


@dataclass(frozen=True, slots=True)
class TermPair:
    """A term and its counterpart in words, with each one's share of its reward at the end of training."""

    ours: str
    theirs: str
    how: str
    our_share: str
    their_share: str


def side_by_side(left: str, right: str) -> list[Line]:
    """Both programs whole, lines that belong together in one row."""
    a, b = text.clean(left).rstrip("\n").split("\n"), text.clean(right).rstrip("\n").split("\n")
    lines: list[Line] = []
    for tag, i, j, k, m in difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        for p, q in zip_longest(range(i, j), range(k, m)):
            lines.append(_line(tag == "equal", a, b, p, q))
    return lines


def unified(left: str, right: str, names: tuple[str, str]) -> Iterator[str]:
    """The same as one text."""
    a, b = text.clean(left).splitlines(), text.clean(right).splitlines()
    yield from difflib.unified_diff(a, b, *names, n=max(len(a), len(b)) + 1, lineterm="")


def term_pairs(found: Agreement, ours: Evaluated, theirs: Evaluated) -> list[TermPair]:
    """The matches of an agreement, in words."""
    mine, yours = terms(ours.trained), terms(theirs.trained)
    return [
        TermPair(
            ours=match.ours or text.UNKNOWN,
            theirs=match.theirs or text.UNKNOWN,
            how=_how(match),
            our_share=_share(mine, match.ours),
            their_share=_share(yours, match.theirs),
        )
        for match in found.terms
    ]


def over_training(evaluated: Evaluated) -> dict[str, list[tuple[float, float, float, float]]]:
    """Term → (step, mean, lowest, highest of the seeds' means) at each checkpoint that all seeds have."""
    points = list(zip(*(each.checkpoints for each in evaluated.trained), strict=False))
    names = dict.fromkeys(name for group in points for point in group for name in point.terms)
    found: dict[str, list[tuple[float, float, float, float]]] = {name: [] for name in names}
    for group in points:
        for name in names:
            means = [point.terms[name].mean for point in group if name in point.terms]
            if means:
                found[name].append((float(group[0].step), fmean(means), min(means), max(means)))
    return found


def _line(same: bool, a: list[str], b: list[str], p: int | None, q: int | None) -> Line:
    kind: Kind = "same" if same else "only right" if p is None else "only left" if q is None else "changed"
    return Line(
        kind,
        None if p is None else p + 1,
        "" if p is None else a[p],
        None if q is None else q + 1,
        "" if q is None else b[q],
    )


def _how(match: Match) -> str:
    if match.how == "":
        return "no counterpart"
    value = "" if match.correlation is None else f", correlation {match.correlation:+.2f}"
    return ("same name" if match.how == "name" else "they move together") + value


def _share(shares: dict[str, float], term: str | None) -> str:
    if term is None or term not in shares:
        return text.UNKNOWN
    return "not summed" if is_diagnostic(term) else text.percent(shares[term])
