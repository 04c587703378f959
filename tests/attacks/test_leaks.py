"""After many candidates, started and ended in every way there is, everything is as it was before."""

from __future__ import annotations

import gc
import itertools
import resource
import tempfile
from pathlib import Path

import pytest

from tests.attacks.conftest import armed

WAYS = (  # what they do; none that takes long
    "return {'a': x}",
    "return {'a': np.log(x)}",
    "return {'a': x[0]}",
    "return {'a': 1 / 0}",
    "os._exit(3)",
    "os.fork()",
    "os.open('/etc/passwd', 0)",
    "ctypes.string_at(0)",
    "os.write(0, b'x' * 32)",
    "y = np.zeros(10**11)",
    "y = np.ones((1000, 1000))\nreturn {'a': y @ x}",
    "x[0] = 1.0",
)
FREE = 0.05  # of memory, before it counts as lost


def mapped(pid: int | str) -> int:
    """Bytes of memory in use."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize()


def held(locked) -> dict[str, object]:
    """Descriptors, maps and children of this process and of the fork server, and files."""
    maps = Path("/proc/self/maps").read_text()
    return {
        "descriptors": len(list(Path("/proc/self/fd").iterdir())),
        "descriptors of the fork server": len(list(Path(f"/proc/{locked.fork_server.pid}/fd").iterdir())),
        "shared memory": maps.count("memfd:eureka"),
        "touched": locked.targets.touched(),
        "files": sorted(each.name for each in Path(tempfile.gettempdir()).glob("eureka-*") if each.is_file()),
        "segments": len(list(Path("/dev/shm").iterdir())) if Path("/dev/shm").is_dir() else 0,
    }


def start_and_end(locked, times: int) -> None:
    for lines in itertools.islice(itertools.cycle(WAYS), times):
        locked.run(armed(lines))


def nothing_is_left(locked, times: int) -> None:
    start_and_end(locked, 4 * len(WAYS))  # caches fill
    gc.collect()
    before, memory, warm = held(locked), mapped("self"), mapped(locked.fork_server.pid)
    start_and_end(locked, times)
    gc.collect()
    assert held(locked) == before
    assert mapped("self") <= memory * (1 + FREE)
    assert mapped(locked.fork_server.pid) <= warm * (1 + FREE)


def test_a_hundred_candidates_leave_nothing(locked):
    nothing_is_left(locked, 100)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_thousand_candidates_leave_nothing(locked):
    nothing_is_left(locked, 1000)


def test_a_process_left_behind_would_be_seen(locked):
    with locked.start("return {'a': x}") as process:
        left = held(locked)
        assert left["touched"] == [f"process {process.pid} left"]
        assert left["shared memory"] > 0
    assert not Path(f"/proc/{process.pid}").exists()
