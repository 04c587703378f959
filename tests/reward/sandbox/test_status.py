"""The sandbox's status: layers and the self-test, on this machine and on others that are simulated.

To simulate a machine, the fork server runs lines that patch its view of it before it starts.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from eureka_loop.errors import SandboxError
from eureka_loop.reward.contract import Program
from eureka_loop.reward.sandbox import fork_server as owner
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.sandbox.lock import ALL_LAYERS, Layer, landlock_abi, layer_names, tier
from eureka_loop.reward.sandbox.probes import PROBES
from eureka_loop.reward.sandbox.status import SandboxStatus, measure, required

ALL_REFUSED = dict.fromkeys(PROBES, True)
FILES = {"read_file", "write_file", "list_directory"}
PROCESSES = {"fork", "thread"}
OTHERS = {"signal_parent", "trace_parent", "read_parent"}


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        (ALL_LAYERS, "strict"),
        (ALL_LAYERS & ~Layer.IDENTITY, "strict"),
        *((ALL_LAYERS & ~each, "reduced") for each in (Layer.LANDLOCK, Layer.SECCOMP, Layer.PRIVILEGES)),
        (ALL_LAYERS & ~Layer.LIMITS, "none"),
    ],
)
def test_the_tier_follows_from_the_layers_that_hold(held, expected):
    assert tier(held) == expected


def test_a_strict_machine_and_its_record(strict):
    status = required(strict, reduced=False)
    table = status.as_table()
    assert table["tier"] == "strict"
    assert table["layers"] == layer_names(status.held)
    assert table["self_test_tried"] == table["self_test_refused"] == len(PROBES) == 26
    assert table["not_refused"] == []


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (SandboxStatus(ALL_LAYERS & ~Layer.LANDLOCK, 0, ALL_REFUSED), "this machine has no landlock"),
        (
            SandboxStatus(Layer.LIMITS, 0, {**ALL_REFUSED, "connect": False, "fork": False}),
            "no landlock and no seccomp; a locked process could connect, fork",
        ),
        (SandboxStatus(ALL_LAYERS, 7, {**ALL_REFUSED, "read_file": False}), "could read_file"),
        (SandboxStatus(Layer(0), 0, {}), "the sandbox is 'none' here"),
    ],
)
def test_below_strict_the_reason_and_the_flag_are_named(monkeypatch, fork_server, status, words):
    monkeypatch.setattr("eureka_loop.reward.sandbox.status.measure", lambda _: status)
    with pytest.raises(SandboxError) as caught:
        required(fork_server, reduced=False)
    assert all(each in str(caught.value) for each in (words, "`eureka doctor`", "--allow-reduced-sandbox"))
    assert required(fork_server, reduced=True) == status


# The self-test can fail, and each layer alone refuses its part of it.


@pytest.fixture(scope="module")
def unlocked() -> set[str]:
    """Attempts that work on this machine without any lock."""
    with ForkServer(layers=Layer(0)) as fork_server:
        return {name for name, refused in measure(fork_server).refused.items() if not refused}


def refused_by(layers: Layer) -> set[str]:
    with ForkServer(layers=layers) as fork_server:
        if fork_server.held != layers:
            pytest.skip(f"this machine has {fork_server.held!r} of {layers!r}")
        return {name for name, refused in measure(fork_server).refused.items() if refused}


def test_an_unlocked_process_is_refused_little(unlocked):
    assert unlocked >= FILES | PROCESSES | OTHERS | {"connect", "execute", "map_executable"}


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        (Layer.SECCOMP | Layer.PRIVILEGES, set(PROBES)),
        (Layer.LANDLOCK | Layer.PRIVILEGES, FILES | {"execute", "trace_parent", "read_parent"}),
        (Layer.LIMITS, FILES | {"connect", "listen", "anonymous_file"}),
        (Layer.LIMITS | Layer.IDENTITY, PROCESSES),
        (Layer.IDENTITY, OTHERS | {"become_root"}),
    ],
    ids=lambda value: repr(value) if isinstance(value, Layer) else "",
)
def test_a_layer_alone_refuses_its_part(unlocked, layers, expected):
    if Layer.IDENTITY in layers and "become_root" not in unlocked:
        pytest.skip("not root: there is no identity to drop")
    if Layer.LANDLOCK in layers:
        expected = expected | ({"connect", "listen"} if landlock_abi() >= 4 else set())
        expected |= {"signal_parent"} if landlock_abi() >= 6 else set()
    assert refused_by(layers) >= expected


# Other machines, simulated.

HONEST = Program("reward", "def compute_reward(x):\n    return {'a': x}\n", ("x",), {})
_LOCK = "import eureka_loop.reward.sandbox.lock as lock\n"
# As the seccomp profile of an older Docker: the Landlock calls fail with EPERM.
CONTAINER = """
import ctypes, struct
libc = ctypes.CDLL(None)
steps = [(32, 0, 0, 0), (53, 0, 2, 444), (37, 1, 0, 446), (6, 0, 0, 0x50001), (6, 0, 0, 0x7FFF0000)]
kept = ctypes.create_string_buffer(b"".join(struct.pack("<HBBI", *each) for each in steps))
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, struct.pack("HxxxxxxP", len(steps), ctypes.addressof(kept))) == 0
"""
OLDER_KERNEL = _LOCK + "lock.landlock_abi = lambda: 0"
OTHER_PROCESSOR = "import platform; platform.machine = lambda: 'riscv64'"
NO_LIMITS = _LOCK + "def no(*_): raise ValueError('not here')\nlock.resource.setrlimit = no"
STAYS_ROOT = _LOCK + "lock.may_kill_other_users = lambda: False"


@pytest.fixture
def machine(strict, monkeypatch) -> Iterator[Callable[[str], ForkServer]]:
    """Lines that a fork server runs first → the fork server."""
    made: list[ForkServer] = []

    def simulate(lines: str) -> ForkServer:
        path, load, main = owner._BOOT.split("; ", 2)
        monkeypatch.setattr(owner, "_BOOT", f"{path}; {load}\n{lines}\n{main}")
        made.append(ForkServer())
        return made[-1]

    yield simulate
    for each in made:
        each.close()


def works(fork_server: ForkServer) -> bool:
    with fork_server.start(HONEST, {"x": ()}, rows=3) as process:
        return bool((process.evaluate({"x": np.ones(3)}).total == 1.0).all())


@pytest.mark.parametrize(
    ("lines", "expected", "missing"),
    [
        (OLDER_KERNEL, "reduced", Layer.LANDLOCK),
        (CONTAINER, "reduced", Layer.LANDLOCK),
        (OTHER_PROCESSOR, "reduced", Layer.SECCOMP),
        (NO_LIMITS, "none", Layer.LIMITS),
    ],
    ids=["an older kernel", "a container", "another processor", "no limits"],
)
def test_a_machine_with_less_is_measured_as_such_and_works(machine, lines, expected, missing):
    fork_server = machine(lines)
    status = measure(fork_server)
    assert (status.tier, ALL_LAYERS & ~Layer.IDENTITY & ~status.held) == (expected, missing)
    assert bool(status.not_refused) == (missing is not Layer.LANDLOCK)  # seccomp alone refuses all
    with pytest.raises(SandboxError, match=f"this machine has no {layer_names(missing)[0]}"):
        required(fork_server, reduced=False)
    assert works(fork_server)


@pytest.mark.parametrize("abi", [1, 2, 4, 6])
def test_an_older_landlock_is_used_as_far_as_it_goes(machine, abi):
    if landlock_abi() < abi:
        pytest.skip(f"this kernel's is {landlock_abi()}")
    fork_server = machine(_LOCK + f"lock.landlock_abi = lambda: {abi}")
    assert tier(fork_server.held) == "strict"
    assert works(fork_server)


@pytest.mark.skipif(os.geteuid() != 0, reason="not root: it has no capabilities to begin with")
def test_root_that_has_to_stay_root_has_no_capabilities(machine):
    fork_server = machine(STAYS_ROOT)
    assert fork_server.held == ALL_LAYERS & ~Layer.IDENTITY
    with fork_server.start(HONEST, {"x": ()}, rows=3) as process:
        lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    status = dict(line.split(":\t", 1) for line in lines)
    assert status["Uid"].split() == ["0"] * 4
    assert {status[f"Cap{kind}"] for kind in ("Prm", "Eff", "Inh", "Amb")} == {"0" * 16}
    assert measure(fork_server).strict


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_other_systems_are_pointed_to_linux(monkeypatch, platform):
    monkeypatch.setattr(sys, "platform", platform)
    with pytest.raises(SandboxError, match=r"only on Linux.*container.*WSL2"):
        ForkServer()
