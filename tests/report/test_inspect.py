"""`eureka inspect RUN`."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from eureka_loop import files
from eureka_loop.records import Candidate, Training
from eureka_loop.report.inspect import run_page
from eureka_loop.report.run_data import RunData
from eureka_loop.report.run_report import write_report
from eureka_loop.results import Failed
from eureka_loop.store import Run

if TYPE_CHECKING:
    from .conftest import Script

WHOLE = """\
20261121-120000-halfcheetah-run
task    halfcheetah-run on HalfCheetah-v5
        Make the half-cheetah run forward as fast as possible.
search  llm (some-model), 2 generations × 3 candidates, ppo 50,000 steps × 1 seed, seed 0
state   finished; winner g1-00
cost    2 min, 13 finished trainings, 650k steps, 27k tokens, $0.0400

Ranking  by mean fitness of the final policy
  #  id     fitness  success  terms, by share of the reward               from
  1  g1-00    2.750     100%  speed 80%, upright 10%, effort 10%, _level  g0-01
  2  g0-01    2.100     100%  speed 80%, upright 10%, effort 10%, _level
  3  g1-01    1.900       0%  speed 80%, upright 10%, effort 10%, _level  g0-01
  4  g0-00    1.200       0%  speed 80%, upright 10%, effort 10%, _level

Failed
  id     when             failure     message
  g0-02  before training  refused     Line 4: `if` on an array of N rows. Write `np.where(a, b, c)`.
                                      Line 6: unknown name 'foo'.
  g1-02  seed 0           not finite  term 'speed' is NaN in 3 of 2,048 rows

Lineage
  g0-00  1.200  sample 1
  g0-01  2.100  sample 2
  ├── g1-00  2.750  improves on g0-01
  ├── g1-01  1.900  improves on g0-01
  └── g1-02  failed: not finite  improves on g0-01
  g0-02  failed: refused  sample 3

Report  trained again on seeds that the search never saw
  reward        fitness  95% interval    success  each seed
  winner g1-00    2.600  [2.500, 2.700]     100%  2.500, 2.700, 2.600
  hand-written    2.100  [2.000, 2.200]      67%  2.000, 2.200, 2.100
  sparse          0.600  [0.400, 0.900]       0%  0.400, 0.500, 0.900

  Against hand-written: can't tell: probability of improvement 1.00 [0.50, 1.00]. Fitness differs by
  0.5000 [0.3667, 0.6333]; equal rewards differ as much in 10% of cases. At least 4 seeds a side are
  needed for any verdict.
  Against sparse: can't tell: probability of improvement 1.00 [0.50, 1.00]. Fitness differs by 2.000
  [1.733, 2.233]; equal rewards differ as much in 10% of cases. At least 4 seeds a side are needed
  for any verdict.
  Human-normalised score: 1.33; 0: sparse, 1: hand-written."""


def test_a_whole_run(script: Script, shown: Callable[..., str]) -> None:
    assert shown(run_page(script.whole())) == WHOLE


@pytest.mark.parametrize(
    ("trainer", "why", "text"),
    [("population", "", "population"), ("sb3", "SAC trains alone", "sb3 (SAC trains alone)")],
)
def test_the_trainer_and_the_reason_for_it(
    script: Script, shown: Callable[..., str], trainer: str, why: str, text: str
) -> None:
    run = script.whole()
    files.write_json(run.task_folder / "training.json", Training("ppo", {}, trainer, why))
    assert f"trainer  {text}\n" in shown(run_page(run))
    assert f"- Trained by {text}; " in write_report(run, picture=False).read_text()


def test_a_run_that_goes_on(script: Script, shown: Callable[..., str]) -> None:
    script.started()
    script.generation(0)
    script.begin("g0-00", 0)
    with script.run.lock():
        screen = shown(run_page(script.run))
    assert "state   going on: 0 of 14 trainings done, last event 2 s ago" in screen
    assert "Not finished\n  id     trainings  note\n  g0-00  0 of 1     sample 1" in screen
    assert "Ranking" not in screen


def test_a_killed_run_says_how_to_go_on(script: Script, shown: Callable[..., str]) -> None:
    script.started()
    screen = shown(run_page(script.run), width=400)
    assert "killed: 0 of 15 trainings done, last event 2 s ago" in screen
    assert f"go on with  eureka resume {script.run.folder}" in screen


def test_it_works_at_every_moment(script: Script, shown: Callable[..., str], tmp_path: Path) -> None:
    """Killed after any event: events cut there, and the results that came later not yet there."""
    whole = script.whole()
    lines = (whole.folder / "events.jsonl").read_text().splitlines(keepends=True)
    results = sorted(
        whole.folder.glob("candidates/*/seed-*/result.json"), key=lambda path: path.stat().st_mtime_ns
    )
    for cut in range(0, len(lines) + 1, 3):
        copy = tmp_path / f"cut-{cut}"
        shutil.copytree(whole.folder, copy)
        (copy / "events.jsonl").write_text("".join(lines[:cut]) + '{"event": "trai')
        for path in results[cut * len(results) // (len(lines) + 1) :]:
            (copy / path.relative_to(whole.folder)).unlink()
        assert shown(run_page(Run(copy)))


def test_a_run_of_which_only_the_configuration_exists(script: Script, shown: Callable[..., str]) -> None:
    shutil.rmtree(script.run.task_folder)
    assert "killed: 0 of 0 trainings done" in shown(run_page(script.run))


def test_seeds_are_shown_where_there_are_several(script: Script, shown: Callable[..., str]) -> None:
    path = script.run.folder / "run.toml"
    files.write_text(path, path.read_text().replace("seeds = 1\n", "seeds = 2\n", 1))
    script.started()
    script.generation(0)
    script.train("g0-00", 0, 1.25)
    script.train("g0-00", 100, 1.75)
    script.train("g0-01", 0, 9.0)  # half of it: not ranked
    screen = shown(run_page(script.run))
    assert "  1  g0-00    1.500  1.250, 1.750" in screen
    assert "  g0-01  1 of 2     sample 2" in screen


def test_a_failed_reference_is_failed_and_never_zero(script: Script, shown: Callable[..., str]) -> None:
    script.search()
    script.report(human=(None, None, None), sparse=(0.4, None, 0.6))
    script.run.event("finished", winner="g1-00")
    screen = shown(run_page(script.run), width=400)
    assert "hand-written   failed  –                     –  3 × failed: not finite" in screen
    assert "0.500  [0.400, 0.600]       0%  0.400, 0.600, 1 × failed: not finite" in screen
    assert "1 training of the sparse reward failed." in screen
    assert "Against hand-written" not in screen
    assert "not defined, since 3 trainings of the hand-written reward failed." in screen


def test_an_unfinished_report_gives_no_verdict(script: Script, shown: Callable[..., str]) -> None:
    script.search()
    script.report(sparse=(0.4,))
    screen = shown(run_page(script.run))
    assert "  The report is not finished (7 of 9 trainings): there is no verdict yet." in screen
    assert "  sparse          0.400  –                    0%  0.400" in screen
    for word in ("Against", "Difference", "Human-normalised"):
        assert word not in screen


def test_a_refused_reference_does_not_hold_the_report_up(script: Script, shown: Callable[..., str]) -> None:
    script.search()
    script.run.write_candidate(Candidate("human", 0, "", "human"))
    script.run.fail(Failed("human", "refused", "Line 1: no program"))
    script.run.event("failed", id="human", seed=None, kind="refused", message="Line 1: no program")
    script.run.event("reporting", winner="g1-00", references=["sparse"], seeds=[])
    for seed in (20_000_000, 20_000_100, 20_000_200):
        script.train("g1-00", seed, 2.0)
    assert "not finished (3 of 6 trainings)" in shown(run_page(script.run))


def test_early_stops(halving: Run, script: Script, shown: Callable[..., str]) -> None:
    assert "Not finished\n  id     trainings  note\n  g0-01" in shown(run_page(halving))
    script.train("g0-01", 0, 2.5)
    screen = shown(run_page(halving))
    assert "Not finished" not in screen
    assert "  1  g0-01    2.500" in screen
    section = screen[screen.index("Stopped early") : screen.index("Failed")]
    assert "g0-00  16.7k steps    3.500   4.000" in section
    assert "g0-00  3.500 after 16.7k steps" in screen[screen.index("Lineage") :]


def test_a_refused_reference_is_failed(script: Script) -> None:
    script.search()
    script.report(human=())
    script.run.fail(Failed("human", "exception", "boom"))
    human = next(each for each in RunData.read(script.run).reports if each.candidate.id == "human")
    assert [failure.message for failure in human.failures] == ["boom"]
