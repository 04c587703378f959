"""Writes a comparison's report.html and report.md."""

from __future__ import annotations

from pathlib import Path

from eureka_loop import files
from eureka_loop.report.compare import markdown
from eureka_loop.report.compare.facts import Facts
from eureka_loop.report.compare.page import page


def write(folder: Path) -> list[Path]:
    """Write both reports; their paths.

    Raises:
        RunError: a file of the comparison is damaged, or the disk is full.
    """
    facts = Facts.of(folder)
    pages, words = folder / "report.html", folder / "report.md"
    files.write_text(pages, page(facts))
    files.write_text(words, "\n".join(markdown.lines(facts)) + "\n")
    return [pages, words]
