"""A generation of which some are stopped early, as every view shows it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from eureka_loop import files
from eureka_loop.records import Job
from eureka_loop.report.board import Board
from eureka_loop.report.board_view import draw
from eureka_loop.report.candidate import candidate_view
from eureka_loop.report.facts import Facts
from eureka_loop.report.forecast import seconds_left
from eureka_loop.report.inspect import run_view
from eureka_loop.report.markdown import write_report
from eureka_loop.report.plain import Teller
from eureka_loop.report.summary import print_summary
from eureka_loop.results import Failed, Halted
from eureka_loop.run_folder import Event
from eureka_loop.store import Run
from tests.report.conftest import STEPS, TASK, Script, trained

EARLY = STEPS // 3


def reach(run: Run, id: str, fitness: float) -> None:
    """The first rung."""
    folder = run.write_job(Job(id, 0, TASK, "", "ppo", STEPS, {}, (1, 2), until=EARLY), 0)
    run.event("training", id=id, seed=0, steps=STEPS)
    files.write_json(folder / "result.json", trained(id, 0, fitness))
    run.event("reached", id=id, seed=0, fitness=fitness, success=None, seconds=7.0, rung=0, step=EARLY)


@pytest.fixture
def run(script: Script) -> Run:
    """g0-00 stopped at a higher fitness than that with which g0-01 ended; the third failed at the gate."""
    run = script.run
    run.event("started", task=TASK.name, designer="llm", generations=1, samples=3, seeds=1, steps=STEPS,
              halving=3, trainer="population", report_seeds=0)  # fmt: skip
    script.generation(0)
    reach(run, "g0-00", 3.5)
    reach(run, "g0-01", 4.0)
    halted = Halted("g0-00", 0, EARLY, STEPS, 3.5, 4.0, 1, 3)
    run.write_halted(halted)
    said = files.plain(halted)
    run.event("halted", id=said.pop("candidate"), **said)
    return run


@pytest.fixture
def finished(run: Run, script: Script) -> Run:
    script.train("g0-01", 0, 2.5)
    run.event("ranked", generation=0, best="g0-01", fitness=2.5, order=["g0-01", "g0-00"])
    return run


def test_facts(finished: Run) -> None:
    found = Facts.of(finished)
    assert [each.candidate.id for each in found.ranking] == ["g0-01"]
    assert [each.candidate.id for each in found.stopped] == ["g0-00"]
    assert [each.candidate.id for each in found.failed] == ["g0-02"]
    assert found.unfinished == []


def test_who_waits_for_the_others_is_unfinished(run: Run) -> None:
    assert [each.candidate.id for each in Facts.of(run).unfinished] == ["g0-01"]


def test_the_board(finished: Run, shown: Callable[..., str]) -> None:
    board = Board.of(finished.events())
    assert board.best is not None
    assert board.best.id == "g0-01"
    assert [row.state(1) for row in board.rows.values()] == ["halted", "done", "failed"]
    assert (board.trainings_done, board.trainings_wanted) == (2, 2)
    screen = shown(draw(board, board.last, 100, 30))
    (line,) = [line for line in screen.splitlines() if "g0-00" in line]
    assert "stopped after 16.7k steps" in line
    assert "★" not in line


def test_a_training_between_two_rungs_is_not_done(run: Run) -> None:
    events = list(run.events())
    board = Board.of(events)
    assert (board.trainings_done, board.trainings_wanted) == (1, 2)
    assert [row.state(1) for row in board.rows.values()] == ["halted", "training", "failed"]
    assert board.rows["g0-01"].step == EARLY
    board.take({"event": "resumed", "time": board.last})
    board.take({"event": "training", "id": "g0-01", "seed": 0, "steps": STEPS, "time": board.last})
    assert board.rows["g0-01"].step == EARLY  # it goes on; it doesn't begin
    assert len(board.rows["g0-01"].running) == 1


def test_every_prefix_makes_a_board(finished: Run) -> None:
    events = list(finished.events())
    for length in range(len(events) + 1):
        board = Board.of(events[:length])
        assert 0 <= board.trainings_done <= max(board.trainings_wanted, board.trainings_done)
        left = seconds_left(board, board.last)
        assert left is None or left >= 0


def test_the_forecast_counts_the_steps_that_are_left(run: Run) -> None:
    board = Board.of(run.events())
    assert board.steps_wanted == 3 * EARLY + (STEPS - EARLY)
    assert Board.of([{**each, "halving": 1} for each in run.events()]).steps_wanted == 2 * STEPS


def test_lines(finished: Run) -> None:
    board, teller, lines = Board(), Teller(), list[str]()
    for event in finished.events():
        board.take(event)
        lines += [line] if (line := teller.tell(event, board)) else []
    assert "g0-00 after 16.7k of 50k steps: fitness 3.500" in lines
    assert "g0-00 stopped after 16.7k of 50k steps: below the best 1 of 3" in lines
    assert lines.count("g0-01 training") == 1
    assert lines.count("g0-01 goes on") == 1
    assert any("the best 1 in 3 goes on" in line for line in lines)


def test_inspect(finished: Run, shown: Callable[..., str]) -> None:
    screen = shown(run_view(finished))
    section = screen[screen.index("Stopped early") : screen.index("Failed")]
    assert "g0-00" in section
    assert "16.7k steps" in section
    assert ("3.500" in section, "4.000" in section) == (True, True)
    assert "g0-00  3.500 after 16.7k steps" in screen[screen.index("Lineage") :]
    one = shown(candidate_view(finished, "g0-00"))
    said = "Stopped after 16.7k of 50k steps with fitness 3.5, below the best 1 of 3 (4 or more)."
    assert said in one
    assert "search to 50k" in shown(candidate_view(finished, "g0-01"))


def test_the_report(finished: Run) -> None:
    text = write_report(finished, picture=False).read_text()
    assert "## Stopped early" in text
    assert "| g0-00 | 16.7k steps | 3.500 | 4.000 |" in text
    assert "g0-00" not in text[text.index("## All candidates") : text.index("## Stopped early")]


def test_where_all_that_went_on_fail_something_was_trained_all_the_same(run: Run) -> None:
    run.write_job(Job("g0-01", 0, TASK, "", "ppo", STEPS, {}, (1, 2)))
    files.write_json(run.job_folder("g0-01", 0) / "result.json", Failed("g0-01", "diverged", "nan", seed=0))
    event: Event = {"id": "g0-01", "seed": 0, "kind": "diverged", "message": "nan"}
    run.event("failed", **event)
    assert print_summary(run) == 0
