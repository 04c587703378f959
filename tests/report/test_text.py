"""Words and numbers, from whoever wrote them."""

from __future__ import annotations

from eureka_loop.report import text


def test_nothing_a_terminal_obeys_is_left(hostile: str) -> None:
    shown = text.clean(hostile)
    assert all(character.isprintable() or character == "\n" for character in shown)
    assert "\\x1b[2J" in shown
    assert "\\u202e" in shown


def test_lone_surrogates_can_be_written() -> None:
    assert text.clean("a\ud800b").encode() == b"a\\ud800b"


def test_lines_and_letters_of_every_language_are_kept() -> None:
    assert text.clean("Läuft → 速い\n\tdef f():\r\n") == "Läuft → 速い\n    def f():\n"


def test_one_line_is_one_line_and_says_that_it_was_cut() -> None:
    assert text.one_line("a\n  b\tc") == "a b c"
    assert text.one_line("abcdef", 4) == "abc…"
