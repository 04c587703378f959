"""Several calls at once."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from eureka_loop.errors import EurekaError

Result = TypeVar("Result")
Outcome = TypeVar("Outcome")

TICK = 0.2  # s


def at_once(
    calls: Sequence[Callable[[], Result]], limit: int, tick: Callable[[], None] = lambda: None
) -> list[Result | EurekaError]:
    """What each call returned or raised, in order; at most `limit` run at the same time.

    The threads are daemons: Ctrl-C need not wait for a model that thinks for minutes. An exception that is
    not ours is a bug, and goes on to the caller.

    Args:
        tick: called a few times a second. An exception there ends the waiting: no further call begins, and
            those under way are left to themselves.
    """
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    finished: queue.SimpleQueue[tuple[int, Result | BaseException]] = queue.SimpleQueue()
    for index in range(len(calls)):
        waiting.put(index)

    def work() -> None:
        for index in _drained(waiting):
            try:
                finished.put((index, calls[index]()))
            except BaseException as error:  # noqa: BLE001 - a thread's end; raised again in the caller
                finished.put((index, error))

    for _ in range(min(limit, len(calls))):
        threading.Thread(target=work, daemon=True, name="model-call").start()
    try:
        outcomes = dict(_awaited(finished, tick) for _ in calls)
    finally:
        for _ in _drained(waiting):
            pass
    return [_ours(outcomes[index]) for index in range(len(calls))]


def _drained(waiting: queue.SimpleQueue[int]) -> Iterator[int]:
    """One after another until nothing is left; several threads may share."""
    while True:
        try:
            yield waiting.get_nowait()
        except queue.Empty:
            return


def _awaited(finished: queue.SimpleQueue[Outcome], tick: Callable[[], None]) -> Outcome:
    while True:
        tick()
        try:
            return finished.get(timeout=TICK)
        except queue.Empty:
            continue


def _ours(outcome: Result | BaseException) -> Result | EurekaError:
    if isinstance(outcome, BaseException) and not isinstance(outcome, EurekaError):
        raise outcome
    return outcome
