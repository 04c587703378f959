"""Requests → replies → candidates, as they come.

Each passes the gate and a trial, or goes back to its author once, or has failed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Self, cast

from eureka_loop.errors import DesignerError, Refused, RewardFailure, UnknownName
from eureka_loop.execute.budget import Deadline
from eureka_loop.propose.designer import Designer, Repair, Request
from eureka_loop.propose.desk import Answer, Desk, keep
from eureka_loop.records import Array, Candidate, Later, Reply
from eureka_loop.results import Failed, FailureKind
from eureka_loop.reward.gate import check
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.sandbox.trial import try_out
from eureka_loop.reward.vocabulary import Vocabulary
from eureka_loop.store import Run


class Gate:
    """Reads a program, then runs it on recorded transitions in a locked process.

    Args:
        probe: rows of every observable, `prev_` and `init_` included.
    """

    def __init__(self, vocabulary: Vocabulary, probe: Mapping[str, Array], fork_server: ForkServer) -> None:
        self._vocabulary, self._probe, self._zygote = vocabulary, probe, fork_server

    def admit(self, source: str, *, hidden: bool = False) -> tuple[str, ...]:
        """The names of the program's terms.

        Raises:
            Refused: it can't be read as a reward program.
            RewardFailure: it failed on real transitions.
        """
        program = check(source, self._vocabulary, hidden=hidden)
        shapes = {name: self._vocabulary.resolve(name, hidden=hidden).shape for name in program.parameters}
        probe = {name: self._probe[name] for name in program.parameters}
        return try_out(self._zygote, program, probe, shapes).names


class Writer:
    """Has a designer write what is requested, and lets through what passes the gate.

    Designers work in the background; the gate is here, so that an interruption can't leave half a verdict.
    """

    def __init__(self, run: Run, designer: Designer, gate: Gate, deadline: Deadline) -> None:
        self._run, self._designer, self._gate, self._deadline = run, designer, gate, deadline
        self._desk = Desk(run, designer)
        self._awaited: set[str] = set()  # ids whose program is being written or mended
        self._failed: dict[str, Failed] = {}  # what those have to mend that went back
        self._sources: dict[str, str] = {}  # what has been written
        self._answered = False
        self._in_vain = 0  # calls in a row that failed
        self._problem: DesignerError | None = None

    def close(self) -> None:
        """Begin no further call."""
        self._desk.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def write(self, requests: Iterable[Request | None]) -> Iterator[Candidate | Later]:
        """The requested candidates, each as soon as it is ready, those that failed included.

        Nothing is asked or tried twice: what an earlier life of the run has on disk is taken from there.

        Args:
            requests: None where there is none just now.

        Raises:
            DesignerError: nobody can write just now, or a limit is reached; what was answered is on disk,
                and what was under way has been waited for.
        """
        incoming, more = iter(requests), True
        while more or self._awaited:
            self._deadline.check()
            found, more = _present(incoming) if more else ([], False)
            ready = [each for request in found for each in self._receive(request)]
            ready += [each for answer in self._desk.answers() for each in self._take_in(answer)]
            more = more and self._problem is None
            yield from ready
            if not ready:
                yield Later(len(self._awaited))
        if self._problem is not None:
            raise self._problem

    def _receive(self, request: Request) -> list[Candidate]:
        """Ask for what isn't on disk; what is goes on from there."""
        here = set(self._run.candidate_ids())
        request = replace(request, under_way=self._under_way(request))
        missing = [sample for sample in self._unanswered(request) if request.id(sample) not in here]
        if missing:
            self._run.event("generation", generation=request.generation, samples=len(missing))
            self._ask(replace(request, only=tuple(missing)))
        ready = []
        for sample in request.wanted:
            id = request.id(sample)
            if id in here:
                ready.append(self._run.candidate(id))
                self._sources[id] = ready[-1].source
            elif sample not in missing:
                ready += self._take(request, sample)
        return ready

    def _under_way(self, request: Request) -> tuple[str, ...]:
        """What has been written and isn't evaluated yet."""
        ended = {each.candidate.id for each in request.history}
        return tuple(source for id, source in self._sources.items() if id not in ended)

    def _unanswered(self, request: Request) -> list[int]:
        return [sample for sample in request.wanted if self._run.proposal(request.id(sample)) is None]

    def _ask(self, request: Request) -> None:
        self._awaited |= {request.id(sample) for sample in request.wanted}
        self._desk.ask(request)

    def _take_in(self, answer: Answer) -> list[Candidate]:
        """A reply through the gate; or a request's end, when all its replies have been here."""
        request, problem = answer.request, answer.problem
        if answer.sample is not None:
            self._answered, self._in_vain = True, 0
            return [] if request.repair else self._take(request, answer.sample)
        if problem is not None and not isinstance(problem, DesignerError):
            raise problem
        if problem is not None and problem.lasting:
            return self._give_up(request, problem)
        if request.repair is not None:  # where it failed, the other replies are here, and may be paid for
            return [self._mended(request, request.wanted[0])]
        return self._give_up(request, None) if problem is None else self._without(request, problem)

    def _without(self, request: Request, problem: DesignerError) -> list[Candidate]:
        """A call has failed: that program's failure, unless so many fail that nobody can write just now."""
        missing = self._unanswered(request)
        self._in_vain += len(missing)
        if not self._answered or self._in_vain >= request.samples:
            return self._give_up(request, problem)
        for sample in missing:
            keep(self._run, request, sample, Reply(None, problem=str(problem)))
        return [each for sample in missing for each in self._take(request, sample)]

    def _give_up(self, request: Request, problem: DesignerError | None) -> list[Candidate]:
        """What a request has not brought is no longer waited for; a resumed run asks again."""
        missing = request.wanted if request.repair else self._unanswered(request)
        self._awaited -= {request.id(sample) for sample in missing}
        if problem is not None and self._problem is None:
            self._problem = problem
            self._run.event("writing_ended", reason=str(problem))
        return []

    def _take(self, request: Request, sample: int) -> list[Candidate]:
        """A first reply → a candidate on disk; none yet where it goes back to its author."""
        self._deadline.check()
        id = request.id(sample)
        reply = self._reply(id)
        self._run.clear_failure(id)  # an earlier life may have written one, and died before the candidate
        failed = self._admit(id, reply)
        if failed is None:
            return [self._candidate(id, request, [reply], None)]
        self._failed[id] = failed
        if self._run.proposal(id, repair=True) is not None:
            return [self._mended(request, sample)]
        problems = f"{failed.message}\n{failed.detail}".strip()
        repair = Repair(reply.source, problems, reply.exchange)
        self._ask(replace(request, only=(sample,), repair=repair))
        return []

    def _mended(self, request: Request, sample: int) -> Candidate:
        """The candidate that comes of a reply and its repair, if there is one."""
        id = request.id(sample)
        reply, failed = self._reply(id), self._failed.pop(id)
        repaired = self._run.proposal(id, repair=True)
        if repaired is None:
            return self._candidate(id, request, [reply], failed)
        self._run.event("repaired", id=id)
        repaired = replace(repaired, parents=reply.parents)
        return self._candidate(id, request, [reply, repaired], self._admit(id, repaired))

    def _admit(self, id: str, reply: Reply) -> Failed | None:
        if reply.source is None:
            return Failed(id, "no_code", reply.problem)
        try:
            terms = self._gate.admit(reply.source)
        except (Refused, RewardFailure) as problem:
            return failure_of(id, problem)
        self._run.event("gated", id=id, terms=list(terms))
        return None

    def _candidate(
        self, id: str, request: Request, replies: Sequence[Reply], failed: Failed | None
    ) -> Candidate:
        """Keep what came of a reply, or of a reply and its repair."""
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
        self._awaited.discard(id)
        self._sources[id] = candidate.source
        return candidate

    def _reply(self, id: str) -> Reply:
        reply = self._run.proposal(id)
        assert reply is not None  # it has been announced
        return reply


def _present(requests: Iterator[Request | None]) -> tuple[list[Request], bool]:
    """The requests that are there now, and whether more may come."""
    found: list[Request] = []
    for each in requests:
        if each is None:
            return found, True
        found.append(each)
    return found, False


def failure_of(id: str, problem: Refused | UnknownName | RewardFailure) -> Failed:
    """What kept a program from training, as a value."""
    if isinstance(problem, RewardFailure):
        return Failed(id, cast(FailureKind, problem.kind), str(problem), problem.detail)
    return Failed(id, "refused", str(problem))


def _exchange(reply: Reply) -> dict[str, Any]:
    """What `replay` needs to answer the same again, and a person to follow it."""
    return {
        **reply.exchange,
        "source": reply.source,
        "problem": reply.problem,
        "note": reply.note,
        "parents": list(reply.parents),
    }
