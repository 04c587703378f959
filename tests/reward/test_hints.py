"""Answers of the dry run to wrong shapes and mixed rows: line, cause, what to write instead."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from eureka_loop.errors import RewardFailure
from eureka_loop.reward.sandbox.process import Terms
from tests.reward.conftest import with_body

Failure = Callable[..., RewardFailure]
Run = Callable[..., Terms]

CONDITIONS = [
    ("if torso_pos[:, 2] > 0.5:\n    x = 1.0\n    y = 2.0", "np.where(torso_pos[:, 2] > 0.5, a, b)"),
    (
        "x = 0.0\nif forward_velocity > 1 and not torso_pos[:, 2] < 0.5:\n    x += w",
        "np.where((forward_velocity > 1) & (~(torso_pos[:, 2] < 0.5)), a, b)",
    ),
    ("x = 1.0 if forward_velocity > 0 else -1.0", "np.where(forward_velocity > 0, 1.0, -1.0)"),
    ("x = 0.2 < torso_pos[:, 2] < 1.0", "(0.2 < torso_pos[:, 2]) & (torso_pos[:, 2] < 1.0)"),
    ("x = not forward_velocity > 0", "~(forward_velocity > 0)"),
    ("x = forward_velocity > 0 or w > 1", "(forward_velocity > 0) | (w > 1)"),
    ("x = max(forward_velocity, 0.0)", "np.maximum(forward_velocity, 0.0)"),
    ("x = math.exp(forward_velocity)", "np.exp(forward_velocity)"),
    ("x = float(forward_velocity)", "forward_velocity"),
]
REDUCTIONS = [
    ("x = torso_pos.mean()", "torso_pos.mean(axis=1)"),
    ("x = np.sum(action**2, axis=0)", "np.sum(action ** 2, axis=1)"),
    ("x = np.mean(forward_velocity)", "forward_velocity"),
    ("x = forward_velocity / forward_velocity.max()", "forward_velocity"),
    ("x = np.linalg.norm(forward_velocity)", "np.abs(forward_velocity)"),
    ("x = np.quantile(action, 0.5)", "np.quantile(action, 0.5, axis=1)"),
    (
        "x = np.max([forward_velocity, torso_pos[:, 0]])",
        "np.max([forward_velocity, torso_pos[:, 0]], axis=0)",
    ),
    ("x = sum(action)", "np.sum(action, axis=1)"),
    ("x = np.diff(torso_pos, axis=0)", "torso_pos - prev_torso_pos"),
    ("x = np.roll(forward_velocity, 1)", "forward_velocity - prev_forward_velocity"),
    ("x = np.sort(action, axis=0)", "axis=1"),
    ("x = torso_pos @ torso_pos", "dot(torso_pos, torso_pos)"),
    ("x = np.dot(forward_velocity, forward_velocity)", "forward_velocity * forward_velocity"),
]
INDICES = [
    ("x = torso_pos[2]", "torso_pos[:, 2]"),
    ("x = torso_pos[0, 2]", "torso_pos[:, 2]"),
    ("x = torso_pos[::-1]", "torso_pos[:, ::-1]"),
    ("x = forward_velocity[0]", "forward_velocity"),
    ("x = torso_pos[:, 3]", "torso_pos[:, -1]"),
    ("x = forward_velocity[:, 0]", "forward_velocity"),
    ("x, y, z = torso_pos", "x, y, z = torso_pos.T"),
]
SHAPES = [
    ("x = forward_velocity * torso_pos", "forward_velocity[:, None]"),
    ("x = forward_velocity - torso_pos[:, 2:3]", "torso_pos[:, 2]"),
    ("x = norm(forward_velocity)", "np.abs(x)"),
    ("x = dot(forward_velocity, w)", "a * b"),
    ("x = tolerance(forward_velocity, 1.0)", "bounds=(lower, upper)"),
    ("x = torso_pos", "x[:, 0]"),
    ("x = w", "x * np.ones(len(torso_pos))"),
]
INPUTS = [
    ("forward_velocity += 1.0\nx = 0.0", "forward_velocity = forward_velocity.copy()"),
    ("x = forward_velocity\nx *= w", "x = x.copy()"),
    ("action[action > 1] = 1.0\nx = 0.0", "action = action.copy()"),
    ("x = torso_pos[:, :2]\nx[:, 0] = 0.0", "x = x.copy()"),
]
CASES = [*CONDITIONS, *REDUCTIONS, *INDICES, *SHAPES, *INPUTS]


@pytest.mark.parametrize(("statements", "instead"), CASES, ids=[case[0][:40] for case in CASES])
def test_the_answer_has_a_line_and_what_to_write(failure: Failure, statements: str, instead: str) -> None:
    message = str(failure(statements))
    assert f"`{instead}`" in message
    assert message.startswith("Line ")


@pytest.mark.parametrize(
    ("statements", "kind", "message"),
    [
        (
            "y = torso_pos.mean()\nx = forward_velocity - y",
            "rows_not_independent",
            "Line 2: `torso_pos.mean()` mixes rows: write `torso_pos.mean(axis=1)`",
        ),
        (
            "for row in torso_pos:\n    x = row[0]",
            "wrong_shape",
            "Line 2: `for row in torso_pos: x = row[0]` mixes rows: arrays hold all rows at once: write array "
            "operations, without the loop",
        ),
    ],
)
def test_answers_word_for_word(failure: Failure, statements: str, kind: str, message: str) -> None:
    found = failure(statements)
    assert found.kind == kind
    assert message in str(found).splitlines()


def test_every_misshapen_term_is_reported_at_once(failure: Failure) -> None:
    found = failure("x = 1.0", '{\n"a": torso_pos,\n"b": torso_pos[:, :1],\n"c": w,\n"d": forward_velocity}')
    assert str(found).splitlines() == [
        "Line 4: Term 'a' has shape (N, 3), expected (N,): write `torso_pos[:, 0]`, or `torso_pos.sum(axis=1)`",
        "Line 5: Term 'b' has shape (N, 1), expected (N,): write `torso_pos[:, :1][:, 0]`",
        "Line 6: Term 'c' has shape (), expected (N,): write `w * np.ones(len(torso_pos))`, or add `axis=1` to the "
        "reduction",
    ]


def test_every_place_that_mixes_rows_is_reported_at_once(failure: Failure) -> None:
    found = failure("y = np.mean(forward_velocity)\nz = torso_pos.max()\nx = forward_velocity - y - z")
    assert [line.partition(":")[0] for line in str(found).splitlines()] == ["Line 5", "Line 2", "Line 3"]


def test_terms_that_are_no_dict_are_reported_at_the_return(failure: Failure) -> None:
    found = failure("x = forward_velocity", "x")
    assert found.kind == "wrong_terms"
    assert str(found).startswith("Line 3: `compute_reward` returned ndarray, expected a dict of terms")


def test_a_helper_is_answered_at_its_own_line(dry_run: Run) -> None:
    source = """\
def bonus(height):
    if height > 0.5:
        return 1.0
    return 0.0


def compute_reward(torso_pos, *, low=0.3):
    return {"a": bonus(low) * torso_pos[:, 0], "b": bonus(torso_pos[:, 2]) + torso_pos[:, 0]}
"""
    with pytest.raises(RewardFailure, match=r"Line 2: `if` on an array of N rows"):
        dry_run(source)


def test_an_observable_in_a_helper_is_passed_to_it(dry_run: Run) -> None:
    source = """\
def tilt(up):
    return up[:, 2] * torso_pos[:, 2]


def compute_reward(torso_pos, torso_up):
    return {"tilt": tilt(torso_up) + torso_pos[:, 0]}
"""
    with pytest.raises(RewardFailure) as caught:
        dry_run(source)
    assert str(caught.value) == (
        "Line 2: `torso_pos` is not defined in `tilt`: pass it as a parameter, `tilt(..., torso_pos)`"
    )


@pytest.mark.parametrize(
    "source",
    [
        "def fitness(torso_pos):\n    if torso_pos[:, 0] > 1.0:\n        return 1.0\n    return torso_pos[-1, 0]\n",
        "def fitness(torso_pos):\n    return torso_pos.mean(axis=0)\n",
        "def fitness(torso_pos):\n    return np.mean(torso_pos[:, 0] * torso_pos.mean(axis=0))\n",
    ],
)
def test_a_fitness_is_tried_too_and_may_mix_rows(dry_run: Run, source: str) -> None:
    with pytest.raises(RewardFailure) as caught:
        dry_run(source, kind="fitness")
    assert "mixes rows" not in str(caught.value)


@pytest.mark.parametrize(
    "statements",
    [
        "if w > 0.5:\n    x = 1.0\nelse:\n    x = forward_velocity",
        "if torso_pos.ndim == 2 and torso_pos.shape[1] == 3:\n    x = torso_pos[:, 2]",
        "x = torso_pos @ np.array([0.0, 0.0, 1.0]) + forward_velocity",
        "x = action.reshape(-1, 4, 2).sum(axis=2)[:, 3]",
        "x = np.zeros(len(action))\nx += forward_velocity\nx[forward_velocity > 1] = 2.0",
        "xs = []\nfor i in range(8):\n    xs.append(action[:, i])\nx = np.stack(xs, axis=1).mean(axis=1)",
        "x = np.linalg.norm(torso_pos[:, None, :] - np.zeros((4, 3)), axis=-1).min(axis=1)",
        "x = tolerance(torso_pos[:, 2], (0.5, np.inf), 0.2, 'linear', 0.0)",
        "x = np.median(action, axis=1) + np.ptp(action, axis=1) + np.quantile(action, 0.9, axis=1)",
    ],
    ids=lambda text: text[:40],
)
def test_what_works_on_rows_passes(dry_run: Run, statements: str) -> None:
    returned = (
        '{"a": w * forward_velocity, "b": x * np.ones(len(action)) if np.ndim(x) == 1 else forward_velocity}'
    )
    dry_run(with_body(statements, returned.replace("np.ndim(x)", "np.zeros(2).ndim")))
