"""The witness's attempts: things a locked process must not be able to do. Each runs in a process of its own.

An attempt works in a process that is not locked, on a system that has the thing at all, so that a refusal
says something about the lock. None does harm where it works.
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

from eureka_loop.reward.sandbox.libc import LIBC, checked

# x86-64, aarch64
_NUMBERS: dict[str, tuple[int, int]] = {
    "bpf": (321, 280),
    "io_uring_setup": (425, 425),
    "keyctl": (250, 219),
    "memfd_create": (319, 279),
    "perf_event_open": (298, 241),
    "pidfd_open": (434, 434),
    "prctl": (157, 167),
    "process_vm_readv": (310, 270),
    "ptrace": (101, 117),
    "unshare": (272, 97),
    "userfaultfd": (323, 282),
}
_PTRACE_SEIZE, _CLONE_NEWUSER, _JOIN_SESSION_KEYRING = 0x4206, 1 << 28, 1
_USER_MODE_ONLY, _PR_SET_DUMPABLE = 1, 4
_buffer = ctypes.create_string_buffer(256)


def attempt(name: str) -> int:
    """Try one thing, or with "" nothing. 0: it worked; otherwise the errno of what stopped it."""
    try:
        if name:
            PROBES[name]()
    except OSError as error:
        return error.errno or errno.EIO
    except RuntimeError:  # `threading`'s word for a refused clone
        return errno.EAGAIN
    return 0


def is_refusal(name: str, number: int) -> bool:
    """Whether an errno means "you may not", rather than that the attempt came to nothing otherwise."""
    if number == errno.EAGAIN:  # a limit on processes
        return name in ("fork", "thread")
    # EMFILE: a limit on descriptors. ENOSYS: this kernel doesn't have the thing.
    return number in (errno.EPERM, errno.EACCES, errno.EMFILE, errno.ENOSYS)


def _read_file() -> None:
    os.close(os.open("/etc/passwd", os.O_RDONLY))


def _write_file() -> None:
    path = Path(f"/tmp/eureka-witness-{os.getpid()}")
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600))
    path.unlink()


def _list_directory() -> None:
    os.listdir("/")  # noqa: PTH208 (as bare as the call a program would make)


def _connect() -> None:
    with socket.socket() as client:
        client.connect(("127.0.0.1", 9))  # refused by nobody listening is a failed attempt, not a refusal


def _listen() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))


def _unix_socket() -> None:
    socket.socket(socket.AF_UNIX).close()


def _fork() -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)


def _thread() -> None:
    thread = threading.Thread(target=int)
    thread.start()
    thread.join()


def _execute() -> None:
    os.execv(sys.executable, [sys.executable, "-S", "-c", ""])


def _signal_parent() -> None:
    os.kill(os.getppid(), 0)


def _become_root() -> None:
    os.setuid(0)


def _raise_limit() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (4096, 4096))


def _map_executable() -> None:
    mmap.mmap(-1, 4096, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, mmap.PROT_READ | mmap.PROT_EXEC).close()


def _make_executable() -> None:
    memory = mmap.mmap(-1, 4096)
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    checked(LIBC.mprotect(ctypes.c_void_p(address), ctypes.c_size_t(4096), mmap.PROT_READ | mmap.PROT_EXEC))


def _ignore_signal() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def _trace_parent() -> None:
    _call("ptrace", _PTRACE_SEIZE, os.getppid(), 0, 0)


def _read_parent() -> None:
    """The warm parent has the same buffer at the same address: this process is its fork."""
    here = struct.pack("<QQ", ctypes.addressof(_buffer) + 128, 16)
    there = struct.pack("<QQ", ctypes.addressof(_buffer), 16)
    _call("process_vm_readv", os.getppid(), here, 1, there, 1, 0)


def _io_uring() -> None:
    os.close(_call("io_uring_setup", 1, ctypes.create_string_buffer(120)))


def _userfaultfd() -> None:
    os.close(_call("userfaultfd", _USER_MODE_ONLY))


def _keyring() -> None:
    _call("keyctl", _JOIN_SESSION_KEYRING, None)


def _new_namespace() -> None:
    _call("unshare", _CLONE_NEWUSER)


def _load_bpf() -> None:
    os.close(_call("bpf", 0, struct.pack("<IIII32x", 2, 4, 4, 1), 48))  # an array map of one entry


def _perf_event() -> None:
    attributes = struct.pack("<IIQ96x", 1, 112, 0)  # software, CPU clock
    os.close(_call("perf_event_open", attributes, 0, -1, -1, 0))


def _anonymous_file() -> None:
    os.close(_call("memfd_create", b"witness", 0))


def _process_descriptor() -> None:
    os.close(_call("pidfd_open", os.getppid(), 0))


def _become_dumpable() -> None:
    _call("prctl", _PR_SET_DUMPABLE, 1, 0, 0, 0)


def _call(name: str, *arguments: int | bytes | ctypes.Array[ctypes.c_char] | None) -> int:
    number = _NUMBERS[name][0 if platform.machine() == "x86_64" else 1]
    wide = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    return checked(LIBC.syscall(ctypes.c_long(number), *wide))


_ANYWHERE: tuple[Callable[[], None], ...] = (
    *(_read_file, _write_file, _list_directory),
    *(_connect, _listen, _unix_socket),
    *(_fork, _thread, _execute, _signal_parent, _ignore_signal, _become_root, _raise_limit),
    *(_map_executable, _make_executable),
)
_ON_LINUX: tuple[Callable[[], None], ...] = (
    *(_trace_parent, _read_parent, _process_descriptor, _become_dumpable),
    *(_io_uring, _userfaultfd, _keyring, _new_namespace, _load_bpf, _perf_event, _anonymous_file),
)
PROBES: dict[str, Callable[[], None]] = {
    each.__name__.removeprefix("_"): each
    for each in (_ANYWHERE + _ON_LINUX if sys.platform == "linux" else _ANYWHERE)
}
