"""report.html, report.md, figures and screen: whole, offline, inert, and the same numbers in all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from eureka_loop.report.bench import view
from eureka_loop.report.bench.results import BenchResults
from eureka_loop.report.bench.setup import Search
from eureka_loop.report.pages import write
from eureka_loop.report.run_data import Cost

from .conftest import Made

EVIL = "x | <script>alert(1)</script><img src=x onerror=alert(2)>{{ 7 * 7 }}"


def reports(folder: Path) -> tuple[str, str]:
    """report.html and report.md."""
    found = view.documents(BenchResults.of(folder))
    return found["report.html"], found["report.md"]


def labels(svg: str) -> set[str]:
    """All text in a figure."""
    root = ElementTree.fromstring(svg)
    return {each.text or "" for each in root.iter("{http://www.w3.org/2000/svg}text")}


def test_page_and_markdown_hold_every_fact(whole: Path) -> None:
    paths = write(whole, view.documents(BenchResults.of(whole)))
    page, markdown = (path.read_text(encoding="utf-8") for path in paths)
    for part in (
        "reacher-reach", "0.50", "1 of 2 tasks", "2 of 2", "eureka bench quick", "0 to 1", "n_steps = 64", "b80e0ab",
        "2k", "$1.00", "40 finished trainings, 40k steps", "1 generation × 1 candidate, ppo 1k steps",
        "too narrow, if anything", "searches, the unit of replication",
    ):  # fmt: skip
        assert part in page, part
        assert part.replace("_", r"\_").replace("$", r"\$") in markdown or part in markdown, part
    assert "![Fitness of winner, hand-written and sparse reward in every search" in markdown
    fitness = labels((whole / "figure.svg").read_text())
    assert {"reacher-reach", "hopper-hop", "winner", "hand-written", "sparse"} <= fitness


def test_the_page_opens_offline_without_a_script(whole: Path, offline: Callable[[str], None]) -> None:
    offline(reports(whole)[0])


def test_fitness_is_drawn_on_each_tasks_own_scale(made: Made) -> None:
    made.begin()
    for seed in (0, 1):
        made.search("hopper-hop", seed, [3.0 + seed] * 3, [1.0, 9.0, 2.0], [9.0, 1.0, 2.0])
        made.search("reacher-reach", seed, [-0.3] * 3, [-0.1, -0.2, -0.3], [-0.3, -0.2, -0.1])
    svg = view.documents(BenchResults.of(made.folder))["figure.svg"]
    assert {"3.000", "4.000", "-0.3000", "-0.2000"} <= labels(svg)


def test_text_of_a_model_or_a_user_is_inert(made: Made, offline: Callable[[str], None]) -> None:
    made.command = EVIL
    made.begin()
    made.search("hopper-hop", 0, [1.0] * 3, [1.0] * 3, [0.0, 0.0, None], program=EVIL)
    page, markdown = reports(made.folder)
    offline(page)
    assert "{{ 7 * 7 }}" in page
    for shown in (page, markdown):
        assert "<script" not in shown
        assert "<img" not in shown


def test_a_bench_without_any_score_has_a_page(made: Made, offline: Callable[[str], None]) -> None:
    page, markdown = reports(made.begin())
    offline(page)
    assert "undefined for every task" in page
    assert "figure.svg" not in markdown
    assert "0 of 4 searches done" in markdown


def test_one_search_has_no_interval_and_the_report_warns(made: Made) -> None:
    made.searches = 1
    made.begin()
    made.search("hopper-hop", 0, [0.5] * 3, [1.0, 1.01, 0.99, 1.0], [0.0, 0.01, -0.01, 0.0])
    found = BenchResults.of(made.folder)
    assert view.row(found.tasks[1])[2:6] == ["0.50", "no", "0%", "0.500"]
    assert "[" not in view.headlines(found)[0]
    assert "nothing tells luck from skill" in " ".join(view.notes(found))


@pytest.mark.parametrize("usd", [None, 0.5])
def test_failures_undefined_scores_and_costs_are_named(made: Made, usd: float | None) -> None:
    made.begin()
    made.search("reacher-reach", 0, [])
    made.search("hopper-hop", 0, [0.5] * 4, [1.0] * 4, [1.0] * 4, tokens=500, usd=usd)
    found = BenchResults.of(made.folder)
    reacher, hopper = found.tasks
    notes = list(view.notes(found))
    nothing = "no candidate could be trained"
    assert f"reacher-reach, seed 0: counts for nothing, and not as zero: {nothing}." in notes
    equal = "the hand-written and the sparse reward can't be told apart"
    assert f"hopper-hop: human-normalised score undefined: {equal}." in notes
    cells = view.row(hopper)
    assert cells[2:4] == ["undefined", "no"]
    assert cells[-2:] == ["500", "–" if usd is None else "$0.50"]
    assert str(found.cost).endswith("price unknown" if usd is None else "$0.50")
    assert view.outcome(reacher.searches[0]) == f"reacher-reach, seed 0: {nothing}"
    line = view.outcome(hopper.searches[0])
    assert line.startswith("hopper-hop, seed 0: winner g0-00 0.500; hand-written 1.000, sparse 1.000; ")


@pytest.mark.parametrize("width", [80, 160])
def test_the_summary_fits_the_screen(whole: Path, width: int, shown: Callable[..., str]) -> None:
    text = shown(view.summary(BenchResults.of(whole)), width=width)
    assert max(map(len, text.splitlines())) <= width
    assert "human-normalised [95%]" in text
    assert ("winner's fitness" in text) == (width == 160)
    assert "At or above the hand-written reward: 1 of 2 tasks" in " ".join(text.split())


def test_the_plan_states_budget_time_and_cost(made: Made, shown: Callable[..., str]) -> None:
    bench, search = BenchResults.of(made.begin()).bench, Search("hopper-hop", 0)
    one = Cost(10, 10_000, 90.0, 5000, None)
    text = " ".join(shown(view.plan(bench, made.folder, [search] * 2, {"hopper-hop": one})).split())
    for part in ("2 searches to do", "ppo 1k steps", "20 trainings, 20,000 steps", "roughly 3 min; ",
                 "10k tokens, price unknown"):  # fmt: skip
        assert part in text, part
