"""Writes a bench's report.html and report.md, and its figures as files."""

from __future__ import annotations

from pathlib import Path

from eureka_loop import files
from eureka_loop.report.bench import charts, markdown
from eureka_loop.report.bench.facts import BenchFacts
from eureka_loop.report.bench.page import page
from eureka_loop.report.bench.scores import Scores

FIGURES = {  # file → what draws it, and what it shows
    "figure.svg": (charts.normalised, "Human-normalised score of every task, with its 95% interval"),
    "fitness.svg": (charts.fitness, "Fitness of winner, hand-written and sparse reward in every search"),
}


def write(facts: BenchFacts, found: Scores) -> list[Path]:
    """Write all; the paths of the reports.

    Raises:
        RunError: the disk is full.
    """
    pages, words = facts.folder / "report.html", facts.folder / "report.md"
    pictures = {}
    for name, (draw, shown) in FIGURES.items():
        if picture := draw(found):
            files.write_text(facts.folder / name, charts.alone(picture))
            pictures[name] = shown
    files.write_text(pages, page(facts, found))
    files.write_text(words, "\n".join(markdown.lines(facts, found, pictures)) + "\n")
    return [pages, words]
