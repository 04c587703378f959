"""How one program differs from another."""

from __future__ import annotations

import difflib

from rich.console import Group, RenderableType
from rich.text import Text

from eureka_loop.errors import BadInput, UnknownName
from eureka_loop.records import Candidate
from eureka_loop.report import text, written
from eureka_loop.store import Run

STYLES = {"+": "green", "-": "red", "@": "cyan"}


def changes_view(run: Run, candidate: Candidate, against: str) -> RenderableType:
    """A unified diff from another program to the candidate's.

    Args:
        against: "parent" (the first one), "human" (the task's hand-written reward), or a candidate's id.

    Raises:
        BadInput: it has no parent, or the task no hand-written reward.
        UnknownName: no such candidate.
    """
    name, source = other(run, candidate, against)
    head = Text.assemble((f"{name} → {candidate.id}", "bold"))
    lines = unified(source, candidate.source, name, candidate.id)
    same = Text("no difference", style="dim")
    return Group(head, Text(), written.Lines(tuple(lines), deeper=4) if lines else same)


def other(run: Run, candidate: Candidate, against: str) -> tuple[str, str]:
    """Name and source of what to compare with; see `changes_view`."""
    if against == "parent":
        if not candidate.parents:
            raise BadInput(f"{candidate.id} has no parent: it was written from scratch; try --diff human")
        against = candidate.parents[0]
    known = run.candidate_ids()
    if against in known:
        return against, run.candidate(against).source
    if against == "human":
        return "human", _hand_written(run)
    hint = f"--diff takes parent, human, or an id that `eureka inspect {run.folder}` lists"
    raise UnknownName("candidate", against, ["parent", "human", *known], hint=hint)


def unified(before: str, after: str, name_before: str, name_after: str) -> list[Text]:
    """The diff's lines, coloured."""
    lines = difflib.unified_diff(
        text.clean(before).splitlines(),
        text.clean(after).splitlines(),
        name_before,
        name_after,
        n=max(before.count("\n"), after.count("\n")) + 1,  # programs are short: show all of it
        lineterm="",
    )
    return [Text(line, style=STYLES.get(line[:1], "")) for line in lines]


def _hand_written(run: Run) -> str:
    human = run.task().human
    if human is None:
        raise BadInput(f"task {run.task().name!r} has no hand-written reward to compare with")
    return human
