"""report.html of a comparison: one file that opens anywhere, offline, without a script.

Names, notes and programs may come from a language model. The template escapes whatever it is given; what
comes as finished HTML (pictures, highlighted code) is made here and in `svg`, of escaped pieces. A
content-security policy forbids scripts and requests besides.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from eureka_loop.report import text, words
from eureka_loop.report.compare import charts, measures, programs, verdict
from eureka_loop.report.compare.code import highlighted
from eureka_loop.report.compare.facts import Facts, Part
from eureka_loop.report.compare.repeat import provenance
from eureka_loop.report.comparison import Standing
from eureka_loop.report.pages import render

Picture = Markup


@dataclass(frozen=True, slots=True)
class Shared:
    """Two rewards on the same transitions, and their programs beside each other."""

    label: str
    series: int
    picture: Picture
    words: str
    terms: list[programs.TermPair]


@dataclass(frozen=True, slots=True)
class Row:
    """One row of two programs."""

    kind: str
    left_number: str
    left: Markup
    right_number: str
    right: Markup


@dataclass(frozen=True, slots=True)
class Pair:
    """Two programs, whole, side by side."""

    left: str
    right: str
    rows: list[Row]
    same: bool


def page(facts: Facts) -> str:
    """The whole document."""
    return render(
        __package__,
        facts=facts,
        contest=facts.contest,
        task=facts.task,
        headline=verdict.headline(facts),
        lines=verdict.lines(facts),
        caution=verdict.looks(facts),
        protocol=measures.protocol(facts),
        fitness=Markup("\n").join(highlighted(facts.task.fitness)),
        parts=[_part(facts, part) for part in facts.parts],
        pairs=list(_pairs(facts)),
        provenance=list(provenance(facts)),
        contenders=[(index, each) for index, each in enumerate(facts.contest.contenders)],
    )


def _part(facts: Facts, part: Part) -> dict[str, object]:
    """What the template shows of one algorithm."""
    return {
        "name": part.algorithm.upper(),
        "heads": measures.HEADS,
        "rows": [measures.row(each) for each in measures.measures(part)],
        "verdicts": [(each.label, *verdict.against(part, each)) for each in part.standings[1:]],
        "explanations": measures.explanations(part),
        "seeds": Markup(charts.seeds_of(part)),
        "wins": Markup(charts.wins(part)),
        "learning": Markup(charts.learning(part)),
        "profiles": Markup(charts.profiles(part)),
        "each_seed": [
            (each.label, ", ".join(text.numbers(float(value) for value in each.fitness)) or "none finished")
            for each in part.standings
        ],
        "failures": [
            (each.label, failure.seed, words.failure(failure.kind), text.one_line(failure.message, 300))
            for each in part.standings
            for failure in each.evaluated.failures
        ],
        "shared": list(_shared(part)),
        "films": [(label, encoded(path)) for label, path in part.films],
        "why_no_films": part.why_no_films,
        "terms": [(each.label, _terms(each, index)) for index, each in enumerate(part.standings)],
    }


def _terms(standing: Standing, series: int) -> list[tuple[str, Picture]]:
    return [(name, Markup(drawn)) for name, drawn in charts.terms(standing.evaluated, series)]


def _shared(part: Part) -> Iterator[Shared]:
    labels = {each.id: each.label for each in part.standings}
    order, by_id = [each.label for each in part.standings], {each.id: each for each in part.standings}
    for found in part.agreements:
        if found.ours not in labels or found.theirs not in labels:
            continue
        ours, theirs = by_id[found.ours].evaluated, by_id[found.theirs].evaluated
        yield Shared(
            label=labels[found.theirs],
            series=order.index(labels[found.theirs]),
            picture=Markup(charts.scatter(found, labels, order)),
            words=f"correlation {_signed(found.pearson)}, of ranks {_signed(found.spearman)}, "
            f"over {found.rows:,} transitions",
            terms=programs.term_pairs(found, ours, theirs),
        )


def _pairs(facts: Facts) -> Iterator[Pair]:
    first, *others = facts.contest.contenders
    ours = facts.source(first)
    left = highlighted(ours)
    for other in others:
        theirs = facts.source(other)
        right = highlighted(theirs)
        lines = programs.side_by_side(ours, theirs)
        rows = [
            Row(
                each.kind.replace(" ", "-"),
                str(each.left_number or ""),
                left[each.left_number - 1] if each.left_number else Markup(""),
                str(each.right_number or ""),
                right[each.right_number - 1] if each.right_number else Markup(""),
            )
            for each in lines
        ]
        yield Pair(first.label, other.label, rows, all(each.kind == "same" for each in lines))


def encoded(path: Path) -> str:
    """A video as an address that holds all of it."""
    return f"data:video/mp4;base64,{base64.b64encode(path.read_bytes()).decode('ascii')}"


def _signed(value: float | None) -> str:
    return "undefined, since one of them is constant" if value is None else f"{value:+.2f}"
