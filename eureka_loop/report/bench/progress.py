"""A bench while it goes: which search, and how long all that are left will take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from eureka_loop.report import text
from eureka_loop.report.bench.plan import Search
from eureka_loop.report.log import LogFormatter
from eureka_loop.report.state import RunState
from eureka_loop.run_folder import Event

EVERY = 30.0  # s between lines, where there is no terminal
TELLING = 0.1  # share of a search's steps after which its own speed is the better guess: workers start slowly
KEPT = ("ranked", "reporting")  # events of a search that are told there


class Progress:
    """
    Args:
        wanted: searches in their order.
        expected: task → seconds of a search, as estimated before the start.
    """

    def __init__(self, wanted: Sequence[Search], expected: Mapping[str, float]) -> None:
        self._wanted, self._expected = wanted, expected
        self._took: dict[Search, float] = {}
        self._current: Search | None = None

    def begin(self, search: Search) -> None:
        self._current = search

    def end(self, search: Search, seconds: float) -> None:
        """Also of those that an earlier call ended."""
        self._took[search] = seconds

    def seconds_of(self, task: str) -> float:
        """Of one more search: as those of that task took; else as estimated, corrected by the others."""
        known = [seconds for search, seconds in self._took.items() if search.task == task]
        if known:
            return sum(known) / len(known)
        estimated = sum(self._expected[search.task] for search in self._took)
        return self._expected[task] * (sum(self._took.values()) / estimated if estimated else 1.0)

    def seconds_left(self, state: RunState | None, now: float) -> float:
        """
        Args:
            state: of the search under way; None between two.
        """
        ahead = [each for each in self._wanted if each not in self._took and each != self._current]
        rest = sum(self.seconds_of(each.task) for each in ahead)
        if self._current is None or self._current in self._took:
            return rest
        whole = self.seconds_of(self._current.task)
        if state is None:
            return rest + whole
        own = state.seconds_left(now) if _share(state) >= TELLING else None
        return rest + (max(0.0, whole - state.worked) if own is None else own)

    def line(self, state: RunState | None, now: float) -> str:
        """ "search 3 of 12: hopper-hop, seed 1 · about 9 min left"."""
        left = f"about {text.duration(self.seconds_left(state, now))} left"
        if self._current is None:
            return left
        number = self._wanted.index(self._current) + 1
        which = f"search {number} of {len(self._wanted)}: {self._current.task}, seed {self._current.seed}"
        return f"{which} · {left} in all"


def _share(state: RunState) -> float:
    """How much of a search's steps is done."""
    return state.steps_done / max(1, state.steps_wanted)


class SearchLog(LogFormatter):
    """A search told in few lines: a bench has many."""

    def __init__(self, progress: Progress) -> None:
        super().__init__()
        self._bench, self._last = progress, 0.0

    def line(self, event: Event, state: RunState) -> str | None:
        """The line for an event that `state` has taken already; None where it needs none."""
        if event.get("event") in KEPT:
            return super().line(event, state)
        now = event.get("time", 0.0)
        if event.get("event") not in ("progress", "trained") or now - self._last < EVERY:
            return None
        self._last = now
        done = f"{state.trainings_done} of {text.plural(state.trainings_wanted, 'training')} done"
        return f"{self._bench.line(state, now)}; {done}"
