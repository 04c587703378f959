"""Who begins when, while others are still being written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pytest

from eureka_loop.errors import BudgetSpent
from eureka_loop.execute.line import FIRST_PATIENCE, PATIENCE, Line
from eureka_loop.execute.machine import Share
from eureka_loop.records import Later
from tests.execute.conftest import MakeJob

TWO = Share(workers=2, learners=32)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def folders(make_job: MakeJob) -> list[Path]:
    return [make_job(f"g0-0{n}", trainer="population") for n in range(8)]


def begun(line: Line, free: int) -> list[int]:
    """Sizes of the batches that so many free workers take."""
    sizes = []
    line.look()
    while batch := line.next(free - len(sizes)):
        sizes.append(len(batch))
    return sizes


def test_where_nothing_more_comes_all_begin_evenly(folders: Sequence[Path]) -> None:
    line = Line(folders, TWO)
    assert begun(line, 2) == [4, 4]
    assert line.empty


def test_a_share_begins_and_the_rest_when_it_has_come(folders: Sequence[Path]) -> None:
    line = Line([*folders[:4], Later(4), *folders[4:7], Later(1), folders[7]], TWO)
    assert begun(line, 2) == [4]
    assert begun(line, 1) == []
    assert begun(line, 1) == [4]


def test_a_free_worker_waits_for_company_but_not_for_long(folders: Sequence[Path]) -> None:
    clock = Clock()
    line = Line([folders[0], *[Later(3)] * 9], Share(1, 32), clock)
    assert begun(line, 1) == []
    clock.now += FIRST_PATIENCE - 0.1
    assert begun(line, 1) == []
    clock.now += 0.2
    assert begun(line, 1) == [1]


def test_patience_goes_by_what_a_batch_takes(folders: Sequence[Path]) -> None:
    clock = Clock()
    line = Line([folders[0], *[Later(3)] * 9], Share(1, 32), clock)
    line.took(100.0)
    assert begun(line, 1) == []
    clock.now += 100 * PATIENCE - 0.1
    assert begun(line, 1) == []
    clock.now += 0.2
    assert begun(line, 1) == [1]


def test_trainings_that_are_done_one_by_one_wait_for_nobody(make_job: MakeJob) -> None:
    line = Line([make_job("g0-00", trainer="sb3"), Later(7)], TWO)
    assert begun(line, 2) == [1]


def test_without_a_free_worker_nobody_begins(folders: Sequence[Path]) -> None:
    line = Line(folders, TWO)
    line.look()
    assert line.next(0) is None


def test_a_limit_is_told_when_what_came_before_is_done(folders: Sequence[Path]) -> None:
    def limited() -> Iterator[Path | Later]:
        yield folders[0]
        raise BudgetSpent("--max-usd 1.00")

    line = Line(limited(), TWO)
    assert begun(line, 2) == [1]
    assert line.empty
    with pytest.raises(BudgetSpent):
        line.close()


def test_another_error_is_told_at_once() -> None:
    def broken() -> Iterable[Path | Later]:
        yield Later()
        raise KeyError

    line = Line(broken(), TWO)
    line.look()
    with pytest.raises(KeyError):
        line.look()
