"""The watching works: in a process without any lock each reach is noticed. What can't be seen proves nothing."""

from __future__ import annotations

import pytest

from tests.attacks.conftest import armed

REACHES = {
    "file secret.txt": "builtins_open('SECRET.txt').read()",
    "file made.txt": "builtins_open('FOLDER/made.txt', 'w').close()",
    "file .": "os.listdir('FOLDER')",
    "socket 0": "socket.create_connection(('127.0.0.1', PORT)).close()",
    "socket 1": "c = socket.socket(socket.AF_UNIX)\nc.connect('FOLDER/door')",
    "socket 2": "c = socket.socket(socket.AF_UNIX)\nc.connect('\\0ABSTRACT')",
    "socket 3": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', UDP))",
    "signal": "os.kill(DECOY, signal.SIGUSR1)",
    "signal Z": "os.kill(DECOY, signal.SIGKILL)",
    "process": "if os.fork() == 0:\n    os.setsid()\n    signal.pause()",
    "memory of the owner": """
        there = struct.pack('<QQ', CELL, 7)
        here = ctypes.create_string_buffer(b'changed')
        libc = ctypes.CDLL(None)
        libc.syscall(311, OWNER, struct.pack('<QQ', ctypes.addressof(here), 7), 1, there, 1, 0)
        """,
}


@pytest.mark.parametrize("reached", REACHES)
def test_a_reach_is_noticed(unlocked, reached):
    payload = REACHES[reached].replace("builtins_open", "open")
    harm = unlocked.damage(unlocked.run(armed(payload)))
    assert any(each.startswith(reached) for each in harm), harm


def test_nothing_is_noticed_where_nothing_is_reached(unlocked):
    assert unlocked.damage(unlocked.run(armed("y = os.getpid()"))) == []


def test_a_tampered_neighbour_would_be_noticed(unlocked):
    unlocked.expected, kept = b"", unlocked.expected
    assert unlocked.damage(unlocked.run("def compute_reward(x, v):\n    return {'a': x}")) == [
        "the process beside it",
        "the process after it",
    ]
    unlocked.expected = kept
