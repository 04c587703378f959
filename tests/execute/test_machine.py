"""A machine shared out: every core used, memory within its bound."""

from pathlib import Path

import pytest

from eureka_loop.execute import machine
from eureka_loop.execute.machine import MOST_LEARNERS, Footprint, Machine, Share, share


def test_one_worker_a_core_and_many_learners_where_there_is_room() -> None:
    assert share(Machine(8, 64e9)) == Share(8, MOST_LEARNERS)
    assert share(Machine(8, None)) == Share(8, MOST_LEARNERS)


@pytest.mark.parametrize("memory", [1.5e9, 3e9, 8e9, 24e9])
@pytest.mark.parametrize("cores", [1, 2, 16, 128])
def test_memory_stays_within_what_is_free(cores: int, memory: float) -> None:
    made = share(Machine(cores, memory))
    assert 1 <= made.workers <= cores
    assert made.memory <= memory


def test_where_hardly_anything_fits_one_is_tried() -> None:
    assert share(Machine(8, 0.1e9)) == Share(1, 1)


def test_what_somebody_asks_for_is_done_with_fewer_learners_each() -> None:
    made = share(Machine(2, 4 * (0.5e9 + 3 * 0.05e9) / 0.8), 4)
    assert made == Share(4, 3)


def test_large_trainings_are_fewer() -> None:
    """First fewer learners in each worker, then fewer workers."""
    small, wide, large = Footprint(), Footprint(learner=0.5e9), Footprint(worker=6e9, together=1)
    made = [share(Machine(4, 20e9), 0, each) for each in (small, wide, large)]
    assert [(each.workers, each.learners) for each in made] == [(4, MOST_LEARNERS), (4, 7), (2, 1)]
    assert all(each.memory <= 16e9 for each in made)
    assert made[2].memory == pytest.approx(2 * 6.05e9)


@pytest.mark.parametrize(("text", "cores"), [("150000 100000", 2), ("10000 100000", 1), ("max 100000", 4)])
def test_a_containers_quota_is_respected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, cores: int
) -> None:
    (tmp_path / "cpu.max").write_text(f"{text}\n")
    monkeypatch.setattr(machine, "CGROUP", tmp_path)
    monkeypatch.setattr(machine.os, "sched_getaffinity", lambda pid: set(range(4)), raising=False)
    assert machine.cores() == cores


def test_memory_is_known_on_linux() -> None:
    if not Path("/proc/meminfo").exists():
        pytest.skip("no /proc")
    free = machine.available_memory()
    assert free is not None
    assert 1e6 < free < 1e14


def test_page_cache_does_not_count_as_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A container that has read large files has its memory still to give."""
    (tmp_path / "memory.max").write_text("4000000000\n")
    (tmp_path / "memory.current").write_text("3900000000\n")
    (tmp_path / "memory.stat").write_text("anon 400000000\ninactive_file 3500000000\nactive_file 0\n")
    monkeypatch.setattr(machine, "CGROUP", tmp_path)
    free = next(
        line.split()[1] for line in Path("/proc/meminfo").read_text().splitlines() if "MemAvailable" in line
    )
    if int(free) * 1024 < 3.7e9:
        pytest.skip("too little memory is free here")
    assert machine.available_memory() == 3.6e9
