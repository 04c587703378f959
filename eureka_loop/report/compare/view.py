"""A comparison as text: report.html, report.md and the screen show the same facts.

Labels, notes and programs may come from a language model: the templates escape all of them, and a
content-security policy forbids scripts and requests besides.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from itertools import zip_longest
from typing import Any

import numpy as np
from rich.console import Group, RenderableType
from rich.text import Text

from eureka_loop import numbers, text
from eureka_loop.judge.agreement import Agreement
from eureka_loop.judge.learning import Curves, mean_heights, steps_to_reach
from eureka_loop.judge.statistics import Interval, bootstrap_interval, clipped, rate_interval
from eureka_loop.report import layout
from eureka_loop.report.compare import figures
from eureka_loop.report.compare.results import ComparisonResults, Part
from eureka_loop.report.compare.train import SHARED, Shared
from eureka_loop.report.comparison import RewardResult
from eureka_loop.report.figures import learning
from eureka_loop.report.pages import render
from eureka_loop.report.run_data import Cost, terms
from eureka_loop.report.sections import STYLES, Grid, with_progress
from eureka_loop.reward.contract import is_diagnostic

HEADS = (
    "reward",
    "fitness, IQM [95%]",
    "success [95%]",
    "human-normalised",
    "fitness while learning [95%]",
    "steps to the reference's level",
    "trainings",
)
NOT_ON_SCREEN = 3  # of these columns, the last ones


def documents(found: ComparisonResults) -> dict[str, str]:
    """Path in the comparison's folder → content: figures, then report.html and report.md."""
    parts = [_facts(part) for part in found.parts]
    values: dict[str, Any] = {
        "found": found,
        "parts": parts,
        "labels": [each.label for each in found.setup.entries],
        "programs": [(each.label, found.source(each)) for each in found.setup.entries],
        "made_by": found.parts[0].run.record("made_by"),
        "sandbox": found.parts[0].run.record("sandbox"),
        "cost": cost(found),
        "side_by_side": side_by_side,
    }
    drawn = {path: part["figures"][name] for part in parts for name, path in part["paths"].items()}
    return {**drawn, **render("compare/", **values)}


def _facts(part: Part) -> dict[str, Any]:
    """Facts that both templates show of one algorithm."""
    shared, pairs, results = Shared.of(part.run), _agreements(part), part.results
    labels = [each.label for each in results]
    title = f"Learning curves of {', '.join(labels)} with {part.name}"
    drawn = {
        "seeds": figures.seeds(part),
        "learning": learning(part.curves, labels, title, legend=False),
        "profiles": figures.profiles(part),
        **{f"shared-{other.id}": figures.shared(part, found, other) for found, other in pairs},
        **{f"terms-{each.id}": figures.terms(part, series) for series, each in enumerate(results)},
    }
    return {
        "part": part,
        "name": part.name,
        "table": table(part),
        "shared": [(*pair, correlation(pair[0]), term_rows(part, *pair)) for pair in pairs],
        "films": [(each, part.run.folder / SHARED / f"film-{n}.mp4") for n, each in enumerate(shared.films)],
        "why_no_films": shared.why_no_films,
        "figures": drawn,
        "paths": {name: f"{part.algorithm}/figures/{name}.svg" for name, svg in drawn.items() if svg},
    }


def _agreements(part: Part) -> list[tuple[Agreement, RewardResult]]:
    """The first reward's agreement with each other one, on shared transitions."""
    known = {each.id: each for each in part.results}
    return [(each, known[each.theirs]) for each in Shared.of(part.run).agreements if each.theirs in known]


def summary(found: ComparisonResults) -> RenderableType:
    """The screen at the end: the verdict, then the table of each algorithm."""
    style = f"bold {STYLES.get(found.headline, 'yellow')}"
    head = Text("\n".join(map(text.one_line, found.lines)), style=style)
    shown: list[RenderableType] = [Text(), head, *([Text(found.caution)] if found.caution else [])]
    seeds = numbers.plural(found.setup.seeds, "fresh seed")
    for part in found.parts:
        title = f"{found.setup.task.name}, {part.name}, {found.setup.config.steps:,} steps, {seeds}"
        heads, rows = table(part)
        grid = layout.table(heads[:-NOT_ON_SCREEN], [line[:-NOT_ON_SCREEN] for line in rows])
        lines = (Text(text.one_line(line), style=style) for line, style in _lines(part))
        shown.append(layout.section(title, Group(grid, Text(), *lines)))
    return Group(*shown, layout.section("Cost", Text(str(cost(found)))))


def _lines(part: Part) -> Iterator[tuple[str, str]]:
    """Verdicts but the headline; correlations; the reason for having no video."""
    for each in part.comparison.differences:
        if each is not part.headline:
            yield str(each), STYLES[each.verdict]
    for agreement, other in _agreements(part):
        yield f"On shared transitions with {other.label}: {correlation(agreement)}", ""
    if why_not := Shared.of(part.run).why_no_films:
        yield f"No video: {why_not}", "dim"


# numbers as text


def number(found: Interval | None, like: Iterable[float] = ()) -> str:
    """Value and interval: "2.600 [2.500, 2.700]", with as many decimals as `like` needs."""
    if found is None:
        return numbers.UNKNOWN
    value, low, high = numbers.column([found.value, found.low, found.high], like=like)
    return f"{value} [{low}, {high}]"


def share(found: Interval | None) -> str:
    """As `number`, for a share: "67% [33%, 100%]"."""
    if found is None:
        return numbers.UNKNOWN
    return f"{numbers.percent(found.value)} [{numbers.percent(found.low)}, {numbers.percent(found.high)}]"


def table(part: Part) -> Grid:
    """The table of all numbers: a line for each entry, then those of policies that learn nothing."""
    found = []
    for result, curves in zip(part.results, part.curves, strict=True):
        rates, score, area = result.success_rates, part.comparison.normalised(result), None
        if curves is not None:
            area = bootstrap_interval(mean_heights(curves), rng=np.random.default_rng(0))
        normalised = "undefined" if score is None else f"{score:.2f}"
        if score is not None and score != clipped(score):
            normalised += f" ({clipped(score):.2f} clipped)"
        done = f"{result.fitness.size} of {len(result.evaluated.results)}{result.origin}"
        failures = dict.fromkeys(text.failure(each.kind) for each in result.evaluated.failures)
        found.append(
            [
                result.label,
                number(result.interval) if result.fitness.size else result.status,
                share(rate_interval(rates) if rates.size else None),
                normalised,
                number(area),
                _reach(curves, part.target),
                f"{done}: {'; '.join(failures)}" if failures else done,
            ]
        )
    for label, floor in part.comparison.floors.items():
        scores = [numbers.number(floor.fitness), numbers.percent(floor.success)]
        found.append([label, *scores, *[numbers.UNKNOWN] * (len(HEADS) - 3)])
    return with_progress(part.comparison, [*HEADS], found)


def _reach(curves: Curves | None, target: float | None) -> str:
    """The median seed's steps to a level of fitness, and the number of seeds: "34k (9 of 10 seeds)"."""
    if curves is None or target is None:
        return numbers.UNKNOWN
    steps = steps_to_reach(curves, target)
    median = float(np.median(steps))
    seeds = f"{np.isfinite(steps).sum()} of {numbers.plural(len(steps), 'seed')}"
    return f"{numbers.count(median)} ({seeds})" if np.isfinite(median) else f"not reached ({seeds})"


def correlation(found: Agreement) -> str:
    """How two rewards agree on shared transitions."""
    pearson, ranks = (
        "undefined, since one of them is constant" if value is None else f"{value:+.2f}"
        for value in (found.pearson, found.spearman)
    )
    return f"correlation {pearson}, of ranks {ranks}, over {found.rows:,} transitions"


def term_rows(part: Part, found: Agreement, other: RewardResult) -> list[list[str]]:
    """Matched terms, each with its share of its reward at the end of training, and how they match."""
    shares = [terms(each.evaluated.trained) for each in (part.results[0], other)]
    rows = []
    for match in found.terms:
        row = []
        for name, known in zip((match.ours, match.theirs), shares, strict=True):
            diagnostic = name in known and is_diagnostic(name)
            share = "not summed" if diagnostic else numbers.percent(known.get(name or ""))
            row += [name or numbers.UNKNOWN, share]
        paired = "same name" if match.ours == match.theirs else "values"
        how = "no counterpart" if None in (match.ours, match.theirs) else paired
        value = "" if match.correlation is None else f", correlation {match.correlation:+.2f}"
        rows.append([*row, f"{how}{value}"])
    return rows


# programs


def side_by_side(left: str, right: str) -> list[tuple[str, str, str]]:
    """Both programs whole, lines that belong together in one row: kind, and the text of each side.

    Kinds: same, changed, only-left, only-right.
    """
    a, b = (text.clean(each).rstrip("\n").split("\n") for each in (left, right))
    rows = []
    for tag, i, j, k, m in difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        for ours, theirs in zip_longest(a[i:j], b[k:m]):
            one_side = "only-right" if ours is None else "only-left" if theirs is None else "changed"
            rows.append(("same" if tag == "equal" else one_side, ours or "", theirs or ""))
    return rows


def cost(found: ComparisonResults) -> Cost:
    """Cost of all algorithms."""
    costs = (Cost.of(part.run, [each.evaluated for each in part.results]) for part in found.parts)
    return sum(costs, Cost())
