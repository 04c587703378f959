"""The files of a run: each has one writer, and any number of readers at any time.

run.toml            configuration, versions, git commit; run.toml.mac beside it: see `provenance`
lessons.json        of earlier runs, as given to the designer; see `search.lessons`
events.jsonl        append-only; written by the loop
proposals/          <id>.json: every reply as soon as it is there, with its repairs, and messages to a model
prompts/            <id>.md: prompts of the manual designer; beside them, by their author, the answers
task/               task.json, vocabulary.json, training.json, probe.npz; the programs as .py, to read;
                    drafts.json: replies in which a model drafted the measure;
                    random-<n>.npz: whole episodes of random actions
floors/<policy>/    result.json: zero actions, random actions, an untrained policy, judged
candidates/<id>/    reward.py, origin.json, feedback.txt, bank.json, failed.json
   seed-<n>/        job.json, progress.jsonl, result.json and .mac, policy.npz, play.py, TensorBoard events,
                    episode.npz with every observable; policy.zip, vecnormalize.pkl for SB3, never read
report.html, report.md, report-curves.svg
films/              judged episodes that were played again: .mp4, .png with moments, .jpg for prompts
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import re
import shutil
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Self, TypeVar

from eureka_loop import files, provenance, seeds
from eureka_loop.config import RunConfig, load, read_table, runs_near, slug
from eureka_loop.errors import BadInput, RunError, UnknownName
from eureka_loop.events import EVENT
from eureka_loop.judge.screening import Screened
from eureka_loop.records import ID, Array, Candidate, Job, Reply, Task, Training, Usage
from eureka_loop.results import Evaluated, Failed, Trained
from eureka_loop.reward.sandbox.status import SandboxRecord
from eureka_loop.reward.vocabulary import Vocabulary

Record = TypeVar("Record")
Event = Mapping[str, Any]

SEED = re.compile(r"seed-(\d{1,18})")  # name of a training's folder
REFERENCES = ("original", "human", "sparse", "native")  # ids of candidates that no search wrote
RECORDS: Mapping[str, Any] = {"made_by": dict[str, Any], "sandbox": SandboxRecord}  # tables beside settings
FLOORS = {"zero": "zero actions", "random": "random actions", "untrained": "an untrained policy"}


class Run:
    """One run: its events, its task, its candidates, their trainings."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._unlock: Callable[[], object] = lambda: None
        self._made_out = False  # whether the folder that runs go to was made for this one
        self._listeners: list[Callable[[Event], None]] = []
        self._recording = threading.RLock()  # designers record from threads of their own

    # making and opening

    @classmethod
    def create(cls, out: Path, name: str) -> Self:
        """A new folder `<time>-<name>` under `out`, locked for this process.

        Raises:
            RunError: `out` is not writable.
        """
        stamp, new = datetime.now().strftime("%Y%m%d-%H%M%S"), not out.exists()
        for number in itertools.count(1):
            folder = out / f"{stamp}-{slug(name)}{'' if number == 1 else f'-{number}'}"
            try:
                folder.mkdir(parents=True)
                break
            except OSError as error:
                if not folder.is_dir():
                    raise RunError(f"can't make {folder}: {error.strerror}; choose another --out") from error
        run = cls(folder).lock()
        run._made_out = new
        return run

    @classmethod
    def open(cls, folder: Path) -> Self:
        """An existing run, to read.

        Raises:
            BadInput: there is no run there.
            Damaged: it holds a link or a special file.
        """
        if not (folder / "run.toml").is_file():
            raise BadInput(f"{folder} is not a run{runs_near(folder)}")
        files.require_plain(folder)
        return cls(folder)

    def lock(self) -> Self:
        """Become the one writer; the lock ends with the process, however that ends.

        Raises:
            RunError: another process writes here, or the folder is read-only, or holds a link.
        """
        files.require_plain(self.folder)
        try:
            file = files.opened(self.folder / ".lock", os.O_RDWR)
        except OSError as error:
            raise RunError(f"can't write in {self.folder}: {error.strerror}") from error
        self._unlock = weakref.finalize(self, file.close)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            pid = file.read(20).decode("ascii", "replace")
            self.close()
            why = f"in use by another process (pid {pid or 'unknown'}); wait for it, or stop it"
            raise RunError(f"{self.folder} is {why}") from None
        with contextlib.suppress(OSError):  # a full disk: the process id is for messages alone
            file.truncate(0)
            file.write(str(os.getpid()).encode())
            file.flush()
        return self

    def close(self) -> None:
        """Release the lock."""
        self._unlock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def blank(self) -> bool:
        """Whether it was never resumed, and no reply has come yet."""
        written = any((self.folder / name).exists() for name in ("proposals", "candidates"))
        return not written and all(event["event"] != "resumed" for event in self.events())

    def discard(self) -> None:
        """Remove a run in which nothing has been recorded yet, and `out` where it was made for it."""
        self.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        if self._made_out:
            with contextlib.suppress(OSError):  # another run is there
                self.folder.parent.rmdir()

    # events

    def listen(self, listener: Callable[[Event], None]) -> None:
        """Call `listener` with every event from now on, recorded or passing."""
        self._listeners.append(listener)

    def event(self, kind: str, /, **values: Any) -> None:
        """Record an event, unless it is "progress", and pass it to the listeners; from any thread."""
        with self._recording:
            clocks = {"time": round(time.time(), 3), "clock": round(time.monotonic(), 3)}
            happened = {"event": kind, **clocks, **values}
            if kind != "progress":
                files.append_line(self.folder / "events.jsonl", happened)
            for listener in self._listeners:
                listener(happened)

    def events(self) -> Iterator[Event]:
        """Everything recorded so far."""
        return files.read_lines(self.folder / "events.jsonl", EVENT)

    def spent(self) -> Usage:
        """Tokens and money of all calls to a model so far."""
        last = [event for event in self.events() if event["event"] == "spent"][-1:]
        return files.validated(last[0], Usage, "the last call") if last else Usage(usd=0.0)

    # task and configuration

    @property
    def config(self) -> RunConfig:
        return load(self.folder / "run.toml")

    @property
    def made_here(self) -> bool:
        """Whether this user has made the run, and nobody has changed its settings or its task."""
        return provenance.made_here(self.folder, provenance.RUN)

    def record(self, name: str) -> Mapping[str, Any]:
        """A table of run.toml that is no setting, one of `RECORDS`; empty where there is none."""
        found = read_table(path := self.folder / "run.toml").get(name, {})
        return files.validated(found, RECORDS[name], f"{path}, [{name}],") if found != {} else {}

    @property
    def task_folder(self) -> Path:
        return self.folder / "task"

    def task(self) -> Task:
        return files.read_json(self.task_folder / "task.json", Task)

    def training(self) -> Training:
        return files.read_json(self.task_folder / "training.json", Training)

    def vocabulary(self) -> Vocabulary:
        return files.read_json(self.task_folder / "vocabulary.json", Vocabulary)

    def probe(self) -> dict[str, Array]:
        """The recorded rows of a survey: parameter name → (rows, *shape)."""
        return files.read_columns(self.task_folder / "probe.npz")

    # candidates

    def write_reply(self, id: str, reply: Reply) -> None:
        """Keep a designer's reply, before anything is done with it: it may have been paid for."""
        replies = [files.plain(each) for each in (*self.replies(id), reply)]
        files.write_json(self.folder / "proposals" / f"{id}.json", replies)

    def replies(self, id: str) -> list[Reply]:
        """The reply that is to become a candidate, then its repairs; [] where none is there yet."""
        return _read(self.folder / "proposals" / f"{id}.json", list[Reply]) or []

    def candidate_folder(self, candidate: str) -> Path:
        return self.folder / "candidates" / candidate

    def write_candidate(self, candidate: Candidate, *, feedback: str = "") -> None:
        """Keep a candidate; it exists once origin.json does, which comes last."""
        folder = self.candidate_folder(candidate.id)
        files.write_text(folder / "reward.py", candidate.source)
        files.write_text(folder / "feedback.txt", feedback)
        origin = files.plain(candidate)
        del origin["source"]  # it is in reward.py
        files.write_json(folder / "origin.json", origin)

    def candidate(self, id: str) -> Candidate:
        """A candidate as written.

        Raises:
            UnknownName: the run has no such candidate.
            RunError: its files are damaged.
        """
        path = self.candidate_folder(id) / "origin.json"
        if not path.exists():
            hint = f"`eureka inspect {self.folder}` lists them"
            raise UnknownName("candidate", id, self.candidate_ids(), hint)
        source = files.read_text(path.with_name("reward.py"))
        return files.read_json(path, Candidate, source=source, id=id)

    def candidate_ids(self) -> list[str]:
        """Every whole candidate, references last; g2-00 before g10-00."""
        found = {path.parent.name for path in self.folder.glob("candidates/*/origin.json")}
        return sorted(filter(ID.fullmatch, found), key=lambda id: (id in REFERENCES, len(id), id))

    def feedback(self, id: str) -> str:
        """The feedback that its designer was given; "" in generation 0."""
        return files.read_text(self.candidate_folder(id) / "feedback.txt")

    def fail(self, failed: Failed) -> None:
        """Record why a candidate never gets to training."""
        self.event("failed", id=failed.candidate, seed=None, kind=failed.kind, message=failed.message)
        files.write_json(self.candidate_folder(failed.candidate) / "failed.json", failed)

    def clear_failure(self, id: str) -> None:
        (self.candidate_folder(id) / "failed.json").unlink(missing_ok=True)

    def failure(self, id: str) -> Failed | None:
        return _read(self.candidate_folder(id) / "failed.json", Failed)

    def screened(self, id: str) -> Screened | None:
        """The trajectory bank's verdict on a candidate; None where there is none."""
        return _read(self.candidate_folder(id) / "bank.json", Screened)

    # trainings

    def job_folder(self, candidate: str, seed: int) -> Path:
        return self.candidate_folder(candidate) / f"seed-{seed}"

    def write_job(self, job: Job) -> Path:
        """Make a job's folder, without anything that an interrupted training has left there."""
        folder = self.job_folder(job.candidate, job.seed)
        if folder.exists():
            shutil.rmtree(folder)
        files.write_json(folder / "job.json", job)
        return folder

    def result(self, candidate: str, seed: int) -> Trained | Failed | None:
        return read_result(self.job_folder(candidate, seed), candidate=candidate, seed=seed)

    def floors(self) -> dict[str, Trained]:
        """Judged policies that learn nothing, by name in reports, which says where one was not made here."""
        found = {}
        for id, label in FLOORS.items():
            if isinstance(result := read_result(place := self.folder / "floors" / id), Trained):
                here = self._trained_here(
                    place, judge_seeds=self.judging_seeds, candidate=id, source="", steps=0
                )
                found[label + f" ({provenance.NOT_HERE})" * (not here)] = result
        return found

    def failed_floors(self) -> list[Failed]:
        """Those that couldn't be judged."""
        found = (read_result(self.folder / "floors" / id) for id in FLOORS)
        return [result for result in found if isinstance(result, Failed)]

    def training_seeds(self, id: str) -> list[int]:
        """Seeds of the trainings that have begun or finished."""
        found = (SEED.fullmatch(path.name) for path in self.candidate_folder(id).glob("seed-*"))
        return sorted(int(each[1]) for each in found if each)

    def evaluated(self, id: str, *, report: bool = False) -> Evaluated:
        """A candidate with its results, in the search or on report seeds."""
        candidate = self.candidate(id)
        if not report and (failure := self.failure(id)) is not None:
            return Evaluated(candidate, (failure,))
        wanted = [seed for seed in self.training_seeds(id) if seeds.is_report(seed) == report]
        found = {seed: each for seed in wanted if (each := self.result(id, seed)) is not None}
        job: dict[str, Any] = {"candidate": id, "source": candidate.source}
        job |= {"judge_seeds": self.judging_seeds} if report else {}
        here = [s for s in found if self._trained_here(self.job_folder(id, s), seed=s, **job)]
        return Evaluated(candidate, tuple(found.values()), elsewhere=tuple(found.keys() - here))

    def _trained_here(self, folder: Path, **known: Any) -> bool:
        marked = provenance.made_here(folder, provenance.RESULT)
        return marked and provenance.fits(folder, {**self._every_job, **known})

    @cached_property
    def judging_seeds(self) -> tuple[int, ...]:
        """Of the episodes in which the report's policies, and floors, are judged."""
        return seeds.seeds("report", self.config.seed, self.config.judge_episodes)

    @cached_property
    def _every_job(self) -> Mapping[str, Any]:
        same = {name: getattr(self.training(), name) for name in ("algorithm", "hyperparameters", "trainer")}
        return {**same, "task": self.task(), "steps": self.config.steps}


def read_result(folder: Path, **known: Any) -> Trained | Failed | None:
    """The result of a job; None while it isn't finished."""
    return _read(folder / "result.json", Trained | Failed, **known)  # type: ignore[arg-type]


def _read(path: Path, record: type[Record], **known: Any) -> Record | None:
    return files.read_json(path, record, **known) if path.exists() else None
