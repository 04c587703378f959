"""The fork server's own process: a numpy-only interpreter that forks one locked process for each program.

It is executed afresh, never forked from a process with keys or torch, and its environment holds little more
than thread counts. It runs no program itself and takes two requests over its control socket: fork, end. A
child is reaped only when the owner asks, so a process id stays valid as long as it is used.

A locked process can import nothing, so parts of numpy that it imports on first use are imported here.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import socket
import sys
import warnings
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import numpy.ma  # some functions import it on first use

from eureka_loop.reward import functions
from eureka_loop.reward.contract import MAX_TERMS
from eureka_loop.reward.parsing import compile_ready
from eureka_loop.reward.sandbox import answer, child
from eureka_loop.reward.sandbox.explain import FILENAME, explain
from eureka_loop.reward.sandbox.lock import (
    ALL_LAYERS,
    Layer,
    die_with_parent,
    may_kill_other_users,
    prepare,
)
from eureka_loop.reward.sandbox.protocol import FORK, SERVER_MESSAGE, WARM

CONTROL = 3  # the control socket's descriptor


def main(owner: int, control: int) -> NoReturn:
    """Serve until the owner closes the socket or dies.

    Args:
        owner: the owner's process id, to die with it; 0 where the spawning thread may end before its process
            does (the parent-death signal follows the thread), so that only the closed socket ends it.
        control: descriptor of the control socket.
    """
    if owner:
        die_with_parent(owner)
    os.dup2(control, CONTROL)
    if control != CONTROL:
        os.close(control)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    warm_up()
    with contextlib.suppress(OSError):  # where memory runs out, children end before the training they serve
        Path("/proc/self/oom_score_adj").write_text("1000")
    os.environ.clear()  # the libraries have read it by now
    prepare(child.CONTROL)
    scope = namespace()  # built here, it costs a child no page faults; nothing is executed in it here
    gc.collect()
    gc.freeze()  # else the first collection in a child would copy every page
    possible = ALL_LAYERS if may_kill_other_users() else ALL_LAYERS & ~Layer.IDENTITY
    children: set[int] = set()
    with contextlib.suppress(OSError), socket.socket(fileno=CONTROL) as control_socket:
        control_socket.sendall(SERVER_MESSAGE.pack(WARM, os.getpid()))
        while True:
            request, descriptors, *_ = socket.recv_fds(control_socket, SERVER_MESSAGE.size, 3)
            if len(request) != SERVER_MESSAGE.size:
                break
            operation, argument = SERVER_MESSAGE.unpack(request)
            if operation == FORK:
                result = _fork(descriptors, Layer(argument) & possible, scope)
                children.add(result)
            else:
                result = _end(argument) if argument in children else -1
                children.discard(argument)
            control_socket.sendall(SERVER_MESSAGE.pack(operation, result))
    for pid in children:
        _end(pid)
    os._exit(0)


def _fork(descriptors: list[int], layers: Layer, scope: dict[str, object]) -> int:
    """The child's process id; -1 where the system has none left."""
    control, inputs, outputs = descriptors
    parent = os.getpid()
    try:
        pid = os.fork()
    except OSError:
        pid = -1
    if pid == 0:
        child.run((control, inputs, outputs), layers, parent, scope)
    for descriptor in descriptors:
        os.close(descriptor)
    return pid


def _end(pid: int) -> int:
    """Kill a child and its process group; returns its wait status."""
    if pid < 0:
        return -1
    for send in (os.killpg, os.kill):  # there is no group before the child's setsid
        with contextlib.suppress(ProcessLookupError, PermissionError):
            send(pid, signal.SIGKILL)
    return os.waitpid(pid, 0)[1]


def namespace() -> dict[str, object]:
    """A program's globals, with as much of an import as numpy's C code needs."""
    scope = functions.namespace()
    inner = scope["__builtins__"]
    assert isinstance(inner, dict)
    inner["__import__"] = _import_loaded
    return scope


def _import_loaded(name: str, *_: object) -> None:
    """`__import__` of loaded modules: PyImport_Import ignores its result, an `import` statement gets None.

    Raises:
        ImportError: the module isn't loaded, and can't be in a locked process.
    """
    if name not in sys.modules:
        raise ImportError(f"{name!r} can't be imported; `np` and `math` are there")


_EXAMPLE = """
def compute_reward(x, v, *, weight=2.0):
    near = np.exp(-np.square(v).sum(axis=1))
    up = np.where((x > 0.5) & ~(x < 0.0), x ** 2 % 3.0 // 1.0, np.clip(x, -1.0, 1.0)) + v @ np.ones(3)
    return {"near": near, "up": weight * up, "_v": np.linalg.norm(v, axis=1)}
"""


def warm_up() -> None:
    """Run an example and its failure once, so that their pages and caches are there before the fork."""
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    x, v = np.linspace(0.1, 0.9, 5), np.linspace(0.1, 0.9, 15).reshape(5, 3)
    scope = namespace()
    exec(compile(compile_ready(_EXAMPLE), FILENAME, "exec", dont_inherit=True), scope)
    function: Any = scope["compute_reward"]
    answer.collect(function(x, v), (), len(x), np.zeros((MAX_TERMS, len(x))))
    try:
        function(x, x)
    except Exception as error:  # noqa: BLE001 (it fails on purpose)
        explain(error, _EXAMPLE)
