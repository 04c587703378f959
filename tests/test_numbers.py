"""Numbers as text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from eureka_loop.numbers import column, compact, count, duration, money, number, percent, plural, series

NAN = float("nan")
WRITTEN: dict[Callable[..., str], dict[Any, str]] = {
    number: {None: "–", 0.0: "0.00", 4.56789: "4.568", 9.99996: "10.00", 999.96: "1,000", 2e-5: "2.00e-05"},
    compact: {
        None: "–",
        -0.0: "0",
        0.00123: "0.00123",
        999.4: "999",
        999.6: "1000",
        2e7: "2e+07",
        NAN: "nan",
    },
    count: {0: "0", 850: "850", 999.6: "1k", 9500: "9.5k", 999_499: "999k", 999_999: "1M", 5e12: "5000G"},
    duration: {-1: "0 s", 99.7: "2 min", 150: "2 min", 5990: "1 h 40 min", 3 * 86400: "3 d 0 h"},
    percent: {None: "–", 0.0: "0%", 0.004: "<1%", 0.995: "100%"},
    money: {0.0123: "$0.0123", 12.3: "$12.30"},
}


@pytest.mark.parametrize("function", WRITTEN)
def test_numbers_as_text(function: Callable[[Any], str]) -> None:
    assert {value: function(value) for value in WRITTEN[function]} == WRITTEN[function]


def test_a_column_has_the_same_decimals() -> None:
    assert column([0.5, 120.0, None]) == ["0.5", "120.0", "–"]
    assert column([0.5], like=[120.0]) == ["0.5"]
    assert column([-1e-9, 1.0]) == ["0.000", "1.000"]  # no minus before zero


def test_plurals_and_series() -> None:
    plurals = [plural(1, "seed"), plural(1000, "seed"), plural(2, "search")]
    assert plurals == ["1 seed", "1,000 seeds", "2 searches"]
    assert (series([0, 100]), series([0, 100, 200, 300])) == ("0, 100", "0 to 300 in steps of 100")
