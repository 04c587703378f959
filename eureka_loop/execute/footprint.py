"""Memory of a run's trainings, from their settings and the survey of the environment.

`python benchmarks/memory.py` compares it with what processes really take.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import pairwise
from math import prod
from typing import Any

from eureka_loop.execute.evaluate import Plan
from eureka_loop.execute.machine import Footprint
from eureka_loop.records import Task
from eureka_loop.reward.vocabulary import Vocabulary

WORKER = 0.35e9  # bytes: torch, MuJoCo, numpy, and the fork server of its reward processes; 0.23 GB seen
LEARNER = 0.02e9  # reward process, SB3's objects
STEP_COPIES = 5  # of a rollout's float32 rows: where they are made, stacked, shuffled; SB3's own buffer
COLUMN_COPIES = 6  # of float64 columns: step buffer, in order of envs, computed, both ends of a call
WEIGHT_COPIES = 12  # weights, gradients, moments, here and in SB3's policy, and temporary copies
LEAST_ASKED = 64  # numbers a step that programs ask for; the next may ask for more than the known ones
JUDGED_AT_ONCE, LONGEST = 128, 10_000  # episodes, and steps of one, in the judging of cohorts
PENDING = 2_048  # rows that wait for SAC's rewards


def footprint(plan: Plan, vocabulary: Vocabulary) -> Footprint:
    """Of the trainings of a run."""
    training = plan.training
    given, seen = training.hyperparameters, _numbers(vocabulary, ("obs", "achieved_goal", "desired_goal"))
    acted, asked = _numbers(vocabulary, ("action",)), _asked(plan.task, vocabulary)
    weights = 4.0 * WEIGHT_COPIES * _weights(given, seen, acted, training.algorithm)
    if training.algorithm == "sac":
        row = 2 * 8 * seen + 4 * acted + 12 + (8 * asked if given.get("her") else 0)
        most = plan.steps + training.relabel + PENDING
        kept = min(int(given.get("buffer_size", 1_000_000)), most) * row
        return Footprint(WORKER + kept, LEARNER + weights + PENDING * 8 * COLUMN_COPIES * asked, 1)
    rollout = int(given.get("n_steps", 2_048)) * int(given.get("n_envs", 1))
    step = 4 * STEP_COPIES * (seen + acted + 6) + 8 * COLUMN_COPIES * asked
    learner = LEARNER + weights + rollout * step
    if training.trainer == "sb3":
        return Footprint(WORKER, learner, 1)
    judged = JUDGED_AT_ONCE * min(vocabulary.horizon or LONGEST, LONGEST) * 8.0 * COLUMN_COPIES
    return Footprint(WORKER + judged * _known((plan.task.fitness, plan.task.success), vocabulary), learner)


def _asked(task: Task, vocabulary: Vocabulary) -> int:
    """Numbers a step that are recorded for a program and the judge, estimated from the known programs."""
    known = _known((task.fitness, task.success, task.sparse, task.human), vocabulary)
    return max(LEAST_ASKED, 2 * known)


def _known(sources: Iterable[str | None], vocabulary: Vocabulary) -> int:
    """Numbers a step that these programs name."""
    words = {word for source in sources for word in re.findall(r"\w+", source or "")}
    found = {vocabulary.find(word, hidden=True) for word in words}
    return sum(prod(each.shape) for each in found if each is not None)


def _numbers(vocabulary: Vocabulary, names: Iterable[str]) -> int:
    found = (vocabulary.find(name, hidden=True) for name in names)
    return sum(prod(each.shape) for each in found if each is not None)


def _weights(given: Mapping[str, Any], seen: int, acted: int, algorithm: str) -> int:
    """Of all of a learner's networks."""
    usual = (64, 64) if algorithm == "ppo" else (256, 256)
    layers = (given.get("policy_kwargs") or {}).get("net_arch", usual)
    parts = list(layers.values()) if isinstance(layers, Mapping) else [layers] * 2
    networks = parts if algorithm == "ppo" else [parts[0], *[parts[-1]] * 4]  # critics, and their targets
    return sum(out * (into + 1) for part in networks for into, out in pairwise([seen + acted, *part, acted]))
