"""The pictures of a comparison show its numbers: every transition, seed, term, where it belongs."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from eureka_loop.judge.agreement import POINTS
from eureka_loop.report.compare import charts
from eureka_loop.report.compare.contest import AGREEMENT
from eureka_loop.report.compare.facts import Facts, Part
from eureka_loop.report.compare.programs import over_training

from .conftest import CONTENDERS, made


@pytest.fixture
def part(better: Path) -> Part:
    return Facts.of(better).parts[0]


def elements(svg: str, tag: str, *classes: str) -> list[ElementTree.Element]:
    """Those of a kind that have all these classes."""
    found = ElementTree.fromstring(svg).iter(tag)
    return [each for each in found if set(classes) <= set(each.get("class", "").split())]


def points(path: ElementTree.Element) -> list[tuple[float, float]]:
    """Where a path goes, in px."""
    numbers = [float(each) for each in re.findall(r"-?\d+(?:\.\d+)?", path.get("d", ""))]
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def drawn_scatter(part: Part) -> str:
    order = [each.label for each in part.standings]
    return charts.scatter(part.agreements[0], {each.id: each.label for each in part.standings}, order)


def test_a_scatter_shows_every_transition_kept(part: Part) -> None:
    drawn = drawn_scatter(part)
    dots = elements(drawn, "circle", "dot")
    assert len(dots) == len(part.agreements[0].points) == POINTS
    by_source = {kind: len(elements(drawn, "circle", "dot", kind)) for kind in ("other", "s0", "s1")}
    assert by_source == {"other": 300, "s0": 300, "s1": 300}
    places = {(each.get("cx"), each.get("cy")) for each in dots}
    assert len(places) > POINTS / 2, "they don't lie on top of each other"


def test_a_scatter_has_their_reward_across_and_ours_upward(part: Part) -> None:
    found, drawn = part.agreements[0], elements(drawn_scatter(part), "circle", "dot")
    across = np.array([float(each.get("cx", "")) for each in drawn])
    upward = -np.array([float(each.get("cy", "")) for each in drawn])
    ours, theirs = np.array([each[:2] for each in found.points]).T
    for pixels, values in ((across, theirs), (upward, ours)):
        scaled = [np.sort(each - each.min()) / np.ptp(each) for each in (pixels, values)]
        np.testing.assert_allclose(scaled[0], scaled[1], atol=0.01)
    assert np.corrcoef(across, upward)[0, 1] == pytest.approx(found.pearson, abs=0.01)


def test_a_profile_falls_from_all_seeds_to_none(part: Part) -> None:
    drawn = charts.profiles(part)
    assert len(elements(drawn, "path", "band")) == len(part.standings)
    for index, standing in enumerate(part.standings):
        (line,) = elements(drawn, "path", "line", f"s{index}")
        heights = [-y for _, y in points(line)]
        assert len(heights) == charts.LEVELS
        assert heights == sorted(heights, reverse=True), standing.label
        assert heights[0] > heights[-1]
    ours, sparse = (points(elements(drawn, "path", "line", f"s{index}")[0]) for index in (0, 2))
    assert np.mean([y for _, y in ours]) < np.mean([y for _, y in sparse]), "the better one lies higher"


def test_a_terms_picture_is_its_mean_within_its_seeds(part: Part) -> None:
    evaluated = part.standings[0].evaluated
    found = dict(charts.terms(evaluated, 0))
    assert list(found) == ["speed", "upright", "effort"]
    for name, drawn in found.items():
        (line,), (band,) = elements(drawn, "path", "line"), elements(drawn, "path", "band")
        means = np.array([mean for _, mean, _, _ in over_training(evaluated)[name]])
        upward = -np.array([y for _, y in points(line)])
        assert len(upward) == len(means) == 10
        np.testing.assert_allclose(
            (upward - upward.min()) / np.ptp(upward), (means - means.min()) / np.ptp(means), atol=0.02
        )
        edges = [y for _, y in points(band)]
        assert min(edges) <= min(-upward)
        assert max(edges) >= max(-upward)
        assert f"{name} over training, from " in drawn


def test_learning_curves_end_where_their_numbers_do(part: Part) -> None:
    drawn = charts.learning(part)
    ends = []
    for index, found in enumerate(part.curves):
        assert found is not None
        (line,) = elements(drawn, "path", "line", f"s{index}")
        assert len(points(line)) == len(found.steps)
        ends.append(points(line)[-1][1])
    assert ends == sorted(ends), "the winner's is the highest, sparse the lowest"


def test_what_was_never_trained_is_not_drawn(tmp_path: Path) -> None:
    folder = made(tmp_path, {"g1-03": [None], "human": [None]}, contenders=CONTENDERS[:2])
    assert (folder / "ppo" / AGREEMENT).exists()
    part = Facts.of(folder).parts[0]
    assert (charts.seeds_of(part), charts.learning(part), charts.profiles(part), charts.wins(part)) == (
        "",
        "",
        "",
        "",
    )
    assert charts.terms(part.standings[0].evaluated, 0) == []
