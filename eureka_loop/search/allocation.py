"""Allocation of trainings to the candidates of a request: as many for each, then more for the best."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil

from eureka_loop.config import RunConfig
from eureka_loop.execute.budget import start
from eureka_loop.execute.evaluate import Evaluation, Stage
from eureka_loop.records import Candidate
from eureka_loop.results import Evaluated, ranked
from eureka_loop.search.loop import Ended
from eureka_loop.search.strategy import ProposalRequest
from eureka_loop.seeds import seeds
from eureka_loop.store import Run

Written = asyncio.Task[Candidate | None]  # None: the designer can't write it just now

AT_ONCE = 2  # further trainings of the best


@dataclass(frozen=True, slots=True)
class Allocation:
    """Trains the candidates of a request; where their results come together, the best is confirmed."""

    run: Run
    evaluation: Evaluation
    config: RunConfig

    def train(
        self, request: ProposalRequest, written: Sequence[Written], history: Sequence[Evaluated] = ()
    ) -> list[Ended]:
        """Each candidate with its results; None where it wasn't written.

        A cohort begins when each of its planned members is written or has failed.
        """
        share, stage = self.evaluation.share, self._stage(self.config.seeds)
        share = share if request.barrier else replace(share, workers=1)
        members = [(each, seed) for each in written for seed in stage.training]
        planned = share.cohorts(members)
        cohorts = [({each for each, _ in cohort}, start(self._cohort(cohort, stage))) for cohort in planned]
        first = [
            start(self._one(each, [task for group, task in cohorts if each in group], stage))
            for each in written
        ]
        if not request.barrier or self.config.confirm <= self.config.seeds:
            return first
        confirmed = start(self._confirmed(first, history))

        async def one(place: int) -> Evaluated | None:
            return (await confirmed)[place]

        return [start(one(place)) for place in range(len(first))]

    async def _cohort(self, members: Sequence[tuple[Written, int]], stage: Stage) -> None:
        ready = [(await written, seed) for written, seed in members]
        alive = [(each, seed) for each, seed in ready if each and self.run.failure(each.id) is None]
        await self.evaluation.train(alive, stage)

    async def _one(
        self, written: Written, cohorts: Sequence[asyncio.Task[None]], stage: Stage
    ) -> Evaluated | None:
        candidate = await written
        if candidate is None:
            return None
        if self.run.failure(candidate.id) is None:
            await asyncio.gather(*cohorts)
        return self.evaluation.evaluated(candidate, stage)

    async def _confirmed(
        self, first: Sequence[Ended], rivals: Sequence[Evaluated]
    ) -> Sequence[Evaluated | None]:
        """Train the best with more seeds until the best is one that has them: single trainings are luck.

        Nothing is decided while a candidate isn't written.

        Args:
            rivals: all observed before.
        """
        trained = await asyncio.gather(*first)
        found = {each.candidate.id: each for each in trained if each is not None}
        if len(found) < len(trained):
            return [None] * len(trained)

        async def confirm(id: str, trainings: int) -> None:
            stage = self._stage(min(self.config.confirm, trainings))
            (found[id],) = await self.evaluation.train_all([found[id].candidate], stage)

        for id in found:
            more = len(self.run.training_seeds(id)) - self.config.seeds
            if more > 0:  # interrupted
                await confirm(id, self.config.seeds + AT_ONCE * ceil(more / AT_ONCE))
        while (order := ranked([*found.values(), *rivals])) and (best := order[0].candidate.id) in found:
            if (done := len(found[best].results)) >= self.config.confirm:
                break
            await confirm(best, done + AT_ONCE)
        return [*found.values()]

    def _stage(self, trainings: int) -> Stage:
        judging = seeds("selection", self.config.seed, self.config.judge_episodes)
        return Stage(seeds("training", self.config.seed, trainings), judging)
