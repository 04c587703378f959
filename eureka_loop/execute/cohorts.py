"""Learner batches, called cohorts: which jobs one worker trains together.

Decided by index before training. Floating-point results depend on the shape of a batch, so a cohort is
recorded in the jobs of its members, keeps its shape to the end, and begins again as a whole where it was
interrupted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TypeVar

from eureka_loop.records import Job

T = TypeVar("T")


def cut(things: Sequence[T], workers: int, learners: int) -> list[Sequence[T]]:
    """Consecutive, nearly equal parts: as few as keep every worker busy, each of at most `learners`."""
    count = len(things)
    rounds = -(-count // (workers * learners))
    parts = count if learners == 1 else min(count, workers * rounds)
    cuts = [count * at // parts for at in range(parts + 1)] if parts else [0]
    return [things[start:end] for start, end in pairwise(cuts)]


def alike(things: Sequence[T], job_of: Callable[[T], Job]) -> list[list[T]]:
    """Those that can be trained in one cohort, together: they differ in program and seeds alone."""
    groups: dict[str, list[T]] = {}
    for thing in things:
        job = job_of(thing)
        settings = (job.task, job.algorithm, job.trainer, dict(job.hyperparameters), job.checkpoints)
        stage = (job.steps, job.until, bool(job.after), len(job.judge_seeds))
        groups.setdefault(repr((*settings, *stage)), []).append(thing)
    return list(groups.values())
