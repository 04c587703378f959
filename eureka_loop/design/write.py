"""Request → replies → candidates.

Each passes the gate and a trial, or goes back to its author once, or has failed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from eureka_loop.design.designer import Designer, Repair, Request
from eureka_loop.errors import Refused, RewardFailure
from eureka_loop.program.gate import check
from eureka_loop.program.vocabulary import Vocabulary
from eureka_loop.records import Array, Candidate, Failed, FailureKind, Reply
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


class Writer:
    """Has a designer write a generation, and lets through what passes the gate."""

    def __init__(self, run: Run, designer: Designer, gate: Gate) -> None:
        self._run, self._designer, self._gate = run, designer, gate

    def write(self, request: Request) -> list[Candidate]:
        """The generation's candidates, those that failed included; asked once, then read from the run.

        Raises:
            DesignerError: nobody can write just now.
        """
        for event in self._run.events():
            if event["event"] == "proposed" and event["generation"] == request.generation:
                return [self._run.candidate(id) for id in event["ids"]]
        self._run.event("generation", generation=request.generation, samples=request.samples)
        replies = self._designer.propose(request)
        candidates = [self._take(request, index, reply) for index, reply in enumerate(replies)]
        self._run.event(
            "proposed", generation=request.generation, ids=[candidate.id for candidate in candidates]
        )
        return candidates

    def _take(self, request: Request, index: int, reply: Reply) -> Candidate:
        """One reply → one candidate on disk, repaired once if need be."""
        id = f"g{request.generation}-{index:02d}"
        self._announce(id, reply)
        exchanges = [_exchange(reply)]
        failed = self._admit(id, reply)
        if failed is not None:
            repaired = self._repair(request, index, reply, failed)
            if repaired is not None:
                self._run.event("repaired", id=id)
                exchanges.append(_exchange(repaired))
                reply, failed = repaired, self._admit(id, repaired)
        candidate = Candidate(
            id, request.generation, reply.source or "", self._designer.name, reply.parents, reply.note
        )
        self._run.write_candidate(candidate, feedback=request.feedback, exchanges=exchanges)
        if failed is not None:
            self._run.write_failure(failed)
            self._run.event("failed", id=id, seed=None, kind=failed.kind, message=failed.message)
        return candidate

    def _announce(self, id: str, reply: Reply) -> None:
        self._run.event(
            "written", id=id, note=reply.note, parents=list(reply.parents), source=reply.source is not None
        )

    def _admit(self, id: str, reply: Reply) -> Failed | None:
        if reply.source is None:
            return Failed(id, "no_code", reply.problem)
        try:
            terms = self._gate.admit(reply.source)
        except Refused as refused:
            return Failed(id, "refused", str(refused))
        except RewardFailure as failure:
            return Failed(id, _kind(failure), str(failure), failure.detail)
        self._run.event("gated", id=id, terms=list(terms))
        return None

    def _repair(self, request: Request, index: int, reply: Reply, failed: Failed) -> Reply | None:
        problems = f"{failed.message}\n{failed.detail}".strip()
        repair = Repair(reply.source, problems, reply.exchange)
        again = self._designer.propose(replace(request, samples=1, sample=index, repair=repair))
        return replace(again[0], parents=reply.parents) if again else None


def _kind(failure: RewardFailure) -> FailureKind:
    return failure.kind  # type: ignore[return-value]


def _exchange(reply: Reply) -> dict[str, Any]:
    """What `replay` needs to answer the same again, and a person to follow it."""
    return {
        **reply.exchange,
        "source": reply.source,
        "problem": reply.problem,
        "note": reply.note,
        "parents": list(reply.parents),
    }
