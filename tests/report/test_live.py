"""Display of a run in progress: the table on a terminal, lines in a pipe."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from eureka_loop.report.live import Live, draw
from eureka_loop.report.state import RunState
from eureka_loop.seeds import seeds
from eureka_loop.store import Event

from .conftest import Screen

if TYPE_CHECKING:
    from .conftest import Script

HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"
STARTED: dict[str, Any] = {
    "task": "halfcheetah-run", "designer": "llm", "algorithm": "ppo", "generations": 3, "samples": 4,
    "seeds": 1, "steps": 100_000, "jobs": 2, "report_seeds": 3, "references": ["human", "sparse"],
}  # fmt: skip


def console(*, terminal: bool) -> Console:
    file = Screen() if terminal else io.StringIO()
    return Console(file=file, force_terminal=terminal, width=100, height=30, _environ={"TERM": "xterm"})


def written(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def event(name: str, time: float = 1.0, /, **values: Any) -> Event:
    return {"event": name, "time": time, **values}


def generation(state: RunState, number: int, samples: int = 4, time: float = 1.0) -> None:
    """Written; every fourth is refused, the others wait."""
    state.take(event("generation", time, generation=number, samples=samples))
    for index in range(samples):
        id = f"g{number}-{index:02d}"
        state.take(event("written", time, id=id, note=f"note {index}", parents=[], source=True))
        if index % 4 == 3:
            state.take(event("failed", time, id=id, seed=None, kind="refused", message="Line 9: no `if`"))


def train(state: RunState, id: str, fitness: float, *, time: float = 1.0, seed: int = 0) -> None:
    state.take(event("training", time, id=id, seed=seed, steps=100_000))
    state.take(event("trained", time, id=id, seed=seed, fitness=fitness, success=None, seconds=9.0))


@pytest.fixture
def state() -> RunState:
    """Generation 0 done, generation 1 in training."""
    state = RunState([event("started", 1.0, **STARTED)])
    generation(state, 0)
    state.take(event("training", id="g0-00", seed=0, steps=100_000))
    for index in range(3):
        train(state, f"g0-0{index}", 1.0 + index, time=10.0)
    generation(state, 1, time=10.0)
    train(state, "g1-00", 4.5, time=10.0)
    state.take(event("training", 10.0, id="g1-01", seed=0, steps=100_000))
    state.take(event("progress", 12.0, id="g1-01", seed=0, step=62_000, steps=100_000, fitness=-1.25e-4))
    state.take(event("spent", 12.0, prompt_tokens=30_000, completion_tokens=1_200, usd=0.12))
    return state


# the table


def test_a_table(state: RunState, shown: Callable[..., str]) -> None:
    screen = """\
halfcheetah-run · generation 2 of 3 (g1) · about 34 s left · 4 of 19 trainings · 31.2k tokens, $0.12

   g1            status                         fitness  note
★  g1-00         done                             4.500  note 0
   g1-01         ━━━━━━━━━━━━ 62k of 100k     -1.25e-04  note 1
   g1-02         waiting                              –  note 2
   g1-03         failed: refused                         Line 9: no `if`
   best so far g1-00, fitness 4.500; not shown: 3 done, 1 failed
"""
    assert shown(draw(state, 12.0, 100, 30)) == screen
    assert all(
        number in shown(draw(state, 12.0, 40, 30), width=40) for number in ("62k of 100k", "-1.25e-04")
    )


@pytest.mark.parametrize(("height", "width", "samples"), [(8, 40, 100), (12, 200, 1), (60, 40, 100)])
def test_it_fits_the_screen(shown: Callable[..., str], height: int, width: int, samples: int) -> None:
    state = RunState([event("started", **{**STARTED, "samples": samples, "generations": 30})])
    for number in range(3):
        generation(state, number, samples)
        train(state, f"g{number}-00", 1.0 + number)
    lines = shown(draw(state, 0.0, width, height), width=width).split("\n")
    assert len(lines) < height
    assert max(map(len, lines)) <= width


def test_the_best_and_those_in_training_are_shown_when_not_all_fit(shown: Callable[..., str]) -> None:
    state = RunState([event("started", **{**STARTED, "samples": 40})])
    generation(state, 0, 40)
    train(state, "g0-20", 9.0)
    state.take(event("training", id="g0-38", seed=0, steps=100_000))
    screen = shown(draw(state, 0.0, 100, 11))
    assert "★  g0-20" in screen
    assert "g0-38" in screen
    assert "not shown: 10 failed, 25 waiting" in screen


def test_prompts_stand_below_until_they_are_answered(state: RunState, shown: Callable[..., str]) -> None:
    for id, problem in (("g1-05", ""), ("g1-04", ""), ("g1-05", "the reply holds no code: \x1b[2Jhm")):
        answer = f"runs/r/prompts/{id}.answer.md"
        where = {"prompt": f"runs/r/prompts/{id}.md", "answer": answer, "problem": problem}
        state.take(event("prompted", 13.0, candidate=id, **where))
    screen = shown(draw(state, 13.0, 100, 30))
    assert screen.endswith("""
   g1-04: answer runs/r/prompts/g1-04.md in g1-04.answer.md
   runs/r/prompts/g1-05.answer.md can't be taken yet: the reply holds no code: \\x1b[2Jhm
""")
    assert len(shown(draw(state, 13.0, 40, 11), width=40).splitlines()) <= 11
    state.take(event("written", 14.0, id="g1-04", note="", parents=[], source=True))
    assert "g1-04: answer" not in shown(draw(state, 14.0, 100, 30))


def test_the_report_shows_winner_and_references(state: RunState, shown: Callable[..., str]) -> None:
    state.take(event("reporting", winner="g1-00", references=["human", "sparse"], seeds=[]))
    train(state, "g1-00", 4.0, seed=seeds("report_training", 0, 3)[0])
    screen = shown(draw(state, 10.0, 100, 30))
    assert "halfcheetah-run · report · " in screen
    assert "★  g1-00         ━━━━━━━━━━━━ 100k of 300k        4.000  1 of 3 seeds" in screen
    assert "hand-written" in screen
    assert "best so far g1-00, fitness 4.500; not shown: " in screen  # the search stays visible


@pytest.mark.parametrize("stop", [None, KeyboardInterrupt, RuntimeError])
def test_the_terminal_is_restored_whatever_ends_the_run(
    script: Script, stop: type[BaseException] | None
) -> None:
    out, stdout = console(terminal=True), sys.stdout

    def go() -> None:
        with Live(script.run, out) as live:
            script.run.listen(live)
            script.search()
            if stop is not None:
                raise stop

    if stop is None:
        go()
        assert "★" in written(out)
        assert "improves on g0-01" in written(out).split(HIDE)[1]
    else:
        with pytest.raises(stop):
            go()
    assert written(out).rstrip().endswith(SHOW)
    assert sys.stdout is stdout


# lines


def test_lines_in_a_pipe(script: Script) -> None:
    out = console(terminal=False)
    with Live(script.run, out) as live:
        script.run.listen(live)
        script.whole()
    lines = written(out).splitlines()
    assert "\x1b" not in written(out)
    assert (
        lines[0]
        == "halfcheetah-run: 2 generations × 3 candidates, ppo 50k steps × 1 seed, by llm, sb3 on 2 workers"
    )
    assert "g0-02 failed: refused: Line 4: `if` on an array of N rows." in written(out)
    assert "g1-02 (seed 0) failed: not finite: term 'speed' is NaN" in written(out)
    ranked = "generation 1 of 2 (g0) done: best so far g0-01, fitness 2.100; 13.5k tokens, $0.0200 so far"
    assert ranked in lines
    assert lines[-1] == "finished: winner g1-00"
    assert len(lines) < len(list(script.run.events())) + 10


def test_the_first_line_says_what_of_the_machine_is_used(script: Script) -> None:
    """And a later one where a run is resumed with another share of it."""
    out = console(terminal=False)
    started = {"task": "t", "generations": 1, "trainer": "population", "jobs": 2, "learners": 32, "cores": 4}
    with Live(script.run, out) as live:
        script.run.listen(live)
        script.run.event("started", **started, memory=3.14e9)
        script.run.event("shared", jobs=1, learners=7, cores=4, memory=1.5e9)
    first, then = written(out).splitlines()
    assert first.endswith("population on 2 workers, up to 32 learners each (4 cores, at most 3.1 GB)")
    assert then == "from here on 1 worker, up to 7 learners each (4 cores, at most 1.5 GB)"


@pytest.mark.parametrize("terminal", [False, True])
def test_a_comparison_uses_its_labels_and_has_no_winner(terminal: bool) -> None:
    out = console(terminal=terminal)
    with Live(None, out) as live:
        labels = {"mine-cae721": "mine.py", "human": "hand-written"}
        live(event("started", 1.0, task="hop", steps=100, report_seeds=2, labels=labels))
        live(event("reporting", 2.0, winner="mine-cae721", references=["human"]))
        live(event("finished", 4.0, winner="mine-cae721"))
    assert "mine.py" in written(out)
    assert not [each for each in ("cae721", "winner") if each in written(out)]
    assert "all trained; same transitions for all, videos…" in written(out)


def test_progress_at_most_every_ten_seconds(script: Script) -> None:
    out = console(terminal=False)
    with Live(script.run, out) as live:
        script.run.listen(live)
        script.started()
        script.generation(0)
        script.begin("g0-00", 0)
        for step in range(0, 30_000, 1_000):  # 2 s apart
            script.progress("g0-00", 0, step, 1.0)
    lines = [line for line in written(out).splitlines() if "of 50k steps, " in line]
    assert len(lines) == 6
    assert lines[1].startswith("g0-00 5k of 50k steps, fitness 1.000; about ")
