"""Allocation of training steps to the candidates of a request: all to the end, or successive halving.

With halving, after a part of the steps the best go on and the others stay where they are (Jamieson
and Talwalkar 2016, "Non-stochastic Best Arm Identification and Hyperparameter Optimization", AISTATS, figure
2). Here a cut keeps one in `eta`, rounded up: several workers share the last ones, so there is room for them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import ceil

from eureka_loop.execute.budget import start
from eureka_loop.execute.evaluate import Evaluation, Stage
from eureka_loop.records import SNAPSHOT, Candidate, Rung
from eureka_loop.results import PROGRESS, Evaluated, Halted, ranked, ranked_by
from eureka_loop.search.loop import Ended
from eureka_loop.search.strategy import ProposalRequest, in_order
from eureka_loop.seeds import seeds
from eureka_loop.store import Run

Written = asyncio.Task[Candidate | None]  # None: the designer can't write it just now

AT_ONCE = 2  # further trainings of the best
LEAST_EPISODES = 3  # in which a policy is judged, where it is judged in more at the end


def ladder(eta: int, whole: Rung) -> tuple[Rung, ...]:
    """The rungs of a generation: from each to the next an eta-th of the candidates, with eta times the rest.

    As many as cuts leave at least one: floor(log_eta(candidates)), and the top. With eta 1 the top alone.

    Args:
        whole: the top, but with room for the whole generation.
    """
    cuts = 0
    while eta > 1 and eta ** (cuts + 1) <= whole.places:
        cuts += 1
    rungs = []
    for number in range(cuts + 1):
        share = eta ** (cuts - number)
        rung = replace(
            whole,
            number=number,
            steps=whole.steps // share,
            seeds=ceil(whole.seeds / share),
            episodes=max(min(LEAST_EPISODES, whole.episodes), ceil(whole.episodes / share)),
            places=ceil(whole.places / eta**number),
            last=number == cuts,
        )
        rungs.append(rung)
    return tuple(rungs)


def steps_of(rungs: Sequence[Rung]) -> int:
    """Environment steps of a whole generation: trainings go on from the rung before, new seeds begin."""
    pairs = pairwise([Rung(-1, 0, 0, 0, 0), *rungs])
    return sum(
        rung.places * (rung.seeds * rung.steps - min(before.seeds, rung.seeds) * before.steps)
        for before, rung in pairs
    )


@dataclass(frozen=True, slots=True)
class Allocation:
    """Trains the candidates of a request up the rungs of a ladder; with one rung, all to the end.

    Attributes:
        seed: the run's.
        confirm: trainings, in all, of the best of a request whose results come together.
    """

    run: Run
    evaluation: Evaluation
    rungs: Sequence[Rung]
    seed: int
    confirm: int = 0

    def train(
        self, request: ProposalRequest, written: Sequence[Written], history: Sequence[Evaluated] = ()
    ) -> list[Ended]:
        """Each candidate as it stood at the highest rung that it reached; None where it wasn't written.

        On the first rung a cohort begins when each of its planned members is written or has failed.
        """
        share, stage = self.evaluation.share, self._stage(self.rungs[0])
        share = share if request.barrier else replace(share, workers=1)
        members = [(each, seed) for each in written for seed in stage.training]
        planned = share.cohorts(members)
        cohorts = [({each for each, _ in cohort}, start(self._cohort(cohort, stage))) for cohort in planned]
        first = [
            start(self._one(each, [task for group, task in cohorts if each in group], stage))
            for each in written
        ]
        confirm = request.barrier and self.confirm > self.rungs[-1].seeds
        if len(self.rungs) == 1 and not confirm:
            return first
        climbed = start(self._climb(first, history if confirm else None))

        async def reached(place: int) -> Evaluated | None:
            return (await climbed)[place]

        return [start(reached(place)) for place in range(len(first))]

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

    async def _climb(
        self, first: Sequence[Ended], rivals: Sequence[Evaluated] | None
    ) -> list[Evaluated | None]:
        """The other rungs; with places left empty by failures taken by those next in rank.

        Nothing is decided while a candidate isn't written.

        Args:
            rivals: all observed before; None: the best of these are not confirmed.
        """
        reached = await asyncio.gather(*first)
        evaluated = [each for each in reached if each is not None]
        if len(evaluated) < len(reached):
            return [None] * len(reached)
        found = {each.candidate.id: each for each in evaluated}
        for rung, above in pairwise(self.rungs):
            evaluated = self._cut(in_order(evaluated), rung, above)
            found |= {each.candidate.id: each for each in evaluated}
            going_on = [each.candidate for each in evaluated if each.halted is None and not each.failures]
            evaluated = await self.evaluation.train_all(going_on, self._stage(above))
            for id in found:  # no training goes on from there any more, and these files are large
                for path in self.run.candidate_folder(id).glob(f"rung-{rung.number}/seed-*/{SNAPSHOT}"):
                    path.unlink()
            found |= {each.candidate.id: each for each in evaluated}
        if rivals is not None:
            await self._confirm(found, rivals)
        return [found[each.candidate.id] for each in reached if each is not None]

    async def _confirm(self, found: dict[str, Evaluated], rivals: Sequence[Evaluated]) -> None:
        """Train the best with more seeds until the best is one that has them: single trainings are luck."""
        training, episodes = seeds("training", self.seed, self.confirm), self.rungs[-1].episodes
        stage = Stage(training, seeds("selection", self.seed, episodes))
        whole = {id: each for id, each in found.items() if each.halted is None}
        begun = [
            id for id in whole if not {*self.run.training_seeds(id)} <= {*training[: self.rungs[-1].seeds]}
        ]
        for id in begun:  # interrupted
            more = len(self.run.training_seeds(id)) - self.rungs[-1].seeds
            trainings = min(self.confirm, self.rungs[-1].seeds + AT_ONCE * ceil(more / AT_ONCE))
            wanted = replace(stage, training=training[:trainings])
            (whole[id],) = await self.evaluation.train_all([whole[id].candidate], wanted)
        while (order := ranked([*whole.values(), *rivals])) and order[0].candidate.id in whole:
            best = order[0].candidate
            if len(whole[best.id].results) >= self.confirm:
                break
            more = min(self.confirm, len(whole[best.id].results) + AT_ONCE)
            wanted = replace(stage, training=training[:more])
            (whole[best.id],) = await self.evaluation.train_all([best], wanted)
        found |= whole

    def _cut(self, evaluated: Sequence[Evaluated], rung: Rung, above: Rung) -> list[Evaluated]:
        """The same; those that don't go on are marked as halted."""
        order, halted = ranked(evaluated), {}
        for each in order[above.places :]:
            last = order[above.places - 1]
            by = ranked_by(last.score)
            halted[each.candidate.id] = Halted(
                candidate=each.candidate.id,
                rung=rung.number,
                steps=each.trained[0].steps,
                of=self.rungs[-1].steps,
                fitness=each.fitness or 0.0,
                needed=last.score(by) or 0.0,
                places=above.places,
                among=len(evaluated),
                progress=each.score(by) if by == PROGRESS else None,
            )
            self.run.halt(halted[each.candidate.id])
        return [replace(each, halted=halted.get(each.candidate.id)) for each in evaluated]

    def _stage(self, rung: Rung) -> Stage:
        training = seeds("training", self.seed, rung.seeds)
        return Stage(training, seeds("selection", self.seed, rung.episodes), rung=rung)
