"""Expressions that a person types after --fitness."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from eureka_loop.errors import BadInput, EurekaError, Refused, RewardFailure, UnknownName
from eureka_loop.reward.expression import as_reward, episode_mean
from eureka_loop.reward.sandbox.process import Terms
from tests.reward.conftest import vocabulary_of

ANT = vocabulary_of("ant")
Run = Callable[..., Terms]


def test_the_episode_mean_of_an_observable() -> None:
    assert episode_mean("forward_velocity", ANT) == (
        "def fitness(forward_velocity):\n    return np.mean(forward_velocity, axis=0)\n"
    )


def test_an_expression_names_its_observables_in_order() -> None:
    source = episode_mean("prev_torso_pos[:, 0] - 0.1*norm(action) + torso_pos[:, 0] ", ANT)
    assert source.startswith("def fitness(prev_torso_pos, action, torso_pos):\n")


@pytest.mark.parametrize(
    "expression",
    [
        "torso_pos[-1, 0] - torso_pos[0, 0]",
        "np.max(torso_pos[:, 2])",
        "forward_velocity - forward_velocity.max()",
        "np.sum(action, axis=1) * len(action)",
        "action.sum(1) > 0",
        "tolerance(forward_velocity, (1, 2), 1.0, 'linear') + np.where(time > 1, 1, 0)",
    ],
)
def test_it_is_one_number_an_episode(expression: str, dry_run: Run) -> None:
    assert dry_run(episode_mean(expression, ANT), kind="fitness").names == ("fitness",)


@pytest.mark.parametrize("expression", ["torso_pos", "forward_velocity if terminated > 0 else time"])
def test_an_expression_that_is_no_number_a_step_fails_when_it_is_tried(expression: str, dry_run: Run) -> None:
    with pytest.raises(RewardFailure, match=r"take a component, `\[:, 0\]`|`if` on an array of N rows"):
        dry_run(episode_mean(expression, ANT), kind="fitness")


def test_hidden_observables_may_be_chosen_by_a_person() -> None:
    assert "np.mean(native_reward, axis=0)" in episode_mean("native_reward", ANT)


@pytest.mark.parametrize(
    ("expression", "error", "message"),
    [
        ("forward_velocty", UnknownName, "did you mean 'forward_velocity'"),
        ("3.0", BadInput, "names no observable"),
        ("", BadInput, "is not one expression"),
        ("a = forward_velocity", BadInput, "is not one expression"),
        ("forward_velocity +", BadInput, "not valid Python"),
        ("(" * 300, BadInput, "too many nested parentheses"),
        ("-" * 3000 + "action", BadInput, "nested too deeply"),
        ("__import__('os').system('ls')", UnknownName, "unknown observable '__import__'"),
        ("forward_velocity.tofile('x')", Refused, r"`forward_velocity.tofile` can't be used"),
    ],
)
def test_a_bad_expression(expression: str, error: type[EurekaError], message: str) -> None:
    with pytest.raises(error, match=message):
        episode_mean(expression, ANT)


def test_the_same_expression_as_a_reward(dry_run: Run) -> None:
    source = as_reward("forward_velocity - norm(action)", ANT)
    assert source == (
        "def compute_reward(forward_velocity, action):\n"
        '    return {"fitness": forward_velocity - norm(action)}\n'
    )
    assert dry_run(source).names == ("fitness",)


@pytest.mark.parametrize("expression", ["torso_pos[-1, 0]", "forward_velocity.max()", "native_reward"])
def test_there_is_no_such_reward_where_it_needs_the_episode_or_hidden_names(expression: str) -> None:
    assert as_reward(expression, ANT) is None
