"""A run folder of somebody else leads nowhere: links, special files, names with a path, files without an end."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import socket
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eureka_loop import files
from eureka_loop.cli import main as cli
from eureka_loop.errors import Damaged, RunError
from eureka_loop.records import Candidate, Job
from eureka_loop.store import Run
from tests.report.conftest import TASK, Script

Ending = Callable[[str], tuple[int, str]]

SECRET = "the user's own words"
COMMANDS = (
    "inspect foreign", "resume foreign", "compare foreign", "watch foreign", "export foreign", "robustness foreign",
    "run t --replay foreign",
)  # fmt: skip
PLACES = (
    ".lock", "run.toml", "events.jsonl", "films", "floors", "task", "task/task.json", "candidates",
    "candidates/g1-00", "candidates/g1-00/reward.py", "candidates/g1-00/seed-0", "proposals", "proposals/g0-00.json",
    "candidates/g1-00/seed-0/result.json", "candidates/g1-00/seed-0/progress.jsonl", "candidates/g1-00/x.npz",
    "compare", "compare/1-steps-seed-0/ppo", "compare/1-steps-seed-0/comparison.json", "report.html", "figures",
)  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run in foreign, beside the folder outside with files that nobody may touch."""
    place = tmp_path_factory.mktemp("made")
    Script(place / "foreign").whole()
    for folder in ("films", "floors", "proposals", "figures", "compare/1-steps-seed-0/ppo"):
        (place / "foreign" / folder).mkdir(parents=True, exist_ok=True)
    (place / "outside/inner").mkdir(parents=True)
    for name in ("file", "inner/file"):
        (place / "outside" / name).write_text(SECRET)
    return place


@pytest.fixture
def foreign(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The run in ./foreign, beside ./outside."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return tmp_path / "foreign"


@pytest.fixture
def ending(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Ending:
    """Exit status and standard error of a command after which everything outside is as it was."""

    def end(words: str) -> tuple[int, str]:
        before = _state(tmp_path / "outside")
        with pytest.raises(SystemExit) as ended:
            cli.main(words.split())
        printed = capsys.readouterr()
        assert _state(tmp_path / "outside") == before
        assert SECRET not in printed.out + printed.err
        return int(ended.value.code or 0), printed.err

    return end


def _state(folder: Path) -> list[tuple[str, int, bytes]]:
    found = sorted(folder.rglob("*"))
    return [
        (str(each), each.stat().st_mtime_ns, each.read_bytes() if each.is_file() else b"") for each in found
    ]


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(os.path.relpath(path))


INTRUDERS: dict[str, Callable[[Path], object]] = {
    "link to a file": lambda path: path.symlink_to(Path.cwd() / "outside/file"),
    "link to a folder": lambda path: path.symlink_to(Path.cwd() / "outside/inner"),
    "link to an endless file": lambda path: path.symlink_to("/dev/zero"),
    "link to itself": lambda path: path.symlink_to(path.name),
    "pipe": os.mkfifo,
    "socket": _socket,
}


@pytest.mark.parametrize("intruder", INTRUDERS)
@pytest.mark.parametrize("place", PLACES)
def test_a_link_or_a_special_file_anywhere_is_refused(
    foreign: Path, ending: Ending, place: str, intruder: str
) -> None:
    path = foreign / place
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    INTRUDERS[intruder](path)
    for words in COMMANDS:
        status, error = ending(words)
        if place == "run.toml" and "is not a run" in error:  # a pipe, for example
            continue
        assert (status, len(error.splitlines())) == (2, 1)
        assert (
            f"foreign/{place} is {'no ordinary file' if intruder in ('pipe', 'socket') else 'a link'}"
            in error
        )


def test_the_folder_itself_may_be_a_link(foreign: Path, ending: Ending) -> None:
    Path("elsewhere").symlink_to(foreign)
    assert ending("inspect elsewhere") == (0, "")


@pytest.mark.parametrize("name", ["events.jsonl", ".lock"])
def test_a_file_with_another_name_outside_is_not_written(foreign: Path, ending: Ending, name: str) -> None:
    (foreign / name).unlink(missing_ok=True)
    os.link("outside/file", foreign / name)
    status, error = ending("resume foreign")
    assert status in (1, 2)
    assert len(error.splitlines()) == 1
    run = Run(foreign)
    with pytest.raises(RunError, match="hard link"):
        run.lock() if name == ".lock" else run.event("resumed")
    assert Path("outside/file").read_text() == SECRET


@pytest.mark.parametrize(
    "write",
    [
        lambda path: files.write_text(path, "new"),
        lambda path: files.append_line(path, {}),
        lambda path: files.write_columns(path, {}),
    ],
)
@pytest.mark.parametrize("link", [Path.symlink_to, Path.hardlink_to])
def test_what_is_written_goes_nowhere_else(foreign: Path, write: Any, link: Any) -> None:
    """Between two looks at the folder a link may appear: also at the name of a file that is half written."""
    victim, path = Path.cwd() / "outside/file", foreign / "new.json"
    for each in (path, path.with_name(f".{path.name}.{os.getpid()}.partial")):
        link(each, victim)
    with contextlib.suppress(RunError):
        write(path)
    assert victim.read_text() == SECRET


NAMES = (
    "../../victim",
    "..",
    ".",
    "",
    "/etc/passwd",
    "a/b",
    "\x1b[2J",
    "a" * 101,
    "g0-00\n",
    "-rf",
    "g0-00/../..",
)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_is_a_path_is_refused(foreign: Path, ending: Ending, name: str) -> None:
    """In every file that names a candidate, a folder or an episode."""
    origin, result = (foreign / "candidates/g1-00" / each for each in ("origin.json", "seed-0/result.json"))
    for path, key in ((origin, "id"), (origin, "parents"), (result, "candidate")):
        kept = json.loads(path.read_text())
        path.write_text(json.dumps({**kept, key: [name] if key == "parents" else name}))
        status, error = ending("inspect foreign g1-00")
        assert (status, len(error.splitlines())) == (2, 1)
        assert f"{path.relative_to(foreign.parent)} is damaged: " in error
        path.write_text(json.dumps(kept))
    job = files.plain(Job("g1-00", 0, TASK, "", "ppo", 1, {}, (1,)))
    for key, value in (("candidate", name), ("begin_with", [name]), ("cohort", [name])):
        if (key, name) not in (("begin_with", ""), ("cohort", "")):
            (foreign / "job.json").write_text(json.dumps({**job, key: value}))
            if key == "candidate" or name not in ("a/b", "", "../../victim"):
                with pytest.raises(Damaged, match=rf"job\.json is damaged: {key}.*: "):
                    files.read_json(foreign / "job.json", Job)
    events = (foreign / "events.jsonl").read_text()
    for kind, key in (("finished", "winner"), ("trained", "id")):
        line = {"event": kind, "time": 1.8e9, "seed": 0, "fitness": 1.0, key: name}
        (foreign / "events.jsonl").write_text(f"{events}{json.dumps(line)}\n")
        status, error = ending("inspect foreign")
        assert (status, len(error.splitlines())) == (2, 1)
        assert f"foreign/events.jsonl, line {len(events.splitlines()) + 1}, is damaged: " in error
        assert "\x1b" not in error


def test_places_of_a_job_stay_inside_the_run(foreign: Path) -> None:
    own = ("", "../seed-5", "../../g0-01/seed-5", "../../../task/random-0.npz", "g0-00/seed-0")
    out = (
        "../../../../x",
        "../../../../../etc/passwd",
        "a/../b",
        "/x",
        "../..",
        "a//b",
        "x.pkl",
        "../.ssh/x",
    )
    job = files.plain(Job("g1-00", 0, TASK, "", "ppo", 1, {}, (1,)))
    for each in (*own, *out):
        files.write_json(foreign / "job.json", {**job, "begin_with": [each]})
        try:
            files.read_json(foreign / "job.json", Job)
        except Damaged:
            assert each in out
        else:
            assert each in own


def test_folders_with_odd_names_are_no_candidates_and_no_trainings(foreign: Path, ending: Ending) -> None:
    before = Run(foreign).candidate_ids()
    for name in ("\x1b[2J", "..g", "a b", "x" * 200):
        shutil.copytree(foreign / "candidates/g0-00", foreign / "candidates" / name)
    for name in ("seed-x", "seed-", "seed--1", "seed-0x1", f"seed-{10**30}"):
        (foreign / "candidates/g0-00" / name).mkdir()
    run = Run(foreign)
    assert run.candidate_ids() == before
    assert run.training_seeds("g0-00") == [0]
    assert ending("inspect foreign g0-00") == (0, "")


def test_a_result_of_another_training_is_none_of_this_one(foreign: Path, ending: Ending) -> None:
    folder = foreign / "candidates/g1-00"
    shutil.copytree(folder / "seed-0", folder / "seed-1")
    status, error = ending("inspect foreign g1-00")
    assert status == 2
    assert error.endswith("seed-1/result.json is damaged: seed is 0, and must be 1\n")


ENDLESS = (
    "run.toml",
    "events.jsonl",
    "task/task.json",
    "candidates/g1-00/reward.py",
    "candidates/g1-00/origin.json",
)


@pytest.mark.parametrize("place", ENDLESS)
def test_no_more_of_a_file_is_read_than_its_kind_may_have(foreign: Path, ending: Ending, place: str) -> None:
    """A file of a terabyte that takes no room on the disk."""
    os.truncate(foreign / place, 1 << 40)
    began = time.monotonic()
    status, error = ending("inspect foreign" + " g1-00" * ("g1-00" in place))
    assert (status, len(error.splitlines())) == (2, 1)
    assert f"can't read foreign/{place}: it is larger than" in error
    assert time.monotonic() - began < 10


def test_a_program_of_a_megabyte_is_not_coloured(foreign: Path, ending: Ending) -> None:
    (foreign / "candidates/g1-00/reward.py").write_text("a = terminated\n" * 70_000)
    assert "reward.py: it is larger than 64 KiB" in ending("inspect foreign g1-00")[1]


def _npz(names: dict[str, bytes], kind: int = zipfile.ZIP_DEFLATED) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", kind) as archive:
        for name, each in names.items():
            archive.writestr(name, each)
    return content.getvalue()


def _npy(array: Any, shape: object = None) -> bytes:
    content = io.BytesIO()
    np.save(content, array)
    if shape is None:
        return content.getvalue()
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY\x02\x00" + len(header).to_bytes(4, "little") + header + bytes(64)


def _claims(size: int) -> bytes:
    """An archive that says that its only member has so many bytes."""
    content = _npz({"x.npy": _npy(np.zeros(8))})
    real = len(_npy(np.zeros(8))).to_bytes(4, "little")
    return content.replace(real, size.to_bytes(4, "little"))


ARCHIVES = {
    "many rows": _npz({"x.npy": _npy(0, (10**12,))}),
    "many axes": _npz({"x.npy": _npy(0, (10**6,) * 30)}),
    "negative rows": _npz({"x.npy": _npy(0, (-8,))}),
    "a header without end": _npz({"x.npy": _npy(0, "(" * 90_000)}),
    "a header that is no tuple": _npz({"x.npy": _npy(0, "(" * 9_000)}),
    "objects": _npz({"x.npy": _npy(np.array([{}], dtype=object))}),
    "texts": _npz({"x.npy": _npy(np.array(["a" * 1000]))}),
    "fields": _npz({"x.npy": _npy(np.zeros(2, dtype=[("a", "f8")]))}),
    "no array": _npz({"x.npy": b"x" * 100}),
    "two gigabytes": _claims(1 << 31),
    "cut off": _npz({"x.npy": _npy(np.zeros(1000))})[:200],
    "an array alone": _npy(np.zeros(3)),
    "nothing": b"",
    "another compression": _npz({"x.npy": _npy(0, (10**12,))}, zipfile.ZIP_LZMA),
}


@pytest.mark.parametrize("archive", ARCHIVES)
def test_arrays_are_refused_before_there_is_room_for_them(tmp_path: Path, archive: str) -> None:
    path = tmp_path / "episode.npz"
    path.write_bytes(ARCHIVES[archive])
    with pytest.raises(Damaged, match=r"episode\.npz"):
        files.read_columns(path)


def test_a_bomb_of_zeros_is_not_unpacked(tmp_path: Path) -> None:
    """A member that is ten times as large as it says."""
    path, zeros = tmp_path / "episode.npz", bytes(10_000_000)
    content = _npz({"x.npy": zeros})
    path.write_bytes(content.replace(len(zeros).to_bytes(4, "little"), (1000).to_bytes(4, "little")))
    with pytest.raises(Damaged, match=r"episode\.npz"):
        files.read_columns(path)


def test_a_program_of_a_file_reaches_no_prompt(foreign: Path) -> None:
    """Reading it by the store alone, where no command has looked at the folder before."""
    run, path = Run(foreign), foreign / "candidates/g1-00/reward.py"
    path.unlink()
    path.symlink_to(Path.cwd() / "outside/file")
    with pytest.raises(Damaged, match=r"reward\.py: it is a link"):
        run.candidate("g1-00")
    with pytest.raises(Damaged, match=r"reward\.py is a link"):
        Run.open(foreign)
    run.write_candidate(Candidate("g1-00", 1, "mine", "llm"))
    assert Path("outside/file").read_text() == SECRET
    assert run.candidate("g1-00").source == "mine"
