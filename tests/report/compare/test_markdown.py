"""report.md says what report.html says: what is a picture there is a small table here."""

from __future__ import annotations

from pathlib import Path

from eureka_loop import files
from eureka_loop.report.compare import markdown, tables
from eureka_loop.report.compare.contenders import Contender
from eureka_loop.report.compare.contest import FILMS, Films
from eureka_loop.report.compare.facts import Facts

from .conftest import CONTENDERS, made


def written(folder: Path) -> str:
    return "\n".join(markdown.lines(Facts.of(folder)))


def test_curves_and_profile_have_intervals(better: Path) -> None:
    part = Facts.of(better).parts[0]
    rows = tables.learning(part)
    assert [row[0] for row in rows] == ["40k", "80k", "120k", "160k", "200k"]
    assert rows[-1][1] == "4.325 [4.059, 4.434]"
    assert all(len(row) == 4 for row in rows)
    levels = {row[0]: row[1:] for row in tables.profiles(part)}
    assert [cell.split(" [")[0] for cell in levels["3.000"]] == ["100%", "50%", "0%"]
    said = written(better)
    assert "| steps | winner g1-03 | hand-written | sparse |" in said
    assert "| 200k | 4.325 \\[4.059, 4.434\\] |" in said
    assert "| 3.000 | 100% " in said


def test_terms_are_told_at_first_and_at_last(better: Path) -> None:
    ours = {name: ends for name, *ends in tables.terms(Facts.of(better).parts[0].standings[0])}
    assert list(ours) == ["speed", "upright", "effort"]
    first, last = (float(each.split()[0]) for each in ours["speed"])
    assert 0 < first < 1 < last
    assert "| term of sparse | at first | at last |" in written(better)


def test_programs_come_with_what_differs(better: Path) -> None:
    said = written(better)
    assert "From winner g1-03 to hand-written:" in said
    assert '-        "speed": speed * fast,\n' in said
    assert '+        "forward": forward * forward_velocity,\n' in said
    same = [CONTENDERS[0], Contender("copy", "copy", CONTENDERS[0].source)]
    twice = made(better / "twice", {"g1-03": [4.0], "copy": [4.0]}, contenders=same)
    assert "They are the same, letter for letter." in written(twice)


def test_videos_are_named_or_missed(better: Path) -> None:
    assert "None: none were made." in written(better)
    (better / "ppo/shared").mkdir()
    (better / "ppo/shared/film-0.mp4").write_bytes(b"film")
    files.write_json(better / "ppo" / FILMS, Films(("winner g1-03",), ""))
    assert "In report.html: winner g1-03, from the same start." in written(better)


def test_what_was_never_trained_leaves_no_empty_table(tmp_path: Path) -> None:
    folder = made(tmp_path, {"g1-03": [None], "human": [None]}, contenders=CONTENDERS[:2])
    part = Facts.of(folder).parts[0]
    assert (tables.learning(part), tables.profiles(part), tables.terms(part.standings[0])) == ([], [], [])
    assert "### Learning" not in written(folder)
    assert "### Terms over training" not in written(folder)
