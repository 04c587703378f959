"""Programs, prompts and paths on narrow screens and in pipes."""

from __future__ import annotations

import ast
import io
from pathlib import Path

from rich.console import Console, RenderableType
from rich.text import Text

from eureka_loop.report import layout, written
from eureka_loop.report.terminal import show

CODE = """\
def compute_reward(forward_velocity, terminated, action, *, speed=0.57, alive=0.2):
    speed_up = (
        "speed", speed * forward_velocity,  # metres a second along the world's x, not the torso's
        "alive", alive * (1.0 - terminated),
    )
    return dict(zip(speed_up[::2], speed_up[1::2]))
"""


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def printed(page: RenderableType, file: io.StringIO, width: int = 50) -> list[str]:
    show(page, Console(file=file, width=width, color_system=None, _environ={"TERM": "xterm"}))
    return file.getvalue().splitlines()


def test_a_long_line_of_code_goes_on_deeper_between_words() -> None:
    lines = printed(written.code(CODE), Screen())
    assert lines[:3] == [
        "1 def compute_reward(forward_velocity,",
        "      terminated, action, *, speed=0.57,",
        "      alive=0.2):",
    ]
    assert max(map(len, lines)) <= 50
    assert [line[0] for line in lines if line[0] != " "] == list("123456")


def test_code_copied_from_a_narrow_screen_is_the_same_program() -> None:
    """What goes on below is a comment where it was one."""
    lines = printed(written.code(CODE, numbered=False), Screen())
    assert sum(line.lstrip().startswith("# ") for line in lines) == 2
    assert ast.dump(ast.parse("\n".join(lines))) == ast.dump(ast.parse(CODE))


def test_a_comment_comes_below_its_line() -> None:
    source = "    upright = np.cos(pole_angle)  # 1 where the pole stands upright, and less the more it leans"
    assert printed(written.code(source, numbered=False), Screen()) == [
        "    upright = np.cos(pole_angle)",
        "        # 1 where the pole stands upright, and",
        "        # less the more it leans",
    ]


def test_in_a_pipe_lines_stay_whole() -> None:
    assert printed(written.code(CODE, numbered=False), io.StringIO()) == CODE.splitlines()
    words = "- " + "a long word " * 20
    assert printed(written.verbatim(words), io.StringIO()) == [words.rstrip()]


def test_what_was_said_goes_on_under_its_dash() -> None:
    assert printed(written.verbatim("- one two three four five"), Screen(), 20) == [
        "- one two three",
        "    four five",
    ]


def test_a_line_of_a_diff_keeps_its_depth() -> None:
    line = Text("+    abcdefgh ijklmnop qrst", style="green")
    assert printed(written.Lines((line,), deeper=4), Screen(), 26) == [
        "+    abcdefgh ijklmnop",
        "         qrst",
    ]


def test_a_path_is_one_line_on_any_screen() -> None:
    path = Path("runs/20261121-052520-hopper-hop/candidates/g0-02/reward.py")
    page = layout.section("Code", layout.facts([("note", "a b " * 20), ("file", written.path(path))]))
    for file in (Screen(), io.StringIO()):
        lines = printed(page, file, 40)
        assert f"  file  {path}" in lines
        assert lines[2:4] == ["  note  " + ("a b " * 8).rstrip(), "        " + ("a b " * 8).rstrip()]


def test_no_line_is_filled_up_with_blanks() -> None:
    table = layout.columns(("one", "left"), ("two", "rest"))
    layout.row(table, ["a", "b"])
    page = layout.section("Title", table)
    for file in (Screen(), io.StringIO()):
        lines = printed(page, file)
        assert lines == ["", "Title", "  one  two", "  a    b"]
