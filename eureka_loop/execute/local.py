"""Processes on this machine: workers, what they do beside training, and videos.

A few workers persist, since starting one (torch, MuJoCo) takes seconds; idle ones serve the next executor. A
worker inherits no keys and dies with this process, however that ends.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import re
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from eureka_loop import files, numbers, provenance
from eureka_loop.errors import BadInput, RunError
from eureka_loop.execute.executor import ERROR
from eureka_loop.execute.machine import Share, cores
from eureka_loop.records import POLICY, Job, Recording, Rollout
from eureka_loop.reward.vocabulary import Vocabulary

TICK = 0.2  # s between looks at a worker's progress files
SILENCE = 900.0  # s without progress after which a worker counts as hung; judging long episodes takes minutes
SECRETS = ("KEY", "TOKEN", "SECRET", "PASS", "CREDENTIAL", "OPENAI", "AUTH")
BESIDE = "beside.json"  # sources of programs that are to be trained here, beside what may be written
TRANSITIONS = "transitions.npz"
RECORDED = "recorded.json"  # written after the episodes of a recording
PLAY = Path(__file__).parents[1] / "simulate" / "play.py"
FILM = "import json, sys; from eureka_loop.simulate import play; [*map(play.main, json.loads(sys.argv[1]))]"
FILMING = 120.0  # s for an episode; without a GPU most take under ten

_idle: list[Worker] = []
_starter = ThreadPoolExecutor(1, thread_name_prefix="start")  # a worker dies with the thread that started it


class Worker:
    """One worker process, with folders on its standard input and "done" on its standard output."""

    def __init__(self, program: Sequence[str] = ("-m", "eureka_loop.execute.worker")) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-P", *program, "--serve", str(os.getpid())],
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env=environment(),
        )

    def work(self, folders: Sequence[Path], silence: float) -> bool:
        """Have it work through these folders; False where it ended on the way."""
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin is not None
        assert stdout is not None
        with contextlib.suppress(BrokenPipeError):  # it ended while idle
            stdin.write(f"{json.dumps([str(folder.resolve()) for folder in folders])}\n".encode())
        sizes, last = _sizes(folders), time.monotonic()
        while not select.select([stdout], [], [], TICK)[0]:
            if (now := _sizes(folders)) != sizes:
                sizes, last = now, time.monotonic()
            elif time.monotonic() - last > silence:
                self.stop()
        return bool(stdout.read(4096))

    def stop(self) -> None:
        """Send the signal that ends it, with its children."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def end(self) -> str:
        """End it; how it ended, which may be earlier and by itself."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=0.5)
        self.stop()
        with self.process:  # closes the pipes
            status = self.process.wait()
        return f"killed by signal {-status}" if status < 0 else f"exit status {status}"


@atexit.register
def end_idle() -> None:
    """End the idle workers."""
    while _idle:
        worker = _idle.pop()
        worker.stop()
        worker.end()


class LocalExecutor:
    """Worker processes on this machine, started when first needed; `silence` is in seconds."""

    def __init__(
        self, share: Share, start: Callable[[], Worker] = Worker, *, silence: float = SILENCE
    ) -> None:
        self._start, self._silence = start, silence
        self._threads = ThreadPoolExecutor(share.workers, thread_name_prefix="worker")  # one waits for each
        self._busy: list[Worker] = []
        self._closed = False
        self._lock = threading.Lock()

    def submit(self, folders: Sequence[Path]) -> Future[str]:
        """See `Executor.submit`."""
        return self._threads.submit(self._run, folders)

    def close(self) -> None:
        """End the workers that are at work."""
        with self._lock:
            self._closed = True
            for worker in self._busy:  # the thread that waits for it sees its end
                worker.stop()
        self._threads.shutdown(cancel_futures=True)

    def _run(self, folders: Sequence[Path]) -> str:
        with self._lock:
            if self._closed:
                raise RunError("the executor is closed")
            while _idle and _idle[-1].process.poll() is not None:
                _idle.pop().end()
            worker = _idle.pop() if _idle else _starter.submit(self._start).result()
            self._busy.append(worker)
        done = worker.work(folders, self._silence)
        with self._lock:
            self._busy.remove(worker)
            if done and not self._closed:
                _idle.append(worker)
                return ""
        return worker.end()


def survey(folder: Path) -> Vocabulary:
    """The vocabulary of the environment that `folder`/task.json names.

    Where there is a training.json, trainer.json then says what keeps the population trainer from it, and from
    the programs in beside.json.

    Raises:
        BadInput: the environment can't be made or trained in, or training.json doesn't fit it.
        RunError: the worker crashed.
    """
    _work(folder, "looking at the environment", folder / "vocabulary.json")
    return files.read_json(folder / "vocabulary.json", Vocabulary)


def record(rollout: Rollout, folder: Path) -> bool:
    """Record episodes of trained policies: `folder`/transitions.npz, with `policy`, a row's place among them.

    False where this user has recorded exactly this there before; RunError where the worker crashed.
    """
    before, found = folder / "rollout.json", folder / TRANSITIONS
    names = found.name, before.name
    if provenance.made_here(folder, names) and files.read_json(before, Rollout) == rollout:
        return False
    found.unlink(missing_ok=True)  # first: it is of another rollout.json
    files.write_json(before, rollout)
    _work(folder, "recording episodes", found)
    provenance.mark(folder, names)
    return True


def record_episodes(recording: Recording, folder: Path) -> None:
    """Record whole episodes: `folder`/0.npz, ..., in the order of the policies.

    Raises:
        BadInput: the environment can't be made.
        RunError: the worker crashed.
    """
    files.write_json(folder / "recording.json", recording)
    _work(folder, "recording episodes", folder / RECORDED)


def log_tail(folder: Path) -> str:
    """The end of what a worker printed while it was busy with a folder."""
    return files.read_end(folder / "worker.log", 2000)


def filmed(episodes: Mapping[Path, tuple[Path, int]]) -> str:
    """Draw episodes; "" or, in a line, why one couldn't be. What was drawn here, of that policy, is kept.

    MUJOCO_GL chooses the backend, as everywhere with MuJoCo, or turns videos off.

    Args:
        episodes: film, beside which a PNG of moments is written → folder of the policy, seed of the start.
    """
    chosen = os.environ.get("MUJOCO_GL", "").lower()
    if chosen in ("disable", "disabled", "off", "false", "0"):  # as in MuJoCo
        return f"videos are turned off (MUJOCO_GL={chosen})"

    for path in episodes:
        path.parent.mkdir(exist_ok=True)
    missing = {path: each for path, each in episodes.items() if not drawn_here(path, each[0])}
    for path in missing:
        path.with_suffix(".png").unlink(missing_ok=True)  # which is written last
    calls = [
        ["--folder", str(folder), "--seed", str(seed), "--film", str(path)]
        for path, (folder, seed) in missing.items()
    ]
    shares = [calls[n :: cores()] for n in range(min(cores(), len(calls)))]  # importing torch takes longest

    def film(share: list[list[str]]) -> str:
        return run_python(["-c", FILM, json.dumps(share)], seconds=FILMING * len(share))

    with ThreadPoolExecutor(cores()) as pool:
        why = next(filter(None, pool.map(film, shares)), "")
    for path, (policy, _) in missing.items():
        if path.with_suffix(".png").exists():
            provenance.mark(path.parent, _film_of(path, policy))
    return why


def drawn_here(film: Path, policy: Path) -> bool:
    """Whether this user has drawn a film of the policy in a folder."""
    return provenance.made_here(film.parent, _film_of(film, policy))


def _film_of(film: Path, policy: Path) -> tuple[str, ...]:
    return film.name, film.with_suffix(".png").name, os.path.relpath(policy / POLICY, film.parent)


def shown(policy: Path, seed: int) -> int:
    """Play a policy's judged episodes in a window, this one first; the exit status."""
    job = files.read_json(policy / "job.json", Job)
    starts = map(str, dict.fromkeys((seed, *job.judge_seeds)))
    command = [sys.executable, "-P", str(PLAY), "--folder", str(policy), "--seed", *starts]
    kept = {name: os.environ[name] for name in ("XAUTHORITY",) if name in os.environ}  # named like a secret
    return subprocess.run(command, env={**environment(), **kept}).returncode


def run_python(arguments: Sequence[str], *, seconds: float, **variables: str) -> str:
    """Run Python, with no module of the current folder; its last error, "" where it succeeded."""
    command = [sys.executable, "-P", *arguments]
    try:
        done = subprocess.run(
            command, env={**environment(), **variables}, capture_output=True, text=True, timeout=seconds
        )
    except subprocess.TimeoutExpired:
        return f"not done after {numbers.compact(seconds)} s"
    if done.returncode == 0:
        return ""
    why: list[str] = re.findall(r"^(?:[\w.]*(?:Error|Exception)\b|MuJoCo ).*", done.stderr, re.MULTILINE)
    return (why or [f"exit status {done.returncode}"])[-1][:120]


def environment() -> Mapping[str, str]:
    """Environment variables of a worker: no keys, one thread."""
    kept = {
        name: value for name, value in os.environ.items() if not any(word in name.upper() for word in SECRETS)
    }
    threads = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    return {**kept, **dict.fromkeys(threads, "1")}


def _work(folder: Path, task: str, answer: Path) -> None:
    """Have a worker work through a folder, and wait for a file."""
    (folder / ERROR).unlink(missing_ok=True)
    with contextlib.closing(LocalExecutor(Share(1, 1))) as executor:
        executor.submit([folder]).result()
    if (folder / ERROR).exists():
        raise BadInput(files.read_json(folder / ERROR, dict[str, str])["message"])
    if not answer.exists():
        files.require_space(folder)
        last = log_tail(folder).splitlines()[-1:]
        raise RunError(f"{task} failed: {' '.join(last) or 'its process was killed'}")


def _sizes(folders: Sequence[Path]) -> list[int]:
    """Bytes of the folders' progress and log files."""
    paths = [folder / name for folder in folders for name in ("progress.jsonl", "worker.log")]
    return [path.stat().st_size if path.exists() else -1 for path in paths]
