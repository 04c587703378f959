"""The contract of every registered task. A new domain file gets these tests by being registered."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from stable_baselines3.common.preprocessing import check_for_nested_spaces

from eureka_loop.envs.domain import OURS
from eureka_loop.envs.registry import domains, find_domain, installed, suites, tasks
from eureka_loop.records import Task
from eureka_loop.reward.contract import Kind
from eureka_loop.reward.gate import check
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.sandbox.trial import try_out


def case(task: Task, *parts: str) -> Any:
    """A parameter of a test, skipped where the task's env isn't installed."""
    extra = find_domain(task.env_id).extra
    marks = [] if installed(extra) else [pytest.mark.skip(f"needs the extra {extra!r}")]
    return pytest.param(task, *parts, id="-".join((task.name, *parts)), marks=marks)


def env_of(task: Task) -> str:
    """The kitchen is one env, whatever is to be done in it."""
    return f"{task.env_id} {task.env_kwargs if 'tasks_to_complete' not in task.env_kwargs else ''}"


ENVS = pytest.mark.parametrize(
    "task", [case(task) for task in {env_of(task): task for task in tasks().values()}.values()]
)
WITH_NATIVE = [task for task in tasks().values() if task.human and task.human_source != OURS]
NATIVE = pytest.mark.parametrize("task", [case(task) for task in WITH_NATIVE])
GYMNASIUMS = pytest.mark.parametrize("task", suites()["gymnasium"], ids=lambda task: task.name)
LONGER = pytest.mark.parametrize(
    "task", [case(task) for task in WITH_NATIVE if find_domain(task.env_id).extra]
)
PROGRAMS = [
    case(task, part)
    for task in tasks().values()
    for part in ("fitness", "success", "sparse", "human")
    if getattr(task, part)
]
ONE = re.compile(r"(?:^|[;:] )1 (?!(?:c?m|rad|s|kg)\b)[a-z]")  # "1 while …", "…: 1 upright"
OUT_OF_REACH = {"nail_left"}  # for random actions
KIN = 4  # envs of a domain that are looked at together
KINDS: dict[str, Kind] = {"fitness": "fitness", "success": "success"}  # the others are rewards

Steps = Callable[[str], Any]
Distance = Callable[..., float]


def own_names(task: Task) -> list[str]:
    return [each.name for each in find_domain(task.env_id).observables]


@pytest.mark.parametrize("task", tasks().values(), ids=lambda task: task.name)
def test_the_task_says_what_it_is(task: Task) -> None:
    assert task.text.endswith(".")
    assert len(task.text.split()) >= 5
    assert task.fitness
    assert task.sparse
    assert bool(task.human) == bool(task.human_source)


@ENVS
def test_own_observables_are_described(task: Task) -> None:
    observables = find_domain(task.env_id).observables
    assert observables
    for each in observables:
        assert each.description.endswith("."), each.name
        assert each.unit or ONE.search(each.description), f"{each.name}: neither a unit nor what 1 means"
        signed = any(word in each.name for word in ("velocity", "angle", "pitch", "bend", "position"))
        if signed and each.shape == ():
            assert "positive:" in each.description, f"{each.name}: which way is positive?"


def test_what_1_means_is_no_number_in_passing() -> None:
    assert ONE.search("1 where the foot touches the floor, else 0.")
    assert ONE.search("How upright the torso is: 1 upright, 0 lying.")
    for words in (
        "Above 1 m it counts.",
        "Between 1 and 2.",
        "Joint 1 of the arm.",
        "Cosine: 1 m long.",
        "10 steps.",
    ):
        assert not ONE.search(words), words


@ENVS
def test_own_observables_come_first(task: Task, random_steps: Steps) -> None:
    vocabulary = random_steps(task.name).vocabulary
    own = own_names(task)
    assert vocabulary.names()[: len(own)] == own


@ENVS
def test_columns_are_as_declared_and_finite(task: Task, random_steps: Steps) -> None:
    rollout = random_steps(task.name)
    for observable in rollout.vocabulary:
        column = rollout.transitions.columns[observable.name]
        assert column.shape == (len(rollout.transitions), *observable.shape), observable.name
        assert column.dtype == np.float64, observable.name
        assert np.isfinite(column).all(), observable.name


@pytest.mark.parametrize("task", [case(domain.tasks[0]) for domain in domains()])
def test_no_own_observable_is_constant(task: Task, random_steps: Steps, scripted_steps: Steps) -> None:
    """Random actions may leave an object alone that a scripted policy moves, and a part of a place that is
    the same everywhere.
    """
    kin = [each.name for each in find_domain(task.env_id).tasks[:KIN]]
    rollouts = [*map(random_steps, kin), *map(scripted_steps, kin)]
    for name in own_names(task):
        columns = [rollout.transitions.columns[name] for rollout in rollouts if rollout]
        assert (np.ptp(np.concatenate(columns), axis=0) > 0).any() or name in OUT_OF_REACH, name


@ENVS
def test_stable_baselines_takes_the_observations(task: Task, random_steps: Steps) -> None:
    """A space that it knows, and what is said to be in it."""
    rollout = random_steps(task.name)
    check_for_nested_spaces(rollout.space)
    assert rollout.space.contains(rollout.first)


@ENVS
def test_equal_seeds_give_equal_rows(
    task: Task, random_steps: Steps, same_steps: Callable[[str, int], Any]
) -> None:
    steps = 15 if find_domain(task.env_id).extra else 60
    once, again = random_steps(task.name), same_steps(task.name, steps)
    for name, column in again.transitions.columns.items():
        assert np.array_equal(column, once.transitions.columns[name][:steps]), name


@pytest.mark.parametrize(("task", "part"), PROGRAMS)
def test_the_gate_accepts_the_program(task: Task, part: str, random_steps: Steps) -> None:
    """As it would a model's: without hidden observables such as the env's own reward."""
    program = check(getattr(task, part), random_steps(task.name).vocabulary, KINDS.get(part, "reward"))
    assert '"""' in program.source


@pytest.mark.parametrize(
    ("task", "part"), [each for each in PROGRAMS if each.values[1] in ("sparse", "human")]
)
def test_the_reward_passes_the_trial(
    task: Task, part: str, random_steps: Steps, fork_server: ForkServer
) -> None:
    """Deterministic, rows independent, terms finite and in range."""
    rollout = random_steps(task.name)
    program = check(getattr(task, part), rollout.vocabulary)
    shapes = {name: rollout.vocabulary.resolve(name).shape for name in program.parameters}
    try_out(fork_server, program, rollout.transitions.columns, shapes)


@NATIVE
def test_the_human_reward_is_the_native_one(
    task: Task, random_steps: Steps, off_native: Distance, fork_server: ForkServer
) -> None:
    """On every random-action step; what is left is float32: envs square the actions in it."""
    rollout = random_steps(task.name)
    vocabulary, taken = rollout.vocabulary, rollout.transitions
    assert taken.episode_start[1:].any() or vocabulary.horizon >= len(taken)
    assert off_native(task, fork_server, vocabulary, taken.columns) <= 1e-6


@pytest.mark.slow
@LONGER
def test_it_is_so_over_a_thousand_steps(
    task: Task, rollout_of: Callable[..., Any], off_native: Distance, fork_server: ForkServer
) -> None:
    """As where no extra is needed, and in episodes of the env's own length."""
    rollout = rollout_of(task, None, seed=1, steps=1000)
    assert off_native(task, fork_server, rollout.vocabulary, rollout.transitions.columns) <= 1e-6


@GYMNASIUMS
def test_the_human_reward_is_the_native_one_when_the_task_is_done_well(
    task: Task, scripted_steps: Steps, off_native: Distance, fork_server: ForkServer
) -> None:
    """Those of the extras: `test_robotics`, `test_metaworld`."""
    rollout = scripted_steps(task.name)
    if rollout is None:
        pytest.skip("nobody has scripted a policy for it")
    assert off_native(task, fork_server, rollout.vocabulary, rollout.transitions.columns) <= 1e-6


@ENVS
def test_no_visible_observable_gives_the_native_reward_away(task: Task, random_steps: Steps) -> None:
    """Parts of the env's own reward in `info` would hand a designer the hand-written one."""
    rollout = random_steps(task.name)
    own = rollout.transitions.columns["native_reward"]
    for observable in rollout.vocabulary:
        if observable.name.startswith("info_") and not observable.hidden:
            words = ("reward", "penalty", "cost", "bonus")
            assert not any(word in observable.name for word in words), observable.name
            assert not np.ptp(own) or not np.array_equal(rollout.transitions.columns[observable.name], own)
