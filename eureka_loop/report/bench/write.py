"""Writes a bench's report.html and report.md, and its figure as a file."""

from __future__ import annotations

from pathlib import Path

from eureka_loop import files
from eureka_loop.report.bench import charts, markdown
from eureka_loop.report.bench.facts import BenchFacts
from eureka_loop.report.bench.page import page
from eureka_loop.report.bench.scores import Scores

FIGURE = "figure.svg"


def write(facts: BenchFacts, found: Scores) -> list[Path]:
    """Write all; the paths of the reports.

    Raises:
        RunError: the disk is full.
    """
    pages, words = facts.folder / "report.html", facts.folder / "report.md"
    picture = charts.normalised(found)
    if picture:
        files.write_text(facts.folder / FIGURE, charts.alone(picture))
    files.write_text(pages, page(facts, found))
    lines = markdown.lines(facts, found, FIGURE if picture else "")
    files.write_text(words, "\n".join(lines) + "\n")
    return [pages, words]
