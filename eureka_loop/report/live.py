"""Display of a run in progress: a table that updates itself, or log lines without a terminal."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Sequence

import rich.live
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from eureka_loop import text
from eureka_loop.numbers import number, percent, plural
from eureka_loop.report import layout, log
from eureka_loop.report.state import CandidateState, RunState, Status
from eureka_loop.results import FITNESS, SUCCESS
from eureka_loop.store import Event, Run

PROGRESS_EVERY = 10.0  # s between log lines of progress
BAR = 12  # columns; none on a screen below 60
STYLES: dict[Status, str] = {"done": "green", "failed": "red", "skipped": "yellow"}
SHOWN_FIRST: tuple[Status, ...] = ("training", "waiting", "done", "skipped", "failed")


class Live:
    """A listener for a run's events: `with Live(run) as live: run.listen(live)`.

    Args:
        run: its events so far are the initial state.
        console: default: standard output. A table is drawn on a terminal that can move its cursor.
    """

    def __init__(self, run: Run | None = None, console: Console | None = None) -> None:
        self._console = console or layout.terminal()
        self._lock = threading.Lock()  # rich draws in a thread of its own
        self._state = RunState(run.events() if run is not None else ())
        self._last_progress = 0.0
        self._table: rich.live.Live | None = None
        if layout.can_redraw(self._console):
            self._table = rich.live.Live(
                console=self._console,
                refresh_per_second=2,  # the trainings need the cores more
                get_renderable=self._draw,
                vertical_overflow="crop",
            )

    def __call__(self, event: Event) -> None:
        with self._lock:
            self._state.take(event)
            if self._table is not None:
                return
            if event["event"] == "progress":
                if event["time"] - self._last_progress < PROGRESS_EVERY:
                    return
                self._last_progress = event["time"]
            line = log.line(event, self._state)
        if line is not None:
            self._console.print(line, soft_wrap=True, markup=False, highlight=False, emoji=False)

    def __enter__(self) -> Live:
        if self._table is not None:
            self._table.start(refresh=True)
        return self

    def __exit__(self, *error: object) -> None:
        """Leave the last state on the screen, and the terminal as it was."""
        if self._table is not None:
            self._table.stop()

    def _draw(self) -> RenderableType:
        with self._lock:
            return draw(self._state, time.time(), *self._console.size)


def draw(state: RunState, now: float, width: int, height: int) -> Group:
    """Header, candidates of the current generation or of the report, and a line about the others.

    The last line is empty: the cursor rests there, and an echoed ^C can't push the table down.

    Args:
        now: Unix time.
        width, height: of the screen, in columns and lines; one line stays free.
    """
    header = layout.cut(Text(text.one_line(state.task), style="bold"))
    header.append(f" · {text.one_line(log.header(state, now))}", style="not bold")
    if state.generation is None and not state.report:
        return Group(header, Text(), Text("getting ready…", style="dim"), Text())
    rows = sorted(state.current, key=lambda each: (each is not state.best, SHOWN_FIRST.index(each.status)))
    lasting = [*map(text.one_line, state.adapted[-3:]), *map(log.prompt, state.prompts.values())]
    prompts = [Text(f"   {each}", overflow="fold") for each in lasting]
    lines = sum(1 + each.cell_len // width for each in prompts)
    kept = rows[: max(1, height - 6 - lines)]
    shown = [each for each in state.current if each in kept]
    others = [each for each in (*state.candidates.values(), *state.report.values()) if each not in shown]
    counts = [f"{amount} {status}" for status, amount in Counter(each.status for each in others).items()]
    best, written = state.best, state.being_written
    remarks = [f"best so far {best.id}, {text.reached(best.score)}"] if best else []
    remarks += [f"not shown: {', '.join(counts)}"] if others else []
    remarks += [f"{plural(written, 'program')} being written…"] if written else []
    remark = layout.cut(Text(f"   {'; '.join(remarks)}", style="dim"))
    return Group(header, Text(), _table(state, shown, BAR if width >= 60 else 0), remark, *prompts, Text())


def _table(state: RunState, rows: Sequence[CandidateState], bar: int) -> Table:
    """One line a candidate; columns keep their places during training."""
    table = Table(box=None, expand=True, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("", width=1)
    names = [state.name(each.id) for each in rows]
    title = "report" if state.report else f"g{state.generation}"
    widest = max(map(len, (*names, "hand-written" if bar else title)))
    table.add_column(title, width=min(widest, 24), no_wrap=True, overflow="ellipsis")
    table.add_column("status", width=bar + 15, no_wrap=True)
    table.add_column("fitness", width=9, no_wrap=True, justify="right")
    table.add_column("note", ratio=1, no_wrap=True, overflow="ellipsis", style="dim")
    for each, name in zip(rows, names, strict=True):
        status, failure, finished = each.status, each.failure, each.count("trained")
        marked = each is state.best or (each.report and each.id == state.winner)
        seeds = f"{finished} of {each.wanted} seeds" if status == "training" and each.wanted > 1 else ""
        fitness = "" if failure else number(each.score(FITNESS))
        table.add_row(
            Text("★" if marked else "", style="yellow"),
            Text(name, style="bold" if marked else ""),
            _status(each, bar),
            Text(fitness, style="" if status == "done" else "dim"),
            Text(text.message(failure["message"] if failure else "\n".join([seeds, each.note]), 200)),
        )
    return table


def _status(candidate: CandidateState, bar: int) -> Text:
    """A progress bar of so many columns with steps, or the outcome."""
    status, success = candidate.status, candidate.score(SUCCESS)
    shown: str = status
    if status == "training":
        full = int(bar * candidate.progress / candidate.seeds)
        reached = f"{' ' if bar else ''}{log.steps(candidate)}"
        return Text.assemble(("━" * full, "cyan"), ("━" * (bar - full), "bright_black"), reached)
    if candidate.failure is not None:
        shown = text.outcome(str(candidate.failure["kind"]))
    elif status == "done" and success is not None:
        shown = f"done, success {percent(success)}"
    return Text(shown, style=STYLES.get(status, ""))
