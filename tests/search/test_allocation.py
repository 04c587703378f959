"""Confirmation: which candidates are trained again, and how often."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from eureka_loop.config import RunConfig
from eureka_loop.execute.evaluate import Evaluation
from eureka_loop.execute.executor import ScriptedExecutor
from eureka_loop.execute.machine import Share
from eureka_loop.records import Candidate, Job
from eureka_loop.results import Evaluated, Failed, Trained, ranked
from eureka_loop.search.allocation import Allocation
from eureka_loop.search.strategy import ProposalRequest
from eureka_loop.store import Run
from tests.search.conftest import PLAN, evaluated, trained


class Lucky(ScriptedExecutor):
    """Fitness of each candidate's first training, its second and, ten times that, its third; None: it fails."""

    def __init__(self, first: Sequence[float], later: Sequence[float | None]) -> None:
        super().__init__(self.answer)
        self.first, self.later, self.trained, self.most = first, later, 0, 1000

    def answer(self, job: Job) -> Trained | Failed:
        if self.trained == self.most:
            raise KeyboardInterrupt
        self.trained += 1
        place = int(job.source)
        fitness = self.first[place] if job.seed == 0 else self.later[place]
        fitness = fitness if fitness is None or job.seed < 200 else 10 * fitness
        return (
            Failed(job.candidate, "diverged", "nan", seed=job.seed)
            if fitness is None
            else trained(job, fitness)
        )


@pytest.mark.parametrize(
    ("first", "later", "rival", "best", "trainings"),
    [
        (
            (1.0, 9.0, 5.0, 2.0),
            (1.0, 0.0, 5.0, 2.0),
            0.0,
            "g0-02",
            {3: 4 + 2 + 2, 5: 4 + 2 + 4},
        ),  # 9 was luck
        ((1.0, 9.0, 5.0, 2.0), (1.0, 9.0, 5.0, 2.0), 0.0, "g0-01", {3: 4 + 2, 5: 4 + 4}),
        ((1.0, 9.0, 5.0, 2.0), (1.0, 9.0, 5.0, 2.0), 9.5, "g0-01", {3: 4, 5: 4}),  # an earlier one is better
        ((1.0, 9.0, 5.0, 2.0), (1.0, None, 5.0, 2.0), 0.0, "g0-02", {3: 4 + 2 + 2, 5: 4 + 2 + 4}),
        ((9.0, 8.0, 7.0, 6.0), (0.0, 0.0, 0.0, 0.0), 0.0, "g0-00", {3: 4 + 8, 5: 4 + 16}),
    ],
)
@pytest.mark.parametrize("confirm", [3, 5])
@pytest.mark.parametrize("most", [1000, 5])
def test_the_best_is_one_that_was_trained_again(
    run: Run,
    most: int,
    confirm: int,
    first: Sequence[float],
    later: Sequence[float | None],
    rival: float,
    best: str,
    trainings: Mapping[int, int],
) -> None:
    executor = Lucky(first, later)
    evaluation = Evaluation(run, executor, PLAN, Share(1, 32))
    allocation = Allocation(run, evaluation, RunConfig(confirm=confirm))
    request = ProposalRequest(0, tuple(range(len(first))), len(first))

    async def written(place: int) -> Candidate:
        candidate = Candidate(f"g0-{place:02d}", 0, str(place), "scripted")
        run.write_candidate(candidate)
        return candidate

    async def work() -> list[Evaluated]:
        writes = [asyncio.ensure_future(written(place)) for place in range(len(first))]
        return [each for each in await asyncio.gather(*allocation.train(request, writes, history)) if each]

    history = [evaluated("h0-00", rival)]
    executor.most, wanted = most, trainings[confirm]
    while True:
        with contextlib.suppress(KeyboardInterrupt):
            found = asyncio.run(work())
            break
        executor.most, wanted = 1000, wanted + 1  # the interrupted cohort begins again
    assert ranked(found)[0].candidate.id == best
    assert {len(each.results) for each in found} <= {1, 3, 5}, "two at a time"
    assert executor.trained == wanted
    assert asyncio.run(work()) == found, "resumed, nothing is trained again"
    assert executor.trained == wanted


def test_one_lucky_training_does_not_beat_a_confirmed_candidate() -> None:
    kept = evaluated("g0-01", 9.0)
    kept = replace(kept, results=kept.results * 5)
    others = [evaluated(f"g0-0{n}", 1.0) for n in (2, 3, 4)]
    order = ranked([evaluated("g0-00", 9.2), kept, *others])
    assert [each.candidate.id for each in order[:2]] == ["g0-01", "g0-00"]
    later = [evaluated(f"g1-0{n}", 9.0) for n in range(8)]
    assert ranked([evaluated("g0-00", 9.2), kept, *others, *later])[0] is kept, (
        "a later median changes nothing"
    )
