"""Curves and bars."""

from __future__ import annotations

import pytest

from eureka_loop.report.sparks import bar, sparkline


def test_a_curve_goes_from_its_lowest_to_its_highest() -> None:
    assert sparkline([0.0, 1.0, 7.0]) == "▁▂█"


def test_a_missing_value_is_a_gap_and_a_constant_has_no_slope() -> None:
    assert sparkline([None, 2.0, 2.0]) == "·▄▄"
    assert sparkline([]) == ""


@pytest.mark.parametrize(("share", "shown"), [(-1.0, "────"), (0.5, "━━──"), (0.6, "━━╸─"), (2.0, "━━━━")])
def test_a_bar_shows_its_share_without_colours(share: float, shown: str) -> None:
    assert bar(share, 4).plain == shown
