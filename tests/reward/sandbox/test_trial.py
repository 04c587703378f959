"""The dry run: rows are evaluated again, in another order, in pieces."""

from __future__ import annotations

import numpy as np
import pytest

from eureka_loop.errors import RewardFailure
from eureka_loop.reward.sandbox import trial as trials
from eureka_loop.reward.sandbox.trial import try_out
from tests.reward.sandbox.conftest import columns, program

SHAPES = {"x": (), "v": (3,)}


@pytest.fixture
def trial(fork_server):
    def attempt(line: str, before: str = "", kind: str = "reward", entry: str = "compute_reward"):
        source = f"{before}\ndef {entry}(x, v):\n    {line}\n"
        return try_out(fork_server, program(source, kind), columns(100), SHAPES)

    return attempt


def test_a_program_of_independent_rows_passes(trial):
    terms = trial("return {'a': x * v[:, 0], 'b': np.linalg.norm(v, axis=1)}")
    np.testing.assert_array_equal(terms.named()["a"], columns(100)["x"] * columns(100)["v"][:, 0])


def test_a_matrix_product_which_adds_in_another_order_passes(trial):
    assert trial("return {'a': v @ np.array([0.1, 1e3, -1e3]) + (v @ np.ones((3, 7))).sum(axis=1)}").names


@pytest.mark.parametrize(
    "line",
    [
        "return {'a': x - x.mean()}",
        "return {'a': x / np.abs(x).max()}",
        "return {'a': x - x[0]}",
        "return {'a': np.cumsum(x)}",
        "return {'a': x[::-1]}",
        "return {'a': x + len(x)}",
        "return {'a': np.sort(x)}",
        "return {'fine': x, 'tiny': 1e-30 * (x - x.mean())}",
    ],
)
def test_rows_that_look_at_their_neighbours_are_found(trial, line):
    with pytest.raises(RewardFailure) as caught:
        trial(line)
    assert caught.value.kind == "rows_not_independent"
    assert "of one row" in str(caught.value)


def test_a_shape_that_fits_by_chance_is_found_at_an_awkward_number_of_rows(fork_server):
    with pytest.raises(RewardFailure) as caught:
        try_out(
            fork_server,
            program("def compute_reward(x, v):\n    return {'a': v.sum(axis=0)}"),
            columns(3),
            SHAPES,
        )
    assert caught.value.kind in ("rows_not_independent", "wrong_shape")


@pytest.mark.parametrize(
    ("kind", "entry", "value"),
    [("reward", "compute_reward", "{'a': x + count()}"), ("fitness", "fitness", "x.mean() + count()")],
)
def test_state_is_found(trial, kind, entry, value):
    before = "def count(seen=[]):\n    seen.append(1)\n    return len(seen)\n"
    with pytest.raises(RewardFailure) as caught:
        trial(f"return {value}", before, kind, entry)
    assert caught.value.kind == "not_deterministic"


def test_calls_that_are_each_in_time_but_not_together_are_timed_out(fork_server, monkeypatch):
    monkeypatch.setattr(trials, "SECONDS", 0.05)
    slow = """
    def compute_reward(x, v):
        for i in range(900):
            y = np.square(v).sum(axis=1)
        return {"a": x + 0.0 * y}
    """
    with pytest.raises(RewardFailure, match="took too long together") as caught:
        try_out(fork_server, program(slow), columns(200), SHAPES)
    assert caught.value.kind == "timed_out"
