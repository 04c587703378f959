"""Whatever comes over the wire and stands in shared memory, the parent gets finite terms or raises its own errors.

The reward process is played by a link that answers with bytes made up beforehand.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from dataclasses import dataclass, field
from typing import get_args

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings

from eureka_loop.errors import RewardFailure, SandboxError
from eureka_loop.results import FailureKind
from eureka_loop.reward.contract import TERM_LIMIT, TERM_NAME, Program
from eureka_loop.reward.sandbox import conversation
from eureka_loop.reward.sandbox.answer import check_names
from eureka_loop.reward.sandbox.conversation import Conversation, clean
from eureka_loop.reward.sandbox.layers import ALL_LAYERS, Layer
from eureka_loop.reward.sandbox.process import RewardProcess, Terms
from eureka_loop.reward.sandbox.protocol import ANSWER, TEXT_BYTES, Order

ORDER_TOKEN, TOKEN, ROWS = 5, 7, 4
COLUMNS = {"x": np.linspace(-1.0, 1.0, ROWS)}


@dataclass
class Script:
    """A link whose process has said everything at once, and then hangs up, or holds still."""

    said: bytes
    outputs: bytes = b""
    status: int = 0
    hangs_up: bool = True
    alive: bool = True
    ends: list[socket.socket] = field(default_factory=list)

    def fork(self, descriptors: tuple[int, int, int], layers: Layer) -> int:
        control, _, outputs = descriptors
        end = socket.socket(fileno=os.dup(control))
        os.pwrite(outputs, self.outputs, 0)
        end.sendall(self.said)
        if self.hangs_up:
            end.shutdown(socket.SHUT_WR)
        self.ends.append(end)
        return 1 << 30  # no process has that number

    def end(self, pid: int) -> int:
        for each in self.ends:
            each.close()
        return self.status


integers = st.one_of(st.integers(0, 40), st.sampled_from([2**16, 2**31, 2**32 - 1, 2**63, 2**64 - 1]))
codes = st.one_of(st.integers(0, 25), st.just(2**32 - 1))
texts = st.one_of(
    st.sampled_from(
        [b"a", b"a\nb", b"_a", b"total", b"a\n\nb", b"a\x1b[2J", b"\xff", b"a" * 65, b"a\n" * 40]
    ),
    st.binary(max_size=80),
)
floats = st.lists(st.floats(width=64), max_size=3 * ROWS).map(
    lambda values: np.array(values, "<f8").tobytes()
)
statuses = st.one_of(st.integers(0, 0xFFFF), st.just(-1))


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    """One message: often almost right."""
    fields = draw(st.tuples(integers, integers, codes, integers.map(lambda n: n % 2**32), integers))
    right = draw(
        st.sampled_from([(0, ORDER_TOKEN, 1, 31, 0), (1, ORDER_TOKEN, 2, 0, 0), (2, TOKEN, 3, 1, 1)])
    )
    keep = draw(st.tuples(*[st.booleans()] * 5))
    mixed = [mine if kept else other for mine, other, kept in zip(right, fields, keep, strict=True)]
    return ANSWER.pack(*mixed)


GREETING = ANSWER.pack(0, ORDER_TOKEN, 1, int(ALL_LAYERS), 0) + ANSWER.pack(1, ORDER_TOKEN, 2, 0, 0)
speeches = st.one_of(
    st.binary(max_size=100),
    st.lists(messages(), max_size=4).map(b"".join),
    st.lists(messages(), min_size=1, max_size=3).map(lambda more: GREETING + b"".join(more)),
    st.tuples(messages(), st.integers(1, 31)).map(lambda part: GREETING + part[0][: part[1]]),
)
quick = settings(
    max_examples=100, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)


@pytest.fixture(autouse=True)
def _tokens_that_can_be_guessed(monkeypatch):
    def tokens():
        while True:
            yield TOKEN

    monkeypatch.setattr(conversation, "_random_tokens", tokens)


def converse(kind: str, link: Script) -> Terms | float | None:
    """What the parent makes of it; None where that is one of its own errors."""
    program = Program(kind, "", ("x",), {})

    def connect(rows: int) -> Conversation:
        order = Order(kind, program.entry_point, "", {"x": ()}, rows, ORDER_TOKEN, 0.02)
        return Conversation(link, order, ALL_LAYERS)

    failure: RewardFailure | None = None
    try:
        with RewardProcess(program, connect, rows=ROWS, deadline=0.02) as process:
            return process.evaluate(COLUMNS) if kind == "reward" else process.measure(COLUMNS)
    except SandboxError:
        return None
    except RewardFailure as caught:
        failure = caught
    assert failure.kind in get_args(FailureKind)
    assert all(mark.isprintable() or mark == "\n" for mark in f"{failure}{failure.detail}")
    return None


@quick
@given(said=speeches, text=texts, values=floats, status=statuses)
@example(said=GREETING + ANSWER.pack(2, TOKEN, 3, 1, 1), text=b"a", values=b"", status=0)
def test_terms_are_finite_and_named_or_there_are_none(said, text, values, status):
    outputs = text.ljust(TEXT_BYTES, b"\0") + values
    result = converse("reward", Script(said, outputs, status))
    if result is not None:
        assert np.isfinite(result.values).all()
        assert np.abs(result.values).max() <= TERM_LIMIT
        assert all(TERM_NAME.fullmatch(name) for name in result.names)
        assert result.values.shape == (len(result.names), ROWS)


@quick
@given(said=speeches, values=floats, status=statuses)
@example(said=GREETING + ANSWER.pack(2, TOKEN, 3, 1, 0), values=np.float64(0.5).tobytes(), status=0)
def test_a_number_is_finite_or_there_is_none(said, values, status):
    result = converse("fitness", Script(said, bytes(TEXT_BYTES) + values, status))
    assert result is None or np.isfinite(result)


def test_what_is_right_is_believed():
    """The examples above reach the end: the script can play an honest process."""
    honest = GREETING + ANSWER.pack(2, TOKEN, 3, 1, 1)
    outputs = b"a".ljust(TEXT_BYTES, b"\0") + np.array([1.0, 2.0, 3.0, 4.0]).tobytes()
    assert converse("reward", Script(honest, outputs)).named()["a"].tolist() == [1.0, 2.0, 3.0, 4.0]


def test_who_holds_still_is_late():
    assert converse("reward", Script(GREETING, hangs_up=False)) is None


@pytest.mark.parametrize("number", [*range(1, 65), 127])
def test_any_wait_status_can_be_put_into_words(number):
    for status in (number, number | 0x80, number << 8, -1):
        assert str(conversation.Death(status))


def test_a_process_may_die_of_any_signal(locked):
    for number in (signal.SIGRTMIN + 6, signal.SIGRTMAX, signal.SIGUSR1):
        with locked.start("return {'a': x}") as process:
            os.kill(process.pid, number)
            with pytest.raises(RewardFailure) as caught:
                process.evaluate(locked.columns)
            assert caught.value.kind == "killed"


@quick
@given(text=st.binary(max_size=20_000))
def test_any_text_is_cleaned(text):
    cleaned = clean(text)
    assert len(cleaned) <= 4000
    assert all(mark.isprintable() or mark == "\n" for mark in cleaned)


@quick
@given(names=st.lists(st.text(max_size=70), max_size=40).map(tuple))
def test_any_names_are_allowed_or_refused(names):
    with contextlib.suppress(RewardFailure):
        check_names(names)
        assert all(TERM_NAME.fullmatch(name) for name in names)
