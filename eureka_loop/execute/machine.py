"""Cores and memory of this machine, and how a run uses them: workers, and learners in each.

`python benchmarks/memory.py` compares the estimates with what processes really take.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import TypeVar

from eureka_loop.records import Task, Training, in_cohorts, on_gpu, rows_of_call
from eureka_loop.reward.vocabulary import Vocabulary

T = TypeVar("T")

KEPT_FREE = 0.2  # share of the memory that is left to others
MOST_LEARNERS = 32  # at a time in a worker: more gain no speed
CGROUP = Path("/sys/fs/cgroup")

SMALL = 0.55e9  # bytes of a worker with one learner (HalfCheetah, rollouts of 2,048 steps)
WORKER = 0.35e9  # bytes: torch, MuJoCo, numpy, and the fork server of its reward processes; 0.23 GB seen
LEARNER = 0.02e9  # reward process, SB3's objects, networks of two layers of 64
SAC_NETWORKS = 0.05e9  # two layers of 256, with their targets, gradients and moments
STEP_COPIES = 5  # of a rollout's float32 rows: where they are made, stacked, shuffled; SB3's own buffer
COLUMN_COPIES = 6  # of float64 columns: step buffer, in order of envs, computed, both ends of a call
LEAST_ASKED = 64  # numbers a step that programs ask for; the next may ask for more than the known ones
JUDGED_AT_ONCE, LONGEST = 128, 10_000  # episodes, and steps of one, in the judging of cohorts


@dataclass(frozen=True, slots=True)
class Machine:
    """Resources of this process."""

    cores: int  # that it may use
    memory: float  # bytes that can be had without swapping

    @property
    def usable(self) -> float:
        """Bytes that a run stays within, unless the user asks for more workers than fit."""
        return self.memory * (1.0 - KEPT_FREE)

    @property
    def workers(self) -> int:
        """Most workers of a run with small trainings."""
        return max(1, min(self.cores, int(self.usable / SMALL)))


@dataclass(frozen=True, slots=True)
class Share:
    """How a run uses a machine."""

    workers: int  # processes that train, one thread each
    learners: int  # most in each, where many are trained together
    memory: float = 0.0  # bytes that they are expected to take at most

    def cohorts(self, things: Sequence[T]) -> list[Sequence[T]]:
        """Consecutive, nearly equal parts, as few as keep every worker busy.

        Floating-point results depend on a batch's shape, so it is decided by index, before training.
        """
        count = len(things)
        rounds = -(-count // (self.workers * self.learners))
        parts = count if self.learners == 1 else min(count, self.workers * rounds)
        return [things[count * n // parts : count * (n + 1) // parts] for n in range(parts)]


def look() -> Machine:
    """This machine, now."""
    return Machine(cores(), available_memory())


def share(
    machine: Machine, jobs: int, task: Task, training: Training, steps: int, vocabulary: Vocabulary
) -> Share:
    """One worker a core (or `jobs`), fewer where memory is short; as many learners as the rest holds."""
    worker, learner = footprint(task, training, steps, vocabulary)
    workers = jobs or max(1, min(machine.cores, int(machine.usable / (worker + learner))))
    room = int((machine.usable / workers - worker) / learner + 1e-6)
    together = in_cohorts(training.trainer) and training.algorithm != "sac"
    learners = max(1, min(MOST_LEARNERS if together else 1, room))
    if on_gpu(training):  # all learners are trained in one call
        workers, learners = 1, workers * learners
    return Share(workers, learners, workers * (worker + learners * learner))


def footprint(task: Task, training: Training, steps: int, vocabulary: Vocabulary) -> tuple[float, float]:
    """Bytes of a worker without learners, and of each learner, from settings and survey."""
    settings = training.hyperparameters
    observed = _numbers(("obs", "achieved_goal", "desired_goal"), vocabulary)
    acted = _numbers(("action",), vocabulary)
    asked = max(LEAST_ASKED, 2 * _named((task.fitness, task.success, task.sparse, task.human), vocabulary))
    if training.algorithm == "sac":
        row = 2 * 8 * observed + 4 * acted + 12 + (8 * asked if settings.get("her") else 0)
        rows = min(int(settings.get("buffer_size", 1_000_000)), steps + training.relabel)
        return WORKER + rows * row, LEARNER + SAC_NETWORKS
    step = 4 * STEP_COPIES * (observed + acted + 6) + 8 * COLUMN_COPIES * asked
    learner = LEARNER + rows_of_call(training) * step
    if not in_cohorts(training.trainer):
        return WORKER, learner
    judged = JUDGED_AT_ONCE * min(vocabulary.horizon or LONGEST, LONGEST) * 8.0 * COLUMN_COPIES
    return WORKER + judged * _named((task.fitness, task.success, task.progress), vocabulary), learner


def cores() -> int:
    """Cores that this process may use: by affinity, and by a container's quota (cgroup v2)."""
    here = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = (CGROUP / "cpu.max").read_text().split()
        return max(1, min(here, round(float(quota) / float(period))))
    except (OSError, ValueError):  # no quota: "max"
        return here


def available_memory() -> float:
    """Bytes that can be had without swapping, a container's limit respected; droppable page cache counts."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:  # not Linux, where no run starts
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    free = next(int(line.split()[1]) * 1024.0 for line in lines if line.startswith("MemAvailable:"))
    try:
        limit = float((CGROUP / "memory.max").read_text())
        used = float((CGROUP / "memory.current").read_text())
        statistics = dict(line.split() for line in (CGROUP / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):  # no limit: "max"
        return free
    return min(free, limit - used + float(statistics.get("inactive_file", 0)))


def _named(sources: Iterable[str | None], vocabulary: Vocabulary) -> int:
    return _numbers({word for source in sources for word in re.findall(r"\w+", source or "")}, vocabulary)


def _numbers(names: Iterable[str], vocabulary: Vocabulary) -> int:
    found = {vocabulary.find(name, hidden=True) for name in names}
    return sum(prod(each.shape) for each in found if each is not None)
