"""A bench's folder: which searches, what is done, what is left of the limits, whether it is the same bench."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import tomli_w

from eureka_loop import files
from eureka_loop.config import RunConfig, as_table, load
from eureka_loop.envs.registry import find_task
from eureka_loop.errors import BadInput, BudgetSpent
from eureka_loop.records import Candidate, Job
from eureka_loop.report.bench import plan
from eureka_loop.report.bench.plan import SETUP, Bench, Search, Spent
from eureka_loop.results import Failed, FailureKind
from eureka_loop.store import NOTHING_TRAINED, Run


def begun(folder: Path, search: Search, config: RunConfig | None = None) -> Run:
    run = Run(folder / f"run-{search.task}-{search.seed}")
    run.folder.mkdir(parents=True)
    settings = replace(config or RunConfig(), task=search.task, seed=search.seed)
    files.write_text(run.folder / "run.toml", tomli_w.dumps(as_table(settings)))
    return run


def test_every_task_has_its_first_search_before_any_has_its_second(bench: Bench) -> None:
    assert bench.wanted == (
        Search("reacher-reach", 5),
        Search("hopper-hop", 5),
        Search("reacher-reach", 6),
        Search("hopper-hop", 6),
    )


def test_it_comes_back_from_its_file_as_it_was(bench: Bench, tmp_path: Path) -> None:
    config = replace(bench.config, hyperparameters={"n_steps": 64, "policy_kwargs": {"net_arch": [8]}})
    bench = replace(bench, config=config)
    files.write_json(tmp_path / SETUP, bench)
    assert files.read_json(tmp_path / SETUP, Bench) == bench
    assert plan.joined(bench, tmp_path) == bench


def test_a_search_is_found_by_its_task_and_seed(tmp_path: Path) -> None:
    for search in (Search("hopper-hop", 5), Search("reacher-reach", 6)):
        begun(tmp_path, search)
    (tmp_path / "half-made").mkdir()  # killed before it was a run
    assert set(plan.runs(tmp_path)) == {Search("hopper-hop", 5), Search("reacher-reach", 6)}
    assert plan.runs(tmp_path / "none") == {}


def test_what_has_ended(tmp_path: Path) -> None:
    run = begun(tmp_path, Search("hopper-hop", 5))
    told = [
        ("interrupted", {}, False),
        ("resumed", {}, False),
        ("stopped", {"reason": "--max-hours 1 is reached"}, False),
        ("resumed", {}, False),
        ("stopped", {"reason": NOTHING_TRAINED}, True),
        ("resumed", {}, False),
        ("finished", {"winner": "g0-00"}, True),
    ]
    assert not plan.ended(run)
    for kind, values, over in told:
        run.event(kind, **values)
        assert plan.ended(run) is over, kind


PASSES = pytest.mark.parametrize(("kind", "settled"), [("exception", True), ("crashed", False)])
"""A crash may pass with the next call; a reward that fails has failed for good."""


def fail(run: Run, id: str, seed: int, kind: FailureKind, rung: int | None = None) -> None:
    run.write_candidate(Candidate(id, 0, "", ""))
    folder = run.write_job(Job(id, seed, find_task("hopper-hop"), "", "ppo", 10, {}, (1,)), rung)
    files.write_json(folder / "result.json", Failed(id, kind, "gone", seed=seed))


@PASSES
def test_what_crashed_in_a_report_is_left_to_do(tmp_path: Path, kind: FailureKind, settled: bool) -> None:
    run, seed = begun(tmp_path, Search("hopper-hop", 5)), 20_000_000
    run.event("reporting", winner="human", references=[], seeds=[seed])
    fail(run, "human", seed, kind)
    fail(run, "g0-00", 300, "crashed")  # the search has gone on without it
    run.event("finished", winner="human")
    assert plan.ended(run)
    assert plan.settled(run) is settled


@PASSES
@pytest.mark.parametrize("rung", [None, 0])
def test_a_search_in_which_nothing_could_be_trained_is_left_to_do_where_something_crashed(
    tmp_path: Path, kind: FailureKind, settled: bool, rung: int | None
) -> None:
    run = begun(tmp_path, Search("hopper-hop", 5))
    fail(run, "g0-00", 300, "exception", rung)
    fail(run, "g0-01", 300, kind, rung)
    assert not plan.settled(run)
    run.event("stopped", reason=NOTHING_TRAINED)
    assert plan.ended(run)
    assert plan.settled(run) is settled


def test_the_same_question_has_the_same_folder_and_another_one_another(bench: Bench) -> None:
    folder = plan.default_folder(bench)
    config = bench.config
    for same in (
        replace(bench, tasks=("hopper-hop",), searches=9, command="x"),
        replace(bench, config=replace(config, jobs=3, max_hours=1.0, out=Path("x"))),
    ):
        assert plan.default_folder(same) == folder
    for other in (replace(bench, seed=1), replace(bench, config=replace(config, steps=2000))):
        assert plan.default_folder(other) != folder


def test_more_searches_and_other_tasks_add_to_what_is_there(bench: Bench, tmp_path: Path) -> None:
    files.write_json(tmp_path / SETUP, bench)
    now = replace(bench, tasks=("halfcheetah-run", "hopper-hop"), searches=1, paces={}, made_by={})
    found = plan.joined(now, tmp_path)
    assert found.tasks == ("reacher-reach", "hopper-hop", "halfcheetah-run")
    assert (found.searches, found.paces, found.made_by) == (2, bench.paces, bench.made_by)


@pytest.mark.parametrize(
    ("change", "said"),
    [({"steps": 2000}, "steps 1000, not 2000"), ({"generations": 1}, "generations 2, not 1")],
)
def test_another_bench_in_the_same_folder_is_refused(
    bench: Bench, tmp_path: Path, change: dict[str, int], said: str
) -> None:
    files.write_json(tmp_path / SETUP, bench)
    with pytest.raises(BadInput, match=f"holds a bench with {said}; choose another --out"):
        plan.joined(replace(bench, config=replace(bench.config, **change)), tmp_path)


def test_limits_are_the_whole_benchs(bench: Bench) -> None:
    config = replace(bench.config, max_hours=2.0, max_usd=5.0)
    assert plan.left(config, Spent(0.5, 1000, 1.0)) == {"max_usd": 4.0, "max_tokens": None, "max_hours": 1.5}
    with pytest.raises(BudgetSpent, match="--max-hours 2 is reached"):
        plan.left(config, Spent(2.5, 1000, 1.0))
    with pytest.raises(BadInput, match="unknown price"):
        plan.left(config, Spent(0.5, 1000, None))


def test_what_searches_spent_is_read_from_their_events(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = iter([0.0, 1800.0, 0.0, 3600.0])
    monkeypatch.setattr("eureka_loop.run_folder.time.time", lambda: next(times))
    pair = [begun(tmp_path, Search("hopper-hop", seed)) for seed in (5, 6)]
    for run, tokens in zip(pair, (100, 200), strict=True):
        run.event("started")
        run.event("spent", prompt_tokens=tokens, completion_tokens=10, usd=0.25)
    assert plan.spent(pair) == Spent(1.5, 320, 0.5)


def test_a_search_goes_on_with_the_limits_of_now(bench: Bench, tmp_path: Path) -> None:
    run = begun(tmp_path, Search("hopper-hop", 5), replace(bench.config, max_hours=0.1))
    plan.grant(run, bench.config, {"max_usd": None, "max_tokens": 500, "max_hours": None})
    config = load(run.folder / "run.toml")
    assert (config.max_usd, config.max_tokens, config.max_hours) == (None, 500, None)
    assert config.steps == 1000
