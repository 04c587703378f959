"""Display of a run in progress: a table that updates itself, or log lines without a terminal."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Sequence
from types import TracebackType

import rich.live
from rich.console import Console, Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from eureka_loop import numbers
from eureka_loop.report import layout, sections, text
from eureka_loop.report.log import TRAINED, LogFormatter, position, time_left
from eureka_loop.report.state import CandidateState, RunState, Status
from eureka_loop.report.terminal import can_redraw, terminal
from eureka_loop.store import Event, Run

REFRESH = 2  # per second: the trainings need the cores more
BAR = 12  # columns
WIDEST_NAME = 24
STYLES: dict[Status, str] = {"done": "green", "failed": "red", "skipped": "yellow"}
SHOWN_FIRST: tuple[Status, ...] = ("training", "waiting", "done", "halted", "skipped", "failed")


class Live:
    """A listener for a run's events: `with Live(run) as live: run.listen(live)`.

    Args:
        run: its events so far are the initial state.
        console: default: standard output.
        interactive: whether to draw a table; default: on a terminal that can move its cursor.
    """

    def __init__(
        self, run: Run | None = None, console: Console | None = None, *, interactive: bool | None = None
    ) -> None:
        self._console = console or terminal()
        self._lock = threading.Lock()  # rich draws in a thread of its own
        self._state = RunState(run.events() if run is not None else ())
        self._log = LogFormatter()
        self._table: rich.live.Live | None = None
        if can_redraw(self._console) if interactive is None else interactive:
            self._table = rich.live.Live(
                console=self._console,
                refresh_per_second=REFRESH,
                get_renderable=self._draw,
                vertical_overflow="crop",
            )

    def __call__(self, event: Event) -> None:
        with self._lock:
            self._state.take(event)
            line = self._log.line(event, self._state) if self._table is None else None
        if line is not None:
            self._console.print(line, soft_wrap=True, markup=False, highlight=False, emoji=False)

    def __enter__(self) -> Live:
        if self._table is not None:
            self._table.start(refresh=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the last state on the screen, and the terminal as it was."""
        if self._table is not None:
            self._table.stop()

    def _draw(self) -> RenderableType:
        with self._lock:
            return draw(self._state, time.time(), *self._console.size)


def draw(state: RunState, now: float, width: int, height: int) -> Group:
    """Header, best of the earlier generations, and the candidates of the current one or of the report.

    The last line is empty: the cursor rests there, and an echoed ^C can't push the table down.

    Args:
        now: Unix time.
        width, height: of the screen, in columns and lines; one line stays free.
    """
    parts: list[RenderableType] = [header(state, now), Text()]
    if state.generation is None and not state.report:
        return Group(*parts, Text("getting ready…", style="dim"), Text())
    if state.report:
        rows, title, seeds = list(state.report.values()), "report", state.report_seeds
    else:
        rows, title, seeds = state.current, f"g{state.generation}", state.seeds
    if state.past:
        best = f"best so far {state.best.id}, {numbers.number(state.best.fitness)}; " if state.best else ""
        parts.append(_remark(f" {best}earlier: {_counted(state.past, state.seeds)}"))
    shown, rest = fitting(rows, height - 4 - len(parts), seeds, state.best)
    parts.append(candidates_table(state, shown, seeds, title))
    if rest:
        parts.append(_remark(f"… {len(rest)} more: {_counted(rest, seeds)}"))
    if state.being_written and not state.report:
        parts.append(_remark(f"{numbers.plural(state.being_written, 'program')} being written…"))
    return Group(*parts, Text())


def header(state: RunState, now: float) -> Text:
    """Task, position, time left, end, trainings, cost, cut at the edge of the screen."""
    comparison = state.ended == "finished" and not state.generations
    parts = [
        "report" if state.report else position(state) if state.generation is not None else "",
        TRAINED if comparison else state.ended,
        time_left(state, now),
        f"{state.trainings_done} of {numbers.plural(state.trainings_wanted, 'training')}",
        sections.tokens(state) if state.tokens else "",
    ]
    line = Text(text.one_line(state.task), style="bold")
    for part in filter(None, parts):
        line.append(" · ", style="dim").append(text.one_line(part), style="not bold")
    return layout.cut(line)


def _counted(rows: Sequence[CandidateState], seeds: int) -> str:
    """ "3 done, 1 failed"."""
    counts = Counter(each.status(seeds) for each in rows)
    return ", ".join(f"{amount} {status}" for status, amount in counts.items())


def _remark(line: str) -> Text:
    return layout.cut(Text(f"  {line}", style="dim"))


def candidates_table(state: RunState, rows: Sequence[CandidateState], seeds: int, title: str) -> Table:
    """One line a candidate; columns keep their places during training."""
    names = {each.id: state.name(each.id) for each in rows}
    width = min(max(map(len, (*names.values(), "hand-written"))), WIDEST_NAME)
    table = Table(box=None, expand=True, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("", width=1)
    table.add_column(title, width=width, no_wrap=True, overflow="ellipsis")
    table.add_column("status", width=BAR + 15, no_wrap=True)
    table.add_column("fitness", width=8, no_wrap=True, justify="right")
    table.add_column("note", ratio=1, no_wrap=True, overflow="ellipsis", style="dim")
    for each in rows:
        status = each.status(seeds)
        marked = each is state.best or (bool(state.report) and each.id == state.winner)
        seeds_done = f"{each.finished} of {seeds} seeds · " if status == "training" and seeds > 1 else ""
        table.add_row(
            Text("★" if marked else "", style="yellow"),
            Text(names[each.id], style="bold" if marked else ""),
            _status(each, status, seeds * state.steps),
            Text(
                "" if each.failure else numbers.number(each.fitness), style="" if status == "done" else "dim"
            ),
            Text(text.one_line(each.message or f"{seeds_done}{each.note}", 200)),
        )
    return table


def fitting(
    rows: Sequence[CandidateState], room: int, seeds: int, best: CandidateState | None
) -> tuple[list[CandidateState], list[CandidateState]]:
    """Rows that are shown, in their order, and those left out: the best and those in training come first."""
    if len(rows) <= room:
        return list(rows), []
    by_need = sorted(rows, key=lambda each: -1 if each is best else SHOWN_FIRST.index(each.status(seeds)))
    kept = by_need[: max(1, room - 1)]
    return [each for each in rows if each in kept], [each for each in rows if each not in kept]


def _status(candidate: CandidateState, status: Status, steps: int) -> RenderableType:
    """A progress bar with steps, or the outcome. `steps`: of all its trainings together."""
    if status == "training":
        row = Table.grid(padding=(0, 1, 0, 0))
        reached = f"{numbers.count(candidate.step)} of {numbers.count(steps)}"
        row.add_row(ProgressBar(max(1, steps), candidate.step, width=BAR, complete_style="cyan"), reached)
        return row
    shown: str = status
    if status == "done" and candidate.success is not None:
        shown = f"done, success {numbers.percent(candidate.success)}"
    elif status == "halted":
        shown = f"stopped after {numbers.count(candidate.halted)} steps"
    elif candidate.failure:
        shown = text.outcome(candidate.failure)
    return Text(shown, style=STYLES.get(status, ""))
