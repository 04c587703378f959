"""Evaluation → feedback: the text that a designer, or a person, reads about a program that was trained.

After the "reward reflection" of Ma et al. 2023, "Eureka", section 3.3 and appendix A: every term over
training, and the task's own metric beside it. Added: shares, correlations, what the rest of the generation
reached, and the paper's advice worked out from the numbers instead of left to the reader.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import fmean
from types import MappingProxyType

from eureka_loop.numbers import compact, count, percent
from eureka_loop.results import FITNESS, PROGRESS, Evaluated, Halted, Trained, mean_known, ranked, ranked_by
from eureka_loop.reward.contract import is_diagnostic
from eureka_loop.search.advice import advice

LONGEST_REASON = 400  # characters of why a candidate failed
OUTCOMES = {"fitness": compact, "success": percent, "episode_length": compact}


def feedback(
    best: Evaluated | None,
    generation: Sequence[Evaluated],
    which: str = "of this generation",
    floors: Mapping[str, Trained] = MappingProxyType({}),
) -> str:
    """The best program's training in numbers, and the generation around it.

    Args:
        best: the best so far, which may be of an earlier generation; None where nothing was trained.
        generation: all candidates of the latest generation, the best perhaps among them.
        which: what those candidates are called.
        floors: policies that learn nothing, by name.
    """
    parts = []
    if best and best.trained:
        parts.append(_final(best) + (f"\nWithout learning: {on_floors(floors)}." if floors else ""))
        if all(each.checkpoints for each in best.trained):
            parts.append(training_table(best.trained))
        if found := advice(best.trained, floors):
            parts.append("\n".join(["What the numbers say:", *(f"- {line}" for line in found)]))
    others = [each for each in generation if best is None or each.candidate.id != best.candidate.id]
    if others:
        heading = f"The {'other ' if best else ''}programs {which}:"
        order, failed = ranked(others), [each for each in others if each.fitness is None]
        if {ranked_by(each.score) for each in order} == {PROGRESS}:
            heading = f"{heading[:-1]}, by progress, since none of them ever succeeded:"
        parts.append("\n".join([heading, *map(_other, [*order, *failed])]))
    return "\n\n".join(parts)


def _final(best: Evaluated) -> str:
    scores = [score for trained in best.trained for score in trained.episodes]
    fitness = [score.fitness for score in scores]
    policy = "the final policy's" if best.halted is None else f"{stopped(best.halted)}. The policy's"
    line = f"{best.candidate.id}: {policy} fitness is {compact(fmean(fitness))}"
    if (seeds := len(best.trained)) > 1:
        line += f" (of {seeds} seeds: {', '.join(compact(each.fitness) for each in best.trained)})"
    line += f", {compact(min(fitness))} to {compact(max(fitness))} in {len(scores)} episodes"
    if (success := mean_known(score.success for score in scores)) is not None:
        line += f"; success {percent(success)}"
    if (progress := best.score(PROGRESS)) is not None:
        known = [score.progress for score in scores if score.progress is not None]
        line += f"; progress {compact(progress)} ({compact(min(known))} to {compact(max(known))})"
    return f"{line}; episode length {compact(fmean(score.length for score in scores))} steps."


def on_floors(floors: Mapping[str, Trained]) -> str:
    """ "fitness 0.01 by zero actions, -0.2 by random actions"."""
    fitness = ", ".join(f"{compact(each.fitness)} by {name}" for name, each in floors.items())
    known = {name: each.progress for name, each in floors.items() if each.progress is not None}
    progress = ", ".join(f"{compact(value)} by {name}" for name, value in known.items())
    return f"fitness {fitness}; progress {progress}" if progress else f"fitness {fitness}"


def training_table(trained: Sequence[Trained], points: int = 10) -> str:
    """A table: a column a point of training, of at most `points`, and rows for fitness and for every term."""
    every = list(zip(*(each.checkpoints for each in trained), strict=False))
    shown = min(points, len(every))
    columns = [every[math.ceil(len(every) * (n + 1) / shown) - 1] for n in range(shown)]
    rows = [["step", *(count(column[0].step) for column in columns)]]

    def add(label: str, values: Iterable[float | None], written: Callable[[float | None], str]) -> None:
        cells = [written(value) for value in values]
        constant = len(cells) > 1 and len({*cells}) == 1
        rows.append([f"{label} {cells[0]} throughout"] if constant else [label, *cells])

    for name, written in OUTCOMES.items():
        means = [mean_known(getattr(point, name) for point in column) for column in columns]
        if any(mean is not None for mean in means):
            add(name.replace("_", " "), means, written)
    for term in columns[-1][0].terms:
        stats = [[point.terms[term] for point in column if term in point.terms] for column in columns]
        add(f"{term}: mean", (mean_known(each.mean for each in those) for those in stats), compact)
        add("  min", (min((each.low for each in those), default=None) for those in stats), compact)
        add("  max", (max((each.high for each in those), default=None) for those in stats), compact)
        if is_diagnostic(term):
            rows.append(["  (logged, not part of the reward)"])
        else:
            add("  share", (mean_known(each.share for each in those) for those in stats), percent)
        correlation = mean_known(each.correlations.get(term) for each in trained)
        known = "unknown" if correlation is None else f"{correlation:+.2f}"
        rows.append([f"  correlation with fitness: {known}"])
    first, *others = (max(map(len, cells)) for cells in zip(*(r for r in rows if len(r) > 1), strict=True))
    lines = ["  ".join([row[0].ljust(first), *map(str.rjust, row[1:], others)]).rstrip() for row in rows]
    seeds = f", means of {len(trained)} seeds" if len(trained) > 1 else ""
    return "\n".join([f"Over training{seeds}:", *lines])


def _other(evaluated: Evaluated) -> str:
    """One line on a candidate: what it reached, or why it didn't."""
    id, trained, failures = evaluated.candidate.id, evaluated.trained, evaluated.failures
    if failures:
        failed = failures[0]
        lines = (failed.message if failed.skipped else f"{failed.message}\n{failed.detail}").splitlines()
        reason = "; ".join(dict.fromkeys(line.strip() for line in lines if line.strip()))
        reason = textwrap.shorten(reason, LONGEST_REASON, placeholder=" …")
        if failed.skipped:
            return f"{id}: not trained, since {reason}"
        of = f" in {len(failures)} of {len(evaluated.results)} trainings" if trained else ""
        return f"{id}: failed{of}, {failed.kind.replace('_', ' ')}: {reason}"
    if not trained:
        return f"{id}: not trained"
    reached = stopped(evaluated.halted) if evaluated.halted else f"fitness {compact(evaluated.fitness)}"
    success = mean_known(each.success for each in trained)
    line = f"{id}: {reached}" + ("" if success is None else f", success {percent(success)}")
    if (progress := evaluated.score(PROGRESS)) is not None and not evaluated.halted:
        line += f", progress {compact(progress)}"
    terms = trained[0].checkpoints[-1].terms if trained[0].checkpoints else {}
    return f"{line} (terms: {', '.join(terms)})" if terms else line


def stopped(halted: Halted) -> str:
    """ "stopped after 33.8k of 100k steps with fitness 0.31, below the best 3 of 8 (0.52 or more)"."""
    by, value = (FITNESS, halted.fitness) if halted.progress is None else (PROGRESS, halted.progress)
    return (
        f"stopped after {count(halted.steps)} of {count(halted.of)} steps with {by} {compact(value)}, "
        f"below the best {halted.places} of {halted.among} ({compact(halted.needed)} or more)"
    )
