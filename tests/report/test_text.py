"""Words and numbers, from whoever wrote them."""

from __future__ import annotations

import pytest

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


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"),
        (0.0, "0.00"),
        (4.56789, "4.568"),
        (-123.456, "-123.5"),
        (12345.6, "12,346"),
        (2e-5, "2.00e-05"),
    ],
)
def test_numbers_are_short(value: float | None, shown: str) -> None:
    assert text.number(value) == shown


def test_a_column_of_numbers_has_the_same_decimals() -> None:
    assert text.numbers([0.5, 120.0, None]) == ["0.5", "120.0", "–"]
    assert text.numbers([0.5], like=[120.0]) == ["0.5"]
    assert text.numbers([-1e-9, 1.0]) == ["0.000", "1.000"]  # no minus before what is shown as nothing


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0"),
        (850, "850"),
        (9500, "9.5k"),
        (62_000, "62k"),
        (100_000, "100k"),
        (1_250_000, "1.25M"),
        (2e9, "2G"),
    ],
)
def test_counts_are_short(value: float, shown: str) -> None:
    assert text.count(value) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(-1, "0 s"), (12.4, "12 s"), (150, "2 min"), (3 * 3600 + 300, "3 h 05 min"), (3 * 86400, "3 d 0 h")],
)
def test_durations_have_two_units(seconds: float, shown: str) -> None:
    assert text.duration(seconds) == shown


def test_small_sums_of_money_are_not_rounded_away() -> None:
    assert (text.money(0.0123), text.money(12.3)) == ("$0.0123", "$12.30")
