"""Machines as they might be: older kernels, containers, other systems. What they are worth is measured there.

The warm parent is told lies about its machine before it begins; all that follows is as it would be.
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
from eureka_loop.reward.sandbox import landlock, link
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.sandbox.layers import ALL_LAYERS, Layer
from eureka_loop.reward.sandbox.status import Standing, measure, require

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="pretends from a Linux on")

HONEST = Program("reward", "def compute_reward(x):\n    return {'a': x}\n", ("x",), {})

# As the seccomp profile of an older Docker: the Landlock calls come back with EPERM.
CONTAINER = """
import ctypes, struct
libc = ctypes.CDLL(None)
steps = [(32, 0, 0, 0), (53, 0, 2, 444), (37, 1, 0, 446), (6, 0, 0, 0x50001), (6, 0, 0, 0x7FFF0000)]
kept = ctypes.create_string_buffer(b"".join(struct.pack("<HBBI", *each) for each in steps))
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, struct.pack("HxxxxxxP", len(steps), ctypes.addressof(kept))) == 0
"""
NO_LANDLOCK = "from eureka_loop.reward.sandbox import landlock; landlock.abi = lambda: 0"
OLDER = "from eureka_loop.reward.sandbox import landlock; landlock.abi = lambda: {}"
PROCESSOR = "import platform; platform.machine = lambda: 'riscv64'"
MACOS = """
import sys, resource
import eureka_loop.reward.sandbox.nursery, eureka_loop.reward.sandbox.lock as lock
sys.platform = "darwin"
del resource.RLIMIT_AS
lock._address_space = lambda: None
"""
STAYS = (
    "import eureka_loop.reward.sandbox.nursery as nursery; nursery.may_end_another_identity = lambda: False"
)
BARE = """
import resource
def no(*_): raise ValueError("not here")
resource.setrlimit = no
import eureka_loop.reward.sandbox.seccomp as seccomp
seccomp.machine = lambda: None
"""


@pytest.fixture
def machine(strict, monkeypatch) -> Iterator[Callable[[str], ForkServer]]:
    """Lines that the warm parent runs first → its fork_server."""
    made: list[ForkServer] = []

    def pretend(lines: str) -> ForkServer:
        path, main = link._BOOT.split("; ", 2)[:2], link._BOOT.split("; ", 2)[2]
        monkeypatch.setattr(link, "_BOOT", f"{'; '.join(path)}\n{lines}\n{main}")
        made.append(ForkServer())
        return made[-1]

    yield pretend
    for each in made:
        each.close()


def works(fork_server: ForkServer) -> bool:
    """An honest program runs there, whatever the tier."""
    with fork_server.start(HONEST, {"x": ()}, rows=3) as process:
        return bool((process.evaluate({"x": np.ones(3)}).total == 1.0).all())


def refused(standing: Standing) -> str:
    """What a run is told that would start there."""
    with pytest.raises(SandboxError) as caught:
        require(standing, reduced=False)
    require(standing, reduced=True)
    assert "--allow-reduced-sandbox" in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("lines", [NO_LANDLOCK, CONTAINER], ids=["an older kernel", "a container"])
def test_without_landlock_the_rest_holds(machine, lines):
    fork_server = machine(lines)
    standing = measure(fork_server)
    assert standing.tier == "no-landlock"
    assert standing.held == ALL_LAYERS & ~Layer.LANDLOCK & (strictly(fork_server))
    assert standing.through == ()
    assert "this machine has no landlock" in refused(standing)
    assert works(fork_server)


def strictly(fork_server: ForkServer) -> Layer:
    """Every layer, but for the identity where there is nobody else to become."""
    return ALL_LAYERS if Layer.IDENTITY in fork_server.held else ALL_LAYERS & ~Layer.IDENTITY


@pytest.mark.parametrize("abi", range(1, 7))
def test_an_older_landlock_is_put_on_as_far_as_it_goes(machine, abi):
    if landlock.abi() < abi:
        pytest.skip(f"this kernel's is {landlock.abi()}")
    fork_server = machine(OLDER.format(abi))
    assert fork_server.tier == "strict"
    assert works(fork_server)


def test_another_processor_is_reduced_and_the_witness_says_what_that_means(machine):
    fork_server = machine(PROCESSOR)
    standing = measure(fork_server)
    assert standing.tier == "reduced"
    assert Layer.SECCOMP not in standing.held
    assert "io_uring" in standing.through or "thread" in standing.through
    assert "this machine has no seccomp" in refused(standing)
    assert works(fork_server)


def test_macos_is_reduced(machine):
    fork_server = machine(MACOS)
    standing = measure(fork_server)
    assert standing.tier == "reduced"
    assert standing.held & ~Layer.IDENTITY == Layer.LIMITS
    assert "generated code could reach files" in refused(standing)
    assert works(fork_server)


@pytest.mark.skipif(os.geteuid() != 0, reason="not root: it has no capabilities to begin with")
def test_root_that_has_to_stay_root_is_without_capabilities(machine):
    fork_server = machine(STAYS)
    assert fork_server.held == ALL_LAYERS & ~Layer.IDENTITY
    with fork_server.start(HONEST, {"x": ()}, rows=3) as process:
        lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    status = dict(line.split(":\t", 1) for line in lines)
    assert status["Uid"].split() == ["0"] * 4
    assert {status[f"Cap{kind}"] for kind in ("Prm", "Eff", "Inh", "Amb")} == {"0" * 16}
    assert measure(fork_server).strict


def test_a_machine_without_limits_is_none(machine):
    fork_server = machine(BARE)
    assert fork_server.tier == "none"
    assert "nothing certain holds generated code" in refused(Standing(fork_server.held, 0, {}))
    assert works(fork_server)
