"""What a person types after --fitness."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from eureka_loop.errors import BadInput, EurekaError, Refused, UnknownName
from eureka_loop.reward.expression import as_reward, episode_mean
from eureka_loop.reward.vocabulary import Vocabulary

Vocabularies = Callable[[str], Vocabulary]


def test_the_episode_mean_of_an_observable(vocabularies: Vocabularies) -> None:
    assert episode_mean("forward_velocity", vocabularies("ant")) == (
        'def fitness(forward_velocity):\n    """Episode mean: forward_velocity."""\n'
        "    return np.mean(forward_velocity)\n"
    )


def test_an_expression_names_its_observables_in_order(vocabularies: Vocabularies) -> None:
    source = episode_mean("prev_torso_pos[:, 0] - 0.1*norm(action) + torso_pos[:, 0] ", vocabularies("ant"))
    assert source.startswith("def fitness(prev_torso_pos, action, torso_pos):\n")


def test_one_number_an_episode_is_left_as_it_is(vocabularies: Vocabularies) -> None:
    source = episode_mean("torso_pos[-1, 0] - torso_pos[0, 0]", vocabularies("ant"))
    assert source.endswith("    return torso_pos[-1, 0] - torso_pos[0, 0]\n")


def test_hidden_observables_may_be_chosen_by_a_person(vocabularies: Vocabularies) -> None:
    assert "np.mean(native_reward)" in episode_mean("native_reward", vocabularies("ant"))


@pytest.mark.parametrize(
    ("expression", "error", "message"),
    [
        ("forward_velocty", UnknownName, "did you mean 'forward_velocity'"),
        (
            "torso_pos",
            BadInput,
            r"has shape \(N, 3\), one number a step is needed: take a component, `torso_pos\[:, 0\]`",
        ),
        ("3.0", BadInput, "names no observable"),
        ("", BadInput, "is not one expression"),
        ("a = forward_velocity", BadInput, "is not one expression"),
        ("forward_velocity +", BadInput, "not valid Python"),
        ("(" * 300, BadInput, "too many nested parentheses"),
        ("-" * 3000 + "action", BadInput, "nested too deeply"),
        ("forward_velocity if terminated > 0 else time", Refused, "`if` on an array of N rows"),
        ("__import__('os').system('ls')", UnknownName, "unknown observable '__import__'"),
        ("forward_velocity.tofile('x')", Refused, r"`.tofile\(\)` can't be used"),
    ],
)
def test_a_bad_expression(
    expression: str, error: type[EurekaError], message: str, vocabularies: Vocabularies
) -> None:
    with pytest.raises(error, match=message):
        episode_mean(expression, vocabularies("ant"))


def test_the_same_expression_as_a_reward() -> None:
    assert as_reward("forward_velocity - norm(action)") == (
        'def compute_reward(forward_velocity, action):\n    """Nothing but the fitness: forward_velocity - '
        'norm(action)."""\n    return {"fitness": forward_velocity - norm(action)}\n'
    )


def test_quotes_in_an_expression_stay_out_of_the_docstring(vocabularies: Vocabularies) -> None:
    source = episode_mean(
        "tolerance(forward_velocity, (1, 2), 1.0, 'linear') + np.dot(time, time) * 0", vocabularies("ant")
    )
    assert "'linear'" in source
