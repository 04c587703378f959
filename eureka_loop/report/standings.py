"""The winner beside the references: one table for the terminal, and the sentences under it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from rich.table import Table
from rich.text import Text

from eureka_loop.judge.statistics import Interval
from eureka_loop.report import layout, text, words
from eureka_loop.report.comparison import (
    Comparison,
    Difference,
    Scale,
    Standing,
    Undefined,
    Verdict,
)

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
    for each in comparison.standings:
        layout.row(table, cells(each, comparison))
    return table


def cells(standing: Standing, comparison: Comparison) -> list[str]:
    """Name, fitness, interval, success, every seed; what failed is said, and is no number."""
    everyone = [float(value) for each in comparison.standings for value in each.fitness]
    found, several = standing.interval, standing.fitness.size > 1
    bare = "failed" if standing.evaluated.failures else "not trained"
    values = text.numbers((float(value) for value in standing.fitness), like=everyone)
    kinds = Counter(words.failure(each.kind) for each in standing.evaluated.failures)
    failed = [f"{amount} × failed: {kind}" for kind, amount in kinds.items()]
    return [
        name(standing),
        text.numbers([found.value], like=everyone)[0] if found else bare,
        bounds(found, like=everyone) if found and several else text.UNKNOWN,
        text.percent(standing.success),
        ", ".join([*values, *failed]),
    ]


def name(standing: Standing) -> str:
    """ "winner g1-02", "hand-written"."""
    return standing.label if standing.label != "winner" else f"winner {standing.id}"


def bounds(found: Interval, like: Iterable[float] = ()) -> str:
    """[low, high]."""
    low, high = text.numbers([found.low, found.high], like=like)
    return f"[{low}, {high}]"


def sentences(comparison: Comparison) -> Iterator[tuple[str, str]]:
    """What the numbers mean, and what they don't; each with its style."""
    if comparison.unfinished:
        yield f"The report is not finished ({comparison.unfinished}): there is no verdict yet.", "yellow"
        return
    for each in comparison.differences:
        yield _sentence(each), VERDICTS[each.verdict]
    if len(comparison.standings) > 2 and (score := _normalised(comparison)):
        yield score, ""
    for caution in _cautions(comparison):
        yield caution, "dim"


def lines(comparison: Comparison) -> list[Text]:
    """The same for a terminal."""
    return [Text(words, style=style) for words, style in sentences(comparison)]


def _sentence(found: Difference) -> str:
    value, low, high = text.numbers([found.interval.value, found.interval.low, found.interval.high])
    chance = f"equal rewards differ as much in {text.percent(found.p)} of runs"
    verdict = f"{found.verdict} ({found.reason or chance})"
    against = f"Against {found.reference.label}: {verdict}. Difference {value}"
    if found.single:
        return f"{against}."
    wins = f"the winner wins {text.percent(found.improvement.value)} of all pairs of seeds"
    return f"{against} [{low}, {high}]; {wins}."


def _normalised(comparison: Comparison) -> str:
    """The winner's score, or why it has none; "" where no winner is among them."""
    found, scale = comparison.normalised, comparison.scale
    if isinstance(scale, Undefined):
        return f"Human-normalised score: not defined, since {scale.why}."
    if found is None:
        failed = len(comparison.standings[0].evaluated.failures)
        said = f"{text.plural(failed, 'training')} of the {comparison.standings[0].label} reward failed"
        return f"Human-normalised score: not defined, since {said}." if failed else ""
    clipped = f" (clipped to [0, 3]: {found.clipped:.2f})" if found.clipped != found.raw else ""
    return f"Human-normalised score: {found.raw:.2f}{clipped}; {ends(scale)}"


def ends(scale: Scale) -> str:
    """Whose the scale's marks are, and what that means where it is not as usual."""
    if scale.human > scale.sparse:
        return f"0: sparse, 1: {scale.reference}."
    return (
        f"0: sparse, -1: {scale.reference}. The {scale.reference} reward did worse here than the sparse one: "
        "the score says how far above sparse a reward is, in units of the gap between the two, and nothing "
        f"about matching the {scale.reference} one."
    )


def _cautions(comparison: Comparison) -> Iterator[str]:
    """How few seeds there are, where that matters."""
    sizes = [each.fitness.size for each in comparison.standings if each.fitness.size]
    if not sizes:
        return
    if max(sizes) == 1:
        yield "One seed each: there is no interval, and nothing to tell luck from skill."
        return
    yield f"Intervals from {text.plural(min(sizes), 'seed')} a reward."
