"""`eureka inspect RUN`, and the last lines of a run."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from eureka_loop import files, text
from eureka_loop.records import Candidate, Training
from eureka_loop.report.inspect import print_stopped, print_summary, run_page, summary
from eureka_loop.report.run_data import RunData
from eureka_loop.report.run_report import write_report
from eureka_loop.results import Failed, Score, Trained, judged_episode
from eureka_loop.store import Run

if TYPE_CHECKING:
    from .conftest import Script

Shown = Callable[..., str]
WHOLE = """\
20261121-120000-halfcheetah-run
task    halfcheetah-run on HalfCheetah-v5
        Make the half-cheetah run forward as fast as possible.
search  llm (some-model), 2 generations × 3 candidates, ppo 50k steps × 1 seed, seed 0
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
                                      · Line 6: unknown name 'foo'.
  g1-02  seed 0           not finite  term 'speed' is NaN in 3 of 2,048 rows

Lineage
  g0-00  1.200  sample 1
  g0-01  2.100  sample 2
  ├── g1-00  2.750  refine  improves on g0-01
  ├── g1-01  1.900  refine  improves on g0-01
  └── g1-02  failed: not finite  refine  improves on g0-01
  g0-02  failed: refused  sample 3

Report  trained again on seeds that the search never saw
  reward        fitness  95% interval    success  each seed
  winner g1-00    2.600  [2.500, 2.700]     100%  2.500, 2.700, 2.600
  hand-written    2.100  [2.000, 2.200]      67%  2.000, 2.200, 2.100
  sparse          0.600  [0.400, 0.900]       0%  0.400, 0.500, 0.900

  Can't tell winner from hand-written: probability of improvement 1.00 [0.50, 1.00]. At least 4
  seeds a side are needed for any verdict.
  Can't tell winner from sparse: probability of improvement 1.00 [0.50, 1.00]. At least 4 seeds a
  side are needed for any verdict.
  Human-normalised score: not defined, since at least 4 seeds a side are needed for any verdict."""


def test_a_whole_run(script: Script, shown: Shown) -> None:
    run = script.whole()
    assert shown(run_page(run)) == WHOLE
    files.write_json(run.task_folder / "training.json", Training("ppo", {}, "sb3", "SAC trains alone"))
    assert "trainer  sb3 (SAC trains alone)\n" in shown(run_page(run))
    assert "- Trained by sb3 (SAC trains alone); " in write_report(run, pictures=False)[0].read_text()


def test_a_run_that_goes_on_or_was_killed(script: Script, shown: Shown) -> None:
    script.started()
    script.generation(0)
    script.begin("g0-00", 0)
    with script.run.lock():
        screen = shown(run_page(script.run))
    assert "state   going on: 0 of 14 trainings done, last event 2 s ago" in screen
    assert "Lineage\n  g0-00  0 of 1 training finished  sample 1" in screen
    assert "Ranking" not in screen
    screen = shown(run_page(script.run), width=400)
    assert "killed: 0 of 14 trainings done, last event 4 s ago" in screen
    assert f"go on with  eureka resume {script.run.folder}" in screen


def test_it_works_at_every_moment(script: Script, shown: Shown, tmp_path: Path) -> None:
    """Killed after any event: events cut there, and the results that came later not yet there."""
    whole = script.whole()
    lines = (whole.folder / "events.jsonl").read_text().splitlines(keepends=True)
    results = sorted(
        whole.folder.glob("candidates/*/seed-*/result.json"), key=lambda path: path.stat().st_mtime_ns
    )
    for cut in range(0, len(lines) + 1, 5):
        copy = tmp_path / f"cut-{cut}"
        shutil.copytree(whole.folder, copy)
        (copy / "events.jsonl").write_text("".join(lines[:cut]) + '{"event": "trai')
        for path in results[cut * len(results) // (len(lines) + 1) :]:
            (copy / path.relative_to(whole.folder)).unlink()
        assert shown(run_page(Run(copy)))
    shutil.rmtree(copy / "task")
    (copy / "events.jsonl").unlink()
    assert "killed: 0 of 0 trainings done" in shown(run_page(Run(copy)))


def test_a_damaged_file_hides_nothing_of_the_others(script: Script, shown: Shown) -> None:
    script.search()
    damaged = script.run.job_folder("g1-00", 0) / "result.json"
    damaged.write_text("{")
    screen = shown(run_page(script.run), width=400)
    assert "  1  g0-01    2.100" in screen
    assert f"Damaged  left out of all else\n  id     message\n  g1-00  {damaged}" in screen
    assert "## Damaged" in write_report(script.run, pictures=False)[0].read_text()


def test_seeds_are_shown_where_there_are_several(script: Script, shown: Shown) -> None:
    path = script.run.folder / "run.toml"
    files.write_text(path, path.read_text().replace("seeds = 1\n", "seeds = 2\n", 1))
    script.run.event("started", generations=1, samples=3, seeds=2)
    script.generation(0)
    script.train("g0-00", 0, 1.25)
    script.train("g0-00", 100, 1.75)
    script.train("g0-01", 0, 9.0)  # half of it: not ranked
    screen = shown(run_page(script.run))
    assert "  1  g0-00    1.500  1.250, 1.750" in screen
    assert "  g0-01  1 of 2 trainings finished  sample 2" in screen


@pytest.mark.parametrize(("fitness", "lucky"), [(1.0, ""), (9.0, ", but where a start is a success")])
def test_where_nobody_succeeded_progress_ranks_and_that_is_said(
    fitness: float, lucky: str, script: Script, shown: Shown
) -> None:
    run = script.run
    script.started()
    script.generation(0)
    script.train("g0-00", 0, fitness, -0.5)
    script.train("g0-01", 0, 0.9, -0.25)
    files.write_json(run.folder / "floors" / "random" / "result.json", Failed("random", "crashed", "killed"))
    zero = Trained("zero", 0, 0, (judged_episode(0, 0.0, 0.0, 1, Score(-0.75)),), (), {}, 0.0)
    files.write_json(run.folder / "floors" / "zero" / "result.json", zero)
    screen = shown(run_page(run), width=200)
    assert (
        f"Ranking  by progress: nobody succeeded{lucky}; fitness 0 by zero actions; progress -0.75 by zero"
        in screen
    )
    assert screen.index("  1  g0-01    0.900") < screen.index(f"  2  g0-00    {fitness:.3f}")
    assert "-0.2500" in screen
    assert "random actions  before training  crashed  killed" in screen
    report = write_report(run)[-1].read_text()
    assert f"Ranked by progress: nobody succeeded{lucky}, on the search's seeds" in report
    best = RunData(run).state.best
    assert best is not None
    assert text.reached(best.score) == "progress -0.2500, never succeeded"


def test_a_failed_reference_is_failed_and_never_zero(script: Script, shown: Shown) -> None:
    script.search()
    script.report(human=(None, None, None), sparse=(0.4, None, 0.6))
    script.run.event("finished", winner="g1-00")
    screen = shown(run_page(script.run), width=400)
    assert "hand-written   failed  –                     –  3 × failed: not finite" in screen
    assert "0.500  [0.400, 0.600]       0%  0.400, 0.600, 1 × failed: not finite" in screen
    assert "1 training of the sparse reward failed." in screen
    assert "Can't tell winner from hand-written: no training of the hand-written reward finished" in screen
    assert "not defined, since 3 trainings of the hand-written reward failed." in screen


def test_a_refused_reference_is_failed_and_does_not_hold_the_report_up(script: Script, shown: Shown) -> None:
    script.search()
    script.run.write_candidate(Candidate("human", 0, "", "human"))
    script.run.fail(Failed("human", "refused", "Line 1: no program"))
    script.run.event("reporting", winner="g1-00", references=["sparse"], seeds=[])
    for seed in (20_000_000, 20_000_100, 20_000_200):
        script.train("g1-00", seed, 2.0)
    assert "not finished (3 of 6 trainings)" in shown(run_page(script.run))
    assert [each.failures[0].message for each in RunData(script.run).reports[1:]] == ["Line 1: no program"]


# the last lines of a run


def console() -> Console:
    return Console(file=io.StringIO(), width=40, markup=False, highlight=False, emoji=False)


def written(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_winner_beside_the_references_and_the_reports_path_unbroken(script: Script, shown: Shown) -> None:
    run, out = script.whole(), console()
    screen = shown(summary(RunData(run)))
    order = [
        "Winner: g1-00  improves on g0-01",
        "  def compute_reward(forward_velocity, torso_upright, action, *, speed=1.5,",
        "Fitness  on fresh seeds, 50,000 steps each",
        "  winner g1-00    2.600  [2.500, 2.700]     100%  2.500, 2.700, 2.600",
        "  sparse          0.600  [0.400, 0.900]       0%  0.400, 0.500, 0.900",
        "  Can't tell winner from hand-written: probability of improvement",
        "  2 min, 13 finished trainings, 650k steps, 27k tokens, $0.0400",
    ]
    places = [screen.index(line) for line in order]
    assert places == sorted(places)
    assert print_summary(run, out) == 0
    reward = run.folder / "candidates" / "g1-00" / "reward.py"
    assert written(out).endswith(
        f"\n\nReward: {reward}\nReport: {run.folder / 'report.html'}\nReport: {run.folder / 'report.md'}\n"
    )
    assert (run.folder / "report.md").exists()


def test_without_a_report_the_searchs_number_is_called_that(script: Script, shown: Shown) -> None:
    script.search()
    script.run.event("finished", winner="g1-00")
    assert "2.750 on the search's seeds; no report was asked for" in shown(summary(RunData(script.run)))
    assert "state   finished; winner g1-00\n" in shown(run_page(script.run))


@pytest.mark.parametrize("full", [False, True])
def test_a_stopped_run_says_how_to_go_on(
    script: Script, monkeypatch: pytest.MonkeyPatch, *, full: bool
) -> None:
    """On a full disk, too, which may be the reason."""
    script.search()

    def no_space(path: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    if full:
        monkeypatch.setattr(Path, "replace", no_space)
    print_stopped(script.run, "--max-hours 1 is reached", out := console())
    report = "" if full else f"Report so far: {script.run.folder / 'report.md'}\n"
    assert written(out) == (
        "Stopped: --max-hours 1 is reached\n"
        "5 of 14 trainings done; best so far g1-00, fitness 2.750\n"
        f"Go on with: eureka resume {script.run.folder}\n{report}"
    )


def test_a_run_that_stopped_before_anything_was_trained_has_no_report(script: Script) -> None:
    script.started()
    script.generation(0)
    print_stopped(script.run, "interrupted", out := console())
    assert "0 of 14 trainings done; nothing trained yet" in written(out)
    assert not (script.run.folder / "report.md").exists()
    assert print_summary(script.run, out) == 1
    assert "No candidate could be trained." in written(out)
    assert "g0-02  before training  refused" in written(out)
