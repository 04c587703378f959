"""What a run's folder says, at any moment of its life."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from eureka_loop.report.facts import Facts, being_written, terms
from eureka_loop.results import Failed

if TYPE_CHECKING:
    from .conftest import Script


def test_a_whole_run(script: Script) -> None:
    found = Facts.of(script.whole())
    assert [each.candidate.id for each in found.ranking] == ["g1-00", "g0-01", "g1-01", "g0-00"]
    assert [each.candidate.id for each in found.failed] == ["g0-02", "g1-02"]
    assert [each.candidate.id for each in found.reports] == ["g1-00", "human", "sparse"]
    assert found.winner is not None
    assert found.winner.id == "g1-00"
    assert len(found.trainings) == 4 + 9
    assert found.made_by["git_commit"] == "b80e0ab"


def test_report_results_are_no_search_results(script: Script) -> None:
    found = Facts.of(script.whole())
    assert {result.seed for each in found.search for result in each.trained} == {0}
    assert min(result.seed for each in found.reports for result in each.results) >= 20_000_000


def test_before_the_report_there_is_no_winner(script: Script) -> None:
    script.search()
    found = Facts.of(script.run)
    assert found.winner is None
    assert found.reports == ()


def test_an_unfinished_candidate_is_neither_ranked_nor_failed(script: Script) -> None:
    script.started()
    script.generation(0)
    script.begin("g0-00", 0)
    found = Facts.of(script.run)
    assert found.ranking == []
    assert [each.candidate.id for each in found.unfinished] == ["g0-00", "g0-01"]


def test_a_reference_that_the_gate_refused_is_failed(script: Script) -> None:
    script.search()
    script.report()
    for seed in (20_000_000, 20_000_100, 20_000_200):
        (script.run.job_folder("human", seed) / "result.json").unlink()
    script.run.fail(Failed("human", "exception", "boom"))
    human = next(each for each in Facts.of(script.run).reports if each.candidate.id == "human")
    assert [failure.message for failure in human.failures] == ["boom"]


def test_a_run_without_its_task_can_be_read(script: Script) -> None:
    (script.run.task_folder / "task.json").unlink()
    assert Facts.of(script.run).task is None


def test_whether_somebody_writes(script: Script) -> None:
    assert not Facts.of(script.run).being_written
    with script.run.lock():
        assert Facts.of(script.run).being_written
    assert not Facts.of(script.run).being_written


def test_a_lock_on_another_file_of_the_same_number_is_not_the_runs(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Inodes are numbered by each file system."""
    script.run.lock().close()
    (inode, owner), locks = ((script.run.folder / ".lock").stat().st_ino, os.getpid()), tmp_path / "locks"
    monkeypatch.setattr("eureka_loop.report.facts.LOCKS", locks)

    def written(*lines: str) -> bool:
        locks.write_text("".join(f"{number}: {line}\n" for number, line in enumerate(lines, start=1)))
        return being_written(script.run)

    assert written(f"-> FLOCK  ADVISORY  WRITE {owner + 1} 00:2f:{inode} 0 EOF") is False  # it waits
    assert written(f"FLOCK  ADVISORY  WRITE {owner + 1} 00:2f:{inode} 0 EOF") is False
    assert written(f"POSIX  ADVISORY  WRITE {owner} 08:01:{inode} 0 EOF") is False
    assert written(f"FLOCK  ADVISORY  WRITE {owner} 08:01:1{inode} 0 EOF") is False
    assert written(
        "POSIX  ADVISORY  READ 7 08:01:3 128 128", f"FLOCK  ADVISORY  WRITE {owner} 08:01:{inode} 0 EOF"
    )


def test_shares_are_means_over_seeds_largest_first(script: Script) -> None:
    shares = terms(script.whole().evaluated("g1-00", report=True).trained)
    assert list(shares.items()) == [
        ("speed", pytest.approx(0.8)),
        ("upright", pytest.approx(0.1)),
        ("effort", pytest.approx(0.1)),
        ("_level", 0.0),
    ]
