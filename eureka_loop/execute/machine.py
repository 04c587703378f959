"""Cores and memory of this machine, and how a run uses them: workers, and learners in each."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

KEPT_FREE = 0.2  # share of the memory that is left to others
MOST_LEARNERS = 32  # at a time in a worker: more gain no speed
CGROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class Footprint:
    """Memory of trainings; the defaults are those of small ones (HalfCheetah, rollouts of 2,048 steps)."""

    worker: float = 0.5e9  # bytes of a worker without learners
    learner: float = 0.05e9  # bytes that each learner adds
    together: int = MOST_LEARNERS  # most learners in a worker
    gpu: bool = False  # all learners are trained in one call, and so in one worker


SMALL = Footprint()


@dataclass(frozen=True, slots=True)
class Machine:
    """Resources of this process."""

    cores: int  # that this process may use
    memory: float | None  # bytes that can be had without swapping; None where it isn't known


@dataclass(frozen=True, slots=True)
class Share:
    """How a run uses a machine."""

    workers: int  # processes that train, one thread each
    learners: int  # most in each, where many are trained together
    each: Footprint = SMALL  # their memory

    @property
    def memory(self) -> float:
        """Bytes that it stays within."""
        return self.workers * (self.each.worker + self.learners * self.each.learner)


def look() -> Machine:
    """This machine, now."""
    return Machine(cores(), available_memory())


def share(machine: Machine, asked: int = 0, each: Footprint = SMALL) -> Share:
    """One worker a core, fewer where memory is short; as many learners each as the rest of it holds.

    Args:
        asked: workers, where the user has decided; 0 otherwise.
        each: memory of the trainings.
    """
    workers, learners = asked or machine.cores, each.together
    if machine.memory is not None:
        free = machine.memory * (1.0 - KEPT_FREE)
        workers = asked or max(1, min(workers, int(free / (each.worker + each.learner))))
        room = free / workers - each.worker
        learners = min(learners, max(1, int(room / each.learner + 1e-6)))
    return Share(1, workers * learners, each) if each.gpu else Share(workers, learners, each)


def cores() -> int:
    """Cores that this process may use: by affinity, and by a container's quota (cgroup v2)."""
    here = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = (CGROUP / "cpu.max").read_text().split()
        return max(1, min(here, round(float(quota) / float(period))))
    except (OSError, ValueError):  # no quota: "max"
        return here


def available_memory() -> float | None:
    """Bytes that can be had without swapping, a container's limit respected; None where it isn't known.

    Page cache that the kernel can drop (inactive_file) doesn't count as used.
    """
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        free = next(int(line.split()[1]) * 1024.0 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration):
        return None
    try:
        limit = float((CGROUP / "memory.max").read_text())
        used = float((CGROUP / "memory.current").read_text())
        statistics = dict(line.split() for line in (CGROUP / "memory.stat").read_text().splitlines())
        used -= float(statistics.get("inactive_file", 0))
    except (OSError, ValueError):  # no limit: "max"
        return free
    return min(free, limit - used)
