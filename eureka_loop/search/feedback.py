"""Evaluation → feedback: the text that a designer, or a person, reads about a program that was trained.

After the "reward reflection" of Ma et al. 2023, "Eureka", section 3.3 and appendix A: every term over
training, and the task's own metric beside it. Added: shares, correlations, what the rest of the generation
reached, and the paper's advice worked out from the numbers instead of left to the reader.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from statistics import fmean

from eureka_loop.numbers import compact, count, percent
from eureka_loop.results import Checkpoint, Evaluated, Failed, Halted, Trained, ranked
from eureka_loop.reward.contract import is_diagnostic
from eureka_loop.search.advice import advice, mean_correlation

LONGEST_REASON = 400  # characters of why a candidate failed
Value = Callable[[Checkpoint], float | None]


def feedback(
    best: Evaluated | None, generation: Sequence[Evaluated], which: str = "of this generation"
) -> str:
    """The best program's training in numbers, and the generation around it.

    Args:
        best: the best so far, which may be of an earlier generation; None where nothing was trained.
        generation: all candidates of the latest generation, the best perhaps among them.
        which: what those candidates are called.
    """
    parts = [_final(best)] if best and best.trained else []
    if best and best.trained and all(each.checkpoints for each in best.trained):
        parts.append(training_table(best.trained))
    found = advice(best.trained) if best else []
    if found:
        parts.append("\n".join(["What the numbers say:", *(f"- {line}" for line in found)]))
    others = [each for each in generation if best is None or each.candidate.id != best.candidate.id]
    if others:
        heading = f"The other programs {which}:" if best else f"The programs {which}:"
        failed = [each for each in others if each.fitness is None]
        parts.append("\n".join([heading, *map(_other, [*ranked(others), *failed])]))
    return "\n\n".join(parts)


def _final(best: Evaluated) -> str:
    scores = [score for trained in best.trained for score in trained.episodes]
    fitness = [score.fitness for score in scores]
    policy = "the final policy's" if best.halted is None else f"{stopped(best.halted)}. The policy's"
    line = f"{best.candidate.id}: {policy} fitness is {compact(fmean(fitness))}"
    if (seeds := len(best.trained)) > 1:
        line += f" (of {seeds} seeds: {', '.join(compact(each.fitness) for each in best.trained)})"
    line += f", {compact(min(fitness))} to {compact(max(fitness))} in {len(scores)} episodes"
    marks = [score.success for score in scores if score.success is not None]
    if marks:
        line += f"; success {percent(fmean(marks))}"
    return f"{line}; episode length {compact(fmean(score.length for score in scores))} steps."


def training_table(trained: Sequence[Trained], points: int = 10) -> str:
    """A table: a column a point of training, of at most `points`, and rows for fitness and for every term."""
    columns = _columns(trained, points)
    rows: list[list[str]] = [["step", *(count(column[0].step) for column in columns)]]
    for name, (value, written) in _OUTCOMES.items():
        means = [_known_mean(map(value, column)) for column in columns]
        if any(mean is not None for mean in means):
            rows.append([name, *map(written, means)])
    for term in columns[-1][0].terms:
        rows.extend(_term_rows(term, columns, mean_correlation(term, trained)))
    seeds = f", means of {len(trained)} seeds" if len(trained) > 1 else ""
    return "\n".join([f"Over training{seeds}:", *_aligned(rows)])


def _term_rows(
    term: str, columns: Sequence[Sequence[Checkpoint]], correlation: float | None
) -> Iterator[list[str]]:
    known = [[point.terms[term] for point in column if term in point.terms] for column in columns]
    yield [f"{term}: mean", *(compact(_known_mean(each.mean for each in stats)) for stats in known)]
    yield ["  min", *(compact(min((each.low for each in stats), default=None)) for stats in known)]
    yield ["  max", *(compact(max((each.high for each in stats), default=None)) for stats in known)]
    if is_diagnostic(term):
        yield ["  (logged, not part of the reward)"]
    else:
        yield ["  share", *(percent(_known_mean(each.share for each in stats)) for stats in known)]
    yield [f"  correlation with fitness: {'unknown' if correlation is None else f'{correlation:+.2f}'}"]


def _columns(trained: Sequence[Trained], points: int) -> list[tuple[Checkpoint, ...]]:
    every = list(zip(*(each.checkpoints for each in trained), strict=False))
    count = min(points, len(every))
    return [every[math.ceil(len(every) * (n + 1) / count) - 1] for n in range(count)]


def _other(evaluated: Evaluated) -> str:
    """One line on a candidate: what it reached, or why it didn't."""
    id, trained, failures = evaluated.candidate.id, evaluated.trained, evaluated.failures
    if failures and failures[0].skipped:
        return f"{id}: not trained, since {_shortened(failures[0].message)}"
    if failures:
        of = f" in {len(failures)} of {len(evaluated.results)} trainings" if trained else ""
        return f"{id}: failed{of}, {_reason(failures[0])}"
    if not trained:
        return f"{id}: not trained"
    reached = f"fitness {compact(evaluated.fitness)}"
    line = f"{id}: {stopped(evaluated.halted) if evaluated.halted else reached}"
    if (success := _known_mean(each.success for each in trained)) is not None:
        line += f", success {percent(success)}"
    terms = trained[0].checkpoints[-1].terms if trained[0].checkpoints else {}
    return f"{line} (terms: {', '.join(terms)})" if terms else line


def stopped(halted: Halted) -> str:
    """ "stopped after 33.8k of 100k steps with fitness 0.31, below the best 3 of 8 (0.52 or more)"."""
    return (
        f"stopped after {count(halted.steps)} of {count(halted.of)} steps with fitness "
        f"{compact(halted.fitness)}, below the best {halted.places} of {halted.among} "
        f"({compact(halted.needed)} or more)"
    )


def _reason(failed: Failed) -> str:
    lines = [line.strip() for line in f"{failed.message}\n{failed.detail}".splitlines() if line.strip()]
    return _shortened(f"{failed.kind.replace('_', ' ')}: {'; '.join(dict.fromkeys(lines))}")


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_REASON else text[: LONGEST_REASON - 2].rstrip() + " …"


def _known_mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    tables = [row for row in rows if len(row) > 1 and not _is_constant(row)]
    widths = [max(map(len, column)) for column in zip(*tables, strict=True)]
    return [_line(row, widths) for row in rows]


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    if len(row) == 1:
        return row[0]
    if _is_constant(row):
        return f"{row[0]} {row[1]} throughout"
    cells = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
    return "  ".join([row[0].ljust(widths[0]), *cells])


def _is_constant(row: Sequence[str]) -> bool:
    return len(row) > 2 and len(set(row[1:])) == 1


_OUTCOMES: dict[str, tuple[Value, Callable[[float | None], str]]] = {
    "fitness": (lambda point: point.fitness, compact),
    "success": (lambda point: point.success, percent),
    "episode length": (lambda point: point.episode_length, compact),
}
