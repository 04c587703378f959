"""What can't work on a batch of rows, found without running the program."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Check = Callable[..., list[str]]
MIXES = "mixes the rows of the batch"
READ_ONLY = "inputs are read-only"

CONDITIONS = [
    (
        "if torso_pos[:, 2] > 0.5:\n    x = 1.0\n    y = 2.0",
        "`if` on an array of N rows. Write `np.where(torso_pos[:, 2] > 0.5, a, b)`.",
    ),
    (
        "if forward_velocity > 1:\n    x = 1.0\nelse:\n    x = w",
        "`if` on an array of N rows. Write `x = np.where(forward_velocity > 1, 1.0, w)`.",
    ),
    (
        "x = 0.0\nif forward_velocity > 1 and not torso_pos[:, 2] < 0.5:\n    x += w",
        "`if` on an array of N rows. Write "
        "`x = x + np.where((forward_velocity > 1) & ~(torso_pos[:, 2] < 0.5), w, 0.0)`.",
    ),
    (
        "x = 1.0 if forward_velocity > 0 else -1.0",
        "`if` on an array of N rows. Write `np.where(forward_velocity > 0, 1.0, -1.0)`.",
    ),
    (
        "x = 0.2 < torso_pos[:, 2] < 1.0",
        "chained comparison on an array of N rows. Write `(0.2 < torso_pos[:, 2]) & (torso_pos[:, 2] < 1.0)`.",
    ),
    ("x = not forward_velocity > 0", "`not` on an array of N rows. Write `~(forward_velocity > 0)`."),
    (
        "x = forward_velocity > 0 or w > 1",
        "`or` on an array of N rows. Write `(forward_velocity > 0) | (w > 1)`.",
    ),
    (
        "x = max(forward_velocity, 0.0)",
        "`max(forward_velocity, 0.0)`: `max` compares whole arrays: write `np.maximum(forward_velocity, 0.0)`",
    ),
    (
        "x = min(forward_velocity, torso_pos[:, 2], 1.0)",
        "`min(forward_velocity, torso_pos[:, 2], 1.0)`: `min` compares whole arrays: write "
        "`np.min([forward_velocity, torso_pos[:, 2], 1.0], axis=0)`",
    ),
    (
        "x = math.exp(forward_velocity)",
        "`math.exp(forward_velocity)`: `math` takes one number, not an array of N rows: write `np.exp(forward_velocity)`",
    ),
    (
        "x = float(forward_velocity)",
        "`float(forward_velocity)`: `float` takes one number, not an array of N rows: write `forward_velocity`",
    ),
]
REDUCTIONS = [
    (
        "x = torso_pos.mean()",
        f"`torso_pos.mean()` {MIXES}; `torso_pos` is (N, 3): write `torso_pos.mean(axis=1)`",
    ),
    (
        "x = np.sum(action**2, axis=0)",
        f"`np.sum(action ** 2, axis=0)` {MIXES}; `action ** 2` is (N, 8): write `np.sum(action ** 2, axis=1)`",
    ),
    (
        "x = np.sum(action, 0)",
        f"`np.sum(action, 0)` {MIXES}; `action` is (N, 8): write `np.sum(action, axis=1)`",
    ),
    (
        "x = np.sum(action, axis=-2)",
        f"`np.sum(action, axis=-2)` {MIXES}; `action` is (N, 8): write `np.sum(action, axis=1)`",
    ),
    (
        "x = np.mean(forward_velocity)",
        f"`np.mean(forward_velocity)` {MIXES}; `forward_velocity` is (N,), one number a row already: write "
        "`forward_velocity`",
    ),
    (
        "x = forward_velocity / forward_velocity.max()",
        f"`forward_velocity.max()` {MIXES}; `forward_velocity` is (N,), one number a row already: leave it out; for "
        "a fixed scale take a weight",
    ),
    (
        "x = np.linalg.norm(forward_velocity)",
        f"`np.linalg.norm(forward_velocity)` {MIXES}; `forward_velocity` is (N,), one number a row already: write "
        "`np.abs(forward_velocity)`",
    ),
    (
        "x = np.linalg.norm(torso_pos)",
        f"`np.linalg.norm(torso_pos)` {MIXES}; `torso_pos` is (N, 3): write `np.linalg.norm(torso_pos, axis=1)`",
    ),
    (
        "x = np.max([forward_velocity, w])",
        f"`np.max([forward_velocity, w])` {MIXES}; to combine the arrays of a list write "
        "`np.max([forward_velocity, w], axis=0)`",
    ),
    ("x = sum(action)", "`sum(action)` adds up the rows of the batch: write `action.sum(axis=1)`"),
    (
        "x = np.cumsum(forward_velocity)",
        f"`np.cumsum(forward_velocity)` {MIXES}; a program has no memory: what adds up over an episode is an "
        "observable (a tracker such as `<body>_turn` or `<body>_air_time`), or the difference from "
        "`init_<observable>`",
    ),
    (
        "x = np.diff(torso_pos, axis=0)",
        f"`np.diff(torso_pos, axis=0)` {MIXES}; for the change over a step write `torso_pos - prev_torso_pos`",
    ),
    (
        "x = np.diff(forward_velocity)",
        f"`np.diff(forward_velocity)` {MIXES}; for the change over a step write "
        "`forward_velocity - prev_forward_velocity`",
    ),
    (
        "x = np.roll(torso_pos[:, 2], 1)",
        f"`np.roll(torso_pos[:, 2], 1)` {MIXES}; for the change over a step write `torso_pos - prev_torso_pos`",
    ),
    (
        "x = np.argmax(action)",
        f"`np.argmax(action)` {MIXES}; `action` is (N, 8): write `np.argmax(action, axis=1)`",
    ),
    (
        "x = np.sort(action, axis=0)",
        f"`np.sort(action, axis=0)` {MIXES}; `action` is (N, 8): write `np.sort(action, axis=1)`",
    ),
    ("x = torso_pos @ torso_pos", f"`torso_pos @ torso_pos` {MIXES}: write `dot(torso_pos, torso_pos)`"),
    (
        "x = np.dot(forward_velocity, forward_velocity)",
        f"`np.dot(forward_velocity, forward_velocity)` {MIXES}: write `forward_velocity * forward_velocity`",
    ),
    (
        "x = np.einsum('ni,ni->', torso_pos, torso_pos)",
        "`np.einsum('ni,ni->', torso_pos, torso_pos)` sums over the batch: keep its index in the output, "
        "`np.einsum('ni,ni->n', a, b)`",
    ),
    (
        "x = np.einsum('ni,ni', torso_pos, torso_pos)",
        "`np.einsum('ni,ni', torso_pos, torso_pos)`: write the output's indices, `np.einsum('ni,ni->n', a, b)`",
    ),
    (
        "x = np.concatenate([forward_velocity, forward_velocity])",
        "`np.concatenate([forward_velocity, forward_velocity])` puts the batches one behind the other: write "
        "`np.stack([forward_velocity, forward_velocity], axis=1)`",
    ),
    (
        "x = torso_pos[:, :1].squeeze()",
        "`torso_pos[:, :1].squeeze()` drops the batch axis when N is 1: write `torso_pos[:, :1].squeeze(axis=1)`",
    ),
    (
        "x = forward_velocity.sum(axis=1)",
        "`forward_velocity.sum(axis=1)`: `forward_velocity` is (N,), one number a row already: write "
        "`forward_velocity`",
    ),
]
INDICES = [
    (
        "x = torso_pos[2]",
        "`torso_pos[2]` takes one row of the batch, not a component: write `torso_pos[:, 2]`",
    ),
    (
        "x = torso_pos[-1]",
        "`torso_pos[-1]` takes one row of the batch, not a component: write `torso_pos[:, -1]`",
    ),
    (
        "x = torso_pos[0, 2]",
        "`torso_pos[0, 2]` takes one row of the batch, not a component: write `torso_pos[:, 2]`",
    ),
    (
        "x = torso_pos[[0, 1]]",
        "`torso_pos[[0, 1]]` takes one row of the batch, not a component: write `torso_pos[:, [0, 1]]`",
    ),
    (
        "x = forward_velocity[0]",
        "`forward_velocity[0]` takes one row of the batch; `forward_velocity` is (N,), one number a row: write "
        "`forward_velocity`",
    ),
    (
        "x = torso_pos[::-1]",
        "`torso_pos[::-1]` takes some rows of the batch; rows are independent, in any order; for the value before "
        "the step ask for `prev_torso_pos`",
    ),
    (
        "x = forward_velocity[..., 0]",
        "`forward_velocity[..., 0]` takes one row of the batch; `forward_velocity` is (N,), one number a row: write "
        "`forward_velocity`",
    ),
    ("x = torso_pos[:, 3]", "`torso_pos[:, 3]`: `torso_pos` is (N, 3), its components are 0 to 2"),
    (
        "x = forward_velocity[:, 0]",
        "`forward_velocity[:, 0]`: `forward_velocity` is (N,), it has no components: write `forward_velocity`",
    ),
    ("x, y, z = torso_pos", "`x, y, z = …` unpacks the rows of the batch: write `x, y, z = torso_pos.T`"),
    (
        "for i in range(4):\n    x = action[:, 3 * i]",
        "`action[:, 3 * i]`: `action` is (N, 8), its components are 0 to 7",
    ),
]
SHAPES = [
    (
        "x = forward_velocity * torso_pos",
        "`forward_velocity * torso_pos`: (N,) and (N, 3) don't fit row by row; write `forward_velocity[:, None]` for "
        "the (N,) one",
    ),
    (
        "x = forward_velocity - torso_pos[:, 2:3]",
        "`forward_velocity - torso_pos[:, 2:3]`: (N,) and (N, 1) don't fit row by row; write "
        "`torso_pos[:, 2:3][:, 0]` for the (N, 1) one",
    ),
    ("x = torso_pos - torso_quat", "`torso_pos - torso_quat`: (N, 3) and (N, 4) don't fit row by row"),
    (
        "x = np.array([1.0, 2.0]) * torso_pos",
        "`np.array([1.0, 2.0]) * torso_pos`: (2,) and (N, 3) don't fit row by row",
    ),
    (
        "x = norm(forward_velocity)",
        "`norm(forward_velocity)`: `norm` takes (N, k); `forward_velocity` is (N,): write `np.abs(forward_velocity)`",
    ),
    (
        "x = dot(forward_velocity, w)",
        "`dot(forward_velocity, w)`: `dot` takes (N, k); of (N,) write `forward_velocity * w`",
    ),
    (
        "x = rotate(torso_pos, torso_pos)",
        "`rotate(torso_pos, torso_pos)`: `rotate` takes a quaternion (N, 4), w, x, y, z; `torso_pos` is (N, 3)",
    ),
    (
        "x = tolerance(forward_velocity, 1.0)",
        "`tolerance(forward_velocity, 1.0)`: bounds are a pair: `bounds=(lower, upper)`",
    ),
    (
        "x = tolerance(forward_velocity, margin=torso_pos[:, 2])",
        "`tolerance(forward_velocity, margin=torso_pos[:, 2])`: the margin is one number for all rows",
    ),
]
LOOPS = [
    (
        "for row in torso_pos:\n    x = w",
        "looping over `torso_pos` goes through the rows: arrays hold all rows at once; write array operations, "
        "without the loop",
    ),
    (
        "for i in range(len(torso_pos)):\n    x = w",
        "`range(len(torso_pos))` counts the rows of the batch: arrays hold all rows at once; write array operations, "
        "without the loop",
    ),
    (
        "for i in range(int(w)):\n    x = w",
        "how often this loops, over `range(int(w))`, can't be read off the program: loop over `range(6)`, or over a "
        "literal tuple",
    ),
    ("for i in range(10**6):\n    x = w", "`range(10 ** 6)` is 1,000,000 long; 1,000 are allowed"),
    (
        "for i in range(200):\n    for j in range(200):\n        x = w",
        "loops within loops: 40,000 rounds; 10,000 are allowed",
    ),
    ("x = [0.0] * 5000", "`[0.0] * 5000`: a list of more than 1,000 items"),
    ("x = np.zeros((10**4, 10**4))", "`np.zeros((10 ** 4, 10 ** 4))`: 1,000,000 elements are allowed"),
]
INPUTS = [
    (
        "forward_velocity += 1.0",
        f"`forward_velocity += 1.0` changes the input `forward_velocity`; {READ_ONLY}: write "
        "`forward_velocity = forward_velocity + 1.0`",
    ),
    (
        "x = forward_velocity\nx *= w",
        f"`x *= w` changes the input `forward_velocity`; {READ_ONLY}: write `x = x * w`",
    ),
    (
        "action[action > 1] = 1.0",
        f"`action[action > 1]` changes the input `action`; {READ_ONLY}: begin with `action = action.copy()`",
    ),
    (
        "x = torso_pos[:, :2]\nx[:, 0] = 0.0",
        f"`x[:, 0]` changes the input `x`, which is `torso_pos` itself; {READ_ONLY}: begin with `x = x.copy()`",
    ),
]


@pytest.mark.parametrize(
    ("statements", "message"),
    [*CONDITIONS, *REDUCTIONS, *INDICES, *SHAPES, *LOOPS, *INPUTS],
    ids=lambda text: text[:40],
)
def test_what_cant_work_on_rows(body: Check, statements: str, message: str) -> None:
    assert [problem.partition(": ")[2] for problem in body(statements)] == [message]


@pytest.mark.parametrize(
    "statements",
    [
        "if w > 0.5:\n    x = 1.0\nelse:\n    x = forward_velocity",
        "x = 1.0 if w > 0.5 and not w > 2.0 else 0.0",
        "if torso_pos.ndim == 2 and torso_pos.shape[1] == 3:\n    x = torso_pos[:, 2]",
        "x = np.stack([forward_velocity, torso_pos[:, 2]]).max(axis=0)",
        "x, y, z = torso_pos.T",
        "x = np.sum([forward_velocity, torso_pos[:, 0]], axis=0)",
        "x = sum([forward_velocity, torso_pos[:, 0], w])",
        "x = forward_velocity[:, None] * torso_pos",
        "x = torso_pos @ np.array([0.0, 0.0, 1.0]) + forward_velocity",
        "x = torso_pos @ np.eye(3)",
        "x = torso_pos - np.array([0.0, 0.0, 1.0])",
        "x = np.concatenate([torso_pos, torso_quat], axis=1)[:, 6]",
        "x = np.hstack([torso_pos, torso_quat])[:, 6]",
        "x = np.column_stack([forward_velocity, torso_pos])[:, 3]",
        "x = torso_pos.reshape(len(torso_pos), -1)[:, 2]",
        "x = action.reshape(-1, 4, 2).sum(axis=2)[:, 3]",
        "x = np.diff(torso_pos, axis=1)",
        "x = np.sort(action, axis=1)[:, 0]",
        "x = np.zeros(len(action))\nx += forward_velocity\nx[forward_velocity > 1] = 2.0",
        "x = np.zeros((len(action), 3))\nx[:, 0] = forward_velocity",
        "x = forward_velocity.copy()\nx += 1.0",
        "x = w * forward_velocity\nx -= 1.0",
        "x = 0.0\nfor i in range(8):\n    x = x + np.abs(action[:, i])",
        "x = 0.0\nfor i in range(0, 8, 2):\n    x += action[:, i] * action[:, i + 1]",
        "xs = []\nfor i in range(8):\n    xs.append(action[:, i])\nx = np.stack(xs, axis=1).mean(axis=1)",
        "x = max(w, 1.0) * min(abs(w), 2.0)",
        "x = np.where(forward_velocity > 0, torso_pos[:, 2], 0.0)",
        "x = np.where((forward_velocity > 0)[:, None], torso_pos, 0.0)[:, 1]",
        "x = action[:, [0, 2, 4]].sum(axis=1)",
        "x = torso_pos[:, None, :] - torso_pos[:, :, None]",
        "x = np.linalg.norm(torso_pos[:, None, :] - np.zeros((4, 3)), axis=-1).min(axis=1)",
        "for i in range(200):\n    x = w * i",
        "for name in ('a', 'b'):\n    x = name",
        "x = np.mean(action[:, :4], axis=-1) - np.mean(action[:, 4:], axis=-1)",
        "x = (action**2).sum(1)",
        "x = np.sum(action, axis=1, keepdims=True) * torso_pos",
        "x = tolerance(torso_pos[:, 2], (0.5, np.inf), 0.2, 'linear', 0.0)",
        "x = np.median(action, axis=1) + np.ptp(action, axis=1) + np.quantile(action, 0.9, axis=1)",
    ],
    ids=lambda text: text[:40],
)
def test_what_works_on_rows_passes(body: Check, statements: str) -> None:
    assert body(statements) == []


def test_a_helper_is_followed_with_what_it_is_given(problems: Check) -> None:
    source = """\
def bonus(height):
    if height > 0.5:
        return 1.0
    return 0.0


def compute_reward(torso_pos, *, low=0.3):
    return {"a": bonus(low) * torso_pos[:, 0], "b": bonus(torso_pos[:, 2]) + torso_pos[:, 0]}
"""
    assert problems(source) == ["Line 2: `if` on an array of N rows. Write `np.where(height > 0.5, a, b)`."]


def test_an_episode_may_be_reduced_but_not_branched_on(problems: Check) -> None:
    source = """\
def fitness(torso_pos):
    if torso_pos[:, 0] > 1.0:
        return 1.0
    return torso_pos[-1, 0] - torso_pos[0, 0] + torso_pos.mean(axis=0)[2]
"""
    assert problems(source, kind="fitness") == [
        "Line 2: `if` on an array of N rows. Write `np.where(torso_pos[:, 0] > 1.0, a, b)`."
    ]
