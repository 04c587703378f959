"""Columns in, terms out; shared memory; messages that break the protocol."""

from __future__ import annotations

import mmap
import os

import numpy as np
import pytest

from eureka_loop.errors import RewardFailure, SandboxError
from eureka_loop.reward.allowed import ARRAY_METHODS, NUMPY
from eureka_loop.reward.sandbox import protocol
from eureka_loop.reward.sandbox.protocol import shared_memory
from tests.reward.sandbox.conftest import columns

TWO_TERMS = """
def compute_reward(x, v, *, weight=2.0):
    return {"gain": weight * x, "_seen": x * 0.0 + 7.0, "cost": -np.square(v).sum(axis=1)}
"""


@pytest.mark.parametrize("rows", [0, 1, 16])
def test_terms_of_a_batch_up_to_the_capacity(start, rows):
    given = columns(rows)
    terms = start(TWO_TERMS, rows=16).evaluate(given)
    cost = -np.square(given["v"]).sum(axis=1)
    assert terms.names == ("gain", "_seen", "cost")
    np.testing.assert_array_equal(terms.named()["gain"], 2.0 * given["x"])
    np.testing.assert_array_equal(terms.named()["cost"], cost)
    np.testing.assert_array_equal(terms.total, 2.0 * given["x"] + cost)  # without the diagnostic


def test_results_are_copies(start):
    process = start(TWO_TERMS)
    first = process.evaluate(columns(4, seed=1))
    kept = first.values.copy()
    process.evaluate(columns(4, seed=2))
    np.testing.assert_array_equal(first.values, kept)


def test_float32_columns_and_unused_columns_are_accepted(start):
    given = columns(4)
    given["x"] = given["x"].astype(np.float32)
    given["other"] = np.zeros((9, 9))
    gain = start(TWO_TERMS).evaluate(given).named()["gain"]
    np.testing.assert_array_equal(gain, 2.0 * given["x"].astype(np.float64))


def test_bool_int_and_float32_terms_become_floats(body):
    process = body("return {'b': x > 0, 'i': np.where(x > 0, 1, 0), 'f': x.astype(np.float32)}")
    terms = process.evaluate(columns(8))
    assert terms.values.dtype == np.float64
    np.testing.assert_array_equal(terms.named()["b"], terms.named()["i"])


def test_a_single_term_may_be_called_total(body):
    assert body("return {'total': x, '_seen': x}").evaluate(columns(3)).names == ("total", "_seen")


@pytest.mark.parametrize(
    "broken",
    [
        {"x": np.zeros(3)},
        {"x": np.zeros(3), "v": np.zeros((3, 2))},
        {"x": np.zeros(3), "v": np.zeros((4, 3))},
        {"x": np.zeros(3), "v": np.zeros(3)},
        {"x": np.zeros(17), "v": np.zeros((17, 3))},
        {},
    ],
)
def test_missing_misshapen_and_too_many_columns_are_the_callers_mistake(start, broken):
    process = start(TWO_TERMS)
    with pytest.raises(ValueError, match="column"):
        process.evaluate(broken)
    assert process.evaluate(columns(2)).total.shape == (2,)  # the process lives on


def test_a_fitness_is_one_number_of_an_episode_of_any_length(start):
    process = start("def fitness(x, v):\n    return x.mean() + v[-1, 0]", "fitness", rows=1000)
    for rows in (10, 1000, 3):
        given = columns(rows)
        assert process.measure(given) == pytest.approx(given["x"].mean() + given["v"][-1, 0], rel=1e-12)


def test_a_process_that_is_closed_or_has_failed_says_so(start, body):
    closed, failed = start(TWO_TERMS), body("return {'a': x + 1 / 0}")
    closed.close()
    closed.close()
    with pytest.raises(RewardFailure):
        failed.evaluate(columns(2))
    for process in (closed, failed):
        with pytest.raises(SandboxError, match="closed"):
            process.evaluate(columns(2))


# Every function and method that a program may call works in a process that can import nothing.

CALLS = """
real = tolerance.__globals__["__builtins__"]
lost = real["ImportError"], real["OSError"], real["KeyError"]
GIVEN = ((), (x,), (v,), (x, x), (v, v), (x > 0, x, x), (3,), ("a",), (None,), ((x, x),), (x, "a"))
for name, function in FUNCTIONS:
    for given in GIVEN:
        for named in ({}, {"axis": -1}, {"axis": 7}, {"keepdims": True}, {"dtype": "?"}):
            try:
                function(*given, **named)
            except lost as error:
                raise real["ValueError"](f"{name}{given}{named}: {error!r}")
            except real["Exception"]:
                pass
return {"a": x}
"""


@pytest.mark.parametrize(
    "functions",
    [[f"np.{name}" for name in NUMPY], [f"{array}.{name}" for name in ARRAY_METHODS for array in ("x", "v")]],
    ids=["functions", "methods"],
)
def test_nothing_is_left_to_be_imported(body, functions):
    listed = ", ".join(f"({each!r}, {each})" for each in functions)
    body(CALLS.replace("FUNCTIONS", f"({listed})"), deadline=20.0).evaluate(columns(5))


# Shared memory; tests/attacks/test_protocol_alone.py tries its seals, and messages that break the protocol.


@pytest.fixture(params=["a current kernel", "a kernel before 5.1"])
def inputs(request, monkeypatch):
    """The owner's map of inputs, and the child's descriptor."""
    if request.param != "a current kernel":
        monkeypatch.setattr(protocol, "_FUTURE_WRITE", 1 << 30)  # a seal that no kernel has
    ours, descriptor = shared_memory(4096, child_writes=False)
    yield ours, descriptor
    os.close(descriptor)
    ours.close()


def test_inputs_are_read_only_for_the_child(inputs):
    ours, descriptor = inputs
    ours[:5] = b"hello"
    with mmap.mmap(descriptor, 4096, access=mmap.ACCESS_READ) as child:
        assert child[:5] == b"hello"
    with pytest.raises(PermissionError):
        mmap.mmap(descriptor, 4096)
    with pytest.raises(OSError, match=r"not permitted|Bad file"):
        os.write(descriptor, b"x")
