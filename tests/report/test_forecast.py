"""How long a run still takes."""

from __future__ import annotations

from typing import Any

import pytest

from eureka_loop.report.board import Board
from eureka_loop.report.forecast import left, makespan, seconds_left, steps_per_second
from eureka_loop.run_folder import Event
from eureka_loop.seeds import seeds

STARTED: dict[str, Any] = {
    "generations": 2, "samples": 2, "seeds": 1, "steps": 100, "jobs": 2, "report_seeds": 2,
    "references": ["human", "sparse"],
}  # fmt: skip


def event(name: str, time: float, /, **values: Any) -> Event:
    return {"event": name, "time": time, **values}


@pytest.fixture
def board() -> Board:
    """2 generations × 2 candidates and a report of 3 × 2, two at once; one second of writing."""
    return Board.of(
        [
            event("started", 0.0, **STARTED),
            event("generation", 0.0, generation=0, samples=2),
            *(event("written", 1.0, id=f"g0-0{n}", note="", parents=[], source=True) for n in range(2)),
            event("training", 1.0, id="g0-00", seed=0, steps=100),
        ]
    )  # fmt: skip


def test_nothing_is_foretold_before_anything_is_measured(board: Board) -> None:
    assert seconds_left(board, 2.0) is None


def test_it_counts_every_generation_and_the_report(board: Board) -> None:
    board.take(event("trained", 11.0, id="g0-00", seed=0, fitness=1.0, success=None, seconds=9.0))
    assert steps_per_second(board) == 10.0
    # g0-01: 10 s; the next generation: 1 s of writing, 10 s for both at once; the report: 6 trainings, 30 s
    assert seconds_left(board, 11.0) == pytest.approx(10 + 1 + 10 + 30)


def test_it_counts_down_between_events(board: Board) -> None:
    board.take(event("training", 1.0, id="g0-01", seed=0, steps=100))
    board.take(event("progress", 6.0, id="g0-00", seed=0, step=50, steps=100, fitness=None, steps_per_s=10.0))
    board.take(event("progress", 6.0, id="g0-01", seed=0, step=40, steps=100, fitness=None, steps_per_s=10.0))
    first, later = seconds_left(board, 6.0), seconds_left(board, 8.0)
    assert first == pytest.approx((later or 0) + 2.0)


def test_during_the_report_only_its_own_trainings_are_left(board: Board) -> None:
    board.take(event("trained", 11.0, id="g0-00", seed=0, fitness=1.0, success=None, seconds=9.0))
    first, second = seeds("report_training", 0, 2)
    board.take(event("training", 12.0, id="g0-00", seed=first, steps=100))
    board.take(event("training", 12.0, id="g0-00", seed=second, steps=100))
    assert seconds_left(board, 12.0) == pytest.approx(30.0)


def test_a_run_that_ended_has_no_time_left(board: Board) -> None:
    board.take(event("trained", 11.0, id="g0-00", seed=0, fitness=1.0, success=None, seconds=9.0))
    board.take(event("stopped", 12.0, reason="--max-hours 1 is reached"))
    assert seconds_left(board, 12.0) is None


@pytest.mark.parametrize(("jobs", "expected"), [(1, 9.0), (2, 5.0), (3, 4.0), (8, 4.0)])
def test_makespan_fills_free_places_in_order(jobs: int, expected: float) -> None:
    assert makespan([2.0, 3.0, 4.0][::-1], jobs) == expected


def test_what_follows_is_no_part_of_the_time_and_is_named(board: Board) -> None:
    """A comparison trains with one algorithm after the other; nobody knows the other's speed yet."""
    board.take(event("progress", 11.0, id="g0-00", seed=0, step=50, steps_per_s=5.0))
    alone = left(board, 11.0)
    assert alone.startswith("about ")
    board.take(event("started", 11.0, **STARTED, then=["SAC"]))
    assert left(board, 11.0) == f"{alone}, then SAC"


def test_nothing_is_said_of_what_nobody_knows(board: Board) -> None:
    assert left(board, 2.0) == ""


def together(generations: int) -> Board:
    """Eight that train at once, of the first of some generations; each takes 100 steps."""
    started = {
        **STARTED,
        "samples": 8,
        "generations": generations,
        "report_seeds": 0,
        "trainer": "population",
    }
    board = Board.of([event("started", 0.0, **started)])
    begin(board, 0, 0.0)
    return board


def begin(board: Board, generation: int, now: float) -> None:
    board.take(event("generation", now, generation=generation, samples=8))
    for id in ids(generation):
        board.take(event("written", now, id=id, generation=generation, note="", parents=[], source=True))
        board.take(event("training", now, id=id, seed=0, steps=100))


def ids(generation: int) -> list[str]:
    return [f"g{generation}-{n:02d}" for n in range(8)]


def test_of_many_that_train_together_one_alone_foretells_nothing() -> None:
    """They speak one at a time; when the first has, the others are as far."""
    board = together(1)
    for spoken, id in enumerate(ids(0)[:4], start=1):
        assert seconds_left(board, 5.0) is None, spoken
        board.take(event("progress", 5.0, id=id, seed=0, step=10, steps=100, fitness=None, steps_per_s=2.0))
    assert seconds_left(board, 5.0) == pytest.approx((800 - 40) * 5.0 / 40)


def test_when_the_next_generation_begins_the_first_ones_pace_is_known() -> None:
    board = together(2)
    for id in ids(0):
        board.take(event("trained", 40.0, id=id, seed=0, fitness=1.0, success=None, seconds=40.0))
    begin(board, 1, 40.0)
    assert seconds_left(board, 40.0) == pytest.approx(40.0)
