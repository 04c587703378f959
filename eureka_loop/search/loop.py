"""The search: a strategy asks, candidates are written, trained and judged, the strategy observes; again."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Sequence
from typing import Protocol

from eureka_loop.errors import DesignerError, RunError
from eureka_loop.execute.budget import start
from eureka_loop.results import FITNESS, PROGRESS, Evaluated, ranked
from eureka_loop.search.strategy import ProposalRequest, Strategy, in_order
from eureka_loop.store import Run

Ended = asyncio.Task[Evaluated | None]  # None: it isn't written, as the designer can't just now
Observation = tuple[ProposalRequest, list[Evaluated]]  # no results where one wasn't written
Open = tuple[ProposalRequest, Sequence[Evaluated], Collection[str]]  # with the results known to it, and ids


class Stages(Protocol):
    """From a request to its results."""

    @property
    def problem(self) -> DesignerError | None:
        """Reason why no more can be written; None while it can."""
        ...

    def goes_on(self) -> bool:
        """Whether another request is worth its time."""
        ...

    def begin(self, asked: ProposalRequest, history: Sequence[Evaluated]) -> list[Ended]:
        """Start to write, gate, screen, train and judge candidates, one task a sample.

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
    running = {task for each in left for task in _begin(each, stages)}
    while True:
        while stages.problem is None and stages.goes_on() and (request := strategy.ask()) is not None:
            run.event("asked", generation=request.generation, ids=request.ids)
            running.update(_begin((request, observed, request.ids), stages))
        if not running:
            break
        done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        for request, results in sorted((task.result() for task in done), key=lambda each: each[0].ids):
            if results:
                strategy.tell(results)
                observed = [*observed, *results]
                _record(run, request, results, observed)
    if stages.problem is not None:
        raise stages.problem
    return next(iter(ranked(observed)), None)


def restore(run: Run, strategy: Strategy) -> tuple[list[Evaluated], list[Open]]:
    """Repeat the recorded calls of a strategy; the results observed, and the requests that are still open.

    A generation of which nothing could be trained, for a crash, is open again.

    Raises:
        RunError: the strategy asks for something else than before.
    """
    observed: list[Evaluated] = []
    left: list[tuple[ProposalRequest, list[Evaluated], set[str]]] = []
    asked: set[str] = set()
    for event in list(run.events()):
        ids = event.get("ids") or [event.get("id")]
        if event["event"] == "asked" and not asked & {*ids}:
            request = strategy.ask()
            if request is None or request.ids != ids:
                raise RunError(f"{run.folder} was recorded by another strategy or version; start a new run")
            asked |= {*ids}
            left.append((request, observed, {*ids}))
        elif event["event"] in ("ranked", "told") and any({*ids} & still for *_, still in left):
            results = [run.evaluated(id) for id in ids]
            crashed = any(failure.passing for each in results for failure in each.failures)
            if event["event"] == "ranked" and crashed and not ranked(results):
                break
            strategy.tell(results)
            observed = [*observed, *results]
            for *_, still in left:
                still -= {*ids}
    return observed, [each for each in left if each[2]]


def _begin(opened: Open, stages: Stages) -> set[asyncio.Task[Observation]]:
    """Start on a request; the results that are to be observed together come from one task."""
    request, known, still = opened
    ended = dict(zip(request.ids, stages.begin(request, in_order(known)), strict=True))

    async def observation(tasks: Iterable[Ended]) -> Observation:
        results = await asyncio.gather(*tasks)
        return request, [] if None in results else in_order(each for each in results if each)

    together = [[*ended.values()]] if request.barrier else [[ended[id]] for id in ended if id in still]
    return {start(observation(tasks)) for tasks in together}


def _record(
    run: Run, request: ProposalRequest, results: Sequence[Evaluated], observed: Sequence[Evaluated]
) -> None:
    best = next(iter(ranked(observed)), None)
    scores = {name: best and best.score(name) for name in (FITNESS, PROGRESS)}
    known = {"best": best and best.candidate.id, **scores}
    if request.barrier:
        run.event("ranked", generation=request.generation, ids=request.ids, **known)
    else:
        run.event("told", id=results[0].candidate.id, **known)
