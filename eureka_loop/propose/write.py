"""Requests → replies → candidates on disk.

Each reply passes the gate and a trial, or goes back to its designer, or has failed.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

from eureka_loop.errors import DesignerError, Refused, RewardFailure, UnknownName
from eureka_loop.execute.budget import start
from eureka_loop.propose.designer import Designer, Repair, Request
from eureka_loop.records import Array, Candidate, Reply
from eureka_loop.results import Failed, FailureKind
from eureka_loop.reward.gate import check
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.sandbox.trial import try_out
from eureka_loop.reward.vocabulary import Vocabulary
from eureka_loop.store import Run

REPAIRS = 2  # of one program

# What became of a call for one sample: its reply is on disk; it failed; no further call would do better now.
Outcome = Literal["replied", "failed", "ended"]


class Gate:
    """Checks a program, then runs it on recorded transitions in a locked process.

    Args:
        probe: rows of every observable, `prev_` and `init_` included.
    """

    def __init__(self, vocabulary: Vocabulary, probe: Mapping[str, Array], fork_server: ForkServer) -> None:
        self._vocabulary, self._probe, self._fork_server = vocabulary, probe, fork_server

    def admit(self, source: str, *, hidden: bool = False) -> tuple[str, ...]:
        """The names of the program's terms.

        Raises:
            Refused: it can't be read as a reward program.
            RewardFailure: it failed on real transitions.
        """
        program = check(source, self._vocabulary, hidden=hidden)
        shapes = {name: self._vocabulary.resolve(name, hidden=hidden).shape for name in program.parameters}
        probe = {name: self._probe[name] for name in program.parameters}
        return try_out(self._fork_server, program, probe, shapes).names


class Writer:
    """Has a designer write what is requested; asks for nothing twice that is on disk.

    The designer works in background threads; the gate is here, one program at a time.

    Attributes:
        problem: why no more can be written just now; None while it can.
    """

    def __init__(self, run: Run, designer: Designer, gate: Gate) -> None:
        self._run, self._designer, self._gate = run, designer, gate
        self._closed = threading.Event()
        self._sources: dict[str, str] = {}  # of candidates
        self._answered = False
        self._in_vain = 0  # failed calls in a row
        self.problem: DesignerError | None = None

    def close(self) -> None:
        """Begin no further call; replies to those under way are kept if they come in time."""
        self._closed.set()

    def write(self, request: Request) -> list[asyncio.Task[Candidate | None]]:
        """The candidates of a request, one a sample, those that failed included; None: not written now."""
        here = set(self._run.candidate_ids())
        ended = {each.candidate.id for each in request.history}
        under_way = tuple(source for id, source in self._sources.items() if id not in ended)
        request = replace(request, under_way=under_way)
        missing = [
            n for n in request.wanted if request.id(n) not in here and self._reply(request.id(n)) is None
        ]
        calls: dict[int, asyncio.Future[Outcome]] = {}
        if missing:
            self._run.event("generation", generation=request.generation, samples=len(missing))
            calls = self._call(replace(request, only=tuple(missing)))
        return [start(self._candidate(request, sample, calls.get(sample))) for sample in request.wanted]

    async def _candidate(
        self, request: Request, sample: int, call: asyncio.Future[Outcome] | None
    ) -> Candidate | None:
        """A reply → a candidate on disk, after at most `REPAIRS` repairs."""
        id = request.id(sample)
        if call is None and id in self._run.candidate_ids():
            return self._kept(self._run.candidate(id))
        if call is not None and await call != "replied":
            return None
        self._run.clear_failure(id)  # left by an earlier process that ended before the candidate was kept
        replies: list[Reply] = []
        while True:
            reply = self._reply(id, len(replies))
            assert reply is not None
            replies.append(reply if not replies else replace(reply, parents=replies[0].parents))
            failed = self._admit(id, reply)
            if failed is None or len(replies) > REPAIRS:
                break
            outcome = await self._repair(request, sample, replies, failed)
            if outcome == "ended":
                return None
            if outcome == "failed":
                break
        return self._keep(id, request, replies, failed)

    async def _repair(
        self, request: Request, sample: int, replies: Sequence[Reply], failed: Failed
    ) -> Outcome:
        """Have the last reply repaired, unless its repair is on disk."""
        if self._reply(request.id(sample), len(replies)) is not None:
            return "replied"
        problems = f"{failed.message}\n{failed.detail}".strip()
        repair = Repair(replies[-1].source, problems, replies[-1].exchange, len(replies))
        return await self._call(replace(request, only=(sample,), repair=repair))[sample]

    def _admit(self, id: str, reply: Reply) -> Failed | None:
        if reply.source is None:
            return Failed(id, "no_code", reply.problem)
        try:
            terms = self._gate.admit(reply.source)
        except (Refused, RewardFailure) as problem:
            return failure_of(id, problem)
        self._run.event("gated", id=id, terms=list(terms))
        return None

    def _keep(self, id: str, request: Request, replies: Sequence[Reply], failed: Failed | None) -> Candidate:
        """Write the candidate that comes of a reply and its repairs."""
        last = replies[-1]
        candidate = Candidate(
            id=id,
            generation=request.generation,
            source=last.source or "",
            designer=self._designer.name,
            parents=last.parents,
            note=last.note,
            operator=request.operator,
        )
        if failed is not None:
            self._run.fail(failed)
        exchanges = [_exchange(each) for each in replies]
        self._run.write_candidate(candidate, feedback=request.feedback, exchanges=exchanges)
        return self._kept(candidate)

    def _kept(self, candidate: Candidate) -> Candidate:
        self._sources[candidate.id] = candidate.source
        return candidate

    def _reply(self, id: str, attempt: int = 0) -> Reply | None:
        return self._run.proposal(id, attempt)

    # calls to the designer

    def _call(self, request: Request) -> dict[int, asyncio.Future[Outcome]]:
        """Have a request answered in a thread of its own; what became of each sample.

        The thread is a daemon: an interrupted run need not wait for a call.
        """
        loop = asyncio.get_running_loop()
        outcomes: dict[int, asyncio.Future[Outcome]] = {n: loop.create_future() for n in request.wanted}

        def later(function: Callable[..., None], *values: Any) -> None:
            with contextlib.suppress(RuntimeError):  # the run has ended, and its event loop is closed
                loop.call_soon_threadsafe(function, *values)

        def work() -> None:
            problem: BaseException | None = None
            try:
                sink = _Sink(self._run, request, self._closed, lambda sample: later(replied, sample))
                self._designer.propose(request, sink)
            except BaseException as error:  # noqa: BLE001 - the end of a thread; the loop raises it again
                problem = error
            later(self._end, request, outcomes, problem)

        def replied(sample: int) -> None:
            self._answered, self._in_vain = True, 0
            _settle(outcomes[sample], "replied")

        threading.Thread(target=work, daemon=True, name="designer").start()
        return outcomes

    def _end(
        self,
        request: Request,
        outcomes: Mapping[int, asyncio.Future[Outcome]],
        problem: BaseException | None,
    ) -> None:
        """A call has ended: decide about the samples that have no reply."""
        missing = [sample for sample, outcome in outcomes.items() if not outcome.done()]
        if problem is not None and not isinstance(problem, DesignerError):
            for sample in missing:
                outcomes[sample].set_exception(problem)
            return
        if missing and problem is None:
            problem = DesignerError(f"{self._designer.name} gave no reply for {request.id(missing[0])}")
        if problem is None:
            return
        outcome: Outcome = "ended" if problem.lasting else "failed"
        if request.repair is None and not problem.lasting:
            # that program's failure, unless so many fail that nothing can be written just now
            self._in_vain += len(missing)
            outcome = "replied" if self._answered and self._in_vain < request.samples else "ended"
        if outcome == "ended" and self.problem is None:
            self.problem = problem
            self._run.event("writing_ended", reason=str(problem))
        for sample in missing:
            if outcome == "replied":
                keep(self._run, request, sample, Reply(None, problem=str(problem)))
            _settle(outcomes[sample], outcome)


def _settle(future: asyncio.Future[Outcome], outcome: Outcome) -> None:
    if not future.done():
        future.set_result(outcome)


@dataclass(frozen=True, slots=True)
class _Sink:
    """Puts replies on disk the moment they come, whatever becomes of the others."""

    run: Run
    request: Request
    closed: threading.Event
    replied: Callable[[int], None]

    def keep(self, sample: int, reply: Reply) -> None:
        keep(self.run, self.request, sample, reply)
        self.replied(sample)

    def tick(self) -> None:
        if self.closed.is_set():
            raise Closed


class Closed(Exception):
    """The run has ended: no further call is to begin."""


def keep(run: Run, request: Request, sample: int, reply: Reply) -> None:
    """Put a reply on disk, with its event; from any thread."""
    id, repair = request.id(sample), request.repair
    run.write_proposal(id, reply, repair.attempt if repair else 0)
    if repair:
        run.event("repaired", id=id)
    else:
        parents, note, written = list(reply.parents), reply.note, reply.source is not None
        run.event("written", id=id, generation=request.generation, note=note, parents=parents, source=written)


def failure_of(id: str, problem: Refused | UnknownName | RewardFailure) -> Failed:
    """The reason why a program isn't trained, as a value."""
    if isinstance(problem, RewardFailure):
        return Failed(id, cast(FailureKind, problem.kind), str(problem), problem.detail)
    return Failed(id, "refused", str(problem))


def _exchange(reply: Reply) -> dict[str, Any]:
    """A reply with its origin, for `replay` and for people."""
    return {
        **reply.exchange,
        "source": reply.source,
        "problem": reply.problem,
        "note": reply.note,
        "parents": list(reply.parents),
    }
