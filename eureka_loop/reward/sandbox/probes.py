"""Attempts of the self-test: things a locked process must not be able to do, each in a process of its own.

An attempt works in a process that isn't locked, on a system that has the feature at all, so that a refusal
is the lock's. None does harm where it works.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import platform
import resource
import signal
import socket
import struct
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from eureka_loop.reward.sandbox.seccomp import LIBC, checked

# System calls without a function in the C library: x86-64, aarch64.
_BPF, _KEYCTL, _PERF_EVENT_OPEN, _USERFAULTFD = (321, 280), (250, 219), (298, 241), (323, 282)
_IO_URING_SETUP, _PIDFD_OPEN = (425, 425), (434, 434)
_PTRACE_SEIZE, _CLONE_NEWUSER, _JOIN_SESSION_KEYRING = 0x4206, 1 << 28, 1
_USER_MODE_ONLY, _PR_SET_DUMPABLE = 1, 4
_buffer = ctypes.create_string_buffer(256)


def attempt(name: str) -> int:
    """Make one attempt, or with "" none. 0: it worked; otherwise the errno of what stopped it."""
    try:
        if name:
            PROBES[name]()
    except OSError as error:
        return error.errno or errno.EIO
    except RuntimeError:  # from `threading`: clone was refused
        return errno.EAGAIN
    return 0


# Errnos of attempts that were forbidden. EAGAIN: by a limit on processes. EMFILE: by one on descriptors.
# ENOSYS: this kernel lacks the feature.
REFUSALS = (errno.EPERM, errno.EACCES, errno.EAGAIN, errno.EMFILE, errno.ENOSYS)


def _write_file() -> None:
    path = Path(f"/tmp/eureka-probe-{os.getpid()}")
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600))
    path.unlink()


def _connect() -> None:
    with socket.socket() as client:
        client.connect(("127.0.0.1", 9))  # a closed port is a failed attempt, not a refusal


def _listen() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))


def _fork() -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)


def _thread() -> None:
    thread = threading.Thread(target=int)
    thread.start()
    thread.join()


def _make_executable() -> None:
    memory = mmap.mmap(-1, 4096)
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    checked(LIBC.mprotect(ctypes.c_void_p(address), ctypes.c_size_t(4096), mmap.PROT_READ | mmap.PROT_EXEC))


def _read_parent() -> None:
    """The fork server has the same buffer at the same address: this process is its fork."""
    here = struct.pack("<QQ", ctypes.addressof(_buffer) + 128, 16)
    there = struct.pack("<QQ", ctypes.addressof(_buffer), 16)
    size = ctypes.c_ulong(1)
    checked(LIBC.process_vm_readv(os.getppid(), here, size, there, size, ctypes.c_ulong(0)))


def _call(numbers: tuple[int, int], *arguments: int | bytes | ctypes.Array[ctypes.c_char] | None) -> int:
    wide = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    return checked(LIBC.syscall(ctypes.c_long(numbers[platform.machine() != "x86_64"]), *wide))


_READ_EXECUTE, _PRIVATE = mmap.PROT_READ | mmap.PROT_EXEC, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
_ARRAY_MAP = struct.pack("<IIII32x", 2, 4, 4, 1)  # a BPF array of one entry
_CPU_CLOCK = struct.pack("<IIQ96x", 1, 112, 0)  # a software performance event

PROBES: dict[str, Callable[[], object]] = {
    "read_file": lambda: os.close(os.open("/etc/passwd", os.O_RDONLY)),
    "write_file": _write_file,
    "list_directory": lambda: os.listdir("/"),  # noqa: PTH208 (as bare as the call of a program)
    "connect": _connect,
    "listen": _listen,
    "unix_socket": lambda: socket.socket(socket.AF_UNIX).close(),
    "fork": _fork,
    "thread": _thread,
    "execute": lambda: os.execv(sys.executable, [sys.executable, "-S", "-c", ""]),
    "signal_parent": lambda: os.kill(os.getppid(), 0),
    "ignore_signal": lambda: signal.signal(signal.SIGTERM, signal.SIG_IGN),
    "become_root": lambda: os.setuid(0),
    "raise_limit": lambda: resource.setrlimit(resource.RLIMIT_CORE, (4096, 4096)),
    "map_executable": lambda: mmap.mmap(-1, 4096, _PRIVATE, _READ_EXECUTE).close(),
    "make_executable": _make_executable,
    "trace_parent": lambda: checked(LIBC.ptrace(_PTRACE_SEIZE, os.getppid(), None, None)),
    "read_parent": _read_parent,
    "process_descriptor": lambda: os.close(_call(_PIDFD_OPEN, os.getppid(), 0)),
    "become_dumpable": lambda: checked(LIBC.prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0)),
    "io_uring": lambda: os.close(_call(_IO_URING_SETUP, 1, ctypes.create_string_buffer(120))),
    "userfaultfd": lambda: os.close(_call(_USERFAULTFD, _USER_MODE_ONLY)),
    "keyring": lambda: _call(_KEYCTL, _JOIN_SESSION_KEYRING, None),
    "new_namespace": lambda: checked(LIBC.unshare(_CLONE_NEWUSER)),
    "load_bpf": lambda: os.close(_call(_BPF, 0, _ARRAY_MAP, 48)),
    "perf_event": lambda: os.close(_call(_PERF_EVENT_OPEN, _CPU_CLOCK, 0, -1, -1, 0)),
    "anonymous_file": lambda: os.close(checked(LIBC.memfd_create(b"probe", 0))),
}
