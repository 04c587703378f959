"""report.html, report.md and the figures: whole, offline, inert, and the same numbers in all."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from eureka_loop.report.bench import figures, view
from eureka_loop.report.bench.results import BenchResults

from .conftest import Made

ElementsOf = Callable[[str], list[tuple[str, dict[str, str | None]]]]
EVIL = "x | <script>alert(1)</script><img src=x onerror=alert(2)>{{ 7 * 7 }}"
SVG = "{http://www.w3.org/2000/svg}"


def written(folder: Path) -> tuple[str, str]:
    pages, markdown = view.write(BenchResults.of(folder))
    return pages.read_text(encoding="utf-8"), markdown.read_text(encoding="utf-8")


def texts(path: Path) -> set[str]:
    """All text in an SVG file."""
    root = ElementTree.fromstring(path.read_text(encoding="utf-8"))
    assert root.tag == f"{SVG}svg"
    return {each.text or "" for each in root.iter(f"{SVG}text")}


def test_page_and_markdown_say_everything(whole: Path) -> None:
    pages, markdown = written(whole)
    for said in (
        "reacher-reach", "0.50", "1 of 2 tasks", "2 of 2", "eureka bench quick", "0 to 1", "n_steps = 64", "b80e0ab",
        "2k", "$1.00", "40 finished trainings, 40,000 steps", "1 generation × 1 reward, PPO for 1,000 steps",
        "too narrow, if anything", "searches, the unit of replication",
    ):  # fmt: skip
        assert said in pages, said
        assert said.replace("_", r"\_").replace("$", r"\$") in markdown or said in markdown, said
    assert "![Human-normalised score of every task, with its 95% interval](figure.svg)" in markdown


def test_the_page_opens_offline_without_a_script(whole: Path, elements_of: ElementsOf) -> None:
    pages, _ = written(whole)
    elements = elements_of(pages)
    tags = {tag for tag, _ in elements}
    assert not tags & {"script", "link", "img", "iframe", "object", "embed", "base", "form"}
    ids = [each["id"] for _, each in elements if "id" in each]
    assert len(ids) == len(set(ids))
    targets = {(each["href"] or "") for _, each in elements if "href" in each}
    assert targets <= {f"#{id}" for id in ids}
    assert not re.search(r"url\((?!#)|@import|https?://(?!www\.w3\.org/)", pages)
    assert "default-src 'none'; style-src 'unsafe-inline'" in pages


def test_the_figures_stand_alone(whole: Path) -> None:
    written(whole)
    assert {"reacher-reach", "hopper-hop", "all tasks"} <= texts(whole / "figure.svg")
    assert {"reacher-reach", "hopper-hop", "winner", "hand-written", "sparse"} <= texts(whole / "fitness.svg")


def test_fitness_is_drawn_where_no_score_is_defined(made: Made) -> None:
    """Each task on its own scale, with its ends written beside it."""
    made.begin()
    for seed in (0, 1):
        made.search("hopper-hop", seed, [3.0 + seed] * 3, [1.0, 9.0, 2.0], [9.0, 1.0, 2.0])
        made.search("reacher-reach", seed, [-0.3] * 3, [-0.1, -0.2, -0.3], [-0.3, -0.2, -0.1])
    _, markdown = written(made.folder)
    assert "figure.svg" not in markdown
    assert "(fitness.svg)" in markdown
    assert {"3.000", "4.000", "-0.3000", "-0.2000"} <= texts(made.folder / "fitness.svg")


def test_a_score_far_off_stays_on_the_figure(made: Made) -> None:
    made.begin()
    for seed in (0, 1):
        made.search("hopper-hop", seed, [500.0, 400.0, 600.0], [1.0, 1.01, 0.99], [0.0, 0.01, -0.01])
    svg = figures.normalised(BenchResults.of(made.folder))
    width = float(re.findall(r'viewBox="0 0 ([\d.]+)', svg)[0])
    across = [float(x) for x in re.findall(r'<use [^>]*x="([-\d.]+)"', svg)]
    assert across
    assert all(0 <= x <= width for x in across)


def test_what_a_model_or_a_user_wrote_is_inert(made: Made, elements_of: ElementsOf) -> None:
    made.command = EVIL
    made.begin()
    made.search("hopper-hop", 0, [1.0] * 3, [1.0] * 3, [0.0, 0.0, None], program=EVIL)
    pages, markdown = written(made.folder)
    elements_of(pages)
    assert "{{ 7 * 7 }}" in pages
    for said in (pages, markdown):
        assert "<script" not in said
        assert "<img" not in said


def test_a_bench_without_any_score_has_a_page(made: Made, elements_of: ElementsOf) -> None:
    pages, markdown = written(made.begin())
    elements_of(pages)
    assert "undefined for every task" in pages
    assert "figure.svg" not in markdown
    assert "0 of 4 searches done" in markdown


def test_one_search_has_no_interval_and_says_so(made: Made) -> None:
    made.searches = 1
    made.begin()
    made.search("hopper-hop", 0, [0.5] * 3, [1.0, 1.01, 0.99], [0.0, 0.01, -0.01])
    found = BenchResults.of(made.folder)
    assert view.row(found.tasks[1])[2] == "0.50"
    assert "[" not in view.headline(found)
    assert "nothing tells luck from skill" in " ".join(view.notes(found))


@pytest.mark.parametrize("usd", [None, 0.5])
def test_failures_undefined_scores_and_costs_are_told(made: Made, usd: float | None) -> None:
    made.begin()
    made.search("reacher-reach", 0, [])
    made.search("hopper-hop", 0, [0.5] * 3, [1.0] * 3, [1.0] * 3, tokens=500, usd=usd)
    found = BenchResults.of(made.folder)
    said = list(view.notes(found))
    assert (
        "reacher-reach, seed 0: counts for nothing, and not as zero: no candidate could be trained." in said
    )
    assert (
        "hopper-hop: human-normalised score undefined: the hand-written and the sparse reward can't be told apart."
        in said
    )
    cells = view.row(found.tasks[1])
    assert cells[2:4] == ["undefined", "no"]
    assert cells[-2:] == ["500", "–" if usd is None else "$0.50"]
    assert ("price unknown" if usd is None else "$0.50") in dict(view.provenance(found))["cost"]
