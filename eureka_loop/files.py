"""Files that survive a crash: JSON by temporary file, fsync and rename; JSON lines append-only."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from pydantic import TypeAdapter, ValidationError

from eureka_loop.errors import EurekaError, RunError
from eureka_loop.records import Array

Record = TypeVar("Record")

LEAST_SPACE = 1 << 20  # bytes


def write_bytes(path: Path, content: bytes) -> None:
    """Write the whole file or nothing of it.

    Raises:
        RunError: the disk is full or read-only; no half-written file is left.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise _unwritable(path, error) from error


def write_text(path: Path, text: str) -> None:
    """Write a text file as a whole; see `write_bytes`."""
    write_bytes(path, text.encode())


def write_json(path: Path, record: Any) -> None:
    """A dataclass record, or plain JSON data, as a file."""
    write_text(path, json.dumps(plain(record), indent=1, allow_nan=False) + "\n")


def read_json(path: Path, record: type[Record]) -> Record:
    """Read a record.

    Raises:
        RunError: the file is missing, torn, or not such a record.
    """
    try:
        found: Record = _adapter(record).validate_json(path.read_bytes())
    except OSError as error:
        raise RunError(f"can't read {path}: {error.strerror}") from error
    except ValidationError as error:
        raise _damaged(path, error) from error
    return found


def as_record(values: Any, record: type[Record], path: Path) -> Record:
    """JSON data of a file as a record.

    Raises:
        RunError: it is not such a record.
    """
    try:
        found: Record = _adapter(record).validate_python(values)
    except ValidationError as error:
        raise _damaged(path, error) from error
    return found


def read_text(path: Path, failure: type[EurekaError] = RunError) -> str:
    """Read a text file.

    Args:
        failure: what is raised; `BadInput` where a user named the file.

    Raises:
        RunError: no such file, or it is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise failure(f"can't read {path}: {reason}") from error


def read_columns(path: Path) -> dict[str, Array]:
    """The arrays of an .npz file: name → (rows, *shape)."""
    with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
        return dict(archive)


def append_line(path: Path, record: Any) -> None:
    """Add one JSON line, on disk when this returns.

    Raises:
        RunError: the disk is full or read-only.
    """
    line = json.dumps(plain(record), allow_nan=False) + "\n"
    try:
        with path.open("a+b") as file:
            file.seek(max(0, file.tell() - 1))
            if file.read() not in (b"", b"\n"):
                file.write(b"\n")  # a torn line of an interrupted write is ended; readers skip it
            file.write(line.encode())
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise _unwritable(path, error) from error


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Every whole line; a torn one (an interrupted write) is skipped."""
    if not path.exists():
        return
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            yield json.loads(line)
        except json.JSONDecodeError:
            continue


def last_line(path: Path) -> dict[str, Any] | None:
    """The last whole line; None where there is none."""
    return next(reversed([*read_lines(path)]), None)


def require_space(folder: Path) -> None:
    """
    Raises:
        RunError: less than 1 MiB is free, the likely cause of a failure there.
    """
    free = shutil.disk_usage(folder).free
    if free < LEAST_SPACE:
        raise RunError(
            f"the disk of {folder} is full ({free // 1024} KiB free): free some space, then try again"
        )


def plain(record: Any) -> Any:
    """A record as JSON data."""
    return _adapter(type(record)).dump_python(record, mode="json") if is_dataclass(record) else record


# Building one takes some 20 ms, far longer than using it.
_adapter: Callable[[Any], TypeAdapter[Any]] = cache(TypeAdapter)


def _damaged(path: Path, error: ValidationError) -> RunError:
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"]))
    return RunError(f"{path} is damaged: {first['msg']}{f' at {where}' if where else ''}")


def _unwritable(path: Path, error: OSError) -> RunError:
    return RunError(f"can't write {path}: {error.strerror}; free some space or choose another --out")
