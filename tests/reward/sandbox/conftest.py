"""One warm parent for all tests, and programs that no gate has seen."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from eureka_loop.records import Array
from eureka_loop.reward.contract import Kind, Program
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.sandbox.layers import Layer
from eureka_loop.reward.sandbox.process import RewardProcess

SHAPES = {"x": (), "v": (3,)}


@pytest.fixture(scope="session")
def fork_server() -> Iterator[ForkServer]:
    with ForkServer() as each:
        yield each


@pytest.fixture
def strict(fork_server: ForkServer) -> ForkServer:
    """The same, where this machine has every layer."""
    if fork_server.tier != "strict":
        pytest.skip(f"this machine's sandbox is {fork_server.tier}")
    return fork_server


@pytest.fixture
def program() -> Callable[..., Program]:
    """Text → program, past the gate on purpose."""

    def build(source: str, kind: Kind = "reward", parameters: tuple[str, ...] = ("x", "v")) -> Program:
        return Program(kind, textwrap.dedent(source), parameters, {})

    return build


@pytest.fixture
def start(fork_server: ForkServer, program: Callable[..., Program]) -> Iterator[Callable[..., RewardProcess]]:
    """Source → running process; closed at the end."""
    started: list[RewardProcess] = []

    def begin(source: str, kind: Kind = "reward", *, rows: int = 16, deadline: float = 5.0) -> RewardProcess:
        process = fork_server.start(program(source, kind), SHAPES, rows=rows, deadline=deadline)
        started.append(process)
        return process

    yield begin
    for each in started:
        each.close()


@pytest.fixture
def body(start: Callable[..., RewardProcess]) -> Callable[..., RewardProcess]:
    """The lines of a reward function of x (N,) and v (N, 3) → running process."""

    def begin(lines: str, **options: float) -> RewardProcess:
        indented = textwrap.indent(textwrap.dedent(lines).strip(), "    ")
        return start(f"def compute_reward(x, v):\n{indented}\n", **options)

    return begin


@pytest.fixture
def escaped(start: Callable[..., RewardProcess]) -> Callable[..., RewardProcess]:
    """As `body`, but the lines have real builtins, `os`, `sys` and `ctypes`: an attacker who is past the gate
    and out of the namespace, so that only the operating system still holds it."""

    def begin(lines: str, **options: float) -> RewardProcess:
        indented = textwrap.indent(textwrap.dedent(lines).strip(), "    ")
        return start(ESCAPE + f"def compute_reward(x, v):\n{indented}\n", **options)

    return begin


ESCAPE = """
builtins = tolerance.__globals__["__builtins__"]
load = builtins["__import__"]
os, sys, ctypes, struct, mmap = load("os"), load("sys"), load("ctypes"), load("struct"), load("mmap")
libc = load("eureka_loop.reward.sandbox.libc", fromlist=["LIBC"]).LIBC
getattr = builtins["getattr"]

"""


def batch(rows: int, seed: int = 0) -> dict[str, Array]:
    random = np.random.default_rng(seed)
    return {"x": random.normal(size=rows), "v": random.normal(size=(rows, 3))}


@pytest.fixture
def columns() -> Callable[..., dict[str, Array]]:
    """rows → x (N,) and v (N, 3)."""
    return batch


def alone(layer: Layer) -> Layer:
    """A layer with what it can't do without: the filters need no_new_privs."""
    return layer | Layer.PRIVILEGES
