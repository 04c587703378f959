"""A damaged file of a run, a comparison or a bench is one line on the screen, never a traceback.

Every field of every JSON, JSONL and TOML file is damaged, one at a time, and the commands that read it are given
the folder. A sample of it runs with the other tests, all of it with `make test-slow`.
"""

from __future__ import annotations

import json
import re
import shutil
import tomllib
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from eureka_loop.cli import main as cli
from eureka_loop.errors import RunError
from tests.end_to_end.program import done
from tests.report.conftest import Script

pytestmark = pytest.mark.timeout(0)  # all of it takes an hour

MARK = "@damage@"
DEEP = "[" * 10_000 + "]" * 10_000
DAMAGES = {
    "removed": None,
    "null": "null",
    "text": '"x"',
    "list": "[]",
    "huge": str(10**400),
    "negative": "-1",
    "nan": "NaN",
    "empty": '""',
    "long": json.dumps("x" * 100_000),
    "deep": DEEP,
    "escapes": json.dumps("\x1b[2J\x1b]0;title\x07\x9b\u202e"),
    "path": '"../../victim"',
}
IN_TOML = {"null": '"null"', "nan": "nan", "huge": "9" * 400}
READ = {  # of folders whose other files are damaged elsewhere
    "runs": ".json .jsonl .toml",
    "runsfloors": "result.json",
    "runscompare": "comparison.json shared.json rollout.json run.toml",
    "banked": "bank.json",
    "stopped": "events.jsonl",
    "b": "bench.json run.toml",
}
SMALL = "--designer templates --minutes 0 --generations 2 --samples 2 --steps 1024 --report-seeds 1 --judge-episodes 2"
TASK = "inverteddoublependulum-balance"
BENCH = (
    "bench quick --tasks reacher-reach --searches 1 --designer templates --generations 1 --samples 2 --steps 256 "
    "--report-seeds 1 --judge-episodes 1 --jobs 1 --out b --yes"
)
COMPARE = "compare runs/run --seeds 1 --with human,sparse --steps 512"


def make(home: Path) -> None:
    """A finished run with a comparison, one with a bank, a bench."""
    done("run", TASK, *SMALL.split(), "--out", "runs", cwd=home)
    (folder,) = (path.parent for path in home.glob("runs/*/run.toml"))
    folder.rename(home / "runs/run")
    done(*COMPARE.split(), cwd=home)
    done("run", "invertedpendulum-balance", *SMALL.split(), "--bank", "--out", "banked", cwd=home)
    (folder,) = (home / "banked").iterdir()
    folder.rename(home / "banked/run")
    done(*BENCH.split(), cwd=home)


def stop(home: Path) -> None:
    """Beside the finished run, the same one as it was before its report."""
    shutil.copytree(
        home / "runs/run", home / "stopped/run", ignore=shutil.ignore_patterns("compare", "seed-2*")
    )
    events = home / "stopped/run/events.jsonl"
    events.write_text(events.read_text().split('{"event": "ranked"')[0])


@dataclass(frozen=True)
class Damaged:
    """One damage of one file.

    Attributes:
        field: names and indices of the way to a value.
        content: of the file; None where it can't be made.
    """

    file: str
    field: tuple[str | int, ...]
    damage: str
    content: str

    def __str__(self) -> str:
        return f"{self.file}:{'.'.join(map(str, self.field))}:{self.damage}"


def damages(home: Path) -> Iterator[Damaged]:
    """Every damage; of fields with the same place in files of the same kind, those of one file."""
    seen: set[Any] = set()
    for path in sorted(home.rglob("*")):
        file = path.relative_to(home).as_posix()
        where = file.split("/")[0] + "compare" * ("/compare/" in file) + "floors" * ("/floors/" in file)
        kind = f"{where} {re.sub('[0-9]+', '0', path.name)}"
        if not path.name.endswith(tuple(READ.get(where, "-").split())):
            continue
        text = path.read_text()
        if path.suffix == ".jsonl":
            lines = text.splitlines()
            for number, line in enumerate(lines):
                event = json.loads(line)
                for field, damage, damaged in _of(event, kind, (), event.get("event", ""), seen, json.dumps):
                    changed = "\n".join([*lines[:number], damaged, *lines[number + 1 :]])
                    yield Damaged(file, (number, *field), damage, f"{changed}\n")
        else:
            table = path.suffix == ".toml"
            whole = tomllib.loads(text) if table else json.loads(text)
            for each in _of(whole, kind, (), "", seen, tomli_w.dumps if table else json.dumps):
                yield Damaged(file, *each)


def _of(
    whole: Any, kind: str, at: tuple[str | int, ...], about: str, seen: set[Any], dump: Callable[[Any], str]
) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
    """Field, damage and content for a value and all within it."""
    value = whole
    for each in at:
        value = value[each]
    place = kind, about, tuple(0 if isinstance(each, int) else each for each in at)
    if place in seen:
        return
    seen.add(place)
    for damage, literal in (DAMAGES if dump is json.dumps else {**DAMAGES, **IN_TOML}).items():
        if not at and literal is not None and dump is json.dumps:
            yield at, damage, literal
        elif at and (changed := _changed(whole, at, literal, dump)) is not None:
            yield at, damage, changed
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, _ in list(inner)[:40]:
        yield from _of(whole, kind, (*at, key), about, seen, dump)


def _changed(
    whole: Any, at: Sequence[str | int], literal: str | None, dump: Callable[[Any], str]
) -> str | None:
    copy = json.loads(json.dumps(whole))
    inner = copy
    for each in at[:-1]:
        inner = inner[each]
    if literal is None:
        del inner[at[-1]]
        return dump(copy)
    inner[at[-1]] = MARK
    text = dump(copy)
    return text.replace(f'"{MARK}"', literal) if f'"{MARK}"' in text else None


def commands(file: str) -> list[str]:
    """Command lines that read a file."""
    if file.startswith("b/"):
        return [BENCH]
    if "/compare/" in file:
        return [COMPARE]
    run = "/".join(file.split("/")[:2])
    id = file.split("/")[3] if "/candidates/" in file else "g0-00"
    if file.startswith("banked"):
        return [f"inspect {run}", f"inspect {run} {id}", f"resume {run}"]
    if file.startswith("stopped"):
        return [f"inspect {run}", f"resume {run}"]
    replay = [f"run {TASK} --replay {run} --out new"] if "proposals" in file or "toml" in file else []
    compare = [] if "floors" in file else [f"{COMPARE} --out new"]
    return [
        f"inspect {run}", f"inspect {run} {id}", f"inspect {run} {id} --exchange", f"watch {run} {id}",
        f"export {run} {id} --to policy --out new", f"resume {run}", *compare, *replay,
    ]  # fmt: skip


@dataclass
class Folder:
    """A folder of runs that is set back to what it was."""

    home: Path
    kept: Path

    def __post_init__(self) -> None:
        self._before = self._state()

    def _state(self) -> dict[Path, tuple[int, int]]:
        return {
            path: (path.stat().st_mtime_ns, path.stat().st_size)
            for path in self.home.rglob("*") if path.is_file()
        }  # fmt: skip

    def restore(self) -> None:
        now = self._state()
        for path in now.keys() - self._before.keys():
            path.unlink()
        for path in self._before:
            if now.get(path) != self._before[path]:
                path.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(self.kept / path.relative_to(self.home), path)


def _no_training(self: object, folders: object) -> Future[str]:
    raise RunError("nothing is trained here")


def _not_made(*arguments: object, **options: object) -> None:
    raise RunError("nothing is made here")


def wrong(words: str, file: str, capsys: pytest.CaptureFixture[str]) -> str:
    """A fault in how a command ended; "" where there is none.

    It may end well, where the damage takes nothing away that it needs, or stop where it would train.
    """
    try:
        cli.main(words.split())
    except SystemExit as ended:
        code = ended.code
    except BaseException as error:  # noqa: BLE001 - that is what is looked for
        frames = traceback.extract_tb(error.__traceback__)
        ours = [each for each in frames if "eureka_loop" in each.filename and "/cli/" not in each.filename]
        return f"{type(error).__name__} in {Path((ours or frames)[-1].filename).name}, {(ours or frames)[-1].name}"
    printed = capsys.readouterr()
    lines = printed.err.splitlines()
    if re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", printed.out + printed.err):
        return "raw escapes"
    if not code:
        return "" if not lines else f"status 0, and {lines[0]}"
    if len(lines) != 1 or not lines[0].startswith("eureka: ") or len(lines[0]) > 500:
        return "" if "Stopped: " in printed.out else f"status {code}, and {len(lines)} lines"
    named = Path(file).name in lines[0] or "damaged" not in lines[0]
    return "" if named else f"{file} isn't named: {lines[0]}"


def fuzz(
    folder: Folder, every: Iterable[Damaged], capsys: pytest.CaptureFixture[str], only: str = ""
) -> tuple[int, dict[str, list[str]]]:
    """Number of commands, and what was wrong, each with the damages after which it was."""
    tried, found = 0, dict[str, list[str]]()
    for each in every:
        (folder.home / each.file).write_text(each.content)
        for words in commands(each.file):
            if words.startswith(only):
                tried += 1
                if why := wrong(words, each.file, capsys):
                    found.setdefault(why, []).append(f"{each} ({words})")
        folder.restore()
    return tried, found


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory; nothing is trained or made there in this process."""
    (tmp_path / "home").mkdir()
    monkeypatch.chdir(tmp_path / "home")
    monkeypatch.setenv("MUJOCO_GL", "disable")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.setattr("eureka_loop.execute.local.LocalExecutor.submit", _no_training)
    monkeypatch.setattr("eureka_loop.search.assemble.create", _not_made)
    return tmp_path / "home"


def test_a_sample_of_damages_is_one_line_each(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Script(here / "runs/run").whole()
    shutil.copytree(here, here.with_name("kept"))
    every = list(damages(here))
    assert len(every) > 1000
    tried, found = fuzz(Folder(here, here.with_name("kept")), every[::25], capsys, only="inspect")
    assert tried > 80
    assert found == {}


@pytest.mark.slow
def test_every_damage_is_one_line(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make(here)
    stop(here)
    shutil.copytree(here, here.with_name("kept"))
    every = list(damages(here))
    tried, found = fuzz(Folder(here, here.with_name("kept")), every, capsys)
    with capsys.disabled():
        print(f"{len(every)} damages, {tried} commands")
    assert found == {}
