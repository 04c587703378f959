"""A process that answers wrongly, twice, malformed or unasked is killed, and nothing it says is believed."""

from __future__ import annotations

import numpy as np
import pytest

from eureka_loop.errors import RewardFailure
from eureka_loop.reward.sandbox.conversation import clean
from eureka_loop.reward.sandbox.protocol import Order, layout

# What an attacker in the process can reach: the frame that called the program, its request and its voice.
GRIP = """
serve = sys._getframe(2).f_locals
teller, token, sequence = serve["self"]._teller, serve["token"], serve["sequence"]
"""
ANSWER = "struct.pack('<QQIIQ', {sequence}, {token}, {code}, {count}, {size})"


def forge(sequence="sequence", token="token", code=3, count=1, size=0) -> str:
    """Lines that answer, and then hold still, so that nothing honest follows."""
    message = ANSWER.format(sequence=sequence, token=token, code=code, count=count, size=size)
    return f"os.write(0, {message})\nwhile True:\n    pass\n"


def honest_once(lines: str) -> str:
    """Four rows get an honest answer, three rows get these lines."""
    return GRIP + "if len(x) == 4:\n    return {'a': x}\n" + lines


def caught(process, given) -> RewardFailure:
    with pytest.raises(RewardFailure) as info:
        process.evaluate(given)
    return info.value


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (forge(sequence="sequence + 1"), "an answer to another question"),
        (forge(token="token ^ 1"), "an answer to another question"),
        (forge(code=2), "an unknown code"),
        (forge(code=99), "an unknown code"),
        (forge(code=1, count=31), "an unknown code"),
        (forge(size=2**40), "an answer to another question"),
        ("os.write(0, b'hello')\nwhile True:\n    pass", "a message of the wrong size"),
        (forge(count=0, size=0), "term names that are none"),
        ("teller._outputs[:9] = b'a\\x1b[2J\\nb\\nc'\n" + forge(count=3, size=9), "term names that are none"),
        ("teller._outputs[:3] = b'a\\na'\n" + forge(count=2, size=3), "term names that are none"),
        ("teller._outputs[:7] = b'total\\na'\n" + forge(count=2, size=7), "term names that are none"),
    ],
)
def test_a_forged_answer_is_death(escaped, columns, lines, words):
    failure = caught(escaped(GRIP + lines), columns(4))
    assert failure.kind == "killed"
    assert words in str(failure)


def test_another_number_of_terms_than_before_is_death(escaped, columns):
    process = escaped(honest_once(forge(count=2)))
    process.evaluate(columns(4))
    assert "another number of terms" in str(caught(process, columns(3)))


def test_a_second_answer_is_death_at_the_next_call(escaped, columns):
    process = escaped(GRIP + "teller.say(sequence, token, 3, 1, b'a')\nreturn {'a': x}")
    process.evaluate(columns(4))
    assert "an answer to another question" in str(caught(process, columns(4)))


def test_an_answer_to_the_next_request_can_not_be_given_now(escaped, columns):
    process = escaped(GRIP + "teller.say(sequence, token, 3, 1, b'a')\n" + forge("sequence + 1", "token"))
    process.evaluate(columns(4))
    assert "an answer to another question" in str(caught(process, columns(4)))


def test_an_answer_nobody_asked_for_at_the_start_is_death(start, columns):
    source = """
load = tolerance.__globals__["__builtins__"]["__import__"]
load("os").write(0, b"0" * 32)
def compute_reward(x, v):
    return {'a': x}
"""
    with pytest.raises(RewardFailure, match="an answer to another question"):
        start(source)


@pytest.mark.parametrize(
    ("value", "kind"), [("np.nan", "not_finite"), ("np.inf", "not_finite"), ("1e7", "out_of_range")]
)
def test_floats_are_checked_by_the_parent(escaped, columns, value, kind):
    forged = f"teller.values[0, :4] = {value}\nteller._outputs[:1] = b'a'\n" + forge(size=1)
    assert caught(escaped(GRIP + forged), columns(4)).kind == kind


def test_a_forged_number_is_checked_by_the_parent(start, columns):
    source = """
load = tolerance.__globals__["__builtins__"]["__import__"]
os, sys, struct = load("os"), load("sys"), load("struct")
def fitness(x, v):
    serve = sys._getframe(2).f_locals
    serve["self"]._teller.values[0, 0] = np.nan
    os.write(0, struct.pack("<QQIIQ", serve["sequence"], serve["token"], 3, 1, 0))
    while True:
        pass
"""
    with pytest.raises(RewardFailure, match="not finite"):
        start(source, "fitness").measure(columns(4))


def test_names_can_not_change_after_the_first_answer(escaped, columns):
    process = escaped(honest_once("teller.values[0, :3] = 1.0\nteller._outputs[:1] = b'b'\n" + forge(size=1)))
    assert process.evaluate(columns(4)).names == process.evaluate(columns(3)).names == ("a",)


def test_a_failure_can_not_be_of_a_kind_that_only_the_parent_states(escaped, columns):
    lines = "raise load('eureka_loop.errors', fromlist=['x']).RewardFailure('crashed', 'boo')"
    assert caught(escaped(lines), columns(4)).kind == "exception"


def test_texts_are_cut_and_cleaned():
    assert clean(b"a\x00b\x1b[31m\xff\n" + "\u202e".encode()) == "a\ufffdb\ufffd[31m\ufffd\n\ufffd"
    assert len(clean(b"x" * 100_000)) <= 4000


def test_an_order_survives_the_way():
    import mmap

    order = Order("reward", "compute_reward", "π = 3\n", {"x": (), "v": (3, 2)}, 7, 2**63, 1.5)
    text = order.encode()
    memory = mmap.mmap(-1, 4096)
    memory[: len(text)] = text
    assert Order.decode(memory) == (order, len(text))


def test_columns_do_not_overlap():
    import mmap

    order = Order("reward", "f", "", {"a": (), "b": (3,), "none": (0,), "c": (2, 2)}, 7, 0, 1.0)
    where = layout(order, 100)
    memory = mmap.mmap(-1, where.size)
    views = [*where.columns(memory), where.starts(memory)]
    for number, view in enumerate(views):
        view[...] = number % 2 if view.dtype == bool else number
    assert [view.shape for view in views] == [(7,), (7, 3), (7, 0), (7, 2, 2), (7,)]
    assert all(np.all(view == number) for number, view in enumerate(views[:-1]))
