"""Parameters: observables by name, weights after the star."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Check = Callable[..., list[str]]


def signature(parameters: str) -> str:
    return f'def compute_reward({parameters}):\n    return {{"up": torso_up[:, 2]}}\n'


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (
            "torso_up, torso_vel",
            "unknown observable 'torso_vel'; did you mean 'torso_linvel' (N, 3) m/s or 'torso_angvel' (N, 3) rad/s?",
        ),
        (
            "torso_up, forward_velocty",
            "unknown observable 'forward_velocty'; did you mean 'forward_velocity' (N,) m/s?",
        ),
        (
            "torso_up, prev_torso_linvl",
            "unknown observable 'prev_torso_linvl'; did you mean 'prev_torso_linvel' (N, 3) m/s?",
        ),
        (
            "torso_up, prev_prev_action",
            "unknown observable 'prev_prev_action'; did you mean 'prev_action' (N, 8)?",
        ),
        ("torso_up, xyzzy", "unknown observable 'xyzzy'"),
        (
            "self, torso_up",
            "there is no `self`: a program is a plain function; ask for each quantity by its name",
        ),
        (
            "torso_up, env",
            "there is no `env`: a program is a plain function; ask for each quantity by its name",
        ),
        ("torso_up, info", "unknown observable 'info': its numbers are observables: `info_<key>`"),
        (
            "torso_up, done",
            "unknown observable 'done': write `terminated`, 1 where the episode ended by itself",
        ),
        (
            "torso_up, next_obs",
            "unknown observable 'next_obs': `obs` is the observation after the step, `prev_obs` the one before",
        ),
        (
            "torso_up, info_reward_ctrl",
            "'info_reward_ctrl' is the env's own reward or part of it; a program can't ask for it",
        ),
        ("torso_up, *args", "`*args`: name every observable it needs"),
        ("torso_up, **kwargs", "`**kwargs`: name every weight, with its default"),
        ("torso_up, /, action", "leave the `/` out: parameters are handed over by name"),
        ("torso_up, action=None", "`action` is an observable: leave its default out"),
        (
            "torso_up, action, w=1.0",
            "`w` is a weight: it stands after `*`: `def compute_reward(torso_up, action, *, w=1.0):`",
        ),
        (
            "torso_up, w=1.0, v=2, *, u=0.5",
            "`w`, `v` are weights: they stand after `*`: `def compute_reward(torso_up, *, w=1.0, v=2, u=0.5):`",
        ),
        ("torso_up, *, w", "weight `w` needs a default, a number: `w=1.0`"),
        ("torso_up, *, w=None", "weight `w=None`: a weight is one finite number, `w=1.0`"),
        ("torso_up, *, w=True", "weight `w=True`: a weight is one finite number, `w=1.0`"),
        ("torso_up, *, w='a'", "weight `w='a'`: a weight is one finite number, `w=1.0`"),
        ("torso_up, *, w=1e999", "weight `w=1e309`: a weight is one finite number, `w=1.0`"),
        (
            "torso_up, *, w=(1, 2)",
            "weight `w=(1, 2)`: a weight is one finite number, or a constant above the function",
        ),
        ("torso_up, *, action=1.0", "`action` is an observable: it stands before the `*`"),
    ],
)
def test_a_parameter_that_cant_be(problems: Check, parameters: str, message: str) -> None:
    assert problems(signature(parameters)) == [f"Line 1: {message}"]


def test_a_geom_of_that_name(problems: Check) -> None:
    source = 'def compute_reward(right_hand_pos):\n    return {"up": right_hand_pos[:, 2]}\n'
    assert problems(source, "humanoid") == [
        "Line 1: unknown observable 'right_hand_pos'; did you mean 'right_hand_geom_pos' (N, 3) m "
        "(no body or site 'right_hand', but a geom)?"
    ]


def test_every_parameter_is_told_at_its_own_line(problems: Check) -> None:
    source = 'def compute_reward(\n    torso_up,\n    nonsense_a,\n    *,\n    w,\n):\n    return {"up": torso_up[:, 2]}\n'
    assert [problem.split(":")[0] for problem in problems(source)] == ["Line 3", "Line 5"]


def test_no_observable_at_all(problems: Check) -> None:
    assert "names no observable" in problems('def compute_reward():\n    return {"a": 1.0}\n')[0]


@pytest.mark.parametrize(
    "weight", ["w=1", "w=-0.5", "w=+2.0", "w=1e-3", "w=2 * np.pi", "w=math.pi / 2", "w: float = 3"]
)
def test_a_number_is_a_weight(problems: Check, weight: str) -> None:
    assert problems(signature(f"torso_up, *, {weight}")) == []
