"""The contract of every registered task. A new domain file gets these tests by being registered."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from stable_baselines3.common.preprocessing import check_for_nested_spaces

from eureka_loop.envs.domain import OURS
from eureka_loop.envs.registry import domains, find_domain, find_task, installed, tasks
from eureka_loop.judge.base import TaskJudge
from eureka_loop.records import Array, Task
from eureka_loop.reward.gate import check
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.sandbox.trial import try_out


def case(task: Task) -> Any:
    """A parameter of a test, skipped where the task's env isn't installed."""
    extra = find_domain(task.env_id).extra
    marks = [] if installed(extra) else [pytest.mark.skip(f"needs the extra {extra!r}")]
    return pytest.param(task, id=task.name, marks=marks)


def env_of(task: Task) -> str:
    """The kitchen is one env, whatever the task."""
    return f"{task.env_id} {task.env_kwargs if 'tasks_to_complete' not in task.env_kwargs else ''}"


ENVS = pytest.mark.parametrize(
    "task", [case(task) for task in {env_of(task): task for task in tasks().values()}.values()]
)
WITH_NATIVE = [task for task in tasks().values() if task.human and task.human_source != OURS]
ONE = re.compile(r"(?:^|[;:] )1 (?!(?:c?m|rad|s|kg)\b)[a-z]")  # "1 while …", "…: 1 upright"
OUT_OF_REACH = {"nail_left", "object_moved", "object_velocity"}  # for random actions
TOGETHER = 4  # tasks of a domain that are looked at together

Steps = Callable[[str], Any]
Distance = Callable[..., float]


def own_names(task: Task) -> list[str]:
    return [each.name for each in find_domain(task.env_id).observables]


@pytest.mark.parametrize("task", [case(domain.tasks[0]) for domain in domains()])
def test_own_observables_are_described(task: Task) -> None:
    observables = find_domain(task.env_id).observables
    assert observables
    for each in observables:
        assert each.description.endswith("."), each.name
        assert each.unit or ONE.search(each.description), f"{each.name}: neither a unit nor what 1 means"
        signed = any(part in each.name for part in ("velocity", "angle", "pitch", "bend", "position"))
        if signed and each.shape == ():
            assert "positive:" in each.description, f"{each.name}: which direction is positive?"


@ENVS
def test_columns_are_as_declared_and_finite(task: Task, random_steps: Steps) -> None:
    """The domain's own come first, and no visible one gives the native reward away."""
    rollout = random_steps(task.name)
    columns, own = rollout.transitions.columns, own_names(task)
    assert rollout.vocabulary.names()[: len(own)] == own
    for observable in rollout.vocabulary:
        column = columns[observable.name]
        assert column.shape == (len(rollout.transitions), *observable.shape), observable.name
        assert column.dtype == np.float64, observable.name
        assert np.isfinite(column).all(), observable.name
        if observable.name.startswith("info_") and not observable.hidden:
            parts = ("reward", "penalty", "cost", "bonus")
            assert not any(part in observable.name for part in parts), observable.name
            native = columns["native_reward"]
            assert not np.ptp(native) or not np.array_equal(column, native), observable.name


@pytest.mark.parametrize("task", [case(domain.tasks[0]) for domain in domains()])
def test_no_own_observable_is_constant(task: Task, random_steps: Steps) -> None:
    names = [each.name for each in find_domain(task.env_id).tasks[:TOGETHER]]
    rollouts = [*map(random_steps, names)]
    for name in own_names(task):
        columns = [rollout.transitions.columns[name] for rollout in rollouts]
        assert (np.ptp(np.concatenate(columns), axis=0) > 0).any() or name in OUT_OF_REACH, name


@ENVS
def test_equal_seeds_give_equal_rows_of_observations_that_sb3_takes(
    task: Task, random_steps: Steps, rollout_of: Callable[..., Any]
) -> None:
    steps = 15 if find_domain(task.env_id).extra else 60
    once = random_steps(task.name)
    again = rollout_of(once.task, steps)
    check_for_nested_spaces(once.space)
    assert once.space.contains(once.first)
    for name, column in again.transitions.columns.items():
        assert np.array_equal(column, once.transitions.columns[name][:steps]), name


@pytest.mark.parametrize("task", [case(task) for task in tasks().values()])
def test_its_programs_are_accepted(task: Task, random_steps: Steps, fork_server: ForkServer) -> None:
    """As a model's would be: without hidden observables; rewards pass the trial on recorded rows, and every
    episode gets a score.
    """
    assert task.text.endswith(".")
    assert len(task.text.split()) >= 5
    assert bool(task.human) == bool(task.human_source)
    assert task.success or not task.progress
    rollout = random_steps(task.name)
    assert '"""' in check(task.fitness, rollout.vocabulary, "fitness").source
    for kind in ("success", "progress"):
        if source := getattr(task, kind):
            assert '"""' in check(source, rollout.vocabulary, kind).source
    for source in filter(None, (task.sparse, task.human)):
        program = check(source, rollout.vocabulary)
        assert '"""' in source
        shapes = rollout.vocabulary.shapes(program.parameters)
        try_out(fork_server, program, rollout.transitions.columns, shapes)
    assert task.sparse
    with TaskJudge(fork_server, task, rollout.vocabulary) as judge:
        for episode in rollout.episodes:
            judged = judge.judge(0, episode)
            assert np.isfinite([judged.fitness, judged.progress or 0.0]).all()
            assert judged.success in ((0.0, 1.0) if task.success else (None,))
            assert (judged.progress is None) is (task.progress is None or judged.success == 1.0)


@pytest.mark.parametrize("task", [case(task) for task in WITH_NATIVE])
def test_the_human_reward_is_the_native_one(
    task: Task, random_steps: Steps, off_native: Distance, fork_server: ForkServer
) -> None:
    """On every random-action step; what is left is float32: envs square the actions in it."""
    rollout = random_steps(task.name)
    vocabulary, taken = rollout.vocabulary, rollout.transitions
    assert taken.episode_start[1:].any() or vocabulary.horizon >= len(taken)
    assert off_native(task, fork_server, vocabulary, taken.columns) <= 1e-6


@pytest.mark.parametrize("name", ["hopper-hop", "walker2d-walk", "ant-run", "humanoid-run"])
def test_falling_early_costs(name: str, fork_server: ForkServer, random_steps: Steps) -> None:
    """The same speed for a tenth of the time is worth a tenth, not the same."""
    with TaskJudge(fork_server, find_task(name), random_steps(name).vocabulary) as judge:
        whole, short = (judge.measure(walk(steps))[0] for steps in (1000, 100))
    assert whole == pytest.approx(2.0)
    assert short == pytest.approx(0.2)


def walk(steps: int, horizon: int = 1000, dt: float = 0.01, speed: float = 2.0) -> dict[str, Array]:
    """An episode at constant speed that ends, if before the horizon, in a fall."""
    time = dt * np.arange(1, steps + 1)
    terminated = np.zeros(steps)
    terminated[-1] = steps < horizon
    return {
        "forward_velocity": np.full(steps, speed),
        "dt": np.full(steps, dt),
        "time": time,
        "time_left": horizon * dt - time,
        "terminated": terminated,
    }
