"""The pictures of a comparison."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from eureka_loop.judge.agreement import Agreement
from eureka_loop.judge.learning import band, profile
from eureka_loop.judge.statistics import Interval, rate_interval
from eureka_loop.records import Array
from eureka_loop.report import svg, text
from eureka_loop.report.compare.facts import Part
from eureka_loop.report.compare.programs import over_training
from eureka_loop.report.comparison import Standing
from eureka_loop.report.svg import Frame
from eureka_loop.results import Evaluated

WIDTH, HEIGHT = 460, 270
ROW = 46  # px a reward in the picture of all seeds
LEVELS = 121  # points of a performance profile

Sample = tuple[float, float, int]  # our reward, their reward, whose transition


def seeds_of(part: Part) -> str:
    """Each reward's seeds as dots, with interquartile mean and interval; "" where nothing was trained."""
    shown = [each for each in part.standings if each.interval is not None]
    if not shown:
        return ""
    ends = [end for each in shown for end in (*each.fitness, *_ends(each.interval))]
    height = ROW * len(shown) + 38
    frame = Frame(WIDTH, height, svg.widened(ends), (0, len(shown)), left=12, right=12, top=2, bottom=36)
    parts = svg.axes(frame, "fitness of the final policy", x_words=_short, y_ticks=())
    for index, each in enumerate(part.standings):
        if each.interval is None:
            continue
        row = len(shown) - shown.index(each) - 0.68
        found, kind = each.interval, f"s{index}"
        middle = frame.at(found.value, row)
        parts.append(svg.words((frame.left, middle[1] - 14), _name(each), f"name {kind}"))
        parts += [_seed(frame, float(value), row, kind) for value in each.fitness]
        parts.append(svg.segment(frame.at(found.low, row), frame.at(found.high, row), f"interval {kind}"))
        said = f"{each.label}: {text.number(found.value)}"
        parts.append(svg.dot(middle, f"middle {kind}", 5.5, said))
    return svg.drawing(frame, _said_of_seeds(part), parts)


def wins(part: Part) -> str:
    """The probability of improvement over each other reward, with its interval, beside one half."""
    found = part.comparison.differences
    if not found:
        return ""
    height = ROW * len(found) + 38
    frame = Frame(WIDTH, height, (0, 1), (0, len(found)), left=12, right=12, top=2, bottom=36)
    half = frame.at(0.5, 0)[0]
    parts = svg.axes(frame, "probability of improvement", x_words=_short, y_ticks=())
    parts.append(svg.segment((half, frame.top), (half, frame.height - frame.bottom), "half"))
    for index, each in enumerate(found):
        row, kind = len(found) - index - 0.68, "s0"
        chance = each.improvement
        middle = frame.at(chance.value, row)
        parts.append(svg.words((frame.left, middle[1] - 14), f"over {_name(each.reference)}", "name"))
        parts.append(svg.segment(frame.at(chance.low, row), frame.at(chance.high, row), f"interval {kind}"))
        parts.append(svg.dot(middle, f"middle {kind}", 5.5, f"{chance.value:.2f}"))
    said = [f"over {each.reference.label} {each.improvement}" for each in found]
    return svg.drawing(frame, f"Probability of improvement: {'; '.join(said)}", parts)


def learning(part: Part) -> str:
    """Fitness of training episodes over training: interquartile mean over seeds, with its interval."""
    bands = [None if each is None else band(each, np.random.default_rng(0)) for each in part.curves]
    known = [each for each in bands if each is not None]
    steps = [each.steps for each in part.curves if each is not None]
    if not known:
        return ""
    x = (0.0, float(max(each[-1] for each in steps)))
    frame = Frame(WIDTH, HEIGHT, x, svg.widened([v for each in known for line in each for v in line]))
    parts = svg.axes(frame, "environment steps", "fitness while learning", x_words=text.count, y_words=_short)
    lines = []
    for index, (curves, found) in enumerate(zip(part.curves, bands, strict=True)):
        if curves is None or found is None:
            continue
        value, low, high = (_points(curves.steps, each) for each in found)
        parts.append(svg.area(frame, low, high, f"band s{index}"))
        lines.append(svg.path(frame, value, f"line s{index}"))
    return svg.drawing(frame, _said("Learning curves of", part), [*parts, *lines])


def profiles(part: Part) -> str:
    """Share of seeds that reach each fitness, with its interval."""
    shown = [(index, each) for index, each in enumerate(part.standings) if each.fitness.size]
    if not shown:
        return ""
    ends = svg.widened([float(value) for _, each in shown for value in each.fitness])
    levels = np.linspace(*ends, LEVELS)
    frame = Frame(WIDTH, HEIGHT, ends, (0, 1.03))
    shares = [0, 0.25, 0.5, 0.75, 1]
    parts = svg.axes(
        frame, "fitness", "share of seeds that reach it", x_words=_short, y_words=text.percent, y_ticks=shares
    )
    lines = []
    for index, each in shown:
        low, high = profile_band(each.fitness, levels)
        parts.append(svg.area(frame, _points(levels, low), _points(levels, high), f"band s{index}"))
        lines.append(svg.path(frame, _points(levels, profile(each.fitness, levels)), f"line s{index}"))
    return svg.drawing(frame, _said("Performance profiles of", part), [*parts, *lines])


def scatter(found: Agreement, labels: dict[str, str], order: Sequence[str]) -> str:
    """Two rewards on the same transitions; a point a transition, its colour whose policy it is from."""
    xs, ys = [point[1] for point in found.points], [point[0] for point in found.points]
    frame = Frame(WIDTH, HEIGHT + 30, svg.widened(xs), svg.widened(ys))
    parts = svg.axes(frame, labels[found.theirs], labels[found.ours], x_words=_short, y_words=_short)
    for ours, theirs, source in _shuffled(found.points):
        name = found.sources[source].removeprefix("policy of ")
        kind = f"s{order.index(name)}" if name in order else "other"
        parts.append(svg.dot(frame.at(theirs, ours), f"dot {kind}", 2.2))
    pearson = "undefined" if found.pearson is None else f"{found.pearson:+.2f}"
    pair = f"{labels[found.ours]} against {labels[found.theirs]}"
    return svg.drawing(frame, f"{pair} on shared transitions: correlation {pearson}", parts)


def terms(evaluated: Evaluated, series: int) -> list[tuple[str, str]]:
    """A small picture of each term over training: its mean over seeds, and the seeds' range."""
    return [
        (name, _term(name, points, series)) for name, points in over_training(evaluated).items() if points
    ]


def _term(name: str, points: Sequence[tuple[float, float, float, float]], series: int) -> str:
    x = (0.0, points[-1][0])
    ends = svg.widened([value for point in points for value in point[1:]], by=0.1)
    frame = Frame(200, 92, x, ends, left=48, right=6, top=6, bottom=18)
    round_ones = svg.ticks(*ends, most=3)
    parts = []
    for value in dict.fromkeys((*round_ones[:1], *round_ones[-1:])):
        y = frame.at(0, value)[1]
        parts.append(svg.segment((frame.left, y), (frame.width - frame.right, y), "grid"))
        parts.append(svg.words((frame.left - 5, y + 3.5), _short(value), "tick", "end"))
    floor = frame.height - frame.bottom
    parts.append(svg.segment((frame.left, floor), (frame.width - frame.right, floor), "axis"))
    parts.append(svg.words((frame.width - frame.right, floor + 12), text.count(x[1]), "tick", "end"))
    lower, upper = [(p[0], p[2]) for p in points], [(p[0], p[3]) for p in points]
    parts.append(svg.area(frame, lower, upper, f"band s{series}"))
    parts.append(svg.path(frame, [(p[0], p[1]) for p in points], f"line s{series} whole"))
    first, last = text.numbers([points[0][1], points[-1][1]])
    return svg.drawing(frame, f"{name} over training, from {first} to {last}", parts)


def _name(standing: Standing) -> str:
    """As much of a label as fits a picture."""
    return text.one_line(standing.label, 48)


def _seed(frame: Frame, value: float, row: float, kind: str) -> str:
    return svg.dot(frame.at(value, row), f"seed {kind}", 3.6, text.number(value))


def profile_band(scores: Array, levels: Array) -> tuple[Array, Array]:
    """95% at each level on its own, (LEVELS,) each."""
    found = [rate_interval((scores >= level).astype(np.float64)) for level in levels]
    return np.array([each.low for each in found]), np.array([each.high for each in found])


def _shuffled(points: Sequence[Sample]) -> list[Sample]:
    """So that no policy's points all lie on top."""
    return [points[index] for index in np.random.default_rng(0).permutation(len(points))]


def _ends(found: Interval | None) -> tuple[float, ...]:
    return () if found is None else (found.low, found.high)


def _points(x: Array, y: Array) -> list[tuple[float, float]]:
    return [(float(a), float(b)) for a, b in zip(x, y, strict=True)]


def _short(value: float) -> str:
    """A tick's number."""
    return text.count(value) if abs(value) >= 10_000 else f"{value:.6g}"


def _said(what: str, part: Part) -> str:
    return f"{what} {', '.join(each.label for each in part.standings)}"


def _said_of_seeds(part: Part) -> str:
    """The picture in words."""
    values = [
        f"{each.label} {text.number(each.interval.value)} from {text.number(each.interval.low)} to "
        f"{text.number(each.interval.high)}"
        for each in part.standings
        if each.interval is not None
    ]
    return f"Fitness, interquartile mean with 95% interval: {'; '.join(values)}"
