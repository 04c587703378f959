"""Which jobs a worker takes at once: cohorts where the population trainer serves, else one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

from eureka_loop import files
from eureka_loop.execute.machine import Share
from eureka_loop.records import Job, on_gpu

Batch = tuple[Path, ...]
T = TypeVar("T")


def batches(folders: Sequence[Path], share: Share) -> list[Batch]:
    """Every folder in one batch, in order; the batches keep all workers busy to about the same end."""
    jobs = {folder: files.read_json(folder / "job.json", Job) for folder in folders}
    made: list[Batch] = []
    for group in alike(folders, lambda folder: jobs[folder]):
        first = jobs[group[0]]
        if first.trainer == "population":
            made += _even(group, share.together if on_gpu(first) else share)
        else:
            made += [(folder,) for folder in group]
    return made


def alike(things: Sequence[T], job_of: Callable[[T], Job]) -> list[list[T]]:
    """Those that can be trained in one cohort, together: they differ in program and seeds alone."""
    groups: dict[str, list[T]] = {}
    for thing in things:
        job = job_of(thing)
        terms = (job.task, job.algorithm, job.trainer, dict(job.hyperparameters), job.checkpoints)
        stretch = (job.steps, job.until, bool(job.after), len(job.judge_seeds))
        groups.setdefault(repr((*terms, *stretch)), []).append(thing)
    return list(groups.values())


def _even(group: Sequence[Path], share: Share) -> list[Batch]:
    """As few as keep every worker busy and none above the limit, of nearly equal sizes."""
    rounds = -(-len(group) // (share.workers * share.learners))
    count = min(len(group), share.workers * rounds)
    cuts = [len(group) * at // count for at in range(count + 1)]
    return [tuple(group[start:end]) for start, end in pairwise(cuts)]
