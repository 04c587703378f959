"""The embedded designer: no key, no network. It matches, binds, composes and breeds terms from a library.

It reads the task's text, the vocabulary with its surveyed ranges, which observables the fitness names, and
what became of earlier candidates. It never looks at the hand-written reward.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from eureka_loop.config import RunConfig
from eureka_loop.propose.designer import ReplySink, Request
from eureka_loop.propose.templates.compose import ANY, compose, recipe
from eureka_loop.propose.templates.evolve import Parent, breed, parents, refine
from eureka_loop.propose.templates.layout import write
from eureka_loop.propose.templates.pool import Pool, pool
from eureka_loop.records import Reply
from eureka_loop.store import Run

_ATTEMPTS = 50  # to find a program that the run doesn't have yet
_FRESH_EVERY = (
    8  # one child in so many is composed afresh: a way out where the first generation guessed wrong
)
_REPAIR = 1_000  # first attempt's number of a repair: none that the sample itself used


class TemplatesDesigner:
    """Programs from term templates, evolved by fitness.

    Every random choice follows from the request's seed, generation, sample and attempt, so a resumed run
    goes on as it would have; no program is proposed twice in a run.
    """

    name = "templates"

    def propose(self, request: Request, sink: ReplySink) -> None:
        """As many replies as were asked for; one says why where the vocabulary allows no program."""
        terms = pool(request.task, request.vocabulary)
        fittest = parents(request.history, next(iter(request.parents), None))
        taken = {*request.under_way, *(each.candidate.source for each in request.history)}
        if request.repair is not None:
            taken.add(request.repair.source or "")
        # those that are there already are made again: a sample avoids the programs before it
        for sample in request.wanted if request.repair else range(request.samples):
            reply = self._reply(request, terms, fittest, sample, taken)
            taken.add(reply.source or "")
            if sample in request.wanted:
                sink.keep(sample, reply)

    def _reply(
        self, request: Request, terms: Pool, fittest: list[Parent], sample: int, taken: set[str]
    ) -> Reply:
        for rng in _generators(request, sample):
            reply = _drafted(request, terms, fittest, sample, rng)
            if reply.source not in taken:
                return reply
        return Reply(source=None, problem="no further program can be made of this vocabulary and task")


def _generators(request: Request, sample: int) -> Iterator[np.random.Generator]:
    first = _REPAIR if request.repair is not None else 0
    for attempt in range(first, first + _ATTEMPTS):
        yield np.random.default_rng([request.seed, request.generation, sample, attempt])


def _drafted(
    request: Request, terms: Pool, fittest: list[Parent], sample: int, rng: np.random.Generator
) -> Reply:
    fresh = sample % _FRESH_EVERY == _FRESH_EVERY - 1
    if request.generation and fittest and not fresh and request.repair is None:
        child = (breed if sample else refine)(terms, fittest, rng)
        return Reply(write(child.genome, request.task.text), child.parents, child.note)
    chosen = ANY if request.repair is not None else recipe(request.generation * request.samples + sample)
    genome = compose(terms, chosen, rng)
    if not genome:
        return Reply(source=None, problem="no term of the library fits this vocabulary")
    note = f"composed: {chosen.name} ({', '.join(gene.key for gene in genome)})"
    return Reply(write(genome, request.task.text), note=note)


def create(config: RunConfig, run: Run | None) -> TemplatesDesigner:
    """The designer for a configuration; it takes nothing from it."""
    return TemplatesDesigner()
