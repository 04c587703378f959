"""The winner beside the references: one table for the terminal, and the sentences under it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from rich.table import Table
from rich.text import Text

from eureka_loop.judge.statistics import Interval
from eureka_loop.report import layout, text, words
from eureka_loop.report.comparison import Comparison, RewardResult, Undefined, Verdict
from eureka_loop.store import REFERENCES

VERDICTS: dict[Verdict, str] = {"better": "green", "worse": "red", "can't tell": "yellow"}


def standings_table(comparison: Comparison) -> Table:
    """One line a reward: fitness with its interval, success, and every seed."""
    table = layout.columns(
        ("reward", "left"),
        ("fitness", "right"),
        ("95% interval", "left"),
        ("success", "right"),
        ("each seed", "rest"),
    )
    for each in comparison.results:
        layout.row(table, cells(each, comparison))
    return table


def cells(result: RewardResult, comparison: Comparison) -> list[str]:
    """Name, fitness, interval, success, every seed; what failed is said, and is no number."""
    everyone = [float(value) for each in comparison.results for value in each.fitness]
    found, several = result.interval, result.fitness.size > 1
    values = text.numbers((float(value) for value in result.fitness), like=everyone)
    kinds = Counter(words.failure(each.kind) for each in result.evaluated.failures)
    failed = [f"{amount} × failed: {kind}" for kind, amount in kinds.items()]
    return [
        name(result),
        text.numbers([found.value], like=everyone)[0] if found else result.status,
        bounds(found, like=everyone) if found and several else text.UNKNOWN,
        text.percent(result.success),
        ", ".join([*values, *failed]),
    ]


def name(result: RewardResult) -> str:
    """ "winner g1-02", "hand-written"."""
    return result.label if result.label != "winner" else f"winner {result.id}"


def bounds(found: Interval, like: Iterable[float] = ()) -> str:
    """[low, high]."""
    low, high = text.numbers([found.low, found.high], like=like)
    return f"[{low}, {high}]"


def sentences(comparison: Comparison) -> Iterator[tuple[str, str]]:
    """The verdicts and the human-normalised score in words, each with its style."""
    if comparison.unfinished:
        yield f"The report is not finished ({comparison.unfinished}): there is no verdict yet.", "yellow"
        return
    for each in comparison.differences:
        yield f"Against {each.reference.label}: {each.verdict}: {each.explanation}", VERDICTS[each.verdict]
    if len(comparison.results) > 2 and (score := _normalised(comparison)):
        yield score, ""


def lines(comparison: Comparison) -> list[Text]:
    """The same for a terminal."""
    return [Text(words, style=style) for words, style in sentences(comparison)]


def _normalised(comparison: Comparison) -> str:
    """The winner's score, or why it has none; "" where no winner is among them."""
    winner, scale = comparison.results[0], comparison.scale
    if winner.id in REFERENCES:
        return ""
    if isinstance(scale, Undefined):
        return f"Human-normalised score: not defined, since {scale.why}."
    found = comparison.normalised(winner)
    if found is None:
        failed = len(winner.evaluated.failures)
        why = f"{text.plural(failed, 'training')} of the {winner.label} reward failed"
        return f"Human-normalised score: not defined, since {why}." if failed else ""
    clipped = f" (clipped to [0, 3]: {found.clipped:.2f})" if found.clipped != found.raw else ""
    return f"Human-normalised score: {found.raw:.2f}{clipped}; {scale.explanation}"
