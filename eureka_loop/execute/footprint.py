"""Memory of a run's trainings, from their settings and the survey of the environment.

`python benchmarks/memory.py` compares it with what processes really take. Networks count as a constant.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from math import prod

from eureka_loop.execute.evaluate import Plan
from eureka_loop.execute.machine import Footprint
from eureka_loop.records import in_cohorts, on_gpu
from eureka_loop.reward.vocabulary import Vocabulary

WORKER = 0.35e9  # bytes: torch, MuJoCo, numpy, and the fork server of its reward processes; 0.23 GB seen
LEARNER = 0.02e9  # reward process, SB3's objects, networks of two layers of 64
SAC_NETWORKS = 0.05e9  # two layers of 256, with their targets, gradients and moments
STEP_COPIES = 5  # of a rollout's float32 rows: where they are made, stacked, shuffled; SB3's own buffer
COLUMN_COPIES = 6  # of float64 columns: step buffer, in order of envs, computed, both ends of a call
LEAST_ASKED = 64  # numbers a step that programs ask for; the next may ask for more than the known ones
JUDGED_AT_ONCE, LONGEST = 128, 10_000  # episodes, and steps of one, in the judging of cohorts
PENDING = 2_048  # rows that wait for SAC's rewards


def footprint(plan: Plan, vocabulary: Vocabulary) -> Footprint:
    """Of the trainings of a run."""
    task, training, settings = plan.task, plan.training, plan.training.hyperparameters
    observed = _numbers(("obs", "achieved_goal", "desired_goal"), vocabulary)
    acted = _numbers(("action",), vocabulary)
    asked = max(LEAST_ASKED, 2 * _named((task.fitness, task.success, task.sparse, task.human), vocabulary))
    if training.algorithm == "sac":
        row = 2 * 8 * observed + 4 * acted + 12 + (8 * asked if settings.get("her") else 0)
        rows = min(int(settings.get("buffer_size", 1_000_000)), plan.steps + training.relabel + PENDING)
        pending = PENDING * 8 * COLUMN_COPIES * asked
        return Footprint(WORKER + rows * row, LEARNER + SAC_NETWORKS + pending, 1)
    rollout = int(settings.get("n_steps", 2_048)) * int(settings.get("n_envs", 1))
    learner = LEARNER + rollout * (4 * STEP_COPIES * (observed + acted + 6) + 8 * COLUMN_COPIES * asked)
    if not in_cohorts(training.trainer):
        return Footprint(WORKER, learner, 1)
    judged = JUDGED_AT_ONCE * min(vocabulary.horizon or LONGEST, LONGEST) * 8.0 * COLUMN_COPIES
    worker = WORKER + judged * _named((task.fitness, task.success), vocabulary)
    return Footprint(worker, learner, gpu=on_gpu(training))


def _named(sources: Iterable[str | None], vocabulary: Vocabulary) -> int:
    return _numbers({word for source in sources for word in re.findall(r"\w+", source or "")}, vocabulary)


def _numbers(names: Iterable[str], vocabulary: Vocabulary) -> int:
    found = {vocabulary.find(name, hidden=True) for name in names}
    return sum(prod(each.shape) for each in found if each is not None)
