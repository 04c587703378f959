"""A board on a screen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from eureka_loop.report.board import Board
from eureka_loop.report.board_view import draw
from eureka_loop.run_folder import Event
from eureka_loop.seeds import seeds

STARTED: dict[str, Any] = {
    "task": "halfcheetah-run", "designer": "llm", "algorithm": "ppo", "generations": 3, "samples": 4,
    "seeds": 1, "steps": 100_000, "jobs": 2, "report_seeds": 3, "references": ["human", "sparse"],
}  # fmt: skip


def event(name: str, /, **values: Any) -> Event:
    return {"event": name, "time": 0.0, **values}


def generation(board: Board, number: int, samples: int = 4) -> None:
    """All of it written; every fourth refused, the others wait."""
    board.take(event("generation", generation=number, samples=samples))
    for index in range(samples):
        id = f"g{number}-{index:02d}"
        board.take(event("written", id=id, note=f"note {index}", parents=[], source=True))
        if index % 4 == 3:
            board.take(event("failed", id=id, seed=None, kind="refused", message="Line 9: no `if`"))
        else:
            board.take(event("gated", id=id, terms=["a"]))


def train(board: Board, id: str, fitness: float, *, time: float = 10.0, seed: int = 0) -> None:
    board.take(event("training", id=id, seed=seed, steps=100_000))
    done = {"id": id, "seed": seed, "fitness": fitness, "success": None, "seconds": 9.0}
    board.take({"event": "trained", "time": time, **done})


@pytest.fixture
def board() -> Board:
    """Generation 0 done, generation 1 in the midst."""
    board = Board.of([event("started", **STARTED)])
    generation(board, 0)
    for index in range(3):
        train(board, f"g0-0{index}", 1.0 + index)
    generation(board, 1)
    train(board, "g1-00", 4.5)
    board.take(event("training", id="g1-01", seed=0, steps=100_000))
    progress = {
        "id": "g1-01",
        "seed": 0,
        "step": 62_000,
        "steps": 100_000,
        "fitness": 2.25,
        "steps_per_s": 1.0,
    }
    board.take({"event": "progress", "time": 6.2, **progress})
    board.take(event("spent", prompt_tokens=30_000, completion_tokens=1_200, usd=0.12))
    return board


def test_what_it_looks_like(board: Board, shown: Callable[..., str]) -> None:
    screen = """\
halfcheetah-run · generation 2 of 3 (g1) · about 80 s left · 4 of 19 trainings · 31.2k tokens, $0.12

   g0           best 3.000 (g0-02) · 4 candidates · 1 failed
   g1            status                        fitness  note
★  g1-00         done                            4.500  note 0
   g1-01         ━━━━━━━╸──── 62k of 100k        2.250  note 1
   g1-02         gated, waiting to train             –  note 2
   g1-03         failed: refused by the gate            Line 9: no `if`
"""
    assert shown(draw(board, 6.2, 100, 30)) == screen


@pytest.mark.parametrize("height", [8, 12, 24, 60])
@pytest.mark.parametrize("width", [40, 80, 200])
@pytest.mark.parametrize("samples", [1, 4, 100])
def test_it_fits_the_screen(shown: Callable[..., str], height: int, width: int, samples: int) -> None:
    board = Board.of([event("started", **{**STARTED, "samples": samples, "generations": 30})])
    for number in range(20):
        generation(board, number, samples)
        train(board, f"g{number}-00", 1.0 + number)
    lines = shown(draw(board, 0.0, width, height), width=width).split("\n")
    assert len(lines) < height
    assert max(map(len, lines)) <= width


def test_what_trains_and_the_best_are_seen_when_not_all_fit(shown: Callable[..., str]) -> None:
    board = Board.of([event("started", **{**STARTED, "samples": 40})])
    generation(board, 0, 40)
    train(board, "g0-20", 9.0)
    board.take(event("training", id="g0-38", seed=0, steps=100_000))
    screen = shown(draw(board, 0.0, 100, 12))
    assert "★  g0-20" in screen
    assert "g0-38" in screen
    assert "… 34 more: 10 failed, 24 waiting" in screen


def test_programs_being_written_are_announced(shown: Callable[..., str]) -> None:
    board = Board.of([event("started", **STARTED), event("generation", generation=0, samples=4)])
    assert "4 programs being written…" in shown(draw(board, 0.0, 100, 30))


def test_the_report_shows_winner_and_references(board: Board, shown: Callable[..., str]) -> None:
    first, *_ = seeds("report_training", 0, 3)
    train(board, "g1-00", 4.0, seed=first)
    screen = shown(draw(board, 10.0, 100, 30))
    assert "halfcheetah-run · report · " in screen
    assert "★  g1-00         ━━━━──────── 100k of 300k       4.000  1 of 3 seeds" in screen
    assert "hand-written" in screen
    assert "best 4.500 (g1-00)" in screen  # the search stays in sight


def test_an_empty_board_can_be_drawn(shown: Callable[..., str]) -> None:
    assert "getting ready…" in shown(draw(Board(), 0.0, 100, 30))


def test_hostile_text_is_inert(shown: Callable[..., str], hostile: str) -> None:
    board = Board.of(
        [event("started", **{**STARTED, "task": hostile}), event("generation", generation=0, samples=2)]
    )
    board.take(event("written", id="g0-00", note=hostile, parents=[], source=True))
    board.take(event("written", id="g0-01", note="", parents=[], source=True))
    board.take(event("failed", id="g0-01", seed=None, kind=hostile, message=hostile))
    screen = shown(draw(board, 0.0, 100, 30))
    assert "\x1b" not in screen
    assert "\u202e" not in screen
    assert screen.count("[bold red]x[/]") >= 2
    assert ":smile:" in screen
