from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from eureka_loop.envs.domain import Domain
from eureka_loop.envs.registry import find_domain, find_task
from eureka_loop.records import Task
from eureka_loop.simulate.batched import BatchedEnvs, why_not_batched
from eureka_loop.simulate.recorded import RecordedVecEnv

NAMES = ["obs", "prev_action", "torso_height", "foot_contact", "air_time", "torso_turn", "init_qpos"]


def hopper(**kwargs: Any) -> tuple[Task, Domain]:
    task = replace(find_task("hopper-hop"), env_kwargs=kwargs)
    return task, find_domain(task.env_id)


def make(seeds: Sequence[int] = (0, 1, 2), names: Any = NAMES) -> BatchedEnvs:
    return BatchedEnvs(*hopper(max_episode_steps=30), names, seeds)


def test_starts_are_drawn_by_the_seeds() -> None:
    """Reset after reset as Gymnasium's; any seeds in any order."""
    expected = RecordedVecEnv(*hopper(), [], 3, 40).reset()
    np.testing.assert_array_equal(make(range(40, 43)).reset(), expected)
    envs = make([42, 41, 42])
    np.testing.assert_array_equal(envs.reset(), np.asarray(expected)[[2, 1, 2]])
    assert (envs.reset() != expected).any()


def test_why_a_task_cannot_be_batched() -> None:
    task, domain = hopper()
    assert why_not_batched(task, domain, NAMES) == ""
    other = replace(task, env_id="Hopper-v4")
    assert "no domain file states Hopper-v4" in why_not_batched(other, find_domain("Hopper-v4"), [])
    other = replace(task, env_kwargs={"reset_noise_scale": 0.1, "max_episode_steps": 9})
    assert "not with reset_noise_scale" in why_not_batched(other, domain, [])
    assert "unknown observable 'nothing'" in why_not_batched(task, domain, ["nothing"])
    assert "only the env itself computes" in why_not_batched(task, domain, ["info_reward_survive"])
    with_reason = replace(domain, vectorised=None, not_vectorised="it hops as it likes")
    assert why_not_batched(task, with_reason, []) == "it hops as it likes"
    by_task = replace(domain, vectorised=lambda each: domain.vectorised if each.name == "other" else None)
    assert "no domain file states" in why_not_batched(task, by_task, [])
    assert why_not_batched(replace(task, name="other"), by_task, []) == ""


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"observation": lambda qpos, qvel: np.concatenate([qpos[:, 1:], qvel / 2.0], axis=1)},
            "observations aren't what its domain file states: step 1",
        ),
        ({"observation": lambda qpos: qpos}, "observations aren't what its domain file states"),
        (
            {"terminated": lambda rootz_position: rootz_position > 0.0},
            "episodes don't end as its domain file states: step 1",
        ),
        ({"observation": lambda qpos, elbow: qpos}, "'elbow' is neither an observable nor an array"),
        ({"observation": lambda torso_turn: torso_turn}, "which has a memory"),
        ({"terminated": lambda init_qpos: init_qpos[:, 0] > 0.0}, "which has a memory"),
        ({"terminated": lambda foot_contact: foot_contact > 0.0}, "can't depend on"),
    ],
)
def test_a_domains_functions_are_tried(changes: dict[str, Callable[..., Any]], message: str) -> None:
    task, domain = hopper()
    assert domain.vectorised is not None
    changed = replace(domain, vectorised=replace(domain.vectorised, **changes))
    assert message in why_not_batched(task, changed, [])
