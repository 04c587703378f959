from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from eureka_loop.envs.domain import Domain
from eureka_loop.envs.registry import find_domain, find_task
from eureka_loop.errors import BadInput, UnknownName
from eureka_loop.records import Array, Task
from eureka_loop.simulate.batched import BatchedEnvs, why_not_batched
from eureka_loop.simulate.episodes import EpisodeCollector
from eureka_loop.simulate.recorded import RecordedVecEnv

NAMES = [
    "obs",
    "action",
    "prev_action",
    "torso_height",
    "foot_contact",
    "air_time",
    "torso_turn",
    "init_qpos",
]


def hopper(**kwargs: Any) -> tuple[Task, Domain]:
    task = replace(find_task("hopper-hop"), env_kwargs=kwargs)
    return task, find_domain(task.env_id)


def make(
    n_envs: int = 3, seed: Any = 0, names: Any = NAMES, threads: int = 1, limit: int = 30, **options: Any
) -> BatchedEnvs:
    return BatchedEnvs(*hopper(max_episode_steps=limit), names, n_envs, seed, threads, **options)


def actions(steps: int, n_envs: int) -> Array:
    return np.random.default_rng(1).uniform(-1.0, 1.0, (steps, n_envs, 3))


def run(envs: BatchedEnvs, moves: Array) -> list[Any]:
    return [envs.reset(), *(envs.step(move) for move in moves)]


def test_neither_threads_nor_neighbours_matter() -> None:
    """Bit for bit: an env is the same alone, among others, and on any thread."""
    moves = actions(60, 5)
    whole = make(5, 10)
    threaded = make(5, 10, threads=3)
    first, second = run(whole, moves), run(threaded, moves)
    taken, other = whole.take(), threaded.take()
    for one, two in zip(first[1:], second[1:], strict=True):
        for got, expected in zip(one, two, strict=True):
            np.testing.assert_array_equal(got, expected)
    for name in NAMES:
        np.testing.assert_array_equal(taken.columns[name], other.columns[name], err_msg=name)
    alone = make(1, 13)
    run(alone, moves[:, 3:4])
    mine = taken.env_index == 3
    for name, column in alone.take().columns.items():
        np.testing.assert_array_equal(column, taken.columns[name][mine], err_msg=name)
    threaded.close()


def test_taking_often_gives_the_same_as_taking_once() -> None:
    moves = actions(100, 3)
    once, often = make(), make()
    run(once, moves)
    whole = once.take()
    pieces: list[list[Any]] = [[], [], []]
    often.reset()
    for step, move in enumerate(moves):
        often.step(move)
        if step % 7 == 0 or step == 99:
            taken = often.take()
            for env in range(3):
                pieces[env].append((taken, taken.env_index == env))
    assert whole.done.sum() > 3
    for name in NAMES:
        parts = [taken.columns[name][mine] for env in pieces for taken, mine in env]
        np.testing.assert_array_equal(np.concatenate(parts), whole.columns[name], err_msg=name)
    for field in ("episode_start", "done", "truncated"):
        parts = [getattr(taken, field)[mine] for env in pieces for taken, mine in env]
        np.testing.assert_array_equal(np.concatenate(parts), getattr(whole, field))


def test_the_steps_results() -> None:
    envs = make(limit=12)
    assert envs.observation_size == 11
    np.testing.assert_array_equal(envs.action_low, -np.ones(3))
    np.testing.assert_array_equal(envs.action_high, np.ones(3))
    assert envs.action_low.dtype == np.float64
    first = envs.reset()
    kept = first.copy()
    seen, cut = 0, 0
    for move in actions(60, 3):
        step = envs.step(move)
        done = step.terminated | step.truncated
        assert step.obs.shape == step.terminal_obs.shape == (3, 11)
        np.testing.assert_array_equal(step.obs[~done], step.terminal_obs[~done])
        assert (step.obs[done] != step.terminal_obs[done]).any(axis=1).all()
        assert (np.abs(step.obs[done][:, 0] - 1.25) < 0.01).all()  # the next episode has begun
        seen, cut = seen + int(done.sum()), cut + int(step.truncated.sum())
    assert seen >= cut >= 3
    np.testing.assert_array_equal(first, kept)  # what was handed out doesn't change
    assert envs.take().columns["obs"].shape == (180, 11)
    assert len(envs.take()) == 0


def test_starts_are_the_seeds() -> None:
    """Reset after reset as Gymnasium's; any seeds in any order; `seed` begins again."""
    task, domain = hopper()
    single = RecordedVecEnv(task, domain, [], 3, 40)
    expected = single.reset()
    np.testing.assert_array_equal(make(3, 40).reset(), expected)
    envs = make(3, [42, 41, 42])
    np.testing.assert_array_equal(envs.reset(), np.asarray(expected)[[2, 1, 2]])
    assert (envs.reset() != expected).any()
    envs.seed(np.int64(40))  # type: ignore[arg-type]
    np.testing.assert_array_equal(envs.reset(), expected)
    with pytest.raises(ValueError, match="2 seeds for 3 envs"):
        envs.seed([1, 2])


def test_a_reset_breaks_episodes_off() -> None:
    envs = make(limit=1000)
    moves = actions(5, 3)
    run(envs, moves)
    run(envs, moves)
    taken = envs.take()
    np.testing.assert_array_equal(np.flatnonzero(taken.episode_start), [0, 5, 10, 15, 20, 25])
    assert not taken.done.any()
    assert EpisodeCollector(3).add(taken) == []
    assert taken.columns["air_time"].max() <= 5 * envs.vocabulary.dt


def test_names() -> None:
    with pytest.raises(UnknownName, match="did you mean 'foot_contact'"):
        make(names=["fot_contact"])
    with pytest.raises(BadInput, match="only the env itself knows 'native_reward'"):
        make(names=["native_reward"])
    assert make(names=["action", "action"]).names == ("action",)


def test_serves_says_why_not() -> None:
    task, domain = hopper()
    assert why_not_batched(task, domain, NAMES) == ""
    assert "no domain file states Hopper-v4" in why_not_batched(
        replace(task, env_id="Hopper-v4"), find_domain("Hopper-v4"), []
    )
    assert "not with reset_noise_scale" in why_not_batched(
        replace(task, env_kwargs={"reset_noise_scale": 0.1, "max_episode_steps": 9}), domain, []
    )
    assert "unknown observable 'nothing'" in why_not_batched(task, domain, ["nothing"])
    assert "only the env itself knows" in why_not_batched(task, domain, ["info_reward_survive"])


def test_serves_gives_the_domains_reason() -> None:
    task, domain = hopper()
    other = replace(domain, vectorised=None, not_vectorised="it hops as it likes")
    assert why_not_batched(task, other, []) == "it hops as it likes"
    by_task = replace(domain, vectorised=lambda asked: domain.vectorised if asked.name == "other" else None)  # type: ignore[arg-type, return-value]
    assert "no domain file states" in why_not_batched(task, by_task, [])
    assert why_not_batched(replace(task, name="other"), by_task, []) == ""


def stated(**changes: Callable[..., Any]) -> tuple[Task, Domain]:
    """The hopper, some of its functions replaced."""
    task, domain = hopper()
    assert domain.vectorised is not None
    return task, replace(domain, vectorised=replace(domain.vectorised, **changes))  # type: ignore[arg-type]


def test_serves_tries_what_a_domain_states() -> None:
    half = stated(observation=lambda qpos, qvel: np.concatenate([qpos[:, 1:], qvel / 2.0], axis=1))
    assert "observations aren't what its domain file states: step 0" in why_not_batched(*half, [])
    short = stated(observation=lambda qpos: qpos)
    assert "observations aren't what its domain file states" in why_not_batched(*short, [])
    never = stated(terminated=lambda rootz_position: rootz_position > 0.0)
    assert "episodes don't end as its domain file states: step 1" in why_not_batched(*never, [])
    nowhere = stated(observation=lambda qpos, elbow: qpos)
    assert "'elbow' is neither an observable nor an array" in why_not_batched(*nowhere, [])
    past = stated(observation=lambda torso_turn: torso_turn)
    assert "which has a memory" in why_not_batched(*past, [])
    late = stated(terminated=lambda prev_qpos: prev_qpos[:, 0] > 0.0)
    assert "which has a memory" in why_not_batched(*late, [])
    contact = stated(terminated=lambda foot_contact: foot_contact > 0.0)
    assert "can't depend on" in why_not_batched(*contact, [])
