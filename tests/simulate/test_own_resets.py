"""Envs whose episodes begin by resetting an env for every copy: copies keep what is theirs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from eureka_loop.envs.registry import find_domain, find_task, installed
from eureka_loop.records import Array
from eureka_loop.simulate.batched import BatchedEnvs

LIMIT, STEPS = 12, 30


def case(name: str) -> Any:
    extra = find_domain(find_task(name).env_id).extra
    marks = [] if installed(extra) else [pytest.mark.skip(f"needs the extra {extra!r}")]
    return pytest.param(name, marks=marks)


TASKS = pytest.mark.parametrize(
    "name",
    [
        case(name)
        for name in (
            "adroit-relocate",
            "adroit-pen",
            "fetch-push",
            "fetch-pick-and-place",
            "metaworld-drawer-open",
            "pointmaze-umaze",
        )
    ],
)


def make(name: str, seed: Any, n_envs: int, threads: int = 1) -> BatchedEnvs:
    task = find_task(name)
    short = replace(task, env_kwargs={**task.env_kwargs, "max_episode_steps": LIMIT})
    names = ["obs", "prev_action", "init_obs", *(each.name for each in find_domain(task.env_id).observables)]
    return BatchedEnvs(short, find_domain(task.env_id), names, n_envs, seed, threads)


def run(envs: BatchedEnvs, moves: Array) -> Array:
    """(steps, N, D)."""
    return np.stack([envs.step(move).obs for move in moves])


def moves_of(envs: BatchedEnvs) -> Array:
    shape = (STEPS, envs.n_envs, len(envs.action_low))
    return np.random.default_rng(1).uniform(-1.0, 1.0, shape).astype(np.float32)


@TASKS
def test_neither_threads_nor_neighbours_matter(name: str) -> None:
    whole, threaded, alone = make(name, 10, 5), make(name, 10, 5, threads=3), make(name, 13, 1)
    moves = moves_of(whole)
    first = whole.reset()
    assert len(np.unique(first, axis=0)) == 5  # every copy has its own start
    np.testing.assert_array_equal(first, threaded.reset())
    np.testing.assert_array_equal(first[3:4], alone.reset())
    expected = run(whole, moves)
    np.testing.assert_array_equal(run(threaded, moves), expected)
    np.testing.assert_array_equal(run(alone, moves[:, 3:4]), expected[:, 3:4])
    threaded.close()


@TASKS
def test_goes_on_elsewhere_as_if_nothing_had_been(name: str) -> None:
    """Bit for bit, in another order and in the middle of an episode; later resets included."""
    whole = make(name, 10, 3)
    moves = moves_of(whole)
    whole.reset()
    run(whole, moves[:7])
    whole.take()
    parts = [whole.snapshot(slice(index, index + 1)) for index in (2, 0)]
    expected, later = run(whole, moves[7:]), whole.take()
    other = make(name, 99, 2)
    other.reset()
    other.restore(parts)
    np.testing.assert_array_equal(run(other, moves[7:][:, [2, 0]]), expected[:, [2, 0]])
    taken = other.take()
    for column in taken.columns:
        for index, origin in enumerate((2, 0)):
            mine, theirs = taken.env_index == index, later.env_index == origin
            np.testing.assert_array_equal(taken.columns[column][mine], later.columns[column][theirs], column)
