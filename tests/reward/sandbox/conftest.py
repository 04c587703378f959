"""One fork server for all tests, and programs that passed no gate."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from eureka_loop.records import Array
from eureka_loop.reward.contract import Kind, Program
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.sandbox.lock import tier
from eureka_loop.reward.sandbox.process import RewardProcess

SHAPES = {"x": (), "v": (3,)}

ESCAPE = """
tolerance.__globals__["__builtins__"]["globals"]()["@constant"] = lambda value: value
builtins = tolerance.__globals__["__builtins__"]
load = builtins["__import__"]
os, sys, ctypes, struct, mmap = load("os"), load("sys"), load("ctypes"), load("struct"), load("mmap")
libc = load("eureka_loop.reward.sandbox.seccomp", fromlist=["LIBC"]).LIBC

"""


@pytest.fixture
def strict(fork_server: ForkServer) -> ForkServer:
    """The same, where this machine has every layer."""
    if (found := tier(fork_server.held)) != "strict":
        pytest.skip(f"this machine's sandbox is {found}")
    return fork_server


def program(source: str, kind: Kind = "reward", parameters: tuple[str, ...] = ("x", "v")) -> Program:
    """Source → program, without the gate."""
    return Program(kind, textwrap.dedent(source), parameters, {})


def columns(rows: int, seed: int = 0) -> dict[str, Array]:
    """x (N,) and v (N, 3)."""
    random = np.random.default_rng(seed)
    return {"x": random.normal(size=rows), "v": random.normal(size=(rows, 3))}


@pytest.fixture
def start(fork_server: ForkServer) -> Iterator[Callable[..., RewardProcess]]:
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
    return lambda lines, **options: start(_function(lines), **options)


@pytest.fixture
def escaped(start: Callable[..., RewardProcess]) -> Callable[..., RewardProcess]:
    """As `body`, with real builtins, `os`, `sys` and `ctypes`, so that only the operating system holds it."""
    return lambda lines, **options: start(ESCAPE + _function(lines), **options)


def _function(lines: str) -> str:
    return f"def compute_reward(x, v):\n{textwrap.indent(textwrap.dedent(lines).strip(), '    ')}\n"
