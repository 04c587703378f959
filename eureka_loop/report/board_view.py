"""A board as it looks on a terminal, made to fit the screen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from eureka_loop.report import forecast, text, words
from eureka_loop.report.board import Board
from eureka_loop.report.rows import Row, State
from eureka_loop.report.sparks import bar

BAR = 12  # characters
WIDEST_NAME = 24
STYLES: dict[State, str] = {
    "done": "green",
    "failed": "red",
    "training": "",
    "gated": "dim",
    "halted": "dim",
    "skipped": "yellow",
}
_LEAVE_OUT: dict[State, int] = {
    "training": 0,
    "gated": 1,
    "repaired": 1,
    "written": 1,
    "done": 2,
    "halted": 3,
    "skipped": 4,
    "failed": 4,
}


def draw(board: Board, now: float, width: int, height: int) -> Group:
    """Header, earlier generations, the current one or the report.

    Args:
        now: Unix time.
        width: columns of the screen.
        height: its lines; one is left free.

    The last line is empty: the cursor rests there, and what a terminal echoes (^C) can't push the table down.
    """
    head: list[RenderableType] = [header(board, now, width), Text()]
    if board.report:
        rows, title, wanted = list(board.report.values()), "report", board.report_seeds
    elif board.generation is not None:
        rows, wanted = board.current, board.seeds
        title = "candidate" if board.steady else f"g{board.generation}"
    else:
        return Group(*head, Text("getting ready…", style="dim"), Text())
    return Group(*head, *_body(board, rows, title, wanted, space=height - 5), Text())


def _body(board: Board, rows: list[Row], title: str, wanted: int, space: int) -> list[RenderableType]:
    """The earlier generations collapsed, then as many rows as fit, then what was left out."""
    earlier = sorted({row.generation for row in board.past})
    writing = board.unwritten if not board.report else 0
    for_earlier = min(len(earlier), max(1, space - len(rows) - bool(writing)))
    room = max(1, space - for_earlier - bool(writing))
    shown = fitting(rows, room if len(rows) <= room else room - 1, wanted, board.best)
    left_out = [row for row in rows if row not in shown]
    parts: list[RenderableType] = [*earlier_lines(board, earlier, for_earlier)]
    parts.append(candidates_table(board, shown, wanted, title))
    if left_out:
        parts.append(Text(f"  … {len(left_out)} more: {_tally(left_out, wanted)}", style="dim"))
    if writing:
        parts.append(Text(f"  {text.plural(writing, 'program')} being written…", style="dim"))
    return parts


def header(board: Board, now: float, width: int = 1000) -> Text:
    """One line: task, generation, how long it will take, what is done, cost; as much as fits."""
    line = Text(text.one_line(board.task), style="bold")
    for part in header_parts(board, now):
        if line.cell_len + 3 + len(part) <= width:
            line.append(" · ", style="dim").append(part, style="not bold")
    line.no_wrap, line.overflow = True, "ellipsis"
    return line


def header_parts(board: Board, now: float) -> list[str]:
    """What stands after the task's name, the most important first."""
    parts = []
    if board.report:
        parts.append("report")
    elif board.generation is not None:
        parts.append(progress(board))
    if board.ended:
        parts.append(text.one_line(ending(board)))
    if left := forecast.left(board, now):
        parts.append(left)
    parts.append(f"{board.trainings_done} of {text.plural(board.trainings_wanted, 'training')}")
    if board.tokens:
        parts.append(cost(board))
    return parts


def progress(board: Board) -> str:
    """Which generation of how many; where there are none, "9 of 24 candidates"."""
    if board.steady:
        return f"{board.told} of {text.plural(board.generations * board.samples, 'candidate')}"
    return words.generation(board.generation or 0, board.generations)


def ending(board: Board) -> str:
    """How it ended; a comparison, which has no winner, goes on for a while after its last training."""
    compared = board.ended == "finished" and not board.generations
    return "all trained; same transitions for all, videos…" if compared else board.ended


def cost(board: Board) -> str:
    """Tokens, and money where the price is known."""
    tokens = f"{text.count(board.tokens)} tokens"
    return tokens if board.usd is None else f"{tokens}, {text.money(board.usd)}"


def candidates_table(board: Board, rows: Sequence[Row], wanted: int, title: str) -> Table:
    """One line a candidate; its columns don't move while it trains."""
    names = {row.id: board.called(row.id) for row in rows}
    width = min(max(map(len, (*names.values(), "hand-written"))), WIDEST_NAME)
    table = Table(box=None, expand=True, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("", width=1)
    table.add_column(title, width=width, no_wrap=True, overflow="ellipsis")
    table.add_column("status", width=BAR + 15, no_wrap=True)
    table.add_column("fitness", width=8, no_wrap=True, justify="right")
    table.add_column("note", ratio=1, no_wrap=True, overflow="ellipsis")
    for row in rows:
        state = row.state(wanted)
        mark = "★" if row is board.best or (board.report and row.id == board.winner) else ""
        table.add_row(
            Text(mark, style="yellow"),
            Text(names[row.id], style="bold" if mark else ""),
            status(row, state, wanted * board.steps),
            Text(
                "" if state in ("failed", "skipped") else text.number(row.fitness),
                style="" if state == "done" else "dim",
            ),
            Text(remark(row, state, wanted), style="dim"),
        )
    return table


def status(row: Row, state: State, steps: int) -> Text:
    """Where a candidate stands. `steps`: of all its trainings together."""
    if state == "training":
        share = row.step / steps if steps else 0.0
        return bar(share, BAR).append(f" {text.count(row.step)} of {text.count(steps)}")
    if state == "done":
        marks = [each.success for each in row.trainings.values() if each.success is not None]
        return Text("done" + (f", success {text.percent(sum(marks) / len(marks))}" if marks else ""), "green")
    said = {
        "failed": words.outcome(row.failure),
        "skipped": words.outcome(row.failure),
        "gated": "gated, waiting to train",
        "halted": f"stopped after {text.count(row.halted)} steps",
    }.get(state, state)
    return Text(said, style=STYLES.get(state, ""))


def remark(row: Row, state: State, wanted: int) -> str:
    """Why it failed, in short; else which of several trainings it is at, and its author's note."""
    if state in ("failed", "skipped"):
        return text.one_line(row.message, 200)
    finished = sum(each.state == "done" for each in row.trainings.values())
    seeds = f"{finished} of {wanted} seeds" if state == "training" and wanted > 1 else ""
    return " · ".join(part for part in (seeds, text.one_line(row.note, 200)) if part)


def fitting(rows: Sequence[Row], room: int, wanted: int, best: Row | None) -> list[Row]:
    """At most `room` rows in their order: those in training and the best first, the failed last."""
    by_need = sorted(rows, key=lambda row: 0 if row is best else _LEAVE_OUT[row.state(wanted)])
    kept = by_need[: max(1, room)]
    return [row for row in rows if row in kept]


def earlier_lines(board: Board, generations: Sequence[int], room: int) -> list[Text]:
    """Earlier generations, one line each; the first ones together where there are too many."""
    together = len(generations) - room + 1
    if together > 1:
        first, rest = generations[:together], generations[together:]
        return [_earlier(board, first), *(_earlier(board, [each]) for each in rest)]
    return [_earlier(board, [each]) for each in generations]


def _earlier(board: Board, generations: Sequence[int]) -> Text:
    rows = [row for row in board.past if row.generation in generations]
    done = [row for row in rows if row.state(board.seeds) == "done"]
    best = max(done, key=lambda row: row.fitness or 0.0, default=None)
    amounts = Counter(row.state(board.seeds) for row in rows)
    name = f"g{generations[0]}" + (f"–g{generations[-1]}" if len(generations) > 1 else "")
    line = Text.assemble(
        ("★  " if best is not None and best is board.best else "   ", "yellow"), (f"{name:<13}", "dim")
    )
    line.append(f"best {text.number(best.fitness)} ({best.id})" if best else "nothing trained")
    line.append(f" · {text.plural(len(rows), 'candidate')}", style="dim")
    for state in ("skipped", "failed"):
        if amounts[state]:
            line.append(f" · {amounts[state]} {state}", style="dim")
    line.no_wrap, line.overflow = True, "ellipsis"
    return line


def _tally(rows: Sequence[Row], wanted: int) -> str:
    counts = Counter(row.state(wanted) for row in rows)
    said = {"gated": "waiting", "halted": "stopped early"}
    return ", ".join(f"{amount} {said.get(state, state)}" for state, amount in counts.items())
