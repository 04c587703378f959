"""Evaluation → feedback: the text that a designer, or a person, reads about a program that was trained.

After the "reward reflection" of Ma et al. 2023, "Eureka", section 3.3 and appendix A: every term over
training, and the task's own metric beside it. Added: what the final policy did in judged episodes, the
fitness taken apart, the spread between trainings, differences from the parent, the other programs, the
generations before.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, median, variance
from types import MappingProxyType

from eureka_loop.numbers import compact, percent, plural
from eureka_loop.propose.operators import path_to
from eureka_loop.results import FITNESS, PROGRESS, Evaluated, Trained, mean_known, ranked, ranked_by
from eureka_loop.search.judged import behaviour, changes, courses, in_short
from eureka_loop.search.lineage import by_structure, changed, difference
from eureka_loop.search.training_table import training_table

LONGEST_REASON = 400  # characters of why a candidate failed
LONGEST = 12_000  # characters of all of it, some 3,000 tokens


@dataclass(frozen=True, slots=True)
class Detail:
    """How much is told."""

    others: int = 100  # programs in four lines; the rest get one
    generations: int = 100
    worst: bool = True  # course of the worst episode
    single: bool = True  # a list of judged episodes
    points: int = 10  # of training


# What is left out first where the text is too long.
DETAILS = (
    Detail(),
    Detail(others=4),
    Detail(others=4, single=False),
    Detail(others=4, single=False, worst=False),
    Detail(others=2, single=False, worst=False, points=5),
    Detail(others=0, single=False, worst=False, points=5, generations=5),
)


def feedback(
    parents: Sequence[Evaluated],
    generation: Sequence[Evaluated],
    which: str = "of this generation",
    floors: Mapping[str, Trained] = MappingProxyType({}),
    history: Sequence[Evaluated] = (),
    operator: str = "",
) -> str:
    """The first parent in full, the programs around it in short, and the generations before.

    Args:
        parents: programs that the designer is shown, the most important first; of any generation.
        generation: all candidates of the latest generation, parents perhaps among them.
        which: what those candidates are called.
        floors: policies that learn nothing, by name.
        history: everything evaluated so far.
        operator: with "path" the way to the first parent is told, with "differ" what was tried so far.

    Returns:
        At most `LONGEST` characters; the courses of others, then further details are left out first.
    """
    for detail in DETAILS:
        text = "\n\n".join(_parts(parents, generation, which, floors, history, operator, detail))
        if len(text) <= LONGEST:
            return text
    return text[: LONGEST - 2].rsplit("\n", 1)[0] + "\n…"


def _parts(
    parents: Sequence[Evaluated],
    generation: Sequence[Evaluated],
    which: str,
    floors: Mapping[str, Trained],
    history: Sequence[Evaluated],
    operator: str,
    detail: Detail,
) -> Iterator[str]:
    best = next(iter(parents), None)
    known = {each.candidate.id: each for each in (*history, *generation, *parents)}
    if best and best.trained:
        yield "\n".join([_final(best), *_beside(best, floors, history)])
        told = (
            behaviour(best.trained, single=detail.single),
            courses(best.trained, floors, worst=detail.worst),
        )
        yield from filter(None, told)
        path = path_to(best, known.values())
        yield from _steps(path if operator == "path" else path[-2:])
        if all(each.checkpoints for each in best.trained):
            yield training_table(best.trained, detail.points)
    if operator == "differ" and history:
        yield "\n".join(["Tried so far, by the observables that a program reads:", *_structures(history)])
    own = best.candidate.id if best else ""
    shown = {each.candidate.id: each for each in (*generation, *parents)}
    shown |= {each.candidate.id: each for each in ranked(history)[:1]}
    others = [each for id, each in shown.items() if id != own]
    if others:
        heading = f"The {'other ' if best else ''}programs {which}:"
        if any(each not in generation for each in others):
            heading = f"{heading[:-1]}, and the best before:"
        order, failed = ranked(others), [each for each in others if each.fitness is None]
        if {ranked_by(each.score) for each in order} == {PROGRESS}:
            heading = f"{heading[:-1]}, by progress, since none of them ever succeeded:"
        lines = [_other(each, known, full=n < detail.others) for n, each in enumerate([*order, *failed])]
        yield "\n".join([heading, *lines])
    latest = {each.candidate.id for each in generation}
    earlier = [each for each in history if each.candidate.id not in latest]
    if lines := list(_generations(earlier))[-detail.generations :]:
        yield "\n".join(["Earlier generations:", *lines])


def _final(best: Evaluated) -> str:
    scores = [score for trained in best.trained for score in trained.episodes]
    fitness = [score.fitness for score in scores]
    line = f"{best.candidate.id}: the final policy's fitness is {compact(fmean(fitness))}"
    if (seeds := len(best.trained)) > 1:
        line += f" (of {seeds} seeds: {', '.join(compact(each.fitness) for each in best.trained)})"
    if len({*fitness}) > 1:
        line += f", {compact(min(fitness))} to {compact(max(fitness))}"
    line += f" in {plural(len(scores), 'judged episode')}"
    if (success := mean_known(score.success for score in scores)) is not None:
        line += f"; success {percent(success)}"
    if (progress := best.score(PROGRESS)) is not None:
        known = [score.progress for score in scores if score.progress is not None]
        line += f"; progress {compact(progress)} ({compact(min(known))} to {compact(max(known))})"
    return f"{line}; episode length {compact(fmean(score.length for score in scores))} steps."


def _beside(best: Evaluated, floors: Mapping[str, Trained], history: Sequence[Evaluated]) -> Iterator[str]:
    """Lines on what no learning reaches, the best so far, and the spread between trainings."""
    by = ranked_by(best.score)
    ours = best.score(by) or 0.0
    if floors:
        reached = [value for each in floors.values() if (value := each.score(by)) is not None]
        above = f"; its {by} is {_by(ours - max(reached))} the best of these" if reached else ""
        yield f"Without learning: {on_floors(floors)}{above}."
    leader = next(iter(ranked(history)), best)
    if leader.candidate.id != best.candidate.id and (value := leader.score(by)) is not None:
        first = f"The best so far is {leader.candidate.id} with {by} {compact(value)}"
        yield f"{first}; this one is {_by(ours - value)} it."
    if not history:
        return
    scores = ([each.score(by) for each in one.trained] for one in history)
    again = [known for each in scores if len(known := [value for value in each if value is not None]) > 1]
    if not again:
        yield "The spread between trainings of one program isn't known: small differences mean nothing."
        return
    freedom = sum(len(each) - 1 for each in again)
    spread = math.sqrt(sum(variance(each) * (len(each) - 1) for each in again) / freedom)
    once, thrice = (compact(2 * math.sqrt(2 / trainings) * spread) for trainings in (1, 3))
    if spread:
        yield (
            f"Trainings of one program differ by a standard deviation of {compact(spread)} in {by} (roughly, "
            f"by {plural(len(again), 'program')}): a difference below {once} between programs trained once, "
            f"or below {thrice} between means of three trainings, may be chance."
        )


def _by(difference: float) -> str:
    """ "0.3 above"."""
    return f"{compact(abs(difference))} {'above' if difference >= 0 else 'below'}"


def on_floors(floors: Mapping[str, Trained]) -> str:
    """ "fitness 0.01 by zero actions, -0.2 by random actions"."""
    fitness = ", ".join(f"{compact(each.fitness)} by {name}" for name, each in floors.items())
    known = {name: each.progress for name, each in floors.items() if each.progress is not None}
    progress = ", ".join(f"{compact(value)} by {name}" for name, value in known.items())
    return f"fitness {fitness}; progress {progress}" if progress else f"fitness {fitness}"


def _steps(path: Sequence[Evaluated]) -> Iterator[str]:
    """Each program of a path against the one before it, and what came of the difference."""
    path = [each for each in path if each.trained]
    if len(path) > 2:
        ids = " → ".join(each.candidate.id for each in path)
        yield f"The path {ids}, from its root, {_reached(path[0])}{_terms(path[0])}."
    for parent, child in pairwise(path):
        before, after = parent.candidate, child.candidate
        by = FITNESS if None in (child.score(PROGRESS), parent.score(PROGRESS)) else PROGRESS
        scores = " → ".join(compact(each.score(by)) for each in (parent, child))
        whom = f"Against its parent {before.id}" if child is path[-1] else f"{after.id} against {before.id}"
        lines = [f"{whom}{f' ({after.operator})' * bool(after.operator)}, {by} {scores}:"]
        lines += difference(before.source, after.source)
        if found := changes(parent.trained, child.trained):
            lines.append(f"Beyond the spread over episodes: {'; '.join(found)}.")
        yield "\n".join(lines)


def _structures(history: Sequence[Evaluated]) -> Iterator[str]:
    """One line for each set of observables that programs read: how many, and the best of them."""
    for names, programs in by_structure(ranked(history)).items():
        amount = plural(len(programs), "program")
        yield f"{', '.join(sorted(names))}: {amount}, best {_reached(programs[0])}{_terms(programs[0])}"


def _generations(earlier: Sequence[Evaluated]) -> Iterator[str]:
    """One line a generation: its best program, its median, its failures."""
    for generation in sorted({each.candidate.generation for each in earlier}):
        own = [each for each in earlier if each.candidate.generation == generation]
        order = ranked(own)
        line = f"g{generation}: {plural(len(own), 'program')}"
        if order:
            by = ranked_by(order[0].score)
            scores = [value for each in order if (value := each.score(by)) is not None]
            line += f", best {_reached(order[0])}{_terms(order[0])}; median {by} {compact(median(scores))}"
        failed = len(own) - len(order)
        yield line + (f"; {failed} failed" if failed else "")


def _reached(evaluated: Evaluated) -> str:
    """ "g0-02: fitness 0.31 (0.2 to 0.4 in 3 trainings), success 10%, progress 0.4"."""
    trained = evaluated.trained
    line = f"{evaluated.candidate.id}: fitness {compact(evaluated.fitness)}"
    each = sorted(one.fitness for one in trained)
    low, high = compact(each[0]), compact(each[-1])
    if low != high:
        line += f" ({low} to {high} in {len(trained)} trainings)"
    if (success := mean_known(one.success for one in trained)) is not None:
        line += f", success {percent(success)}"
    if (progress := evaluated.score(PROGRESS)) is not None:
        line += f", progress {compact(progress)}"
    return line


def _terms(evaluated: Evaluated) -> str:
    checkpoints = evaluated.trained[0].checkpoints
    return f" (terms: {', '.join(checkpoints[-1].terms)})" if checkpoints else ""


def _other(evaluated: Evaluated, known: Mapping[str, Evaluated], *, full: bool) -> str:
    """A candidate: what it reached or why it didn't; with `full` what is changed and what its policy did."""
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
    lines, line = in_short(trained), _reached(evaluated)
    if not full or not lines:
        return line + _terms(evaluated)
    parent = next((known[each] for each in evaluated.candidate.parents if each in known), None)
    if parent and (how := changed(parent.candidate.source, evaluated.candidate.source)):
        lines.insert(0, f"changed from {parent.candidate.id}: {how}")
    return "\n  ".join([line, *lines])
