"""Files survive a crash, whole or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from eureka_loop import files
from eureka_loop.errors import RunError
from eureka_loop.records import Job, Task
from eureka_loop.results import Behaviour, Checkpoint, Course, Failed, TermStats, Trained, judged_episode

TRAINED = Trained(
    candidate="g0-00",
    seed=100,
    steps=10,
    episodes=(judged_episode(1, 2.5, None, 3), judged_episode(2, -1e-17, 1.0, 4)),
    checkpoints=(Checkpoint(5, 0, None, None, None, {"speed": TermStats(0.1, -1.0, 2.0, 1.0)}),),
    correlations={"speed": None, "effort": -0.25},
    seconds=1.5,
)


JOB = Job("g0-00", 1, Task("t", "E-v0", "x", "f"), "source", "sac", 9, {"net": [64, 64], "f": "relu"}, (1, 2))


@pytest.mark.parametrize("record", [TRAINED, JOB, Failed("g0-01", "timed_out", "too slow", "detail", 7)])
def test_records_come_back_equal(tmp_path: Path, record: object) -> None:
    files.write_json(tmp_path / "record.json", record)
    assert files.read_json(tmp_path / "record.json", type(record)) == record


def test_a_task_of_an_older_version_is_read(tmp_path: Path) -> None:
    task = files.plain(JOB.task)
    del task["progress"]
    files.write_json(tmp_path / "task.json", task)
    assert files.read_json(tmp_path / "task.json", Task) == JOB.task


def test_nan_is_refused_rather_than_written_as_invalid_json(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        files.write_json(tmp_path / "x.json", {"fitness": float("nan")})
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.json"
    files.write_json(path, {"a": 1})

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RunError, match="No space left on device"):
        files.write_json(path, {"a": 2})
    assert [each.name for each in tmp_path.iterdir()] == ["x.json"]
    assert files.read_json(path, dict[str, int]) == {"a": 1}


def test_a_torn_last_line_is_ignored_and_the_next_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    files.append_line(path, {"n": 1})
    with path.open("a") as file:
        file.write('{"n": 2, "torn')
    assert list(files.read_lines(path, dict[str, int])) == [{"n": 1}]
    files.append_line(path, {"n": 3})
    assert list(files.read_lines(path, dict[str, int])) == [{"n": 1}, {"n": 3}]


def test_a_damaged_record_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_text('{"candidate": "g0-00"}')
    with pytest.raises(RunError, match=r"result\.json is damaged"):
        files.read_json(path, Failed)


def test_courses_of_an_episode_with_other_numbers_of_means_are_damage(tmp_path: Path) -> None:
    courses = {
        "speed": Course((1.0, 2.0), 0.0, 3.0),
        "height": Course((1.0,), 0.0, 3.0),
        "fixed": Course((), 1.0, 1.0),
    }
    path = tmp_path / "behaviour.json"
    files.write_json(path, Behaviour(1.0, False, courses=courses))
    with pytest.raises(RunError, match="courses with different numbers of means"):
        files.read_json(path, Behaviour)
    del courses["height"]
    files.write_json(path, Behaviour(1.0, False, courses=courses))
    assert files.read_json(path, Behaviour).courses == courses
