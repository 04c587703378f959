"""Files that survive a crash, and files of somebody else, which may hold anything.

JSON is written by temporary file, fsync and rename; JSON lines are append-only. Only ordinary files are
opened, never links, and `MOST_BYTES` of each kind are read at most. Numbers, nesting and arrays are bounded.
"""

from __future__ import annotations

import contextlib
import errno
import io
import json
import os
import shutil
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import is_dataclass
from functools import cache
from math import prod
from pathlib import Path
from typing import IO, Any, TypeVar

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from eureka_loop.errors import BadInput, Damaged, EurekaError, RunError
from eureka_loop.records import Array

Record = TypeVar("Record")

LEAST_SPACE = 1 << 20  # bytes
MOST_BYTES = {  # of a file that is read
    ".json": 1 << 24,
    ".jsonl": 1 << 24,
    ".npz": 1 << 28,
    ".mp4": 1 << 26,
    ".png": 1 << 26,
    ".py": 1 << 16,  # colouring a megabyte takes 20 s
    ".toml": 1 << 16,  # tomllib's time grows with the square of a dotted key
}
OTHER_BYTES = 1 << 20  # texts
MOST_ARRAYS = 1 << 30  # bytes of the arrays of an .npz file together
LARGEST = 1e100  # size of a number: sums, squares and means of such stay finite


def require_plain(folder: Path) -> None:
    """Require that a folder holds folders and ordinary files alone, however deep: nothing leads out of it.

    A folder that isn't there holds nothing; the folder itself may be a link.

    Raises:
        Damaged: it holds a link, a pipe, a socket or a device.
    """
    left = [str(folder)]
    try:
        while left:
            with contextlib.suppress(FileNotFoundError), os.scandir(left.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        left.append(entry.path)
                    elif not entry.is_file(follow_symlinks=False):
                        what = "a link" if entry.is_symlink() else "no ordinary file"
                        raise Damaged(f"{entry.path} is {what}: remove it; {folder} may hold files alone")
    except OSError as error:
        raise Damaged(f"can't read {error.filename or folder}: {error.strerror}") from error


def opened(path: Path, flags: int = os.O_RDONLY) -> IO[bytes]:
    """Open an ordinary file; one to be written is made where there is none.

    Raises:
        OSError: it is a link, or no ordinary file; or what is written would appear in another place, too.
    """
    writes = flags & os.O_ACCMODE != os.O_RDONLY
    flags |= os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | (os.O_CREAT if writes else 0)
    try:
        descriptor = os.open(path, flags, 0o666)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise OSError(errno.ELOOP, "it is a link", str(path)) from error
        raise
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode) or (writes and found.st_nlink > 1):
        os.close(descriptor)
        why = "it has another name (a hard link)" if stat.S_ISREG(found.st_mode) else "it is no ordinary file"
        raise OSError(errno.EPERM, why, str(path))
    return os.fdopen(descriptor, "r+b" if flags & os.O_RDWR else "wb" if writes else "rb")


def write_bytes(path: Path, content: bytes) -> None:
    """Write the whole file or nothing of it.

    Raises:
        RunError: the disk is full or read-only; no half-written file is left.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.unlink(missing_ok=True)
        with opened(partial, os.O_WRONLY | os.O_EXCL) as file:
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
    write_bytes(path, as_json(record))


def as_json(record: Any) -> bytes:
    """The content of such a file."""
    return f"{json.dumps(plain(record), indent=1, allow_nan=False)}\n".encode()


def read_json(path: Path, record: type[Record], **also: Any) -> Record:
    """Read a record.

    Args:
        also: fields that its path or another file decides; it may leave them out, and not say otherwise.

    Raises:
        Damaged: the file is missing, torn, or not such a record.
    """
    return _record(read_bytes(path), record, str(path), also)


def read_bytes(path: Path, failure: type[EurekaError] = Damaged) -> bytes:
    """Read a file.

    Args:
        failure: what is raised; `BadInput` where a user named the file, which then may be a link or a pipe.

    Raises:
        Damaged: no such file, none that is ordinary, or it is too large.
    """
    most = MOST_BYTES.get(path.suffix, OTHER_BYTES)
    try:
        with path.open("rb") if failure is BadInput else opened(path) as file:
            content = file.read(most + 1)
    except OSError as error:
        raise failure(f"can't read {path}: {error.strerror}") from error
    if len(content) > most:
        raise failure(f"can't read {path}: it is larger than {most >> 10:,} KiB")
    return content


def read_text(path: Path, failure: type[EurekaError] = Damaged) -> str:
    """Read a text file; see `read_bytes`.

    Raises:
        Damaged: also where it is not UTF-8.
    """
    try:
        return read_bytes(path, failure).decode().replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        raise failure(f"can't read {path}: it is not text") from error


def read_end(path: Path, most: int) -> str:
    """The last bytes of a text file; "" where there is none."""
    try:
        with opened(path) as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - most))
            return file.read(most).decode(errors="replace").strip()
    except OSError:
        return ""


@contextlib.contextmanager
def columns(path: Path) -> Iterator[Mapping[str, Array]]:
    """The arrays of an .npz file: name → (rows, *shape), each read when it is asked for.

    Raises:
        Damaged: it can't be read, or holds anything but numbers, or more than `MOST_ARRAYS`.
    """
    try:
        with opened(path) as file, zipfile.ZipFile(file) as members:
            _require_arrays(members)
            with np.lib.npyio.NpzFile(file, allow_pickle=False) as archive:
                yield archive
    except OSError as error:
        raise Damaged(f"can't read {path}: {error.strerror or error}") from error
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise Damaged(f"{path} is damaged: {error}") from error


def read_columns(path: Path) -> dict[str, Array]:
    """All arrays of an .npz file; see `columns`."""
    with columns(path) as found:
        return dict(found)


def _require_arrays(archive: zipfile.ZipFile) -> None:
    """
    Raises:
        ValueError: a member is no array of numbers, or they are too large; none has been read then.
    """
    if sum(member.file_size for member in archive.infolist()) > MOST_ARRAYS:
        raise ValueError(f"its arrays are larger than {MOST_ARRAYS >> 30} GiB")
    for member in archive.infolist():
        try:
            with archive.open(member) as file:
                old = np.lib.format.read_magic(file) == (1, 0)
                read = np.lib.format.read_array_header_1_0 if old else np.lib.format.read_array_header_2_0
                shape, _, dtype = read(file)
        except Exception as error:  # whatever zipfile, numpy and Python's parser raise at such a header
            raise ValueError(f"{member.filename}: {str(error)[:200]}") from error
        if dtype.kind not in "fiub" or prod(shape) * dtype.itemsize > member.file_size:
            raise ValueError(f"{member.filename} is no array of numbers")


def write_columns(path: Path, columns: Mapping[str, npt.NDArray[Any]]) -> None:
    """Write arrays as a compressed .npz file; see `write_bytes`."""
    content = io.BytesIO()
    np.savez_compressed(content, **columns)  # type: ignore[arg-type]
    write_bytes(path, content.getvalue())


def append_line(path: Path, record: Any) -> None:
    """Add one JSON line, on disk when this returns.

    Raises:
        RunError: the disk is full or read-only.
    """
    line = json.dumps(plain(record), allow_nan=False) + "\n"
    try:
        with opened(path, os.O_RDWR | os.O_APPEND) as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 1))
            if file.read() not in (b"", b"\n"):
                file.write(b"\n")  # a torn line of an interrupted write is ended; readers skip it
            file.write(line.encode())
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise _unwritable(path, error) from error


def read_lines(path: Path, record: type[Record]) -> Iterator[Record]:
    """Every whole line, as a record; a torn one (an interrupted write) is skipped.

    Raises:
        Damaged: a line is no such record.
    """
    if not path.exists():
        return
    for number, line in enumerate(read_bytes(path).split(b"\n"), 1):
        torn = "EOF while parsing"
        try:
            yield _record(line, record, f"{path}, line {number},")
        except Damaged as error:
            if not isinstance(error.__cause__, ValidationError) and torn in str(error):
                continue
            raise


def last_line(path: Path, record: type[Record]) -> Record | None:
    """The last whole line; None where there is none."""
    return next(reversed([*read_lines(path, record)]), None)


def bounded(value: Any, where: str = "") -> Any:
    """Parsed JSON or TOML, as it is.

    Raises:
        ValueError: it holds a number beyond `LARGEST`.
    """
    for name, inner in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(inner, dict | list):
            bounded(inner, f"{where}{name}.")
        elif isinstance(inner, int | float) and not abs(inner) <= LARGEST:
            raise ValueError(f"a number beyond {LARGEST:g} at {where}{name}")
    return value


def _record(content: bytes, record: type[Record], place: str, also: Mapping[str, Any] = {}) -> Record:
    try:
        value = from_json(content, allow_inf_nan=False)  # refuses what is nested more than 200 deep
        if isinstance(value, dict | list):
            bounded(value)
    except ValueError as error:
        raise Damaged(f"{place} is damaged: {error}") from error
    for name, known in also.items() if isinstance(value, dict) else ():
        if value.setdefault(name, known) != known:
            raise Damaged(f"{place} is damaged: {name} is {value[name]!r:.80}, and must be {known!r:.80}")
    return validated(value, record, place)


def validated(value: Any, record: type[Record], place: str) -> Record:
    """A record from its data.

    Raises:
        Damaged: the data is none.
    """
    try:
        found: Record = _adapter(record).validate_python(value)
    except ValidationError as error:
        raise Damaged(f"{place} is damaged: {refusal(error)}") from error
    except BadInput as error:
        raise Damaged(f"{place} is damaged: {error}") from error
    return found


def refusal(error: ValidationError) -> str:
    """The first field that is wrong, its value and what is wrong with it, in one line."""
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"]))
    if where and first["type"] != "missing":
        where += f" = {first['input']!r:.80}"
    return f"{where}: {first['msg']}" if where else first["msg"]


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


def _unwritable(path: Path, error: OSError) -> RunError:
    return RunError(f"can't write {path}: {error.strerror}; free some space or choose another --out")
