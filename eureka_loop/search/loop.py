"""The line: task → prompt → replies → candidates → gate → train → judge → rank → feedback, and again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from eureka_loop.propose.designer import Request
from eureka_loop.records import Candidate, Later
from eureka_loop.results import Evaluated, ranked
from eureka_loop.search.strategy import Ask, Strategy, in_order
from eureka_loop.store import Run


@dataclass(frozen=True, slots=True)
class Stages:
    """What the line passes through; everything is handed in, nothing is built here.

    Between `write` and `train` candidates go one by one: some are trained while others are written.

    Attributes:
        brief: what is wanted, and what was learnt → the request to the designer.
        write: requests → candidates on disk, gated.
        train: candidates → trained and judged on the search's seeds, in any order.
        retrain: the winner and the references → trained and judged on fresh seeds.
        announce: has the run say what is going to happen.
    """

    brief: Callable[[Ask, Sequence[Evaluated]], Request]
    write: Callable[[Iterable[Request | None]], Iterator[Candidate | Later]]
    train: Callable[[Iterable[Candidate | Later]], Iterator[Evaluated]]
    retrain: Callable[[Candidate], list[Evaluated]]
    announce: Callable[[], None] = lambda: None


def search(run: Run, strategy: Strategy, stages: Stages) -> Evaluated | None:
    """Write, train and rank until the strategy has enough; the best, or None where nothing could be trained.

    What is on disk already is not done again, so the same call resumes a run.
    """
    while (ask := strategy.ask()) is not None:
        request = stages.brief(ask, strategy.history)
        evaluated = in_order(stages.train(stages.write([request])))
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
