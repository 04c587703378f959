"""The pictures of a comparison as small tables, for a report that is text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from eureka_loop.judge.learning import band, profile
from eureka_loop.judge.statistics import Interval
from eureka_loop.records import Array
from eureka_loop.report import svg, text
from eureka_loop.report.compare.charts import profile_band
from eureka_loop.report.compare.facts import Part
from eureka_loop.report.compare.measures import number, share
from eureka_loop.report.compare.programs import over_training
from eureka_loop.report.comparison import Standing

POINTS = 5  # rows of a table

Rows = list[list[str]]


def labels(part: Part) -> list[str]:
    """Heads of the columns after the first."""
    return [each.label for each in part.standings]


def learning(part: Part) -> Rows:
    """Steps, then each reward's fitness while learning with its interval, at a few of the steps."""
    steps = next((each.steps for each in part.curves if each is not None), np.zeros(0))
    if not steps.size:
        return []
    bands = [None if each is None else band(each, np.random.default_rng(0)) for each in part.curves]
    return [[text.count(steps[at]), *(_at(found, at) for found in bands)] for at in _evenly(steps.size)]


def profiles(part: Part) -> Rows:
    """A fitness, then the share of each reward's seeds that reach it, with its interval."""
    known = [float(value) for each in part.standings for value in each.fitness]
    if not known:
        return []
    levels = np.array(svg.ticks(min(known), max(known), most=POINTS))
    columns = [_reached(each, levels) for each in part.standings]
    return [[level, *cells] for level, *cells in zip(text.numbers(levels), *columns, strict=True)]


def terms(standing: Standing) -> Rows:
    """A term, then its mean over the seeds, with their range, where training begins and where it ends."""
    found = over_training(standing.evaluated)
    return [[name, *_ends(points)] for name, points in found.items() if points]


def _ends(points: Sequence[tuple[float, float, float, float]]) -> Iterator[str]:
    for _, mean, low, high in (points[0], points[-1]):
        yield number(Interval(mean, low, high))


def _at(found: tuple[Array, Array, Array] | None, at: int) -> str:
    return text.UNKNOWN if found is None else number(Interval(*(float(line[at]) for line in found)))


def _reached(standing: Standing, levels: Array) -> list[str]:
    if not standing.fitness.size:
        return [text.UNKNOWN] * len(levels)
    lines = profile(standing.fitness, levels), *profile_band(standing.fitness, levels)
    return [share(Interval(*map(float, each))) for each in zip(*lines, strict=True)]


def _evenly(count: int) -> list[int]:
    """A few of so many, the first and the last among them."""
    return [int(at) for at in np.unique(np.linspace(0, count - 1, POINTS).round())]
