"""Drawings: where points lie, which ticks there are, and that text stays text."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from eureka_loop.report import svg
from eureka_loop.report.svg import Frame

FRAME = Frame(200, 100, (0, 10), (0, 1), left=20, right=20, top=10, bottom=10)


def test_corners_of_the_data_are_corners_of_the_picture() -> None:
    assert FRAME.at(0, 0) == (20, 90)
    assert FRAME.at(10, 1) == (180, 10)
    assert FRAME.at(5, 0.5) == (100, 50)


@pytest.mark.parametrize(
    ("low", "high", "wanted"),
    [
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (-3, 4, [-2, 0, 2, 4]),
        (0, 200_000, [0, 50_000, 100_000, 150_000, 200_000]),
        (0.0012, 0.0019, [0.0012, 0.0014, 0.0016, 0.0018]),
        (2, 2, [2]),
    ],
)
def test_ticks_are_round_and_inside(low: float, high: float, wanted: list[float]) -> None:
    assert svg.ticks(low, high) == pytest.approx(wanted)


def test_a_range_is_never_of_no_width() -> None:
    assert svg.widened([3.0, 3.0]) == (2.85, 3.15)
    assert svg.widened([]) == (-0.05, 1.05)
    low, high = svg.widened([0.0, float("inf")])
    assert low < 0 < high


def test_hostile_text_is_text() -> None:
    evil = '"><script>alert(1)</script>\x1b[2J'
    parts = [
        *svg.axes(FRAME, evil, evil),
        svg.dot((1, 1), "dot", title=evil),
        svg.words((1, 1), evil, "name"),
    ]
    drawn = svg.drawing(FRAME, evil, parts)
    assert "<script" not in drawn
    tree = ET.fromstring(drawn)
    assert tree.attrib["role"] == "img"
    assert tree.attrib["aria-label"].startswith('"><script>alert(1)</script>')
    assert {each.tag for each in tree.iter()} <= {"svg", "path", "text", "circle", "title"}


def test_lines_and_bands() -> None:
    assert svg.path(FRAME, [(0, 0), (10, 1)], "line") == '<path class="line" d="M20.0 90.0L180.0 10.0"/>'
    assert svg.path(FRAME, [], "line") == ""
    band = svg.area(FRAME, [(0, 0), (10, 0)], [(0, 1), (10, 1)], "band")
    assert band == '<path class="band" d="M20.0 90.0L180.0 90.0L180.0 10.0L20.0 10.0Z"/>'
