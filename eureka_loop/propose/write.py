"""Requests → replies → candidates on disk.

Each reply passes the gate and a trial, or goes back to its designer, or has failed.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import cast

from eureka_loop.errors import DesignerError, Refused, RewardFailure, UnknownName
from eureka_loop.execute.budget import start
from eureka_loop.propose.designer import Designer, Repair, Request
from eureka_loop.records import Array, Candidate, Reply
from eureka_loop.results import Failed, FailureKind
from eureka_loop.reward.gate import check
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.sandbox.trial import ROWS, try_out
from eureka_loop.reward.vocabulary import Vocabulary
from eureka_loop.store import Event, Run

REPAIRS = 2  # of one program
CMA_ES = "cma-es"  # author of programs that a strategy has itself: other weights
PARALLEL = 8  # calls to a designer at a time


class Gate:
    """Checks a program, then runs it on recorded transitions in a locked process.

    Args:
        probe: rows of every observable, `prev_` and `init_` included.
        rows: of a call in training; see `rows_of_call`.
    """

    def __init__(
        self, vocabulary: Vocabulary, probe: Mapping[str, Array], fork_server: ForkServer, rows: int = ROWS
    ) -> None:
        self._vocabulary, self._probe, self._fork_server = vocabulary, probe, fork_server
        self._rows = rows

    def admit(self, source: str, *, hidden: bool = False) -> tuple[str, ...]:
        """The names of the program's terms.

        Raises:
            Refused: it can't be read as a reward program.
            RewardFailure: it failed on real transitions.
        """
        program = check(source, self._vocabulary, hidden=hidden)
        shapes = self._vocabulary.shapes(program.parameters, hidden=hidden)
        probe = {name: self._probe[name] for name in program.parameters}
        return try_out(self._fork_server, program, probe, shapes, rows=self._rows).names


class Writer:
    """Has a designer write what is requested; asks for nothing twice that is on disk.

    Attributes:
        problem: why no more can be written just now; None while it can.
    """

    def __init__(self, run: Run, designer: Designer, gate: Gate) -> None:
        self._run, self._designer, self._gate = run, designer, gate
        self._slots = asyncio.Semaphore(PARALLEL)
        self._active: set[str] = set()  # ids of programs that are being written or checked
        self._prompted: set[str] = set()  # of those that a person is to write
        run.listen(self._heard)
        self._answered = self._told = False
        self._in_vain = 0  # failed calls in a row
        self.problem: DesignerError | None = None

    @property
    def idle(self) -> bool:
        """Whether only a person's answers are waited for."""
        return bool(self._prompted) and not self._active

    def _heard(self, event: Event) -> None:
        id = str(event.get("id") or event.get("candidate"))
        match event["event"]:
            case "prompted":
                self._active.discard(id)
                self._prompted.add(id)
            case "written" | "repaired":
                self._prompted.discard(id)
                self._active.add(id)
            case "gated" | "failed":
                self._prompted.discard(id)
                self._active.discard(id)

    def write(self, request: Request, samples: Sequence[int]) -> list[asyncio.Task[Candidate | None]]:
        """The candidates of some samples, those that failed included; None: not written now.

        The designer gets the request of each sample, see `Request.of`.
        """
        here, ids = set(self._run.candidate_ids()), {n: request.id(n) for n in samples}
        others = here - set(ids.values()) - {each.candidate.id for each in request.history}
        under_way = tuple(self._run.candidate(id).source for id in sorted(others))
        request = replace(request, under_way=under_way)
        missing = [n for n, id in ids.items() if id not in here and not self._run.replies(id)]
        if missing:
            self._run.event("generation", generation=request.generation, samples=len(missing))
        own = {sample: request.of(sample) for sample in samples}
        calls = {sample: start(self._call(own[sample], sample)) for sample in missing}
        return [start(self._candidate(own[sample], sample, calls)) for sample in samples]

    async def _candidate(
        self, request: Request, sample: int, calls: Mapping[int, asyncio.Task[None]]
    ) -> Candidate | None:
        """A reply → a candidate on disk, after at most `REPAIRS` repairs."""
        id = request.id(sample)
        before = self._run.failure(id)
        if sample not in calls and id in self._run.candidate_ids() and not (before and before.passing):
            return self._run.candidate(id)
        if sample in calls and not await self._replied(request, sample, calls):
            return None
        self._run.clear_failure(id)  # left by an earlier process that ended before the candidate was kept
        while True:
            replies = self._run.replies(id)
            last, failed = replies[-1], self._admit(id, replies[-1])
            if failed is None or failed.passing or len(replies) > REPAIRS or request.replies:
                break
            problems = f"{failed.message}\n{failed.detail}".strip()
            repair = Repair(last.source, problems, last.exchange, len(replies), last.designer)
            try:
                await self._call(replace(request, repair=repair), sample)
            except DesignerError as error:
                if self.problem is not None:
                    self._end(error)
                    return None
                break
        if failed is not None:
            self._run.fail(failed)
        candidate = Candidate(
            id=id,
            generation=request.generation,
            source=last.source or "",
            designer=CMA_ES if request.replies else last.designer or self._designer.name,
            parents=last.parents,
            note=last.note,
            operator=last.operator or request.operator,
        )
        self._run.write_candidate(candidate, feedback=request.feedback)
        return candidate

    async def _replied(self, request: Request, sample: int, calls: Mapping[int, asyncio.Task[None]]) -> bool:
        """Whether a sample has a reply: a failed call is one, unless nothing can be written just now."""
        try:
            await calls[sample]
        except DesignerError as error:
            await asyncio.wait(calls.values())
            if self.problem is not None or not self._answered or self._in_vain >= request.samples:
                self._end(error)
                return False
            self._keep(request, sample, Reply(None, problem=str(error)))
        return True

    async def _call(self, request: Request, sample: int) -> None:
        """Have one reply written, on disk.

        Raises:
            DesignerError: the call failed, or no call would succeed just now.
        """
        if request.replies:
            self._keep(request, sample, request.replies[sample])
            return
        self._active.discard(request.id(sample))
        async with self._slots:
            if self.problem is not None:
                raise self.problem
            self._active.add(request.id(sample))
            try:
                await self._answered_in_thread(request, sample)
            except DesignerError as error:
                if error.lasting:
                    self.problem = self.problem or error
                self._in_vain += request.repair is None
                raise
            self._answered, self._in_vain = True, 0

    async def _answered_in_thread(self, request: Request, sample: int) -> None:
        """In a daemon thread: unlike an executor's, it doesn't keep the program from ending."""
        future: Future[None] = Future()
        future.set_running_or_notify_cancel()  # from here on only the thread ends it

        def work() -> None:
            try:
                self._keep(request, sample, self._designer.propose(request, sample))
                future.set_result(None)
            except BaseException as error:  # noqa: BLE001 - the end of a thread; raised again by `await`
                future.set_exception(error)

        threading.Thread(target=work, daemon=True, name="designer").start()
        await asyncio.wrap_future(future)

    def _keep(self, request: Request, sample: int, reply: Reply) -> None:
        """Put a reply on disk, with its event; from any thread."""
        id, parents = request.id(sample), list(reply.parents)
        self._run.write_reply(id, reply)
        if request.repair:
            self._run.event("repaired", id=id)
        else:
            about = {"note": reply.note, "parents": parents, "source": reply.source is not None}
            self._run.event("written", id=id, generation=request.generation, **about)

    def _end(self, problem: DesignerError) -> None:
        """No more is written; an event, once no call is under way, where there may be programs to train."""
        self.problem = self.problem or problem
        if not (self._told or self._run.blank):
            self._told = True
            self._run.event("writing_ended", reason=str(self.problem))

    def _admit(self, id: str, reply: Reply) -> Failed | None:
        if reply.source is None:
            return Failed(id, "no_code", reply.problem)
        try:
            terms = self._gate.admit(reply.source)
        except (Refused, RewardFailure) as problem:
            return failure_of(id, problem)
        self._run.event("gated", id=id, terms=list(terms))
        return None


def failure_of(id: str, problem: Refused | UnknownName | RewardFailure) -> Failed:
    """The reason why a program isn't trained, as a value."""
    if isinstance(problem, RewardFailure):
        return Failed(id, cast(FailureKind, problem.kind), str(problem), problem.detail)
    return Failed(id, "refused", str(problem))
