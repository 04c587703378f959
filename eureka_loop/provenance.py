"""Tells results that this user has computed from those of others: a keyed digest stands beside each.

The key is the user's own, `eureka-loop/key` in $XDG_STATE_HOME or ~/.local/state, made when it is first
needed. No digest in a folder from somebody else fits it, and none fits files that were changed since. Where
the key can't be kept, nothing counts as made here.
"""

from __future__ import annotations

import contextlib
import hmac
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from eureka_loop import files
from eureka_loop.errors import RunError
from eureka_loop.records import POLICY, Job
from eureka_loop.results import Failed, Trained

# Files under one digest, which is named after the first.
RESULT = ("result.json", "job.json", POLICY)
RUN = ("run.toml", "task/task.json", "task/training.json")
KEY_BYTES = 32
NOT_HERE = "not made here"  # of a result, in reports


def made_here(folder: Path, names: Sequence[str]) -> bool:
    """Whether this user has written these files, and nobody has changed them."""
    with contextlib.suppress(OSError, RuntimeError, RunError):  # no key, no digest
        kept = files.read_text(_beside(folder, names))
        key = _path().read_bytes()  # a disk that was full may have left it empty: anybody has that key
        fits = hmac.compare_digest(kept.encode(), _digest(key, folder, names).encode())
        return fits and len(key) >= KEY_BYTES
    return False


def fits(folder: Path, known: Mapping[str, Any]) -> bool:
    """Whether a result is of a job with these fields, which its place says."""
    job = files.read_json(folder / "job.json", Job)
    return job == replace(job, **known)


def mark(folder: Path, names: Sequence[str], first: bytes | None = None) -> None:
    """Write the digest of files, where there is a key.

    Args:
        first: content of the first one, which is written after its digest.
    """
    with contextlib.suppress(OSError, RuntimeError):
        files.write_text(_beside(folder, names), _digest(_key(), folder, names, first))


def write_result(folder: Path, result: Trained | Failed) -> None:
    """Write a job's result, which ends it."""
    content = files.as_json(result)
    mark(folder, RESULT, content)
    files.write_bytes(folder / "result.json", content)


def problem() -> str:
    """Why nothing can be marked as made here, in a line; "" where it can."""
    try:
        _key()
    except (OSError, RuntimeError) as error:
        return f"can't keep a key in {os.environ.get('XDG_STATE_HOME') or '~/.local/state'}: {error}"
    return ""


def _key() -> bytes:
    """The user's key; it is made where there is none."""
    import fcntl  # not on Windows, where messages are all that there is

    path = _path()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        key = file.read()
        if len(key) < KEY_BYTES:
            file.seek(0)
            file.write(key := secrets.token_bytes(KEY_BYTES))
        return key


def _path() -> Path:
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "eureka-loop" / "key"


def _beside(folder: Path, names: Sequence[str]) -> Path:
    return folder / f"{names[0]}.mac"


def _digest(key: bytes, folder: Path, names: Sequence[str], first: bytes | None = None) -> str:
    found = hmac.new(key, digestmod="sha256")
    for place, name in enumerate(names):
        content, path = b"", folder / name
        if place == 0 and first is not None:
            content = first
        elif path.exists():  # a failure leaves no policy
            content = files.read_bytes(path)
        found.update(f"{name} {len(content)}\n".encode() + content)
    return found.hexdigest()
