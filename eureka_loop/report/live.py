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
from eureka_loop.report.log import LogFormatter, ending, position, time_left
from eureka_loop.report.state import CandidateState, RunState, Status
from eureka_loop.report.terminal import can_redraw, terminal
from eureka_loop.run_folder import Event
from eureka_loop.store import Run

REFRESH = 2  # per second: the trainings need the cores more
BAR = 12  # columns
WIDEST_NAME = 24
STYLES: dict[Status, str] = {
    "done": "green",
    "failed": "red",
    "waiting": "dim",
    "halted": "dim",
    "skipped": "yellow",
}
SHOWN_FIRST: tuple[Status, ...] = ("training", "waiting", "done", "halted", "skipped", "failed")


class Live:
    """A listener for a run's events: `with Live(run) as live: run.listen(live)`.

    Args:
        run: its events so far are the initial state.
        console: default: standard output.
        interactive: whether to draw a table; default: on a terminal that can move its cursor.
    """

    def __init__(
        self,
        run: Run | None = None,
        console: Console | None = None,
        *,
        interactive: bool | None = None,
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
        width: columns of the screen.
        height: lines of the screen; one stays free.
    """
    parts: list[RenderableType] = [header(state, now, width), Text()]
    if state.report:
        rows, title, seeds = list(state.report.values()), "report", state.report_seeds
    else:
        title = "candidate" if state.steady else f"g{state.generation}"
        rows, seeds = state.current, state.seeds
    if state.generation is None and not state.report:
        return Group(*parts, Text("getting ready…", style="dim"), Text())
    parts += [earlier(state)] if state.past else []
    shown, rest = fitting(rows, height - 4 - len(parts), seeds, state.best)
    parts.append(candidates_table(state, shown, seeds, title))
    left_out = Counter(each.status(seeds) for each in rest)
    lines = (
        [f"… {len(rest)} more: {', '.join(f'{n} {status}' for status, n in left_out.items())}"]
        if rest
        else []
    )
    if state.being_written and not state.report:
        lines.append(f"{numbers.plural(state.being_written, 'program')} being written…")
    return Group(*parts, *(layout.cut(Text(f"  {line}", style="dim")) for line in lines), Text())


def header(state: RunState, now: float, width: int) -> Text:
    """Task, position, end, time left, trainings, cost: as much as fits one line."""
    parts = ["report"] if state.report else [position(state)] if state.generation is not None else []
    parts += [ending(state), time_left(state, now)]
    parts.append(f"{state.trainings_done} of {numbers.plural(state.trainings_wanted, 'training')}")
    parts += [sections.tokens(state)] if state.tokens else []
    line = layout.cut(Text(text.one_line(state.task), style="bold"))
    for part in filter(None, parts):
        if line.cell_len + 3 + len(part) <= width:
            line.append(" · ", style="dim").append(text.one_line(part), style="not bold")
    return line


def earlier(state: RunState) -> Text:
    """One line on the candidates of earlier generations."""
    counts = Counter(each.status(state.seeds) for each in state.past)
    amounts = ", ".join(f"{amount} {status}" for status, amount in counts.items())
    best = f"best so far {state.best.id}, {numbers.number(state.best.fitness)}; " if state.best else ""
    return layout.cut(Text(f"   {best}earlier: {amounts}", style="dim"))


def candidates_table(state: RunState, rows: Sequence[CandidateState], seeds: int, title: str) -> Table:
    """One line a candidate; columns keep their places during training."""
    names = {each.id: state.name(each.id) for each in rows}
    width = min(max(map(len, (*names.values(), "hand-written"))), WIDEST_NAME)
    table = Table(box=None, expand=True, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("", width=1)
    table.add_column(title, width=width, no_wrap=True, overflow="ellipsis")
    table.add_column("status", width=BAR + 15, no_wrap=True)
    table.add_column("fitness", width=8, no_wrap=True, justify="right")
    table.add_column("note", ratio=1, no_wrap=True, overflow="ellipsis")
    for each in rows:
        status = each.status(seeds)
        marked = each is state.best or (bool(state.report) and each.id == state.winner)
        fitness = "" if each.failure else numbers.number(each.fitness)
        table.add_row(
            Text("★" if marked else "", style="yellow"),
            Text(names[each.id], style="bold" if marked else ""),
            _status(each, status, seeds * state.steps),
            Text(fitness, style="" if status == "done" else "dim"),
            Text(_remark(each, status, seeds), style="dim"),
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


def _remark(candidate: CandidateState, status: Status, seeds: int) -> str:
    """The reason of a failure; else finished seeds and the note."""
    if candidate.failure:
        return text.one_line(candidate.message, 200)
    finished = f"{candidate.finished} of {seeds} seeds" if status == "training" and seeds > 1 else ""
    return " · ".join(part for part in (finished, text.one_line(candidate.note, 200)) if part)
