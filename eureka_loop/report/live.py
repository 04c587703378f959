"""What a run shows while it goes: a table that updates itself, or plain lines where there is no terminal."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from types import TracebackType

import rich.live
from rich.console import Console, Group, RenderableType
from rich.text import Text

from eureka_loop.report import text
from eureka_loop.report.board import Board
from eureka_loop.report.board_view import draw
from eureka_loop.report.plain import Teller
from eureka_loop.report.terminal import can_redraw, terminal
from eureka_loop.run_folder import Event
from eureka_loop.store import Run

REFRESH = 2  # per second: the trainings need the cores more


class Live:
    """A listener for a run's events: `with Live(run) as live: run.listen(live)`.

    Args:
        run: what happened in it before, if anything, is where the display begins.
        console: default: standard output.
        interactive: whether to draw a table; default: on a terminal that can move its cursor.
        clock: Unix time in seconds.
        teller: tells the lines, where there is no table.
        above: the line above the table, from the board and the time, where a run is one of many; the table is
            gone then when the run ends.
    """

    def __init__(
        self,
        run: Run | None = None,
        console: Console | None = None,
        *,
        interactive: bool | None = None,
        clock: Callable[[], float] = time.time,
        teller: Teller | None = None,
        above: Callable[[Board, float], str] | None = None,
    ) -> None:
        self._console = console or terminal()
        self._clock = clock
        self._lock = threading.Lock()  # rich draws in a thread of its own
        self._board = Board.of(run.events() if run is not None else ())
        self._teller = teller or Teller()
        self._above = above
        self._table: rich.live.Live | None = None
        if can_redraw(self._console) if interactive is None else interactive:
            self._table = rich.live.Live(
                console=self._console,
                refresh_per_second=REFRESH,
                get_renderable=self._draw,
                vertical_overflow="crop",
                transient=above is not None,
            )

    def __call__(self, event: Event) -> None:
        """Take one event."""
        with self._lock:
            self._board.take(event)
            line = self._teller.tell(event, self._board) if self._table is None else None
        if line is not None:
            self._console.print(line, soft_wrap=True, markup=False, highlight=False, emoji=False)

    def remember(self, events: Iterable[Event]) -> None:
        """Take what has happened before, without telling it again."""
        with self._lock:
            for event in events:
                self._board.take(event)

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
        """The board as it is now: drawn under the lock, so that no event changes it half-way."""
        with self._lock:
            now, (width, height) = self._clock(), self._console.size
            if self._above is None:
                return draw(self._board, now, width, height)
            line = Text(text.one_line(self._above(self._board, now)), no_wrap=True, overflow="ellipsis")
            return Group(line, draw(self._board, now, width, height - 1))
