"""Who goes on, with how much, and what becomes of the others. No training here: a table says who is how good."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest

from eureka_loop.records import Candidate, Later, Rung
from eureka_loop.results import Evaluated, Failed, Halted, Trained, judged_episode, ranked
from eureka_loop.search.halving import Halving, ladder, steps_of
from eureka_loop.search.strategy import in_order

WHOLE = Rung(0, 90_000, 1, 10, 9)


def candidates(count: int) -> list[Candidate]:
    return [Candidate(f"g0-{n:02d}", 0, str(n), "scripted") for n in range(count)]


class Trainer:
    """Fitness by rung and candidate; None: that training fails."""

    def __init__(self, fitness: Sequence[Sequence[float | None]]) -> None:
        self.fitness = fitness
        self.trained: list[list[str]] = []
        self.halted: list[Halted] = []

    def train(self, candidates: Iterable[Candidate | Later], rung: Rung) -> list[Evaluated]:
        whole = [each for each in candidates if isinstance(each, Candidate)]
        self.trained.append([each.id for each in whole])
        return [self.one(each, rung) for each in reversed(whole)]  # in some order of finishing

    def one(self, candidate: Candidate, rung: Rung) -> Evaluated:
        fitness = self.fitness[rung.number][int(candidate.source)]
        if fitness is None:
            return Evaluated(candidate, (Failed(candidate.id, "diverged", "nan", seed=0),))
        scores = (judged_episode(0, fitness, None, 1),)
        return Evaluated(candidate, (Trained(candidate.id, 0, rung.steps + 7, scores, (), {}, 1.0),))


def climb(eta: int, fitness: Sequence[Sequence[float | None]]) -> tuple[Trainer, list[Evaluated]]:
    trainer, count = Trainer(fitness), len(fitness[0])
    whole = Rung(0, 90_000, 1, 10, count)
    halving = Halving(ladder(eta, whole), trainer.train, trainer.halted.append)
    return trainer, in_order(halving.train(candidates(count)))


@pytest.mark.parametrize(
    ("eta", "samples", "steps", "places"),
    [
        (3, 9, [10_000, 30_000, 90_000], [9, 3, 1]),
        (3, 8, [30_000, 90_000], [8, 3]),
        (3, 16, [10_000, 30_000, 90_000], [16, 6, 2]),
        (2, 2, [45_000, 90_000], [2, 1]),
        (3, 2, [90_000], [2]),
        (1, 50, [90_000], [50]),
    ],
)
def test_the_ladder(eta: int, samples: int, steps: list[int], places: list[int]) -> None:
    rungs = ladder(eta, Rung(0, 90_000, 1, 10, samples))
    assert [rung.steps for rung in rungs] == steps
    assert [rung.places for rung in rungs] == places
    assert [rung.last for rung in rungs] == [False] * (len(steps) - 1) + [True]


def test_seeds_and_judged_episodes_grow_with_the_steps() -> None:
    rungs = ladder(3, Rung(0, 90_000, 4, 27, 9))
    assert [rung.seeds for rung in rungs] == [1, 2, 4]
    assert [rung.episodes for rung in rungs] == [3, 9, 27]
    assert [rung.episodes for rung in ladder(3, Rung(0, 90_000, 1, 2, 9))] == [2, 2, 2]


def test_steps_are_counted_once_for_those_who_go_on() -> None:
    assert steps_of(ladder(3, WHOLE)) == 9 * 10_000 + 3 * 20_000 + 1 * 60_000
    assert steps_of(ladder(1, WHOLE)) == 9 * 90_000
    more_seeds = ladder(3, Rung(0, 90_000, 3, 10, 9))  # 1, 1, 3 seeds: two of the last three begin there
    assert steps_of(more_seeds) == 9 * 10_000 + 3 * 20_000 + (60_000 + 2 * 90_000)


def test_the_best_third_goes_on_and_the_others_keep_what_they_reached() -> None:
    first = [1.0, 9.0, 2.0, 8.0, 3.0, 7.0, 4.0, 5.0, 6.0]
    second = [0.0, 1.0, 0.0, 3.0, 0.0, 2.0, 0.0, 0.0, 0.0]
    third = [0.0, 0.0, 0.0, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0]
    trainer, found = climb(3, [first, second, third])
    assert trainer.trained[1:] == [["g0-01", "g0-03", "g0-05"], ["g0-03"]]
    assert [each.candidate.id for each in found] == [f"g0-{n:02d}" for n in range(9)]
    assert [each.halted.steps if each.halted else None for each in found] == [
        10_007, 30_007, 10_007, None, 10_007, 30_007, 10_007, 10_007, 10_007,
    ]  # fmt: skip
    assert [each.halted for each in found if each.halted] == sorted(
        trainer.halted, key=lambda halted: halted.candidate
    )
    assert found[1].halted == Halted("g0-01", 1, 30_007, 90_000, 1.0, 3.0, 1, 3)
    assert found[8].halted == Halted("g0-08", 0, 10_007, 90_000, 6.0, 7.0, 3, 9)


def test_nobody_ranks_above_one_that_got_further() -> None:
    """The whole training ended at 0.5, lower than anything before."""
    first = [1.0, 9.0, 2.0, 8.0, 3.0, 7.0, 4.0, 5.0, 6.0]
    _, found = climb(3, [first, [0, 1.0, 0, 3.0, 0, 2.0, 0, 0, 0], [0, 0, 0, 0.5, 0, 0, 0, 0, 0]])
    order = [each.candidate.id for each in ranked(found)]
    assert order == ["g0-03", "g0-05", "g0-01", "g0-08", "g0-07", "g0-06", "g0-04", "g0-02", "g0-00"]


def test_failures_are_failures_and_leave_their_places_to_others() -> None:
    first = [9.0, None, 8.0, 1.0, 2.0, 3.0, None, 4.0, 5.0]
    trainer, found = climb(3, [first, [None, 0, 2.0, 0, 0, 0, 0, 0, 1.0], [0, 0, 1.0, 0, 0, 0, 0, 0, 0]])
    assert trainer.trained[1:] == [["g0-00", "g0-02", "g0-08"], ["g0-02"]]
    assert [each.candidate.id for each in found if each.failures] == ["g0-00", "g0-01", "g0-06"]
    assert all(each.halted is None for each in found if each.failures)
    assert "g0-00" not in [halted.candidate for halted in trainer.halted]


def test_where_fewer_are_left_than_there_is_room_for_all_go_on() -> None:
    trainer, found = climb(3, [[1.0, None, None, None, None, None, 2.0, None, None], [2.0] * 9, [1.0] * 9])
    assert trainer.trained[1] == ["g0-00", "g0-06"]
    assert len(trainer.trained[2]) == 1
    assert len(trainer.halted) == 1
    assert found[0].halted is None


def test_with_eta_1_all_are_trained_to_the_end_at_once() -> None:
    trainer, found = climb(1, [[3.0, 1.0, 2.0]])
    assert trainer.trained == [["g0-00", "g0-01", "g0-02"]]
    assert trainer.halted == []
    assert [each.fitness for each in found] == [3.0, 1.0, 2.0]
