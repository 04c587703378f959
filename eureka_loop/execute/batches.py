"""Which jobs a worker takes at once: cohorts where the population trainer serves, else one by one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

from eureka_loop import files
from eureka_loop.errors import BadInput, Refused
from eureka_loop.execute.machine import Share
from eureka_loop.records import Job, on_gpu
from eureka_loop.reward.parsing import entry
from eureka_loop.reward.vocabulary import PREFIXES

Batch = tuple[Path, ...]
T = TypeVar("T")


def batches(folders: Sequence[Path], share: Share) -> list[Batch]:
    """Every folder in one batch; the batches keep all workers busy to about the same end.

    In order, but that those come together whose environments step in the same way: of others a worker makes
    a cohort of their own, and small cohorts cost more.
    """
    jobs = {folder: files.read_json(folder / "job.json", Job) for folder in folders}
    made: list[Batch] = []
    for group in alike(folders, lambda folder: jobs[folder]):
        first = jobs[group[0]]
        if first.trainer == "population":
            group.sort(key=lambda folder: jobs[folder].demand)
            made += _even(group, share.together if on_gpu(first) else share)
        else:
            made += [(folder,) for folder in group]
    return made


def demand(source: str, demands: Mapping[str, int]) -> int:
    """What a program asks of a step of its environments: the most that one of its parameters does.

    Args:
        demands: see `Serving`.
    """
    if not demands:
        return 0
    try:
        asked = [argument.arg for argument in entry(source).args.args]
    except (BadInput, Refused):
        return 0  # told where it is trained
    names = [name.removeprefix(prefix) for name in asked for prefix in ("", *PREFIXES)]
    return max((demands.get(name, 0) for name in names), default=0)


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
