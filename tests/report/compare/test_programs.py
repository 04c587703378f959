"""Two programs beside each other."""

from __future__ import annotations

from eureka_loop.report.compare.programs import Line, side_by_side


def test_lines_that_belong_together_stand_in_one_row() -> None:
    assert side_by_side("a\nb\nc\n", "a\nx\ny\nc\nd\n") == [
        Line("same", 1, "a", 1, "a"),
        Line("changed", 2, "b", 2, "x"),
        Line("only right", None, "", 3, "y"),
        Line("same", 3, "c", 4, "c"),
        Line("only right", None, "", 5, "d"),
    ]


def test_both_programs_are_there_whole() -> None:
    left, right = "a\nb\n\nc", "c\nb\na"
    rows = side_by_side(left, right)
    assert [row.left for row in rows if row.left_number] == left.split("\n")
    assert [row.right for row in rows if row.right_number] == right.split("\n")


def test_what_a_terminal_would_obey_is_shown() -> None:
    (row,) = side_by_side("x = 1  # \x1b[2J", "x = 1  # \x1b[2J")
    assert row.left == "x = 1  # \\x1b[2J"
