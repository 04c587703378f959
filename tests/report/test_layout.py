"""Text, consoles and building blocks of pages: foreign text, narrow screens, pipes."""

from __future__ import annotations

import ast
import io
from pathlib import Path

import pytest
from rich.console import Console, Group, RenderableType
from rich.text import Text

from eureka_loop import text
from eureka_loop.report import layout
from eureka_loop.report.layout import can_redraw, show, waiting

from .conftest import Screen

CODE = """\
def compute_reward(forward_velocity, terminated, action, *, speed=0.57, alive=0.2):
    speed_up = (
        "speed", speed * forward_velocity * np.ones_like(forward_velocity),
        "alive", alive * (1.0 - terminated),
    )
    return dict(zip(speed_up[::2], speed_up[1::2]))
"""


def printed(page: RenderableType, file: io.StringIO, width: int = 50) -> list[str]:
    show(page, Console(file=file, width=width, color_system=None, _environ={"TERM": "xterm"}))
    return file.getvalue().splitlines()


def test_nothing_a_terminal_obeys_is_left(hostile: str) -> None:
    shown = text.clean(hostile + "a\ud800b")
    assert all(character.isprintable() or character == "\n" for character in shown)
    assert "\\x1b[2J" in shown
    assert "\\u202e" in shown
    assert shown.endswith("a\\ud800b")


def test_text_in_one_line_and_in_many() -> None:
    assert text.clean("Läuft → 速い\n\tdef f():\r\n") == "Läuft → 速い\n    def f():\n"
    assert text.one_line("a\n  b\tc") == "a b c"
    assert text.one_line("abcdef", 4) == "abc…"
    assert text.message("Line 1: a\n\n  Line 2: b") == "Line 1: a · Line 2: b"


def test_a_long_line_of_code_is_folded_between_words() -> None:
    lines = printed(layout.code(CODE), Screen())
    assert [line.strip() for line in lines[:2]] == [
        "1 def compute_reward(forward_velocity,",
        "terminated, action, *, speed=0.57, alive=0.2):",
    ]
    assert max(map(len, lines)) <= 50
    unnumbered = printed(layout.code(CODE, numbered=False), Screen())
    assert ast.dump(ast.parse("\n".join(unnumbered))) == ast.dump(ast.parse(CODE))


def test_in_a_pipe_lines_stay_whole() -> None:
    assert printed(layout.code(CODE, numbered=False), io.StringIO()) == CODE.splitlines()
    words = "- " + "a long word " * 400
    assert printed(layout.paragraph(words), io.StringIO()) == [words.rstrip()]


def test_a_path_is_one_line_on_any_screen() -> None:
    path = Path("runs/20261121-052520-hopper-hop/candidates/g0-02/reward.py")
    page = Group(layout.facts([("note", "a b " * 12), ("none", "")]), layout.unbroken("file", path))
    *facts, last = printed(page, Screen(), 40)
    assert last == f"file  {path}"
    assert len(facts) == 2
    assert max(map(len, facts)) <= 40
    assert printed(page, io.StringIO(), 40) == ["note  " + ("a b " * 12).rstrip(), f"file  {path}"]


def test_no_line_is_padded() -> None:
    page = layout.section("Title", layout.table(["one", "two"], [["a", "b"]]))
    for file in (Screen(), io.StringIO()):
        assert printed(page, file) == ["", "Title", "  one  two", "  a    b"]


@pytest.mark.parametrize(("file", "seen"), [(Screen(), True), (io.StringIO(), False)])
def test_a_wait_is_announced(file: io.StringIO, seen: bool) -> None:
    """By a spinner on a terminal, by one line in a log; FORCE_COLOR makes no terminal of a pipe."""
    console = Console(file=file, force_terminal=True, _environ={"TERM": "xterm"})
    log = Console(file=io.StringIO(), width=10)
    assert can_redraw(console) is seen
    with waiting("looking at the [environment]", console, log=log):
        logged = log.file.getvalue()  # type: ignore[attr-defined]
    assert ("looking at the [environment]" in file.getvalue()) is seen
    assert logged == ("" if seen else "looking at the [environment]…\n")


def test_a_console_cleans_what_nothing_before_it_has_cleaned(
    hostile: str, capsys: pytest.CaptureFixture[str]
) -> None:
    raw = Text(hostile)
    for page in (raw, Group(raw, layout.section("title", raw)), layout.facts([("name", raw)])):
        layout.terminal().print(page)
        show(page)
    layout.terminal().print(hostile, soft_wrap=True)
    printed = capsys.readouterr().out
    assert all(character.isprintable() or character == "\n" for character in printed)
    assert printed.count("\\x1b[2J") == 9
