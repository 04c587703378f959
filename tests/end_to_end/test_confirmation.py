"""A run that trains the best again, also killed while it does."""

from __future__ import annotations

from pathlib import Path

import pytest

from .program import done, outcome, resumed, the_run

pytestmark = pytest.mark.timeout(300)

CONFIRM = (
    "run invertedpendulum-balance --designer templates --generations 1 --samples 3 --steps 640 "
    "--report-seeds 0 --judge-episodes 3 --jobs 1 --settings zoo --confirm 5"
).split()


def test_a_confirmation_that_was_killed_ends_as_an_undisturbed_one(tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    whole.mkdir(), killed.mkdir()
    done(*CONFIRM, cwd=whole)
    undisturbed = the_run(whole)
    amounts = [len(undisturbed.evaluated(id).trained) for id in undisturbed.candidate_ids()]
    assert max(amounts) == 5
    assert {*amounts} <= {1, 3, 5}
    run = resumed(*CONFIRM, cwd=killed, at="candidates/*/seed-200/job.json")
    assert outcome(run) == outcome(undisturbed)
