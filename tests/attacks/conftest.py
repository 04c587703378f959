"""Running attacks, and watching from outside what they reach.

A payload is the body of a reward function of x (N,) and v (N, 3), or a whole program. "Bare" runs it in a
program's own namespace, "armed" with real builtins and the real numpy, as if it had got out of the namespace.
Words in capitals (`SECRET`, `DECOY`, ...) stand for the targets that `Targets` provides.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import pickle
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from eureka_loop.errors import Refused, RewardFailure
from eureka_loop.results import FailureKind
from eureka_loop.reward.contract import Program
from eureka_loop.reward.gate import check
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.sandbox.lock import ALL_LAYERS, Layer
from eureka_loop.reward.sandbox.process import RewardProcess, Terms
from eureka_loop.reward.sandbox.trial import try_out
from eureka_loop.reward.vocabulary import Observable, Vocabulary

SHAPES = {"x": (), "v": (3,)}
VOCABULARY = Vocabulary("any", (Observable("x", ()), Observable("v", (3,))), horizon=100, dt=0.1)
ROWS = 8
NOBODY = 65534

ARMS = (
    '__builtins__.update(tolerance.__globals__["__builtins__"]); '
    'globals().update({"np": tolerance.__globals__["np"], "@constant": lambda value: value}); import os, sys, ctypes, struct, mmap, signal, socket\n'
)
_PR_SET_CHILD_SUBREAPER, _IN_ALL_EVENTS = 36, 0xFFF
_libc = ctypes.CDLL(None, use_errno=True)


def whole(payload: str) -> str:
    """A payload as a program; lines before `---` stand above the function."""
    top, _, body = textwrap.dedent(payload).strip("\n").rpartition("---\n")
    if "def compute_reward" in body:
        return body + "\n"
    body = textwrap.indent(body, "    ")
    return f"{top}\ndef compute_reward(x, v, *, w=1.0):\n{body}\n    return {{'a': x}}\n"


def armed(payload: str) -> str:
    """A payload as a program with real builtins, the real numpy and other loaded modules."""
    return ARMS + whole(payload)


def refusals(payload: str) -> list[str]:
    """A payload's problems at the gate; an empty list where it passes."""
    try:
        check(whole(payload), VOCABULARY)
    except Refused as refused:
        return [str(problem) for problem in refused.problems]
    return []


@dataclass(frozen=True)
class Outcome:
    """The result of a program that was called twice: terms, or the failure that ended it.

    Attributes:
        steady: both calls gave the same terms, bit for bit.
    """

    terms: Terms | None
    failure: RewardFailure | None
    inputs_unchanged: bool
    steady: bool = True


class Targets:
    """Files, sockets, a process and memory for attacks to reach, all of them open to every user.

    Only the sandbox keeps a program from them; `touched` reports whatever was reached.
    """

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="eureka-attack-"))
        self.folder.chmod(0o777)
        for name, content in (("secret.txt", b"1.0 2.0\n"), ("secret.pickle", pickle.dumps([1.0]))):
            (self.folder / name).write_bytes(content)
            (self.folder / name).chmod(0o666)
        np.save(self.folder / "secret.npy", np.ones(3))
        self._sockets = self._open_sockets()
        self.cell = ctypes.create_string_buffer(b"untouched")
        self._decoy = _start_decoy()
        _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1)  # processes left behind become children of this one
        self.known = set(_children(os.getpid()))
        self._watch = _libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        _libc.inotify_add_watch(self._watch, bytes(self.folder), _IN_ALL_EVENTS)

    def aimed(self, payload: str) -> str:
        """The payload with real paths, ports, process ids and addresses."""
        places = {
            "SECRET": str(self.folder / "secret"),
            "FOLDER": str(self.folder),
            "PORT": str(self._sockets[0].getsockname()[1]),
            "ABSTRACT": self._sockets[2].getsockname().decode().lstrip("\0"),
            "UDP": str(self._sockets[3].getsockname()[1]),
            "DECOY": str(self._decoy.pid),
            "OWNER": str(os.getpid()),
            "CELL": str(ctypes.addressof(self.cell)),
        }
        for word, place in places.items():
            payload = payload.replace(word, place)
        return payload

    def touched(self) -> list[str]:
        """Everything reached since the last call; empty where nothing was."""
        here = {os.getpid(), *self.known}
        left = {child for pid in here for child in _children(pid)} - here
        found = [f"process {pid} left" for pid in left]
        found += [f"file {name}" for name in self._files()]
        found += [f"socket {number}" for number, each in enumerate(self._sockets) if _reached(each)]
        found += [f"signal {mask}" for mask in self._signals()]
        if self.cell.value != b"untouched":
            found.append("memory of the owner")
            self.cell.value = b"untouched"
        for pid in left & set(_children(os.getpid())):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        return found

    def close(self) -> None:
        self._decoy.kill()
        self._decoy.wait()
        os.close(self._watch)
        _libc.prctl(_PR_SET_CHILD_SUBREAPER, 0)
        for each in self._sockets:
            each.close()
        shutil.rmtree(self.folder)

    def _open_sockets(self) -> tuple[socket.socket, ...]:
        tcp, udp = socket.socket(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        file, abstract = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
        tcp.bind(("127.0.0.1", 0))
        udp.bind(("127.0.0.1", 0))
        file.bind(str(self.folder / "door"))
        (self.folder / "door").chmod(0o777)
        abstract.bind(f"\0eureka-attack-{os.getpid()}-{id(self)}")
        for each in (tcp, file, abstract):
            each.listen()
        for each in (tcp, file, abstract, udp):
            each.setblocking(False)
        return tcp, file, abstract, udp

    def _signals(self) -> list[str]:
        lines = Path(f"/proc/{self._decoy.pid}/status").read_text().splitlines()
        status = dict(line.split(":\t", 1) for line in lines)
        sent = [status[name] for name in ("SigPnd", "ShdPnd") if int(status[name], 16)]
        state = status["State"][0]
        if sent or state in "TZX":
            self.known.remove(self._decoy.pid)
            self._decoy.kill()
            self._decoy.wait()
            self._decoy = _start_decoy()
            self.known.add(self._decoy.pid)
        return sent + [state] * (state in "TZX")

    def _files(self) -> list[str]:
        try:
            events = os.read(self._watch, 65536)
        except BlockingIOError:
            return []
        names, at = [], 0
        while at < len(events):
            length = int.from_bytes(events[at + 12 : at + 16], "little")
            names.append(events[at + 16 : at + 16 + length].rstrip(b"\0").decode() or ".")
            at += 16 + length
        return sorted(set(names))


def _start_decoy() -> subprocess.Popen[bytes]:
    """A process that every user may signal; signals stay pending."""
    decoy = subprocess.Popen([sys.executable, "-S", "-c", DECOY], stdout=subprocess.PIPE)
    assert decoy.stdout is not None
    with decoy.stdout:
        decoy.stdout.read()
    return decoy


def _reached(end: socket.socket) -> bool:
    try:
        if end.type == socket.SOCK_DGRAM:
            return bool(end.recv(99))
        end.accept()[0].close()
    except BlockingIOError:
        return False
    return True


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (task / "children").read_text().split())
    return found


class AttackRunner:
    """Runs attacks in processes of one fork server, with a second process beside them as a control."""

    def __init__(self, targets: Targets, layers: Layer = ALL_LAYERS) -> None:
        self.targets, self.fork_server = targets, ForkServer(layers=layers)
        self.columns = {"x": np.linspace(-1, 1, ROWS), "v": np.linspace(-2, 2, 3 * ROWS).reshape(ROWS, 3)}
        self._control = self.start(CONTROL)
        self.expected = self._control.evaluate(self.columns).values.tobytes()
        targets.known |= {self.fork_server.pid, self._control.pid}
        targets.touched()

    def start(self, payload: str, *, deadline: float = 2.0) -> RewardProcess:
        """A running program that passed no gate."""
        program = Program("reward", self.targets.aimed(whole(payload)), ("x", "v"), {})
        return self.fork_server.start(program, SHAPES, rows=ROWS, deadline=deadline)

    def run(self, payload: str, *, deadline: float = 2.0) -> Outcome:
        """Start it and call it twice."""
        unchanged, seen = True, set[bytes]()
        try:
            with self.start(payload, deadline=deadline) as process:
                inputs = process._columns
                for _ in range(2):
                    terms = process.evaluate(self.columns)
                    seen.add(terms.values.tobytes())
                    unchanged = all(map(np.array_equal, inputs, self.columns.values())) and unchanged
        except RewardFailure as failure:
            return Outcome(None, failure, unchanged)
        return Outcome(terms, None, unchanged, len(seen) == 1)

    def dry_run(self, payload: str) -> str:
        """The kind of failure with which a payload that passes the gate ends in the dry run; "" where it passes."""
        try:
            try_out(self.fork_server, check(whole(payload), VOCABULARY), self.columns, SHAPES)
        except RewardFailure as failure:
            return failure.kind
        return ""

    def damage(self, outcome: Outcome, *, next_process: bool = True) -> list[str]:
        """Everything an attack reached beyond its own process; empty where nothing.

        Args:
            next_process: also start another process and compare its terms.
        """
        found = [] if outcome.inputs_unchanged else ["inputs"]
        if outcome.failure is not None and outcome.failure.kind not in get_args(FailureKind):
            found.append(f"a failure of kind {outcome.failure.kind}")
        if outcome.terms is not None and not np.isfinite(outcome.terms.values).all():
            found.append("terms that are not finite")
        if self._control.evaluate(self.columns).values.tobytes() != self.expected:
            found.append("the process beside it")
        if next_process:
            terms = self.run(CONTROL).terms
            if terms is None or terms.values.tobytes() != self.expected:
                found.append("the process after it")
        return found + self.targets.touched()

    def close(self) -> None:
        self.targets.known -= {self.fork_server.pid, self._control.pid}
        self._control.close()
        self.fork_server.close()


DECOY = f"""
import os, signal, time
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
os.geteuid() or os.setresuid({NOBODY}, {NOBODY}, {NOBODY})
os.close(1)
while True:
    time.sleep(99)
"""

CONTROL = """
LIMITS = (0.25, np.array([0.5, 0.75, 1.0]))
---
near = tolerance(np.abs(x), bounds=(0.0, LIMITS[0]), margin=0.5) + ramp(x, -1.0, 1.0)
turned = rotate(np.stack([x, v[:, 0], v[:, 1], x + 3.0], axis=1), v) @ LIMITS[1]
count = sum([abs(min(i, 3)) for i in range(len(LIMITS[1]))]) + math.sqrt(2.0)
odd = np.nan_to_num(np.log(x) + 1.0 / (x * 0.0), posinf=1.0, neginf=2.0)
return {"near": near, "turned": turned, "_count": count * np.ones_like(x), "odd": odd}
"""


@pytest.fixture(scope="module")
def runner() -> Iterator[Callable[[Layer], AttackRunner]]:
    """Layers → runner of attacks under these layers alone."""
    if sys.platform != "linux":
        pytest.skip("the sandbox needs Linux")
    targets, made = Targets(), dict[Layer, AttackRunner]()

    def under(layers: Layer) -> AttackRunner:
        if layers not in made:
            made[layers] = AttackRunner(targets, layers)
        if layers & ~Layer.IDENTITY not in made[layers].fork_server.held:
            pytest.skip(f"this machine has no {layers!r}")
        return made[layers]

    yield under
    for each in made.values():
        each.close()
    targets.close()


@pytest.fixture(scope="module")
def locked(runner: Callable[[Layer], AttackRunner]) -> AttackRunner:
    """With every layer."""
    return runner(ALL_LAYERS)


@pytest.fixture(scope="module")
def unlocked(runner: Callable[[Layer], AttackRunner]) -> AttackRunner:
    """Without any layer: what is reached here shows that the watching works."""
    return runner(Layer(0))


@pytest.fixture(scope="session")
def patience() -> float:
    """Slowness of this machine, 1 (idle) to 6, by a loop that takes 30 ms on an idle one."""
    begin, used = time.monotonic(), time.process_time()
    while time.process_time() - used < 0.03:
        pass
    return min(6.0, max(1.0, (time.monotonic() - begin) / 0.03))
