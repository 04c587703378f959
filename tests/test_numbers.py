"""Numbers as text."""

from __future__ import annotations

import pytest

from eureka_loop.numbers import column, compact, count, duration, money, number, percent, plural, series


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0.0, "0.00"),
        (4.56789, "4.568"),
        (9.99996, "10.00"),
        (-123.456, "-123.5"),
        (999.96, "1,000"),
        (12345.6, "12,346"),
        (2e-5, "2.00e-05"),
    ],
)
def test_four_digits(value: float | None, text: str) -> None:
    assert number(value) == text


def test_a_column_has_the_same_decimals() -> None:
    assert column([0.5, 120.0, None]) == ["0.5", "120.0", "–"]
    assert column([0.5], like=[120.0]) == ["0.5"]
    assert column([-1e-9, 1.0]) == ["0.000", "1.000"]  # no minus before zero


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (-0.0, "0"),
        (0.00123, "0.00123"),
        (12.34, "12.3"),
        (999.4, "999"),
        (999.6, "1000"),
        (-1234.5, "-1234"),
        (-54321.0, "-54321"),
        (2e7, "2e+07"),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
    ],
)
def test_compact(value: float | None, text: str) -> None:
    assert compact(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (850, "850"),
        (999.6, "1k"),
        (9500, "9.5k"),
        (62_000, "62k"),
        (999_499, "999k"),
        (999_999, "1M"),
        (1_250_000, "1.25M"),
        (10_000_000, "10M"),
        (2e9, "2G"),
        (5e12, "5000G"),
    ],
)
def test_counts_never_reach_the_next_unit(value: float, text: str) -> None:
    assert count(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0 s"),
        (12.4, "12 s"),
        (99.7, "2 min"),
        (150, "2 min"),
        (5990, "1 h 40 min"),
        (3 * 86400, "3 d 0 h"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_shares_money_plurals_and_series() -> None:
    assert [percent(value) for value in (None, 0.0, 0.004, 0.995)] == ["–", "0%", "<1%", "100%"]
    assert (money(0.0123), money(12.3)) == ("$0.0123", "$12.30")
    assert (plural(1, "seed"), plural(1000, "seed"), plural(2, "search")) == (
        "1 seed",
        "1,000 seeds",
        "2 searches",
    )
    assert (series([0, 100]), series([0, 100, 200, 300])) == ("0, 100", "0 to 300 in steps of 100")
