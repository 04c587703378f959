"""Columns in, terms out."""

from __future__ import annotations

import numpy as np
import pytest

from eureka_loop.errors import RewardFailure, SandboxError, UnknownName
from eureka_loop.reward.sandbox.process import Terms

TWO_TERMS = """
def compute_reward(x, v, *, weight=2.0):
    return {"gain": weight * x, "_seen": x * 0.0 + 7.0, "cost": -np.square(v).sum(axis=1)}
"""


def test_terms_are_what_the_program_computes(start, columns):
    given = columns(16)
    terms = start(TWO_TERMS).evaluate(given)
    assert terms.names == ("gain", "_seen", "cost")
    np.testing.assert_array_equal(terms.named()["gain"], 2.0 * given["x"])
    np.testing.assert_array_equal(terms.named()["cost"], -np.square(given["v"]).sum(axis=1))


def test_the_total_leaves_diagnostics_out(start, columns):
    given = columns(16)
    expected = 2.0 * given["x"] - np.square(given["v"]).sum(axis=1)
    np.testing.assert_array_equal(start(TWO_TERMS).evaluate(given).total, expected)


def test_the_total_of_a_row_alone_is_bit_for_bit_that_of_the_row_among_others():
    values = np.random.default_rng(0).normal(size=(12, 50))
    names = tuple(f"t{index}" for index in range(12))
    whole = Terms(names, values).total
    assert all(Terms(names, values[:, row : row + 1]).total[0] == whole[row] for row in range(50))


@pytest.mark.parametrize("rows", [1, 15, 16, 17, 32, 50])
def test_a_batch_of_any_size_keeps_its_order(start, columns, rows):
    given = columns(rows)
    terms = start(TWO_TERMS, rows=16).evaluate(given)
    np.testing.assert_array_equal(terms.named()["gain"], 2.0 * given["x"])


def test_an_empty_batch_has_no_rows(start, columns):
    process = start(TWO_TERMS)
    assert process.evaluate(columns(0)).total.shape == (0,)


def test_results_are_copies(start, columns):
    process = start(TWO_TERMS)
    first = process.evaluate(columns(4, seed=1))
    kept = first.values.copy()
    process.evaluate(columns(4, seed=2))
    np.testing.assert_array_equal(first.values, kept)


def test_float32_columns_and_columns_nobody_asked_for_are_welcome(start, columns):
    given = columns(4)
    given["x"] = given["x"].astype(np.float32)
    given["other"] = np.zeros((9, 9))
    np.testing.assert_array_equal(
        start(TWO_TERMS).evaluate(given).named()["gain"], 2.0 * given["x"].astype(np.float64)
    )


def test_bool_int_and_float32_terms_become_floats(body, columns):
    terms = body("return {'b': x > 0, 'i': np.where(x > 0, 1, 0), 'f': x.astype(np.float32)}").evaluate(
        columns(8)
    )
    assert terms.values.dtype == np.float64
    np.testing.assert_array_equal(terms.named()["b"], terms.named()["i"])


def test_an_import_out_of_habit_is_dropped(start, columns):
    assert start("import numpy as np\n" + TWO_TERMS).evaluate(columns(2)).total.shape == (2,)


def test_episode_starts_are_taken(start, columns):
    starts = np.array([True, False, False])
    assert start(TWO_TERMS).evaluate(columns(3), starts).total.shape == (3,)


@pytest.mark.parametrize(
    "broken",
    [
        {"x": np.zeros(3)},
        {"x": np.zeros(3), "v": np.zeros((3, 2))},
        {"x": np.zeros(3), "v": np.zeros((4, 3))},
        {"x": np.zeros(3), "v": np.zeros(3)},
        {},
    ],
)
def test_misshapen_columns_are_the_callers_mistake(start, columns, broken):
    process = start(TWO_TERMS)
    with pytest.raises(ValueError, match="column"):
        process.evaluate(broken)
    assert process.evaluate(columns(2)).total.shape == (2,)  # and cost it nothing


def test_a_parameter_without_a_shape_is_unknown(fork_server, program):
    with pytest.raises(UnknownName, match=r"'vv'.*'v'"):
        fork_server.start(program("def compute_reward(vv): pass", parameters=("vv",)), {"v": (3,)}, rows=4)


def test_a_fitness_is_one_number_an_episode(start, columns):
    given = columns(10)
    measured = start("def fitness(x, v):\n    return x.mean() + v[-1, 0]", "fitness").measure(given)
    assert measured == given["x"].mean() + given["v"][-1, 0]


def test_a_success_may_be_a_bool(start, columns):
    assert start("def success(x, v):\n    return x.max() > -100", "success").measure(columns(5)) == 1.0


def test_an_episode_longer_than_the_capacity_is_measured_whole(start, columns):
    given = columns(1000)
    process = start("def fitness(x, v):\n    return x.sum()", "fitness", rows=16)
    assert process.measure(given) == pytest.approx(given["x"].sum(), rel=1e-12)
    assert process.measure(columns(3)) == pytest.approx(columns(3)["x"].sum(), rel=1e-12)


def test_many_processes_live_side_by_side(start, columns):
    given = columns(4)
    processes = [start(f"def compute_reward(x, v):\n    return {{'a': x + {n}}}") for n in range(8)]
    for n, process in enumerate(processes):
        np.testing.assert_array_equal(process.evaluate(given).total, given["x"] + n)


def test_a_closed_process_says_so(start, columns):
    process = start(TWO_TERMS)
    process.close()
    process.close()
    with pytest.raises(SandboxError, match="closed"):
        process.evaluate(columns(2))


def test_after_a_failure_the_process_is_gone(body, columns):
    process = body("return {'a': x / 0 + 1 / 0}")
    with pytest.raises(RewardFailure):
        process.evaluate(columns(2))
    with pytest.raises(SandboxError, match="closed"):
        process.evaluate(columns(2))


def test_a_single_term_may_be_called_total(body, columns):
    assert body("return {'total': x, '_seen': x}").evaluate(columns(3)).names == ("total", "_seen")
