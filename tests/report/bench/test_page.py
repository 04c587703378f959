"""report.html, report.md and the figure: whole, offline, inert, and the same numbers in all."""

from __future__ import annotations

import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from eureka_loop.report.bench import charts, words
from eureka_loop.report.bench.facts import BenchFacts
from eureka_loop.report.bench.page import page
from eureka_loop.report.bench.scores import scores
from eureka_loop.report.bench.write import write

from .conftest import Made

VOID = {"meta", "br", "hr"}
EVIL = "x | <script>alert(1)</script><img src=x onerror=alert(2)>{{ 7 * 7 }}"


class Reader(HTMLParser):
    """Elements and ids; whether all that opens is closed, in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.ids: list[str | None] = []
        self.targets: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            assert not name.startswith("on"), (tag, name)
            if name == "id":
                self.ids.append(value)
            if name in ("href", "src", "xlink:href"):
                assert (value or "").startswith("#"), value
                self.targets.append((value or "")[1:])

    def handle_endtag(self, tag: str) -> None:
        assert self.open, tag
        assert self.open.pop() == tag


def written(folder: Path) -> tuple[str, str]:
    facts = BenchFacts.of(folder)
    pages, markdown = write(facts, scores(facts))
    return pages.read_text(encoding="utf-8"), markdown.read_text(encoding="utf-8")


def test_page_and_markdown_say_everything(whole: Path) -> None:
    pages, markdown = written(whole)
    reader = Reader(pages)
    assert reader.open == []
    assert len(reader.ids) == len(set(reader.ids))
    assert set(reader.targets) <= set(reader.ids)
    for said in (
        "reacher-reach", "0.50", "1 of 2 tasks", "2 of 2", "eureka bench quick", "0 to 1", "n_steps = 64", "b80e0ab",
        "2k", "$1.00", "40 finished trainings, 40,000 steps", "1 generation × 1 reward, PPO for 1,000 steps",
        "too narrow, if anything", "searches, which are what is repeated",
    ):  # fmt: skip
        assert said in pages, said
        assert said.replace("_", r"\_").replace("$", r"\$") in markdown or said in markdown, said
    assert "![Human-normalised score of every task, with its 95% interval](figure.svg)" in markdown


def test_the_page_opens_offline_without_a_script(whole: Path) -> None:
    pages, _ = written(whole)
    assert not Reader(pages).tags & {"script", "link", "img", "iframe", "object", "embed", "base", "form"}
    assert not re.search(r"url\(|@import|https?://", pages)
    assert "default-src 'none'; style-src 'unsafe-inline'" in pages


def test_the_figure_stands_alone(whole: Path) -> None:
    written(whole)
    root = ElementTree.fromstring((whole / "figure.svg").read_text(encoding="utf-8"))
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    texts = [each.text for each in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"reacher-reach", "hopper-hop", "all tasks"} <= set(texts)


def test_fitness_is_drawn_where_no_score_is_defined(made: Made) -> None:
    """A dot a search of each reward, each task on its own scale: who is best stands at its right end."""
    made.begin()
    for seed in (0, 1):
        made.search("hopper-hop", seed, [3.0 + seed] * 3, [1.0, 9.0, 2.0], [9.0, 1.0, 2.0])
        made.search("reacher-reach", seed, [-0.3] * 3, [-0.1, -0.2, -0.3], [-0.3, -0.2, -0.1])
    _, markdown = written(made.folder)
    assert "figure.svg" not in markdown
    assert "(fitness.svg)" in markdown
    root = ElementTree.fromstring((made.folder / "fitness.svg").read_text(encoding="utf-8"))
    dots = [each for each in root.iter("{http://www.w3.org/2000/svg}circle") if len(each)]
    assert Counter(each.get("class") for each in dots) == {"seed s0": 4, "seed s1": 4, "seed s2": 4}
    told = {(each[0].text, each.get("cx")) for each in dots}
    across = {said: float(x or 0.0) for said, x in told}
    assert across["winner: 3.000"] < across["hand-written: 4.000"] == across["winner: 4.000"]
    assert across["winner: -0.3000"] < across["sparse: -0.2000"]


def test_a_score_far_off_stays_on_the_picture(made: Made) -> None:
    made.begin()
    for seed in (0, 1):
        made.search("hopper-hop", seed, [500.0, 400.0, 600.0], [1.0, 1.01, 0.99], [0.0, 0.01, -0.01])
    found = scores(BenchFacts.of(made.folder))
    across = [float(x) for x in re.findall(r'cx="([-\d.]+)"', charts.normalised(found))]
    assert across
    assert all(charts.NAMES <= x <= charts.WIDTH for x in across)


def test_what_somebody_wrote_is_inert(made: Made) -> None:
    made.command = EVIL
    made.begin()
    made.search("hopper-hop", 0, [1.0] * 3, [1.0] * 3, [0.0, 0.0, None], program=EVIL)
    pages, markdown = written(made.folder)
    assert Reader(pages).open == []
    assert "{{ 7 * 7 }}" in pages
    for said in (pages, markdown):
        assert "<script" not in said
        assert "<img" not in said


def test_a_bench_without_any_score_has_a_page(made: Made) -> None:
    pages, markdown = written(made.begin())
    assert Reader(pages).open == []
    assert "undefined for every task" in pages
    assert "figure.svg" not in markdown
    assert "0 of 4 searches done" in markdown


def test_one_search_has_no_interval_and_says_so(made: Made) -> None:
    made.searches = 1
    made.begin()
    made.search("hopper-hop", 0, [0.5] * 3, [1.0, 1.01, 0.99], [0.0, 0.01, -0.01])
    found = scores(BenchFacts.of(made.folder))
    assert words.row(found.tasks[1])[2] == "0.50"
    assert "[" not in words.headline(found)
    assert "nothing tells luck from skill" in " ".join(words.notes(BenchFacts.of(made.folder), found))


def test_failures_and_undefined_scores_are_told_by_name(made: Made) -> None:
    made.begin()
    made.search("reacher-reach", 0, [])
    made.search("hopper-hop", 0, [0.5] * 3, [1.0] * 3, [1.0] * 3)
    facts = BenchFacts.of(made.folder)
    said = list(words.notes(facts, scores(facts)))
    assert (
        "reacher-reach, seed 0: counts for nothing, and not as zero: no candidate could be trained." in said
    )
    why = "human-normalised score undefined: hand-written and sparse can't be told apart."
    assert f"hopper-hop: {why}" in said
    assert words.row(scores(facts).tasks[1])[2:4] == ["undefined", "no"]


def test_a_price_nobody_knows_is_no_price(made: Made) -> None:
    made.begin()
    made.search("hopper-hop", 0, [0.5] * 3, [1.0] * 3, [0.0] * 3, tokens=500, usd=None)
    facts = BenchFacts.of(made.folder)
    assert words.costs(facts.cost)[2:] == ["500", "–"]
    assert "price unknown" in words.cost_line(facts.cost)
    assert page(facts, scores(facts))


@pytest.mark.parametrize("tokens", [0, 500])
def test_no_model_costs_nothing(made: Made, tokens: int) -> None:
    made.begin()
    made.search("hopper-hop", 0, [0.5] * 3, [1.0] * 3, [0.0] * 3, tokens=tokens)
    assert BenchFacts.of(made.folder).cost.usd == 0.0
