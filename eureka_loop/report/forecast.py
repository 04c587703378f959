"""How long a run still takes, from how fast its trainings have been."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from statistics import fmean

from eureka_loop.report import text
from eureka_loop.report.board import Board
from eureka_loop.report.rows import Training


def seconds_left(board: Board, now: float) -> float | None:
    """Time to the end of the report, if nothing else fails; None before anything has been measured.

    Generations wait for their slowest training, so each is scheduled on its own. What writing a generation
    takes is the mean of those written so far. A steady search goes on as fast as it has gone so far, waiting
    for replies counted in.
    """
    if board.trainer == "population" or board.steady:
        return _together(board, now)
    pace = steps_per_second(board)
    if pace is None or board.ended:
        return None
    each = board.steps / pace
    under_way, reports = _under_way(board, pace, now), [each] * _reports_not_begun(board)
    if board.report:
        return makespan(under_way + reports, board.jobs)
    ahead = max(0, board.generations - 1 - (board.generation or 0))
    writing = fmean(board.writing_seconds) if board.writing_seconds else 0.0
    generation = writing + makespan([each] * (board.samples * board.seeds), board.jobs)
    rest = makespan(under_way + [each] * _queued(board), board.jobs)
    return rest + ahead * generation + makespan(reports, board.jobs)


def left(board: Board, now: float) -> str:
    """The same in words, and what isn't in it: "about 3 min left, then SAC"; "" where nothing is known."""
    seconds = seconds_left(board, now)
    if seconds is None:
        return ""
    return ", ".join([f"about {text.duration(seconds)} left", *(f"then {each}" for each in board.then)])


def _together(board: Board, now: float) -> float | None:
    """Where trainings share the machine: what is left of all steps, at the speed of all so far."""
    begun = list(board.trainings())
    stretches = [(each.started, each.heard) for each in begun if each.step]
    spent = _from_first_to_last(stretches) if board.steady else covered(stretches)
    done = sum(each.step for each in begun)
    if not done or spent <= 0 or board.ended or _too_few(begun):
        return None
    running = [each for each in begun if each.state == "running"]
    quiet = min((max(0.0, now - each.heard) for each in running), default=0.0)
    lost = sum(each.steps - each.step for each in begun if each.state == "failed")
    left = board.steps_wanted - done - (lost if board.halving == 1 else 0)  # else others take the place
    ahead = 0 if board.report or board.steady else max(0, board.generations - 1 - (board.generation or 0))
    writing = fmean(board.writing_seconds) if board.writing_seconds else 0.0
    return max(0.0, left * spent / done - quiet) + ahead * writing


def _too_few(begun: Sequence[Training]) -> bool:
    """Whether under half of the first ones have spoken: they do so one at a time, so most are further."""
    running = [each.step > 0 for each in begun if each.state == "running"]
    return {each.state for each in begun} <= {"running", "failed"} and 2 * sum(running) < len(running)


def _from_first_to_last(stretches: Sequence[tuple[float, float]]) -> float:
    return max((end for _, end in stretches), default=0.0) - min(
        (start for start, _ in stretches), default=0.0
    )


def covered(stretches: Iterable[tuple[float, float]]) -> float:
    """How long at least one of them lasts."""
    total, until = 0.0, float("-inf")
    for start, end in sorted(stretches):
        total += max(0.0, end - max(start, until))
        until = max(until, end)
    return total


def steps_per_second(board: Board) -> float | None:
    """Environment steps a second of one training, start-up and judging included; of the whole run."""
    begun = [each for each in board.trainings() if each.step]
    spent = sum(max(0.0, each.heard - each.started) for each in begun)
    return sum(each.step for each in begun) / spent if spent > 0 else None


def makespan(durations: Sequence[float], jobs: int) -> float:
    """When the last ends, if each is begun in order as soon as one of `jobs` places is free."""
    ends = [0.0] * max(1, jobs)
    for duration in durations:
        heapq.heapreplace(ends, ends[0] + duration)
    return max(ends)


def _under_way(board: Board, pace: float, now: float) -> list[float]:
    """Seconds that the trainings now running still need."""
    running = [each for each in board.trainings() if each.state == "running"]
    return [max(0.0, (each.steps - each.step) / pace - max(0.0, now - each.heard)) for each in running]


def _queued(board: Board) -> int:
    """Trainings of this generation that have not begun."""
    if board.generation is None:
        return 0
    rows = board.of_generation(board.generation)
    alive = [row for row in rows if not row.failure]
    begun = sum(len(row.trainings) for row in alive)
    return max(0, (len(alive) + board.unwritten) * board.seeds - begun)


def _reports_not_begun(board: Board) -> int:
    return max(0, board.reports_wanted - sum(len(row.trainings) for row in board.report.values()))
