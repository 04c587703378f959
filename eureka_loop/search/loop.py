"""The search: a strategy asks, candidates are written, trained and judged, the strategy observes; again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Protocol

from eureka_loop.errors import DesignerError, RunError
from eureka_loop.execute.budget import start
from eureka_loop.results import Evaluated, ranked
from eureka_loop.search.strategy import ProposalRequest, Strategy, in_order
from eureka_loop.store import Run

Ended = asyncio.Task[Evaluated | None]  # None: it isn't written, as the designer can't just now
Observation = tuple[ProposalRequest, list[Evaluated]]


class Stages(Protocol):
    """The way from a request to its results."""

    @property
    def problem(self) -> DesignerError | None:
        """Reason why no more can be written; None while it can."""
        ...

    def begin(self, asked: ProposalRequest, history: Sequence[Evaluated]) -> list[Ended]:
        """Start to write, gate, screen, train and judge the candidates of a request, one task a sample.

        Args:
            history: the results known now, in order of id.
        """
        ...


async def search(run: Run, strategy: Strategy, stages: Stages) -> Evaluated | None:
    """Write, train and rank until the strategy has enough; the best, or None where nothing could be trained.

    What is on disk is not done again, so the same call resumes a run.

    Raises:
        DesignerError: no more can be written just now; what was written has been trained.
    """
    observed, left = restore(run, strategy)
    running = {task for request, known in left for task in _begin(request, known, observed, stages)}
    while True:
        while stages.problem is None and (request := strategy.ask()) is not None:
            asked = {"generation": request.generation, "only": request.samples, "ids": request.ids}
            run.event("asked", **asked, told=len(observed))
            running.update(_begin(request, observed, (), stages))
        if not running:
            break
        done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        for request, results in sorted((task.result() for task in done), key=lambda each: each[0].ids):
            if results:
                strategy.tell(results)
                observed = [*observed, *results]
                _record(run, request, results, observed)
    if (problem := stages.problem) is not None:
        raise problem
    return next(iter(ranked(observed)), None)


def restore(
    run: Run, strategy: Strategy
) -> tuple[list[Evaluated], list[tuple[ProposalRequest, list[Evaluated]]]]:
    """Repeat the recorded calls of a strategy; the results observed, and the requests that are still open.

    With each open request come the results that were known when it was made. A generation of which nothing
    could be trained, for a crash, is open again.

    Raises:
        RunError: the strategy asks for something else than before.
    """
    observed: list[Evaluated] = []
    asked: dict[str, tuple[ProposalRequest, list[Evaluated]]] = {}
    told: set[str] = set()
    for event in list(run.events()):
        ids = event.get("ids") or [event.get("id")]
        if event["event"] == "asked" and not asked.keys() & set(ids):
            request = strategy.ask()
            if request is None or request.ids != ids:
                raise RunError(f"{run.folder} was recorded by another strategy or version; start a new run")
            asked |= dict.fromkeys(ids, (request, observed))
        elif event["event"] in ("ranked", "told") and not told & set(ids):
            results = [run.evaluated(id) for id in ids]
            crashed = any(failure.passing for each in results for failure in each.failures)
            if event["event"] == "ranked" and crashed and not ranked(results):
                break
            strategy.tell(results)
            observed, told = [*observed, *results], told | set(ids)
    left = {id(each[0]): each for name, each in asked.items() if name not in told}
    return observed, list(left.values())


def _begin(
    request: ProposalRequest, known: Sequence[Evaluated], told: Sequence[Evaluated], stages: Stages
) -> Iterator[asyncio.Task[Observation]]:
    """Start on a request; the results that are to be observed together come from one task.

    Args:
        told: results that need not be observed again.
    """
    ended = stages.begin(request, in_order(known))
    if request.barrier:
        yield start(_observation(request, ended))
        return
    skip = {each.candidate.id for each in told}
    for name, task in zip(request.ids, ended, strict=True):
        if name not in skip:
            yield start(_observation(request, [task]))


async def _observation(request: ProposalRequest, ended: Sequence[Ended]) -> Observation:
    """Results in order of id; none where one of them wasn't written."""
    results = [each for each in await asyncio.gather(*ended) if each is not None]
    return request, in_order(results) if len(results) == len(ended) else []


def _record(
    run: Run, request: ProposalRequest, results: Sequence[Evaluated], observed: Sequence[Evaluated]
) -> None:
    """Record the results that a strategy has observed."""
    best = next(iter(ranked(observed)), None)
    known = {"best": best and best.candidate.id, "fitness": best and best.fitness}
    if request.barrier:
        order = [each.candidate.id for each in ranked(results)]
        run.event("ranked", generation=request.generation, ids=request.ids, order=order, **known)
    else:
        run.event("told", id=results[0].candidate.id, **known)
