"""The witness sees a locked process refuse everything, and an unlocked one refuse nothing."""

from __future__ import annotations

import sys

import pytest

from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.sandbox.layers import Layer
from eureka_loop.reward.sandbox.probes import PROBES, is_refusal
from eureka_loop.reward.sandbox.witness import witness

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux's locks")

FILES = {"read_file", "write_file", "list_directory"}
PROCESSES = {"fork", "thread"}
OTHERS = {"signal_parent", "trace_parent", "read_parent"}


@pytest.fixture(scope="module")
def unlocked():
    """What works on this machine without any lock: only that can tell anything."""
    with ForkServer(layers=Layer(0)) as fork_server:
        return {name for name, refused in witness(fork_server).items() if not refused}


def refused(layers: Layer) -> set[str]:
    with ForkServer(layers=layers) as fork_server:
        if fork_server.held != layers:
            pytest.skip(f"this machine has {fork_server.held!r} of {layers!r}")
        return {name for name, was in witness(fork_server).items() if was}


def test_a_strict_process_is_refused_everything(strict):
    assert {name for name, was in witness(strict).items() if not was} == set()


def test_an_unlocked_process_is_refused_so_little_that_the_witness_means_something(unlocked):
    assert unlocked >= FILES | PROCESSES | OTHERS | {"connect", "execute", "map_executable"}


def test_seccomp_alone_refuses_everything():
    assert refused(Layer.SECCOMP | Layer.PRIVILEGES) == set(PROBES)


def test_landlock_alone_refuses_files_tcp_and_other_processes():
    from eureka_loop.reward.sandbox.landlock import abi

    expected = FILES | {"execute", "trace_parent", "read_parent"}
    expected |= {"connect", "listen"} if abi() >= 4 else set()
    expected |= {"signal_parent"} if abi() >= 6 else set()
    assert refused(Layer.LANDLOCK | Layer.PRIVILEGES) >= expected


def test_limits_alone_refuse_descriptors(unlocked):
    assert refused(Layer.LIMITS) >= FILES | {"connect", "listen", "anonymous_file"}


def test_limits_on_processes_hold_for_nobody(unlocked):
    assert refused(Layer.LIMITS | Layer.IDENTITY) >= PROCESSES


def test_another_identity_alone_refuses_the_parent(unlocked):
    if "become_root" not in unlocked:
        pytest.skip("not root: there is no identity to drop")
    assert refused(Layer.IDENTITY) >= OTHERS | {"become_root"}


def test_no_such_file_is_not_a_refusal():
    import errno

    assert not is_refusal("read_file", errno.ENOENT)
    assert not is_refusal("connect", errno.ECONNREFUSED)
    assert is_refusal("read_file", errno.EACCES)
