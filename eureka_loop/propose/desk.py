"""Replies are asked for in the background; each is on disk the moment it is there."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from eureka_loop.propose.designer import Designer, Request
from eureka_loop.records import Reply
from eureka_loop.store import Run

PAUSE = 0.02  # s; so long one who looks in waits for something to come


@dataclass(frozen=True, slots=True)
class Answer:
    """What came: a reply, which is on disk; or a request's end.

    Attributes:
        sample: whose reply; None: the request has ended.
        problem: why it ended early.
    """

    request: Request
    sample: int | None = None
    problem: BaseException | None = None


class Closed(Exception):
    """Nobody waits any more: no further call is to begin."""


class Desk:
    """Asks a designer, several requests at a time, each in a thread of its own.

    What takes long there is waiting for a model. The threads are daemons: nobody need wait for them.
    """

    def __init__(self, run: Run, designer: Designer) -> None:
        self._run, self._designer = run, designer
        self._answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        self._closed = threading.Event()

    def ask(self, request: Request) -> None:
        """Have a request answered, sometime."""
        threading.Thread(target=self._work, args=(request,), daemon=True, name="designer").start()

    def answers(self) -> Iterator[Answer]:
        """What has come since the last call; that of a request in its order, its end last."""
        wait = PAUSE
        while True:
            try:
                yield self._answers.get(timeout=wait) if wait else self._answers.get_nowait()
            except queue.Empty:
                return
            wait = 0.0

    def close(self) -> None:
        """Begin no further call; replies to those under way are kept if they come in time."""
        self._closed.set()

    def _work(self, request: Request) -> None:
        problem: BaseException | None = None
        try:
            self._designer.propose(request, _Tray(self._run, request, self._answers, self._closed))
        except BaseException as error:  # noqa: BLE001 - a thread's end; who asked raises it again
            problem = error
        self._answers.put(Answer(request, problem=problem))


def keep(run: Run, request: Request, sample: int, reply: Reply) -> None:
    """Put a reply on disk, and tell of it; from any thread."""
    id, repair = request.id(sample), request.repair is not None
    run.write_proposal(id, reply, repair=repair)
    if not repair:
        parents, note, written = list(reply.parents), reply.note, reply.source is not None
        run.event("written", id=id, generation=request.generation, note=note, parents=parents, source=written)


@dataclass(frozen=True, slots=True)
class _Tray:
    """Where the replies to a request go, whatever becomes of the others."""

    run: Run
    request: Request
    answers: queue.SimpleQueue[Answer]
    closed: threading.Event

    def keep(self, sample: int, reply: Reply) -> None:
        keep(self.run, self.request, sample, reply)
        self.answers.put(Answer(self.request, sample))

    def tick(self) -> None:
        if self.closed.is_set():
            raise Closed
