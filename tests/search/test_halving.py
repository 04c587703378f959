"""Successive halving: which candidates go on, with how much, and what becomes of the others."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import pytest

from eureka_loop import files
from eureka_loop.errors import RunError
from eureka_loop.execute.evaluate import Evaluation
from eureka_loop.execute.executor import ScriptedExecutor
from eureka_loop.execute.machine import Share
from eureka_loop.records import SNAPSHOT, Candidate, Job, Rung
from eureka_loop.results import Evaluated, Failed, Halted, Score, Trained, judged_episode, ranked
from eureka_loop.search.halving import Allocation, ladder, steps_of
from eureka_loop.search.strategy import ProposalRequest
from eureka_loop.store import Run, read_result
from tests.search.conftest import PLAN, evaluated, trained

STEPS = 90_000


@pytest.mark.parametrize(
    ("eta", "samples", "steps", "places", "total"),
    [
        (3, 9, [10_000, 30_000, 90_000], [9, 3, 1], 9 * 10_000 + 3 * 20_000 + 60_000),
        (3, 8, [30_000, 90_000], [8, 3], 8 * 30_000 + 3 * 60_000),
        (3, 16, [10_000, 30_000, 90_000], [16, 6, 2], 16 * 10_000 + 6 * 20_000 + 2 * 60_000),
        (2, 2, [45_000, 90_000], [2, 1], 2 * 45_000 + 45_000),
        (3, 2, [90_000], [2], 2 * 90_000),
        (1, 50, [90_000], [50], 50 * 90_000),
    ],
)
def test_the_ladder(eta: int, samples: int, steps: list[int], places: list[int], total: int) -> None:
    rungs = ladder(eta, Rung(0, 90_000, 1, 10, samples))
    assert [rung.steps for rung in rungs] == steps
    assert [rung.places for rung in rungs] == places
    assert [rung.last for rung in rungs] == [False] * (len(steps) - 1) + [True]
    assert steps_of(rungs) == total


def test_seeds_and_judged_episodes_grow_with_the_steps() -> None:
    rungs = ladder(3, Rung(0, 90_000, 3, 27, 9))
    assert [(rung.seeds, rung.episodes) for rung in rungs] == [(1, 3), (1, 9), (3, 27)]
    assert steps_of(rungs) == 9 * 10_000 + 3 * 20_000 + (60_000 + 2 * 90_000)  # two seeds begin on the last
    assert [rung.episodes for rung in ladder(3, Rung(0, 90_000, 1, 2, 9))] == [2, 2, 2]


class Trainer(ScriptedExecutor):
    """Fitness by rung and candidate; None: that training fails. Leaves snapshots; ends after so many jobs."""

    def __init__(self, fitness: Sequence[Sequence[float | None]], most: int = 1000) -> None:
        super().__init__(self.fitness)
        self._table, self.most = fitness, most

    def fitness(self, job: Job) -> Trained | Failed:
        steps = sorted({10_000, 30_000, 90_000})[-len(self._table) :]
        fitness = self._table[steps.index(job.until or STEPS)][int(job.source)]
        if fitness is None:
            return Failed(job.candidate, "diverged", "nan", seed=job.seed)
        return trained(job, fitness)

    def submit(self, folders: Sequence[Path]) -> Future[str]:
        if sum(map(len, self.submitted)) >= self.most:
            raise KeyboardInterrupt
        for folder in folders:
            job = files.read_json(folder / "job.json", Job)
            before = folder / job.after
            if job.after and not (before / SNAPSHOT).exists() and read_result(before) is not None:
                raise RunError(f"{before} has nothing to go on with")
            if job.until:
                (folder / SNAPSHOT).write_text("x")
        return super().submit(folders)

    def trained(self, steps: int | None) -> list[str]:
        jobs = [files.read_json(folder / "job.json", Job) for each in self.submitted for folder in each]
        return [job.candidate for job in jobs if job.until == steps]


def climb(
    run: Run, eta: int, fitness: Sequence[Sequence[float | None]], seeds: int = 1, most: int = 1000
) -> tuple[Trainer, list[Evaluated]]:
    trainer, count = Trainer(fitness, most), len(fitness[0])
    evaluation = Evaluation(run, trainer, replace(PLAN, steps=STEPS), Share(1, 32))
    allocation = Allocation(run, evaluation, ladder(eta, Rung(0, STEPS, seeds, 10, count)), 0)

    async def written(place: int) -> Candidate:
        candidate = Candidate(f"g0-{place:02d}", 0, str(place), "scripted")
        run.write_candidate(candidate)
        return candidate

    async def work() -> list[Evaluated]:
        writes = [asyncio.ensure_future(written(place)) for place in range(count)]
        request = ProposalRequest(0, tuple(range(count)), count)
        return [each for each in await asyncio.gather(*allocation.train(request, writes)) if each]

    return trainer, asyncio.run(work())


FIRST = [1.0, 9.0, 2.0, 8.0, 3.0, 7.0, 4.0, 5.0, 6.0]
SECOND = [0.0, 1.0, 0.0, 3.0, 0.0, 2.0, 0.0, 0.0, 0.0]
THIRD = [0.0, 0.0, 0.0, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0]


def test_the_best_third_goes_on_and_the_others_keep_what_they_reached(run: Run) -> None:
    trainer, found = climb(run, 3, [FIRST, SECOND, THIRD])
    assert trainer.trained(30_000) == ["g0-01", "g0-03", "g0-05"]
    assert trainer.trained(None) == ["g0-03"]
    assert [each.candidate.id for each in found] == [f"g0-{n:02d}" for n in range(9)]
    halted = [10_000, 30_000, 10_000, None, 10_000, 30_000, 10_000, 10_000, 10_000]
    assert [each.halted.steps if each.halted else None for each in found] == halted
    assert found[1].halted == Halted("g0-01", 1, 30_000, 90_000, 1.0, 3.0, 1, 3)
    assert found[8].halted == Halted("g0-08", 0, 10_000, 90_000, 6.0, 7.0, 3, 9)
    assert found == [run.evaluated(each.candidate.id) for each in found], "readers find what was reached"
    assert list(run.folder.glob(f"**/{SNAPSHOT}")) == [], "what no training goes on from is removed"
    order = [each.candidate.id for each in ranked(found)]
    assert order == ["g0-03", "g0-05", "g0-01", "g0-08", "g0-07", "g0-06", "g0-04", "g0-02", "g0-00"]


def test_where_nobody_succeeds_progress_decides_who_goes_on(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(job: Job, progress: float) -> Trained:
        episodes = (judged_episode(0, 0.0, 0.0, 1, Score(progress)),)
        return Trained(job.candidate, job.seed, job.until or job.steps, episodes, (), {}, 0.1)

    monkeypatch.setattr(f"{__name__}.trained", never)
    trainer, found = climb(run, 3, [FIRST, SECOND, THIRD])
    assert trainer.trained(30_000) == ["g0-01", "g0-03", "g0-05"]
    assert found[8].halted == Halted("g0-08", 0, 10_000, 90_000, 0.0, 7.0, 3, 9, 6.0)


def test_each_rung_goes_on_from_the_one_before_and_new_seeds_begin(run: Run) -> None:
    climb(run, 3, [FIRST, SECOND, THIRD], seeds=9)
    jobs = {
        path.parent.relative_to(run.candidate_folder("g0-03")).as_posix(): files.read_json(path, Job)
        for path in run.candidate_folder("g0-03").glob("**/job.json")
    }
    kept = {name: (job.until, job.after, len(job.judge_seeds)) for name, job in jobs.items()}
    assert kept["rung-0/seed-0"] == (10_000, "", 3)
    assert kept["rung-1/seed-0"] == (30_000, "../../rung-0/seed-0", 4)
    assert kept["rung-1/seed-200"] == (30_000, "", 4)
    assert kept["seed-200"] == (None, "../rung-1/seed-200", 10)
    assert kept["seed-800"] == (None, "", 10)
    assert len(jobs) == 1 + 3 + 9
    begin, go_on = jobs["rung-1/seed-200"].cohort, jobs["rung-1/seed-0"].cohort
    assert set(begin).isdisjoint(go_on), "trainings that go on have cohorts of their own"


def test_failures_are_failures_and_leave_their_places_to_others(run: Run) -> None:
    first = [9.0, None, 8.0, 1.0, 2.0, 3.0, None, 4.0, 5.0]
    second = [None, 0, 2.0, 0, 0, 0, 0, 0, 1.0]
    trainer, found = climb(run, 3, [first, second, [1.0] * 9])
    assert trainer.trained(30_000) == ["g0-00", "g0-02", "g0-08"]
    assert trainer.trained(None) == ["g0-02"]
    assert [each.candidate.id for each in found if each.failures] == ["g0-00", "g0-01", "g0-06"]
    assert all(each.halted is None for each in found if each.failures)
    assert run.evaluated("g0-00") == found[0]


def recorded(run: Run) -> list[tuple[object, ...]]:
    kept = [[each.get(name) for name in ("event", "id", "seed", "rung")] for each in run.events()]
    return sorted((tuple(each) for each in kept if each[0] != "training"), key=repr)


@pytest.mark.parametrize("most", range(1, 16, 3))
def test_killed_anywhere_it_resumes_to_the_same_end(most: int, run: Run, tmp_path: Path) -> None:
    table = [FIRST, SECOND, THIRD]
    whole = Run.create(tmp_path / "whole", "task")
    _, wanted = climb(whole, 3, table, seeds=3)
    with pytest.raises(KeyboardInterrupt):
        climb(run, 3, table, seeds=3, most=most)
    gc.collect()  # the tasks that it left, see `leftovers_end`
    _, found = climb(run, 3, table, seeds=3)
    assert found == wanted
    assert recorded(run) == recorded(whole)
    assert climb(run, 3, table, seeds=3)[0].submitted == [], "nothing is trained again"


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
    evaluation = Evaluation(run, executor, replace(PLAN, steps=STEPS), Share(1, 32))
    allocation = Allocation(run, evaluation, ladder(1, Rung(0, STEPS, 1, 10, len(first))), 0, confirm=confirm)
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
