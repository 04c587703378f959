"""The state of a run from its events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from eureka_loop.report.board import Board
from eureka_loop.run_folder import Event
from eureka_loop.seeds import seeds

if TYPE_CHECKING:
    from .conftest import Script

STARTED: dict[str, Any] = {
    "task": "t", "designer": "templates", "algorithm": "ppo", "generations": 2, "samples": 2, "seeds": 2,
    "steps": 100, "jobs": 2, "report_seeds": 3, "references": ["human", "sparse"],
}  # fmt: skip


def event(name: str, time: float = 0.0, /, **values: Any) -> Event:
    return {"event": name, "time": time, **values}


def begun() -> Board:
    """Two candidates, one training of four done."""
    return Board.of(
        [
            event("started", **STARTED),
            event("generation", generation=0, samples=2),
            event("written", id="g0-00", note="n", parents=[], source=True),
            event("gated", id="g0-00", terms=["a"]),
            event("written", id="g0-01", note="n", parents=[], source=True),
            event("training", id="g0-00", seed=0, steps=100),
            event("trained", id="g0-00", seed=0, fitness=2.0, success=None, seconds=1.0),
        ]
    )


def test_a_candidate_is_done_when_all_its_seeds_are() -> None:
    board = begun()
    row = board.rows["g0-00"]
    assert (row.state(2), board.best) == ("training", None)
    board.take(event("training", id="g0-00", seed=100, steps=100))
    board.take(event("trained", id="g0-00", seed=100, fitness=4.0, success=None, seconds=1.0))
    assert (row.state(2), row.fitness, board.best) == ("done", 3.0, row)


def test_a_failed_seed_fails_the_candidate() -> None:
    board = begun()
    board.take(event("failed", id="g0-00", seed=100, kind="timed_out", message="m"))
    assert board.rows["g0-00"].state(2) == "failed"
    assert board.best is None


def test_failures_before_training_are_taken_off_what_is_left() -> None:
    board = begun()
    assert board.trainings_wanted == 2 * 2 * 2 + 3 * 3
    board.take(event("failed", id="g0-01", seed=None, kind="no_code", message="prose"))
    assert board.trainings_wanted == 2 * 2 * 2 - 2 + 3 * 3
    board.take(event("failed", id="human", seed=None, kind="exception", message="m"))
    assert board.trainings_wanted == 2 * 2 * 2 - 2 + 2 * 3


def test_a_generation_with_fewer_replies_than_asked_needs_fewer_trainings() -> None:
    board = begun()
    board.take(event("generation", generation=1, samples=2))
    assert board.unwritten == 2
    board.take(event("written", id="g1-00", note="", parents=[], source=True))
    assert (board.unwritten, board.trainings_wanted) == (1, 2 * 2 * 2 + 3 * 3)
    board.take(event("training", id="g1-00", seed=0, steps=100))  # the other may still come
    assert (board.unwritten, board.trainings_wanted) == (1, 2 * 2 * 2 + 3 * 3)
    board.take(event("ranked", generation=1, best="g0-00", fitness=2.0, order=["g0-00"]))
    assert (board.unwritten, board.trainings_wanted) == (0, 2 * 2 * 2 - 2 + 3 * 3)


def test_resuming_begins_anew_what_was_under_way() -> None:
    board = begun()
    board.take(event("training", id="g0-00", seed=100, steps=100))
    board.take(event("interrupted"))
    board.take(event("resumed"))
    assert list(board.rows["g0-00"].trainings) == [0]
    assert board.ended == ""


def test_report_trainings_are_kept_apart() -> None:
    board = begun()
    board.take(event("training", id="g0-00", seed=seeds("report_training", 0, 1)[0], steps=100))
    assert list(board.report) == ["g0-00", "human", "sparse"]
    assert board.winner == "g0-00"
    assert len(board.rows["g0-00"].trainings) == 1


@pytest.mark.parametrize("unknown", [{"event": "new_in_2.0", "x": 1}, {}])
def test_unknown_events_are_passed_over(unknown: Event) -> None:
    begun().take(unknown)


def test_time_between_lives_is_not_work() -> None:
    board = Board.of(
        [event("started", 10.0), event("interrupted", 15.0), event("resumed", 500.0), event("x", 502.0)]
    )
    assert board.worked == 7.0


def test_every_prefix_of_a_run_makes_a_board(script: Script) -> None:
    events = list(script.whole().events())
    for length in range(len(events) + 1):
        board = Board.of(events[:length])
        assert 0 <= board.trainings_done <= board.trainings_wanted
    assert (board.ended, board.winner, board.trainings_done) == ("finished", "g1-00", board.trainings_wanted)


def test_replies_that_come_in_any_order_stand_in_that_of_their_samples() -> None:
    board = Board.of([event("started", **{**STARTED, "samples": 3}), event("generation", generation=0)])
    for id, left in (("g0-02", 2), ("g0-00", 1), ("g0-01", 0)):
        board.take(event("written", id=id, note="", parents=[], source=True))
        assert board.unwritten == left
    for id in ("g0-02", "g0-01"):
        for seed in (0, 100):
            board.take(event("trained", id=id, seed=seed, fitness=1.0, success=None, seconds=1.0))
    assert list(board.rows) == ["g0-00", "g0-01", "g0-02"]
    assert board.best is board.rows["g0-01"]  # of equals the earlier one, whichever came first


def test_a_steady_search_shows_what_is_under_way_and_what_is_newest() -> None:
    board = Board.of([event("started", **{**STARTED, "seeds": 1, "steady": True})])
    board.take(event("asked", generation=0, only=[0, 1], ids=["g0-00", "g0-01"], told=0))
    board.take(event("generation", generation=0, samples=2))
    assert board.unwritten == 2
    board.take(event("written", id="g0-01", generation=0, note="", parents=[], source=True))
    board.take(event("trained", id="g0-01", seed=0, fitness=1.0, success=None, seconds=1.0))
    board.take(event("told", id="g0-01", best="g0-01", fitness=1.0))
    board.take(event("asked", generation=1, only=[0], ids=["g1-00"], told=1))
    board.take(event("generation", generation=1, samples=1))
    assert (board.told, board.unwritten, board.trainings_wanted) == (1, 2, 2 * 2 + 3 * 3)
    board.take(event("written", id="g0-00", generation=0, note="late", parents=[], source=True))
    board.take(event("written", id="g1-00", generation=1, note="", parents=[], source=True))
    assert [row.id for row in board.current] == ["g0-00", "g1-00"]
    assert [row.id for row in board.past] == ["g0-01"]
    assert board.rows["g0-00"].generation == 0


def test_nothing_is_being_written_once_the_writing_has_ended() -> None:
    board = Board.of([event("started", **STARTED), event("generation", generation=0, samples=2)])
    assert board.unwritten == 2
    board.take(event("writing_ended", reason="--max-usd 1.00"))
    assert board.unwritten == 0
    board.take(event("resumed"))
    assert board.unwritten == 2


def test_a_crash_that_is_tried_again_counts_no_more() -> None:
    board = begun()
    for seed in (100, 200):
        board.take(event("failed", id="g0-00", seed=seed, kind="crashed", message="killed"))
    row = board.rows["g0-00"]
    board.take(event("training", id="g0-00", seed=100, steps=100))
    assert row.state(3) == "failed", "the other one has still failed"
    board.take(event("trained", id="g0-00", seed=100, fitness=4.0, success=None, seconds=1.0))
    board.take(event("training", id="g0-00", seed=200, steps=100))
    assert row.state(3) == "training"
    assert row.message == ""
