"""A drafted measure is shown, and taken, changed or refused."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from eureka_loop import files
from eureka_loop.cli.confirm import asked
from eureka_loop.config import RunConfig, slug
from eureka_loop.errors import BadInput
from eureka_loop.report.draft import draft_page
from eureka_loop.report.layout import print_lines, show
from eureka_loop.search.drafting import Answer, Draft

QUESTION = "Take this measure? [y]es, [e]dit, [n]o, or say what is wrong: "


class Question:
    """Asks on the terminal; with --yes it shows the draft, and takes it.

    Raises:
        BadInput: nobody can be asked.
    """

    def __init__(self, config: RunConfig) -> None:
        self._config = config
        self._shown: Draft | None = None
        self._edited = ""  # a program that was refused, to be edited further
        if not (config.yes or sys.stdin.isatty()):
            raise BadInput(
                "without --fitness a measure is drafted, and a person confirms it: run this in a terminal, "
                "give --yes to take it unconfirmed, or give --fitness, which `eureka fitness` tries"
            )

    def say(self, line: str) -> None:
        print_lines(line)

    def __call__(self, draft: Draft) -> Answer:
        """
        Raises:
            BadInput: no; it names the file that the draft is kept in.
        """
        if draft is not self._shown:  # else what was said of the last answer stands above the question
            self._shown, self._edited = draft, draft.source
            show(draft_page(draft))
        if self._config.yes:
            return Answer()
        kept = self._config.out / f"{slug(self._config.task)}.py"
        try:
            answer = asked(QUESTION)
        except KeyboardInterrupt:  # the draft may have been paid for
            files.write_text(kept, draft.source)
            print_lines(f"The draft is in {kept}")
            raise
        if answer.lower() in ("y", "yes"):
            return Answer()
        if answer.lower() in ("e", "edit"):
            self._edited = _edited(self._edited)
            return Answer(source=self._edited)
        if answer.lower() not in ("", "n", "no"):
            return Answer(words=answer)
        files.write_text(kept, draft.source)
        raise BadInput(f"nothing was begun; the draft is in {kept}: change it, and give --fitness {kept}")


def _edited(source: str) -> str:
    """The program after an editor has had it, $VISUAL or $EDITOR, or whatever the person opens."""
    with tempfile.TemporaryDirectory(prefix="eureka-") as folder:
        path = Path(folder) / "fitness.py"
        files.write_text(path, source)
        editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "false"
        if subprocess.run(f"{editor} {shlex.quote(str(path))}", shell=True, check=False).returncode:
            asked(f"Change {path}, then press Enter. ")
        return files.read_text(path, BadInput)
