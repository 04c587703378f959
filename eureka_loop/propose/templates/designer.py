"""The embedded designer: composes and evolves programs from a library of terms, without key or network.

It reads the task's text, the vocabulary with its surveyed ranges, the names that the fitness takes, and the
results of earlier candidates; never the hand-written reward.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from eureka_loop.config import RunConfig
from eureka_loop.propose.designer import Request
from eureka_loop.propose.operators import path_to
from eureka_loop.propose.templates import evolution
from eureka_loop.propose.templates.genome import FIRST, MIXED, Program, compose, write
from eureka_loop.propose.templates.pool import Pool, pool
from eureka_loop.records import Reply
from eureka_loop.store import Run

_ATTEMPTS = 50  # to find a program that the run doesn't have yet
_FRESH_EVERY = 8  # one child in so many is composed afresh, in case the first generation guessed wrong
_REPAIR = 1_000  # first attempt's number of a repair: none that the sample itself used


class TemplatesDesigner:
    """Programs from term templates, evolved by fitness.

    Every random choice follows from the request's seed, generation, sample and attempt, so a resumed run goes
    on as it would have; no program is proposed twice in a run.
    """

    name = "templates"

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._generation: tuple[Request, list[Reply]] | None = None

    def propose(self, request: Request, sample: int) -> Reply:
        """A program; none where the vocabulary allows none."""
        if request.repair is not None:
            return _replies(request, [sample])[0]
        whole = request.whole or request
        with self._lock:  # a generation is composed once, since each program avoids those before it
            if self._generation is None or self._generation[0] is not whole:
                self._generation = whole, _replies(whole, range(whole.samples))
            return self._generation[1][sample]


def create(config: RunConfig, run: Run | None) -> TemplatesDesigner:
    """The designer for a configuration; it takes nothing from it."""
    return TemplatesDesigner()


def _replies(request: Request, samples: Iterable[int]) -> list[Reply]:
    """Programs that differ from one another and from those that the run has already."""
    terms = pool(request.task, request.vocabulary)
    if not terms.goals:
        return [Reply(None, problem="no term of the library fits this vocabulary") for _ in samples]
    fittest = evolution.parents(terms, (*request.parents, *request.history))
    taken = {*request.under_way, *(each.candidate.source for each in request.history)}
    if request.repair is not None:
        taken.add(request.repair.source or "")
    replies = []
    for sample in samples:
        reply = Reply(None, problem="no further program can be made of this vocabulary and task")
        own, first = request.of(sample), _REPAIR * request.attempt
        for attempt in range(first, first + _ATTEMPTS):
            if attempt - first == _ATTEMPTS // 2 and own.operator:
                own = replace(own, operator="refine")  # a small library may have no other structures
            rng = np.random.default_rng([request.seed, request.generation, sample, attempt])
            program = _program(own, terms, fittest, sample, rng)
            source = write(program.genome, request.task.text)
            if source not in taken:
                reply = Reply(source, program.parents, program.note, operator=program.operator)
                taken.add(source)
                break
        replies.append(reply)
    return replies


def _program(
    request: Request, terms: Pool, fittest: Sequence[Program], sample: int, rng: np.random.Generator
) -> Program:
    """A program by the request's operator, or by the designer's own choice."""
    if request.repair is not None or not fittest:
        index = request.generation * request.samples + sample
        chosen = request.repair is None and not request.operator and index < len(FIRST)
        return compose(terms, FIRST[index] if chosen else MIXED, rng)
    if not request.operator:
        return _own_choice(terms, fittest, sample, rng)
    known = {each.parents[0]: each for each in fittest}  # a model's programs aren't read
    asked = [known[each.candidate.id] for each in request.parents if each.candidate.id in known]
    first = asked[0] if asked else fittest[0]
    match request.operator:
        case "weights" | "structure" as operator:
            return evolution.mutate(terms, first, rng, operator)
        case "cross" if len(fittest) > 1:
            others = asked[1:] or [each for each in fittest if each is not first][:1]
            return evolution.cross([first, *others], rng)
        case "fresh":
            return compose(terms, MIXED, rng)
        case "differ":
            return evolution.differ(terms, fittest, rng)
        case "path":
            every = {each.candidate.id: each for each in (*request.parents, *request.history)}
            path = path_to(every[first.parents[0]], every.values())
            steps = [known[each.candidate.id] for each in path if each.candidate.id in known]
            if len(steps) > 1:
                helped = fittest.index(steps[-1]) < fittest.index(steps[-2])
                return evolution.follow(terms, steps[-2], steps[-1], rng, helped=helped)
    return evolution.mutate(terms, first, rng)


def _own_choice(terms: Pool, fittest: Sequence[Program], sample: int, rng: np.random.Generator) -> Program:
    """Other weights for the best, now and then a program composed afresh, else a child of the better half."""
    if not sample:
        return evolution.mutate(terms, fittest[0], rng, "weights")
    if sample % _FRESH_EVERY == _FRESH_EVERY - 1:
        return compose(terms, MIXED, rng)
    return evolution.breed(terms, fittest, rng)
