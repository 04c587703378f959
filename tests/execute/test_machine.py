"""How a machine is shared out: every core used, memory within its bound."""

from pathlib import Path

import pytest

from eureka_loop.execute import machine
from eureka_loop.execute.machine import MOST_LEARNERS, Footprint, Machine, Share, share

WIDE, LARGE = Footprint(learner=0.5e9), Footprint(worker=6e9, together=1)


@pytest.mark.parametrize(
    ("has", "asked", "each", "workers", "learners"),
    [
        (Machine(8, 64e9), 0, Footprint(), 8, MOST_LEARNERS),
        (Machine(8, None), 0, Footprint(), 8, MOST_LEARNERS),
        (Machine(8, 0.1e9), 0, Footprint(), 1, 1),
        (Machine(2, 4 * (0.5e9 + 3 * 0.05e9) / 0.8), 4, Footprint(), 4, 3),
        (Machine(4, 20e9), 0, WIDE, 4, 7),  # first fewer learners in each worker, then fewer workers
        (Machine(4, 20e9), 0, LARGE, 2, 1),
        (Machine(2, 64e9), 0, Footprint(together=4, gpu=True), 1, 8),
    ],
)
def test_workers_and_learners(has: Machine, asked: int, each: Footprint, workers: int, learners: int) -> None:
    assert share(has, asked, each) == Share(workers, learners, each)


@pytest.mark.parametrize("memory", [1.5e9, 8e9, 24e9])
@pytest.mark.parametrize("cores", [1, 2, 128])
def test_memory_stays_within_what_is_free(cores: int, memory: float) -> None:
    made = share(Machine(cores, memory))
    assert 1 <= made.workers <= cores
    assert made.memory <= memory


@pytest.mark.parametrize(("text", "cores"), [("150000 100000", 2), ("10000 100000", 1), ("max 100000", 4)])
def test_a_containers_quota_is_respected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, cores: int
) -> None:
    (tmp_path / "cpu.max").write_text(f"{text}\n")
    monkeypatch.setattr(machine, "CGROUP", tmp_path)
    monkeypatch.setattr(machine.os, "sched_getaffinity", lambda pid: set(range(4)), raising=False)
    assert machine.cores() == cores


@pytest.mark.skipif(not Path("/proc/meminfo").exists(), reason="no /proc")
def test_page_cache_does_not_count_as_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free = machine.available_memory()
    assert free is not None
    (tmp_path / "memory.max").write_text("40000000\n")
    (tmp_path / "memory.current").write_text("39000000\n")
    (tmp_path / "memory.stat").write_text("anon 4000000\ninactive_file 35000000\nactive_file 0\n")
    monkeypatch.setattr(machine, "CGROUP", tmp_path)
    assert machine.available_memory() == 36e6 < free
