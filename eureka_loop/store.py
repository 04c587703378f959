"""A run is a folder. Files are the truth, each has one writer, and every reader may come and go.

run.toml            configuration, versions, git commit
events.jsonl        append-only; written by the loop
proposals/          every reply as soon as it is there: g0-03.json, g0-03-repair.json
task/               task.json, vocabulary.json, training.json, probe.npz; the programs as .py, to read;
                    random-<n>.npz: whole episodes of random actions
candidates/<id>/    reward.py, origin.json, exchange.json, feedback.txt, bank.json, failed.json, halted.json
   rung-<k>/        with --halving: seed-<n>/ of trainings up to an early rung, and training.npz to go on from
   seed-<n>/        job.json, progress.jsonl, result.json, policy.zip, vecnormalize.pkl, TensorBoard events,
                    episode.npz: one of the policy, with every observable
report.md           the end of the line
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from eureka_loop import files, seeds
from eureka_loop.config import RunConfig, load
from eureka_loop.errors import BadInput, RunError
from eureka_loop.judge.screening import Screened
from eureka_loop.program.vocabulary import Vocabulary
from eureka_loop.records import Candidate, Evaluated, Failed, Halted, Job, Reply, Task, Trained, Training

Event = Mapping[str, Any]
REFERENCES = ("human", "sparse", "native")  # ids of candidates that nobody's search wrote


class Run:
    """One run's folder, for its one writer and for any reader."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._unlock: Callable[[], object] | None = None
        self._listeners: list[Callable[[Event], None]] = []
        self._telling = threading.RLock()  # a model's calls report from threads of their own

    # making and opening

    @classmethod
    def create(cls, out: Path, name: str) -> Run:
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
    def open(cls, folder: Path) -> Run:
        """An existing run, to read.

        Raises:
            BadInput: there is no run there.
        """
        if not (folder / "run.toml").is_file():
            raise BadInput(f"{folder} is not a run{_runs_near(folder)}")
        return cls(folder)

    def lock(self) -> Run:
        """Become the one writer; the lock goes when the process does, however it ends.

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
        with contextlib.suppress(
            OSError
        ):  # who holds it is worth knowing, but not worth failing on a full disk
            os.ftruncate(descriptor, 0)
            os.write(descriptor, str(os.getpid()).encode())
        self._unlock = unlock
        return self

    def close(self) -> None:
        """Give the lock back."""
        if self._unlock is not None:
            self._unlock()

    def __enter__(self) -> Run:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def blank(self) -> bool:
        """Whether this is its first life, and no reply has come yet: nobody would miss it."""
        written = any((self.folder / name).exists() for name in ("proposals", "candidates"))
        return not written and all(event["event"] != "resumed" for event in self.events())

    def discard(self) -> None:
        """Remove a folder in which nothing has been recorded yet."""
        self.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    # events

    def listen(self, listener: Callable[[Event], None]) -> None:
        """Call `listener` with every event from now on, and with passing ones that are not kept."""
        self._listeners.append(listener)

    def event(self, kind: str, /, **values: Any) -> None:
        """Record what happened, and tell the listeners; from any thread."""
        with self._telling:
            happened = {"event": kind, "time": round(time.time(), 3), **values}
            files.append_line(self.folder / "events.jsonl", happened)
            self._tell(happened)

    def passing(self, kind: str, /, **values: Any) -> None:
        """Tell the listeners something that need not be kept: training progress."""
        with self._telling:
            self._tell({"event": kind, "time": round(time.time(), 3), **values})

    def events(self) -> Iterator[Event]:
        """Everything recorded so far."""
        return files.read_lines(self.folder / "events.jsonl")

    def _tell(self, happened: Event) -> None:
        for listener in self._listeners:
            listener(happened)

    # what the run is about

    @property
    def config(self) -> RunConfig:
        return load(self.folder / "run.toml")

    @property
    def task_folder(self) -> Path:
        return self.folder / "task"

    def task(self) -> Task:
        return files.read_json(self.task_folder / "task.json", Task)

    def training(self) -> Training:
        return files.read_json(self.task_folder / "training.json", Training)

    def vocabulary(self) -> Vocabulary:
        return files.read_json(self.task_folder / "vocabulary.json", Vocabulary)

    # candidates

    def write_proposal(self, id: str, reply: Reply, *, repair: bool = False) -> None:
        """Keep what a designer answered, before anything is done with it: it may have been paid for."""
        files.write_json(self._proposal(id, repair), reply)

    def proposal(self, id: str, *, repair: bool = False) -> Reply | None:
        """The reply that is to become a candidate, or its repair; None where it isn't there yet."""
        path = self._proposal(id, repair)
        return files.read_json(path, Reply) if path.exists() else None

    def _proposal(self, id: str, repair: bool) -> Path:
        return self.folder / "proposals" / f"{id}{'-repair' if repair else ''}.json"

    def candidate_folder(self, candidate: str) -> Path:
        return self.folder / "candidates" / candidate

    def write_candidate(
        self, candidate: Candidate, *, feedback: str = "", exchanges: Sequence[Mapping[str, Any]] = ()
    ) -> None:
        """Keep a candidate; it exists once origin.json does, which comes last."""
        folder = self.candidate_folder(candidate.id)
        files.write_text(folder / "reward.py", candidate.source)
        files.write_text(folder / "feedback.txt", feedback)
        files.write_json(folder / "exchange.json", list(exchanges))
        origin = files.plain(candidate)
        del origin["source"]  # reward.py is the one place where it stands
        files.write_json(folder / "origin.json", origin)

    def candidate(self, id: str) -> Candidate:
        """A candidate as written.

        Raises:
            RunError: no such candidate, or its files are damaged.
        """
        folder = self.candidate_folder(id)
        origin = files.read_json(folder / "origin.json", dict[str, Any])
        return Candidate(
            source=files.read_text(folder / "reward.py"),
            **{**origin, "parents": tuple(origin["parents"])},
        )

    def candidate_ids(self) -> list[str]:
        """Every whole candidate, references last."""
        found = [path.parent.name for path in self.folder.glob("candidates/*/origin.json")]
        found.sort(key=lambda id: (len(id), id))  # g2-00 before g10-00
        return [id for id in found if id not in REFERENCES] + [id for id in REFERENCES if id in found]

    def exchanges(self, id: str) -> list[dict[str, Any]]:
        return files.read_json(self.candidate_folder(id) / "exchange.json", list[dict[str, Any]])

    def feedback(self, id: str) -> str:
        """The words its author was given; "" in generation 0."""
        return files.read_text(self.candidate_folder(id) / "feedback.txt")

    def write_failure(self, failed: Failed) -> None:
        """Keep why a candidate never got to training."""
        files.write_json(self.candidate_folder(failed.candidate) / "failed.json", failed)

    def clear_failure(self, id: str) -> None:
        (self.candidate_folder(id) / "failed.json").unlink(missing_ok=True)

    def failure(self, id: str) -> Failed | None:
        path = self.candidate_folder(id) / "failed.json"
        return files.read_json(path, Failed) if path.exists() else None

    def screened(self, id: str) -> Screened | None:
        """What the trajectory bank said of a candidate; None where it wasn't asked."""
        path = self.candidate_folder(id) / "bank.json"
        return files.read_json(path, Screened) if path.exists() else None

    # trainings

    def job_folder(self, candidate: str, seed: int, rung: int | None = None) -> Path:
        """Of a training to the end, or to an early rung."""
        folder = self.candidate_folder(candidate)
        return (folder if rung is None else folder / f"rung-{rung}") / f"seed-{seed}"

    def write_job(self, job: Job, rung: int | None = None) -> Path:
        """Make a job's folder, empty of whatever an interrupted training left there."""
        folder = self.job_folder(job.candidate, job.seed, rung)
        if folder.exists():
            shutil.rmtree(folder)
        files.write_json(folder / "job.json", job)
        return folder

    def result(self, candidate: str, seed: int, rung: int | None = None) -> Trained | Failed | None:
        return read_result(self.job_folder(candidate, seed, rung))

    def rungs(self, id: str) -> list[int]:
        """The early rungs on which a candidate has been trained, in order."""
        return sorted(int(path.name[5:]) for path in self.candidate_folder(id).glob("rung-*"))

    def training_seeds(self, id: str, rung: int | None = None) -> list[int]:
        """Of the trainings to the end, or to an early rung, begun or finished."""
        folder = self.job_folder(id, 0, rung).parent
        return sorted(int(path.name[5:]) for path in folder.glob("seed-*"))

    def write_halted(self, halted: Halted) -> None:
        """Keep why a candidate's training ended early."""
        files.write_json(self.candidate_folder(halted.candidate) / "halted.json", halted)

    def halted(self, id: str) -> Halted | None:
        path = self.candidate_folder(id) / "halted.json"
        return files.read_json(path, Halted) if path.exists() else None

    def evaluated(self, id: str, *, report: bool = False) -> Evaluated:
        """A candidate with its results so far: those of the search, or those on report seeds.

        Of the search, those of the trainings to the end; or of the rung at which it was halted, or failed.
        """
        failure = None if report else self.failure(id)
        if failure is not None:
            return Evaluated(self.candidate(id), (failure,))
        if report:
            return Evaluated(self.candidate(id), self._results(id, None, report=True))
        halted = self.halted(id)
        for rung in [halted.rung] if halted else reversed(self.rungs(id)):
            results = self._results(id, rung)
            if halted or any(isinstance(each, Failed) for each in results):
                return Evaluated(self.candidate(id), results, halted)
        return Evaluated(self.candidate(id), self._results(id, None))

    def evaluated_at(self, id: str, rung: int) -> Evaluated:
        """A candidate with its results at an early rung."""
        failure = self.failure(id)
        return Evaluated(self.candidate(id), (failure,) if failure else self._results(id, rung))

    def _results(self, id: str, rung: int | None, *, report: bool = False) -> tuple[Trained | Failed, ...]:
        wanted = [seed for seed in self.training_seeds(id, rung) if seeds.is_report(seed) == report]
        results = [self.result(id, seed, rung) for seed in wanted]
        return tuple(each for each in results if each is not None)


def _runs_near(folder: Path) -> str:
    """The latest runs in a folder that is none, or beside it, for who mistyped one or named their folder."""
    for place in (folder, folder.parent, Path("runs")):
        found = sorted(path.parent.name for path in place.glob("*/run.toml"))
        if found:
            return f"; the latest in {place}: {', '.join(found[-3:])}"
    return " (it has no run.toml)"


def read_result(folder: Path) -> Trained | Failed | None:
    """What came of a job; None while it isn't finished."""
    path = folder / "result.json"
    return files.read_json(path, Trained | Failed) if path.exists() else None  # type: ignore[arg-type]


def slug(text: str) -> str:
    """A file-system safe name of at most 40 characters."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40].strip("-") or "task"
