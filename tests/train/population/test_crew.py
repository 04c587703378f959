"""Who goes on when others have left, on fewer places: as if these had never been there."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from eureka_loop.results import Failed
from eureka_loop.train.population.crew import Crew
from eureka_loop.train.population.member import Member
from tests.train.population.test_parts import (
    MakeJob,
    Train,
    assert_same,
    jobs_of,
    train,
    until,
    without_clock,
)

__all__ = ["train"]  # a fixture

# Each fails when an episode has lasted so many steps; the second asks for contacts.
FAILING = (
    "def compute_reward(time, dt, action):\n"
    "    return {{'term': action.sum(axis=1) / np.where(time > {} * dt, 0.0, 1.0)}}\n",
    "def compute_reward(time, dt, torso_contact_force):\n"
    "    return {{'term': torso_contact_force.sum(axis=1) / np.where(time > {} * dt, 0.0, 1.0)}}\n",
)


@pytest.fixture
def mustered(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many stand in a crew, whenever one is mustered."""
    counts: list[int] = []
    muster = Crew._muster

    def counted(crew: Crew, members: Sequence[Member]) -> None:
        counts.append(len(members))
        muster(crew, members)

    monkeypatch.setattr(Crew, "_muster", counted)
    return counts


@pytest.mark.parametrize("task", ["hopper-hop", "humanoid-run"])
def test_the_others_do_not_notice(
    task: str, make_job: MakeJob, train: Train, tmp_path: Path, mustered: list[int]
) -> None:
    """More than half fail, between those who stay, in the middle of episodes."""
    jobs = jobs_of(make_job, task, steps=3 * 128)
    alone = train(jobs, "alone")
    failing = [
        replace(jobs[0], source=source.format(steps), candidate=f"failing {at} {steps}")
        for at, source in enumerate(FAILING)
        for steps in (3, 5)
    ]
    mustered.clear()
    company = [failing[0], jobs[0], failing[1], failing[2], jobs[1], failing[3], jobs[2]]
    results = dict(zip([job.candidate for job in company], train(company, "company"), strict=True))
    assert mustered == [7, 3]
    assert all(isinstance(results[job.candidate], Failed) for job in failing)
    for job, before in zip(jobs, alone, strict=True):
        assert without_clock(results[job.candidate]) == without_clock(before)
        assert_same(tmp_path / "company" / job.candidate, tmp_path / "alone" / job.candidate, job.task)


def test_who_goes_on_later_does_not_notice_either(
    make_job: MakeJob, train: Train, tmp_path: Path, mustered: list[int]
) -> None:
    """What is left to go on from is of the places that there are after ranks were closed."""
    jobs = jobs_of(make_job, steps=4 * 128)[:1]
    failing = replace(jobs[0], source=FAILING[0].format(3), candidate="failing")
    whole = train(jobs, "whole")
    mustered.clear()
    train(until([failing, *jobs], 200), "first")
    assert mustered == [2, 1]
    rest = train(until(jobs, None, "first"), "last")
    assert without_clock(rest[0]) == without_clock(whole[0])
    assert_same(tmp_path / "last" / "0", tmp_path / "whole" / "0", jobs[0].task)
