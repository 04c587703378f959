"""A bench's folder and suites: which searches, what has ended, what is left of the limits, the same bench or not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import tomli_w

from eureka_loop import files
from eureka_loop.config import RunConfig, as_table
from eureka_loop.envs.registry import find_domain, find_task
from eureka_loop.errors import BadInput, BudgetSpent, UnknownName
from eureka_loop.records import Candidate, Job
from eureka_loop.report.bench import setup
from eureka_loop.report.bench.estimate import Pace
from eureka_loop.report.bench.setup import QUICK, SETUP, Bench, Search
from eureka_loop.results import Failed, FailureKind
from eureka_loop.search.assemble import NOTHING_TRAINED, ended, settled
from eureka_loop.store import Run

CONFIG = RunConfig(designer="templates", generations=2, samples=4, steps=1000, report_seeds=3, seed=5)
PACES = {"Hopper-v5": Pace(10.0, 1000.0)}
BENCH = Bench("quick", ("reacher-reach", "hopper-hop"), 2, CONFIG, "eureka bench quick", {"cores": 2}, PACES)


def begun(folder: Path, seed: int = 5) -> Run:
    run = Run(folder / f"run-{seed}")
    settings = as_table(replace(CONFIG, task="hopper-hop", seed=seed))
    files.write_text(run.folder / "run.toml", tomli_w.dumps(settings))
    return run


def fail(run: Run, id: str, seed: int, kind: FailureKind) -> None:
    run.write_candidate(Candidate(id, 0, "", ""))
    folder = run.write_job(Job(id, seed, find_task("hopper-hop"), "", "ppo", 10, {}, (1,)))
    files.write_json(folder / "result.json", Failed(id, kind, "gone", seed=seed))


def test_what_has_ended(tmp_path: Path) -> None:
    run = begun(tmp_path)
    assert not ended(run)
    for kind, values, over in (
        ("interrupted", {}, False), ("resumed", {}, False), ("stopped", {"reason": "--max-hours 1 is reached"}, False),
        ("stopped", {"reason": NOTHING_TRAINED}, True), ("resumed", {}, False), ("finished", {"winner": "g0-00"}, True),
    ):  # fmt: skip
        run.event(kind, **values)
        assert ended(run) is over, kind


@pytest.mark.parametrize(("kind", "over"), [("exception", True), ("crashed", False)])
def test_a_crash_is_tried_again_and_a_reward_that_fails_is_not(
    tmp_path: Path, kind: FailureKind, over: bool
) -> None:
    reported, seed = begun(tmp_path), 20_000_000
    reported.event("reporting", winner="human", references=[], seeds=[seed])
    fail(reported, "human", seed, kind)
    fail(reported, "g0-00", 300, "crashed")  # the search has gone on without it
    reported.event("finished", winner="human")
    nothing = begun(tmp_path, 6)
    fail(nothing, "g0-00", 300, "exception")
    fail(nothing, "g0-01", 300, kind)
    assert not settled(nothing)
    nothing.event("stopped", reason=NOTHING_TRAINED)
    for run in (reported, nothing):
        assert ended(run)
        assert settled(run) is over


def test_the_same_question_has_the_same_folder_and_another_one_another() -> None:
    folder = setup.default_folder(BENCH)
    limited = replace(CONFIG, jobs=3, max_hours=1.0, out=Path("x"))
    assert setup.default_folder(replace(BENCH, tasks=("hopper-hop",), searches=9, config=limited)) == folder
    for other in (replace(CONFIG, seed=1), replace(CONFIG, steps=2000)):
        assert setup.default_folder(replace(BENCH, config=other)) != folder


def test_more_searches_and_other_tasks_add_to_what_is_there(tmp_path: Path) -> None:
    files.write_json(tmp_path / SETUP, BENCH)
    now = replace(BENCH, tasks=("halfcheetah-run", "hopper-hop"), searches=1, paces={}, made_by={})
    found = setup.joined(now, tmp_path)
    assert found.tasks == ("reacher-reach", "hopper-hop", "halfcheetah-run")
    assert (found.searches, found.paces, found.made_by) == (2, PACES, {"cores": 2})
    assert found.wanted == tuple(Search(task, seed) for seed in (5, 6) for task in found.tasks)
    with pytest.raises(BadInput, match=r"holds another bench \(`eureka bench quick`\); choose another --out"):
        setup.joined(replace(BENCH, config=replace(CONFIG, steps=2000)), tmp_path)


def test_limits_are_the_whole_benchs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Amounts that the other searches have spent are read from their events."""
    times = iter([0.0, 1800.0, 0.0, 3600.0, 0.0, 60.0, 60.0])
    monkeypatch.setattr("eureka_loop.store.time.monotonic", lambda: next(times))
    for seed in (5, 6, 7):
        run = begun(tmp_path, seed)
        run.event("started")
        run.event("spent", prompt_tokens=100, completion_tokens=10, usd=0.25)
    config, last = replace(CONFIG, max_hours=2.0, max_usd=5.0), Search("hopper-hop", 7)
    left = setup.limits_left(config, tmp_path, last)
    assert left == {"max_usd": 4.5, "max_tokens": None, "max_hours": 0.5}
    with pytest.raises(BudgetSpent, match="--max-tokens 220 is reached"):
        setup.limits_left(replace(config, max_tokens=220), tmp_path, last)
    run.event("spent", prompt_tokens=100, completion_tokens=10, usd=None)
    with pytest.raises(BadInput, match="unknown price"):
        setup.limits_left(config, tmp_path, Search("hopper-hop", 5))


def test_suites_are_the_catalogues_and_quick_in_their_order() -> None:
    with pytest.raises(UnknownName, match="choose one of quick, gymnasium, beyond, robotics, metaworld"):
        setup.members("none")
    assert len(setup.members("gymnasium")) == 11
    assert [task.name for task in setup.members("quick")] == list(QUICK)
    for task in setup.members("quick"):
        assert task.human and task.sparse and not find_domain(task.env_id).extra  # noqa: PT018
    found = setup.members("quick", " hopper-hop,reacher-reach ,")
    assert [task.name for task in found] == ["reacher-reach", "hopper-hop"]
