"""Request → replies → candidates.

Each passes the gate and a trial, or goes back to its author once, or has failed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from eureka_loop.budget import Deadline
from eureka_loop.design.designer import Designer, Repair, Request
from eureka_loop.errors import DesignerError, Refused, RewardFailure, UnknownName
from eureka_loop.program.gate import check
from eureka_loop.program.vocabulary import Vocabulary
from eureka_loop.records import Array, Candidate, Reply
from eureka_loop.results import Failed, FailureKind
from eureka_loop.sandbox.trial import try_out
from eureka_loop.sandbox.zygote import Zygote
from eureka_loop.store import Run


class Gate:
    """Reads a program, then runs it on recorded transitions in a locked process.

    Args:
        probe: rows of every observable, `prev_` and `init_` included.
    """

    def __init__(self, vocabulary: Vocabulary, probe: Mapping[str, Array], zygote: Zygote) -> None:
        self._vocabulary, self._probe, self._zygote = vocabulary, probe, zygote

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


@dataclass(frozen=True, slots=True)
class Desk:
    """Where replies go: each is on disk the moment it is there, whatever becomes of the others."""

    run: Run
    deadline: Deadline
    request: Request

    def keep(self, sample: int, reply: Reply) -> None:
        id, repair = self.request.id(sample), self.request.repair is not None
        self.run.write_proposal(id, reply, repair=repair)
        if not repair:
            parents, note = list(reply.parents), reply.note
            self.run.event("written", id=id, note=note, parents=parents, source=reply.source is not None)

    def tick(self) -> None:
        self.deadline.check()


class Writer:
    """Has a designer write a generation, and lets through what passes the gate."""

    def __init__(self, run: Run, designer: Designer, gate: Gate, deadline: Deadline) -> None:
        self._run, self._designer, self._gate, self._deadline = run, designer, gate, deadline

    def write(self, request: Request) -> list[Candidate]:
        """The generation's candidates, those that failed included.

        Nothing is asked or tried twice: what an earlier life of the run has on disk is taken from there.

        Raises:
            DesignerError: nobody can write just now, or a limit is reached; what was answered is on disk.
        """
        here = set(self._run.candidate_ids())
        self._ask_for_missing(request, here)
        candidates = []
        for sample in range(request.samples):
            id = request.id(sample)
            if id in here:
                candidates.append(self._run.candidate(id))
            elif (reply := self._run.proposal(id)) is not None:
                candidates.append(self._take(request, sample, reply))
        return candidates

    def _ask_for_missing(self, request: Request, here: set[str]) -> None:
        ids = [request.id(sample) for sample in range(request.samples)]
        missing = [n for n, id in enumerate(ids) if id not in here and self._run.proposal(id) is None]
        if missing:
            self._run.event("generation", generation=request.generation, samples=len(missing))
            self._ask(replace(request, only=tuple(missing)))

    def _ask(self, request: Request) -> None:
        self._deadline.check()
        self._designer.propose(request, Desk(self._run, self._deadline, request))

    def _take(self, request: Request, sample: int, reply: Reply) -> Candidate:
        """One reply → one candidate on disk, repaired once if need be."""
        self._deadline.check()
        id = request.id(sample)
        self._run.clear_failure(id)  # an earlier life may have written one, and died before the candidate
        exchanges = [_exchange(reply)]
        failed = self._admit(id, reply)
        if failed is not None:
            repaired = self._repair(request, sample, reply, failed)
            if repaired is not None:
                self._run.event("repaired", id=id)
                exchanges.append(_exchange(repaired))
                reply, failed = repaired, self._admit(id, repaired)
        candidate = Candidate(
            id, request.generation, reply.source or "", self._designer.name, reply.parents, reply.note
        )
        if failed is not None:
            self._run.fail(failed)
        self._run.write_candidate(candidate, feedback=request.feedback, exchanges=exchanges)
        return candidate

    def _admit(self, id: str, reply: Reply) -> Failed | None:
        if reply.source is None:
            return Failed(id, "no_code", reply.problem)
        try:
            terms = self._gate.admit(reply.source)
        except (Refused, RewardFailure) as problem:
            return failure_of(id, problem)
        self._run.event("gated", id=id, terms=list(terms))
        return None

    def _repair(self, request: Request, sample: int, reply: Reply, failed: Failed) -> Reply | None:
        id = request.id(sample)
        if self._run.proposal(id, repair=True) is None:
            problems = f"{failed.message}\n{failed.detail}".strip()
            repair = Repair(reply.source, problems, reply.exchange)
            try:
                self._ask(replace(request, only=(sample,), repair=repair))
            except DesignerError as error:
                if error.lasting:
                    raise  # asked for when the run goes on, as if it had never stopped
                return None  # the other replies are here, and may be paid for: go on with those
        repaired = self._run.proposal(id, repair=True)
        return None if repaired is None else replace(repaired, parents=reply.parents)


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
