"""What the doctor found, as it looks on a screen: section by section, remedies under what they are for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import RenderableType
from rich.text import Text

from eureka_loop.cli.doctor import Finding, Section, State
from eureka_loop.report import text
from eureka_loop.report.layout import facts, section
from eureka_loop.report.terminal import show, terminal

_MARKS: dict[State, tuple[str, str]] = {
    "good": ("✓", "green"),
    "note": ("·", "dim"),
    "lack": ("!", "yellow"),
    "stop": ("✗", "red"),
}


def print_doctor(sections: Iterable[Section]) -> bool:
    """Show every section as soon as it is there; says whether a run can start."""
    console, stops = terminal(), 0
    for each in sections:
        show(shown(each), console)
        stops += sum(finding.state == "stop" for finding in each.findings)
    console.print()
    console.print(_verdict(stops))
    return not stops


def shown(each: Section) -> RenderableType:
    """A section; refused attempts of the self-test share one line."""
    refused = [finding.what for finding in each.findings if finding.value == "refused"]
    rest = [finding for finding in each.findings if finding.value != "refused"]
    pairs = [pair for finding in rest for pair in _lines(finding)]
    if refused:
        words = f"{text.plural(len(refused), 'forbidden thing')}: {', '.join(refused)}"
        pairs.append(("self-test: refused", _marked("good", words)))
    return section(each.title, facts(pairs))


def _lines(finding: Finding) -> Sequence[tuple[str, str | Text]]:
    lines: list[tuple[str, str | Text]] = [(finding.what, _marked(finding.state, finding.value))]
    if finding.remedy:
        lines.append(("", Text(f"  → {text.one_line(finding.remedy)}")))
    return lines


def _marked(state: State, value: str) -> Text:
    mark, style = _MARKS[state]
    return Text.assemble((f"{mark} ", style), text.one_line(value))


def _verdict(stops: int) -> Text:
    if not stops:
        return Text("Runs can start here.", style="bold")
    return Text(f"No run starts like this: {text.plural(stops, 'thing')} marked ✗.", style="bold red")
