"""The embedded designer: composes and evolves programs from a library of terms, without key or network.

It reads the task's text, the vocabulary with its surveyed ranges, the names that the fitness takes, and the
results of earlier candidates; never the hand-written reward.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence

import numpy as np

from eureka_loop.config import RunConfig
from eureka_loop.propose.designer import Request
from eureka_loop.propose.templates import evolution
from eureka_loop.propose.templates.evolution import FIRST, MIXED, Program, write
from eureka_loop.propose.templates.pool import Pool, pool
from eureka_loop.records import Reply
from eureka_loop.store import Run

_ATTEMPTS = 50  # to find a program that the run doesn't have yet
_FRESH_EVERY = 8  # one child in so many is composed afresh, in case the first generation guessed wrong
_REPAIR = 1_000  # first attempt's number of a repair: none that the sample itself used
_KINDS = {"weights": ("weights",), "restructure": ("vary", "add", "drop")}  # of mutations, by operator


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
        with self._lock:  # a generation is composed once, since each program avoids those before it
            if self._generation is None or self._generation[0] is not request:
                self._generation = request, _replies(request, range(request.samples))
            return self._generation[1][sample]


def create(config: RunConfig, run: Run | None) -> TemplatesDesigner:
    """The designer for a configuration; it takes nothing from it."""
    return TemplatesDesigner()


def _replies(request: Request, samples: Iterable[int]) -> list[Reply]:
    """Programs that differ from one another and from those that the run has already."""
    terms = pool(request.task, request.vocabulary)
    if not terms.goals:
        return [Reply(None, problem="no term of the library fits this vocabulary") for _ in samples]
    evaluated = request.parents if request.operator else (*request.parents, *request.history)
    fittest = evolution.parents(terms, evaluated)
    taken = {*request.under_way, *(each.candidate.source for each in request.history)}
    if request.repair is not None:
        taken.add(request.repair.source or "")
    replies = []
    for sample in samples:
        reply = Reply(None, problem="no further program can be made of this vocabulary and task")
        for attempt in range(_REPAIR * request.attempt, _REPAIR * request.attempt + _ATTEMPTS):
            rng = np.random.default_rng([request.seed, request.generation, sample, attempt])
            program = _program(request, terms, fittest, sample, rng)
            source = write(program.genome, request.task.text)
            if source not in taken:
                reply = Reply(source, program.parents, program.note)
                taken.add(source)
                break
        replies.append(reply)
    return replies


def _program(
    request: Request, terms: Pool, fittest: Sequence[Program], sample: int, rng: np.random.Generator
) -> Program:
    """A program by the request's operator, or by the designer's own choice."""
    operator = request.operator
    if request.repair is not None or not fittest or operator in ("fresh", "differ"):
        index = request.generation * request.samples + sample
        chosen = request.repair is None and not operator and index < len(FIRST)
        return evolution.compose(terms, FIRST[index] if chosen else MIXED, rng)
    if not operator and sample % _FRESH_EVERY == _FRESH_EVERY - 1:
        return evolution.compose(terms, MIXED, rng)
    if not operator and sample:
        return evolution.breed(terms, fittest, rng)
    if operator == "cross" and len(fittest) > 1:
        return evolution.cross(fittest[0], fittest[1], rng)
    return evolution.mutate(terms, fittest[0], rng, _KINDS.get(operator or "weights", ()))
