"""The warm parent's own end: a numpy-only interpreter that forks one locked process for each program.

It is executed afresh, never forked from a process with keys or torch, and its environment says little more
than "one thread". It holds no secret, opens nothing, runs no program itself, and takes two requests over its
control socket: fork, end. Nothing is reaped before the owner asks, so a process id stays valid as long as it
is used.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import socket
from pathlib import Path
from typing import NoReturn

from eureka_loop.reward.sandbox import child
from eureka_loop.reward.sandbox.layers import ALL_LAYERS, Layer
from eureka_loop.reward.sandbox.lock import die_with_parent, may_end_another_identity, rehearse
from eureka_loop.reward.sandbox.protocol import FORK, WARM, WARM_MESSAGE
from eureka_loop.reward.sandbox.warm import namespace, warm_up

CONTROL = 3  # the control socket's descriptor
_DESCRIPTORS_A_FORK = 3


def main(owner: int, control: int) -> NoReturn:
    """Serve until the owner closes the socket or dies.

    Args:
        owner: the owner's process id, to die with it; 0 where its spawning thread may end before it does
            (the parent-death signal follows the thread), so that only the closed socket tells.
        control: descriptor of the control socket.
    """
    if owner:
        die_with_parent(owner)
    os.dup2(control, CONTROL)
    if control != CONTROL:
        os.close(control)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    warm_up()
    _go_first()
    os.environ.clear()  # what it had to say has been read by now
    rehearse(child.CONTROL)
    scope = namespace()  # built here, it costs a child no page faults; nothing runs in it but there
    gc.collect()
    gc.freeze()  # else the first collection in a child would copy every page
    possible = ALL_LAYERS if may_end_another_identity() else ALL_LAYERS & ~Layer.IDENTITY
    children: set[int] = set()
    with contextlib.suppress(OSError), socket.socket(fileno=CONTROL) as wire:
        wire.sendall(WARM_MESSAGE.pack(WARM, os.getpid()))
        while True:
            request, descriptors, *_ = socket.recv_fds(wire, WARM_MESSAGE.size, _DESCRIPTORS_A_FORK)
            if len(request) != WARM_MESSAGE.size:
                break
            operation, argument = WARM_MESSAGE.unpack(request)
            if operation == FORK:
                result = _fork(descriptors, Layer(argument) & possible, scope)
                children.add(result)
            else:
                result = _end(argument) if argument in children else -1
                children.discard(argument)
            wire.sendall(WARM_MESSAGE.pack(operation, result))
    for pid in children:
        _end(pid)
    os._exit(0)


def _go_first() -> None:
    """Where the machine runs out of memory, its children end before the training that they belong to."""
    with contextlib.suppress(OSError):  # Linux has it
        Path("/proc/self/oom_score_adj").write_text("1000")


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
    """Kill a child and its process group; its wait status."""
    if pid < 0:
        return -1
    for send in (os.killpg, os.kill):  # there is no group before the child's setsid
        with contextlib.suppress(ProcessLookupError, PermissionError):
            send(pid, signal.SIGKILL)
    return os.waitpid(pid, 0)[1]
