"""Several calls at once."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from eureka_loop.errors import EurekaError

Result = TypeVar("Result")


def at_once(calls: Sequence[Callable[[], Result]], limit: int) -> list[Result | EurekaError]:
    """What each call returned or raised, in order; at most `limit` run at the same time.

    The threads are daemons: Ctrl-C need not wait for a model that thinks for minutes. An exception that is
    not ours is a bug, and goes on to the caller.
    """
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    finished: queue.SimpleQueue[tuple[int, Result | BaseException]] = queue.SimpleQueue()
    for index in range(len(calls)):
        waiting.put(index)

    def work() -> None:
        while True:
            try:
                index = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                finished.put((index, calls[index]()))
            except BaseException as error:  # noqa: BLE001 - a thread's end; raised again in the caller
                finished.put((index, error))

    for _ in range(min(limit, len(calls))):
        threading.Thread(target=work, daemon=True, name="model-call").start()
    outcomes = dict(finished.get() for _ in calls)
    return [_ours(outcomes[index]) for index in range(len(calls))]


def _ours(outcome: Result | BaseException) -> Result | EurekaError:
    if isinstance(outcome, BaseException) and not isinstance(outcome, EurekaError):
        raise outcome
    return outcome
