"""As many under way as there is room for; resumed from the record."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from eureka_loop import files
from eureka_loop.records import Candidate
from eureka_loop.results import Evaluated, Failed, Trained, judged_episode
from eureka_loop.search.steady import SteadyStrategy
from eureka_loop.search.strategy import Ask
from eureka_loop.store import Run


def evaluated(id: str, fitness: float | None) -> Evaluated:
    candidate = Candidate(id, int(id[1]), "", "scripted")
    if fitness is None:
        return Evaluated(candidate, (Failed(id, "refused", "no"),))
    return Evaluated(candidate, (Trained(id, 0, 1, (judged_episode(0, fitness, None, 1),), (), {}, 0.0),))


def asked(ask: Ask | None) -> tuple[int, tuple[int, ...] | None, int] | None:
    return ask and (ask.generation, ask.only, ask.told)


def test_as_many_are_asked_for_as_have_ended() -> None:
    strategy = SteadyStrategy(generations=2, samples=3)
    assert asked(strategy.ask()) == (0, (0, 1, 2), 0)
    assert strategy.ask() is None
    strategy.tell([evaluated("g0-01", 1.0)])
    assert asked(strategy.ask()) == (1, (0,), 1)
    assert (strategy.ask(), strategy.over) == (None, False)
    strategy.tell([evaluated("g0-00", 1.0), evaluated("g1-00", None)])
    assert asked(strategy.ask()) == (1, (1, 2), 3)
    assert (strategy.ask(), strategy.over) == (None, True)


def test_room_that_reaches_into_the_next_ids_is_asked_for_in_two_parts() -> None:
    strategy = SteadyStrategy(generations=3, samples=2)
    strategy.ask()
    strategy.tell([evaluated("g0-00", 1.0)])
    strategy.ask()
    strategy.tell([evaluated("g0-01", 1.0), evaluated("g1-00", 2.0)])
    assert [asked(strategy.ask()) for _ in range(3)] == [(1, (1,), 3), (2, (0,), 3), None]


def test_an_author_knows_the_best_and_those_that_ended_last() -> None:
    strategy = SteadyStrategy(generations=9, samples=2)
    strategy.ask()
    for id, fitness in (("g0-01", 5.0), ("g0-00", 1.0), ("g1-00", None)):
        strategy.tell([evaluated(id, fitness)])
    ask = strategy.ask()
    assert ask is not None
    assert ask.best is not None
    assert ask.best.candidate.id == "g0-01"
    assert [each.candidate.id for each in ask.generation_before] == ["g0-00", "g1-00"]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    with Run.create(tmp_path, "t") as run:
        yield run


def test_an_earlier_lifes_questions_are_asked_again_as_they_were(run: Run) -> None:
    """Two of three were told, one of them led to a question; then the run was killed."""
    for id, fitness in (("g0-02", 2.0), ("g0-00", 3.0)):
        run.write_candidate(Candidate(id, 0, "", "scripted"))
        result = Trained(id, 100, 1, (judged_episode(0, fitness, None, 1),), (), {}, 0.0)
        files.write_json(run.job_folder(id, 100) / "result.json", result)
    run.event("asked", generation=0, only=[0, 1, 2], ids=["g0-00", "g0-01", "g0-02"], told=0)
    run.event("told", id="g0-02")
    run.event("asked", generation=1, only=[0], ids=["g1-00"], told=1)
    run.event("told", id="g0-00")
    strategy = SteadyStrategy(generations=2, samples=3)
    left = list(strategy.restore(run))
    assert [asked(each) for each in left] == [(0, (1,), 0), (1, (0,), 1)]
    assert [each.best and each.best.candidate.id for each in left] == [None, "g0-02"]
    assert [each.candidate.id for each in strategy.history] == ["g0-02", "g0-00"]
    assert asked(strategy.ask()) == (1, (1,), 2)
