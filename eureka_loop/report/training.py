"""What training with a program was like: a line a training, a curve a quantity, a curve a term."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import zip_longest
from statistics import fmean

from rich.console import RenderableType
from rich.table import Table

from eureka_loop import files, seeds
from eureka_loop.report import layout, text, words
from eureka_loop.report.sparks import sparkline
from eureka_loop.results import Checkpoint, Evaluated, Failed, TermStats, Trained
from eureka_loop.reward.contract import is_diagnostic
from eureka_loop.store import Run

TRAINING = ("", "seed", "fitness", "lowest … highest episode", "success", "steps/episode", "trained in")
TRAINING_NARROW = ("", "seed", "fitness", "episodes", "success", "steps", "took")  # on 80 columns


def trainings_table(run: Run, search: Evaluated, report: Evaluated) -> RenderableType | None:
    """One line a training: the search's, rung by rung, then the report's; None where there is none yet."""
    rows = list(_trainings(run, search, report))
    sides = ("left", "right", "right", "left", "right", "right", "right")
    heads = [list(zip(names, sides, strict=True)) for names in (TRAINING, TRAINING_NARROW)]
    return layout.FirstThatFits(tuple(_table(each, rows) for each in heads)) if rows else None


def _trainings(run: Run, search: Evaluated, report: Evaluated) -> Iterator[list[str]]:
    """Cells; of unfinished trainings how far they are."""
    id = search.candidate.id
    for rung in run.rungs(id):
        for seed in run.training_seeds(id, rung):
            result = run.result(id, seed, rung)
            reached = f" to {text.count(result.steps)}" if isinstance(result, Trained) else ""
            cells = _training_cells(result) if result else unfinished(run, id, seed, rung)
            yield [f"search{reached}", str(seed), *cells]
    results = {result.seed: result for each in (search, report) for result in each.results}
    for seed in run.training_seeds(id):
        stream = "report" if seeds.is_report(seed) else "search"
        cells = _training_cells(results[seed]) if seed in results else unfinished(run, id, seed)
        yield [stream, str(seed), *cells]


def _training_cells(result: Trained | Failed) -> list[str]:
    if isinstance(result, Failed):
        return ["failed", words.failure(result.kind)]
    each = [score.fitness for score in result.episodes]
    low, high = text.numbers([min(each), max(each)])
    length = fmean(score.length for score in result.episodes)
    return [
        text.number(result.fitness),
        f"{low} … {high}",
        text.percent(result.success),
        f"{length:,.0f}",
        text.duration(result.seconds),
    ]


def unfinished(run: Run, id: str, seed: int, rung: int | None = None) -> list[str]:
    """Fitness so far, and how far a training is that has no result."""
    progress = list(files.read_lines(run.job_folder(id, seed, rung) / "progress.jsonl"))
    last = progress[-1] if progress else {}
    return [text.number(last.get("fitness")), f"so far, at step {int(last.get('step') or 0):,}"]


def progress_table(trained: Sequence[Trained]) -> Table:
    """Fitness, success and episode length over training, mean over seeds."""
    table = layout.columns(("", "left"), ("over training", "left"), ("first", "right"), ("last", "right"))
    rows: list[tuple[str, Callable[[Checkpoint], float | None]]] = [
        ("fitness", lambda point: point.fitness),
        ("success", lambda point: point.success),
        ("steps/episode", lambda point: point.episode_length),
    ]
    for name, pick in rows:
        curve = list(over_seeds(trained, pick))
        known = [value for value in curve if value is not None]
        if known:
            layout.row(table, [name, sparkline(curve), *text.numbers([known[0], known[-1]])])
    return table


def terms_table(trained: Sequence[Trained]) -> RenderableType:
    """Every term: its mean over training as a curve, its end, its share, and how it goes with fitness."""
    heads = (
        ("term", "left"), ("mean", "left"), ("first", "right"), ("last", "right"),
        ("lowest … highest", "left"), ("share", "left"), ("last", "right"), ("corr. with fitness", "right"),
    )  # fmt: skip
    names = dict.fromkeys(name for each in trained for point in each.checkpoints for name in point.terms)
    rows = [_term_cells(trained, name) for name in names]
    fewer = [("term", "left"), ("mean", "left"), ("last", "right"), ("share", "right"), heads[-1]]
    narrow = [
        [name, mean, last, share or "not summed", fit] for name, mean, _, last, _, _, share, fit in rows
    ]
    return layout.FirstThatFits((_table(heads, rows), _table(fewer, narrow)))


def _table(heads: Sequence[tuple[str, str]], rows: Iterable[Sequence[str]]) -> Table:
    table = layout.columns(*heads)
    for cells in rows:
        layout.row(table, cells)
    return table


def _term_cells(trained: Sequence[Trained], name: str) -> list[str]:
    means = list(over_seeds(trained, _picker(name, lambda stats: stats.mean)))
    shares = list(over_seeds(trained, _picker(name, lambda stats: stats.share)))
    known = [value for value in means if value is not None]
    stats = [point.terms[name] for each in trained for point in each.checkpoints if name in point.terms]
    low, high = text.numbers([min(each.low for each in stats), max(each.high for each in stats)])
    correlations = [each.correlations.get(name) for each in trained]
    numbers = [value for value in correlations if value is not None]
    counted = not is_diagnostic(name)
    return [
        name,
        sparkline(means),
        *text.numbers([known[0], known[-1]]),
        f"{low} … {high}",
        sparkline(shares) if counted else "not summed",
        text.percent(shares[-1]) if counted else "",
        f"{fmean(numbers):+.2f}" if numbers else text.UNKNOWN,
    ]


def over_seeds(
    trained: Sequence[Trained], pick: Callable[[Checkpoint], float | None]
) -> Iterator[float | None]:
    """A quantity at each checkpoint: the mean over the seeds that have it there."""
    for points in zip_longest(*(each.checkpoints for each in trained)):
        values = [pick(point) for point in points if point is not None]
        known = [value for value in values if value is not None]
        yield fmean(known) if known else None


def _picker(name: str, part: Callable[[TermStats], float]) -> Callable[[Checkpoint], float | None]:
    return lambda point: part(point.terms[name]) if name in point.terms else None
