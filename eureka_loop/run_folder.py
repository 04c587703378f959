"""The folder of a run: one writer, any number of readers, and a log of events."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from eureka_loop import files
from eureka_loop.errors import BadInput, RunError

Event = Mapping[str, Any]


class RunFolder:
    """Creates, finds and locks a run's folder, and records its events."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._unlock: Callable[[], object] | None = None
        self._listeners: list[Callable[[Event], None]] = []
        self._recording = threading.RLock()  # designers record from threads of their own

    # making and opening

    @classmethod
    def create(cls, out: Path, name: str) -> Self:
        """A new folder `<time>-<name>` under `out`, locked for this process.

        Raises:
            RunError: `out` is not writable.
        """
        stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
        for suffix in ("", *(f"-{n}" for n in range(2, 100))):
            folder = out / f"{stamp}-{slug(name)}{suffix}"
            try:
                folder.mkdir(parents=True)
            except FileExistsError:
                if folder.is_dir():
                    continue
                raise RunError(f"--out {out} is a file, not a folder; choose another") from None
            except OSError as error:
                message = f"can't make {folder}: {error.strerror}; choose another --out"
                raise RunError(message) from error
            return cls(folder).lock()
        raise RunError(f"{out} is full of runs of this second; try again")

    @classmethod
    def open(cls, folder: Path) -> Self:
        """An existing run, to read.

        Raises:
            BadInput: there is no run there.
        """
        if not (folder / "run.toml").is_file():
            raise BadInput(f"{folder} is not a run{_runs_near(folder)}")
        return cls(folder)

    def lock(self) -> Self:
        """Become the one writer; the lock ends with the process, however that ends.

        Raises:
            RunError: another process writes here, or the folder is read-only.
        """
        path = self.folder / ".lock"
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise RunError(f"can't write in {self.folder}: {error.strerror}") from error
        unlock = weakref.finalize(self, os.close, descriptor)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            unlock()
            owner = path.read_text() or "unknown"
            message = f"{self.folder} is in use by another process (pid {owner}); wait for it, or stop it"
            raise RunError(message) from None
        with contextlib.suppress(OSError):  # a full disk: the process id is for messages alone
            os.ftruncate(descriptor, 0)
            os.write(descriptor, str(os.getpid()).encode())
        self._unlock = unlock
        return self

    def close(self) -> None:
        """Release the lock."""
        if self._unlock is not None:
            self._unlock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def blank(self) -> bool:
        """Whether it was never resumed, and no reply has come yet."""
        written = any((self.folder / name).exists() for name in ("proposals", "candidates"))
        return not written and all(event["event"] != "resumed" for event in self.events())

    def discard(self) -> None:
        """Remove a folder in which nothing has been recorded yet."""
        self.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    # events

    def listen(self, listener: Callable[[Event], None]) -> None:
        """Call `listener` with every event from now on, recorded or passing."""
        self._listeners.append(listener)

    def event(self, kind: str, /, **values: Any) -> None:
        """Record an event, and pass it to the listeners; from any thread."""
        with self._recording:
            happened = {"event": kind, "time": round(time.time(), 3), **values}
            files.append_line(self.folder / "events.jsonl", happened)
            self._pass_on(happened)

    def passing(self, kind: str, /, **values: Any) -> None:
        """Pass an event to the listeners without recording it: training progress."""
        with self._recording:
            self._pass_on({"event": kind, "time": round(time.time(), 3), **values})

    def events(self) -> Iterator[Event]:
        """Everything recorded so far."""
        return files.read_lines(self.folder / "events.jsonl")

    def _pass_on(self, happened: Event) -> None:
        for listener in self._listeners:
            listener(happened)


def slug(text: str) -> str:
    """A file-system safe name of at most 40 characters."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40].strip("-") or "task"


def _runs_near(folder: Path) -> str:
    """The latest runs in a folder that is none, or beside it, for messages."""
    for place in (folder, folder.parent, Path("runs")):
        found = sorted(path.parent.name for path in place.glob("*/run.toml"))
        if found:
            return f"; the latest in {place}: {', '.join(found[-3:])}"
    return " (it has no run.toml)"
