"""The line without generations: whoever has ended is told at once, and makes room for another."""

from __future__ import annotations

from collections.abc import Iterator

from eureka_loop.propose.designer import Request
from eureka_loop.results import Evaluated
from eureka_loop.search.loop import Stages
from eureka_loop.search.steady import SteadyStrategy
from eureka_loop.search.strategy import Ask
from eureka_loop.store import Run


def search_steadily(run: Run, strategy: SteadyStrategy, stages: Stages) -> Evaluated | None:
    """Write, train and tell until all are told; the best, or None where nothing could be trained.

    The order of telling is recorded, and what was asked for when; the same call resumes a run from there.
    """
    for evaluated in stages.train(stages.write(_requests(run, strategy, stages))):
        strategy.tell([evaluated])
        best, fitness = (strategy.best.candidate.id, strategy.best.fitness) if strategy.best else (None, None)
        run.event("told", id=evaluated.candidate.id, best=best, fitness=fitness)
    return strategy.best


def _requests(run: Run, strategy: SteadyStrategy, stages: Stages) -> Iterator[Request | None]:
    """What an earlier life has left open, then whatever there is room for."""
    for ask in strategy.restore(run):
        yield stages.brief(ask, strategy.history[: ask.told])
    while not strategy.over:
        room = strategy.ask()
        yield None if room is None else _recorded(run, room, stages.brief(room, strategy.history))


def _recorded(run: Run, ask: Ask, request: Request) -> Request:
    """The same, once it is on record what is asked for and after how many were told."""
    only = list(request.wanted)
    ids = [request.id(sample) for sample in only]
    run.event("asked", generation=ask.generation, only=only, ids=ids, told=ask.told)
    return request
