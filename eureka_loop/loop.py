"""The line: task → prompt → replies → candidates → gate → train → judge → rank → feedback, and again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from eureka_loop.design.designer import Request
from eureka_loop.records import Candidate
from eureka_loop.results import Evaluated
from eureka_loop.search.strategy import Ask, Strategy, ranked
from eureka_loop.store import Run


@dataclass(frozen=True, slots=True)
class Stages:
    """What the line passes through; everything is handed in, nothing is built here.

    Attributes:
        brief: what is wanted, and what was learnt → the request to the designer.
        write: request → candidates on disk, gated.
        train: candidates → trained and judged on the search's seeds.
        retrain: the winner and the references → trained and judged on fresh seeds.
    """

    brief: Callable[[Ask, Sequence[Evaluated]], Request]
    write: Callable[[Request], list[Candidate]]
    train: Callable[[Sequence[Candidate]], list[Evaluated]]
    retrain: Callable[[Candidate], list[Evaluated]]


def search(run: Run, strategy: Strategy, stages: Stages) -> Evaluated | None:
    """Write, train and rank until the strategy has enough; the best, or None where nothing could be trained.

    What is on disk already is not done again, so the same call resumes a run.
    """
    while (ask := strategy.ask()) is not None:
        request = stages.brief(ask, strategy.history)
        candidates = stages.write(request)
        evaluated = stages.train(candidates)
        strategy.tell(evaluated)
        order = [each.candidate.id for each in ranked(evaluated)]
        best, fitness = (strategy.best.candidate.id, strategy.best.fitness) if strategy.best else (None, None)
        run.event("ranked", generation=ask.generation, best=best, fitness=fitness, order=order)
    return strategy.best


def report(run: Run, winner: Evaluated, stages: Stages) -> list[Evaluated]:
    """Train the winner again on seeds that the search never saw, and the references beside it."""
    evaluated = stages.retrain(winner.candidate)
    run.event("finished", winner=winner.candidate.id)
    return evaluated
