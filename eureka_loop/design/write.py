"""Request → replies → candidates.

Each passes the gate and a trial, or goes back to its author once, or has failed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from eureka_loop import files
from eureka_loop.design.designer import Designer, Repair, Request
from eureka_loop.errors import DesignerError, Refused, RewardFailure, UnknownName
from eureka_loop.program.gate import check
from eureka_loop.program.vocabulary import Vocabulary
from eureka_loop.records import Array, Candidate, Failed, FailureKind, Reply, Usage
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
        self._spent = spent_before(run)

    def write(self, request: Request) -> list[Candidate]:
        """The generation's candidates, those that failed included.

        Nothing is asked or tried twice: what an earlier life of the run has on disk is taken from there.

        Raises:
            DesignerError: nobody can write just now.
        """
        replies = self._run.proposals(request.generation)
        if replies is None:
            self._run.event("generation", generation=request.generation, samples=request.samples)
            replies = self._ask(request)
            self._run.write_proposals(request.generation, replies)
        here = set(self._run.candidate_ids())
        ids = [f"g{request.generation}-{index:02d}" for index in range(len(replies))]
        return [
            self._run.candidate(id) if id in here else self._take(request, index, id, reply)
            for index, (id, reply) in enumerate(zip(ids, replies, strict=True))
        ]

    def _ask(self, request: Request) -> list[Reply]:
        """What the designer answers; its cost goes into the run's events at once, whatever follows."""
        replies = self._designer.propose(request)
        used = [reply.usage for reply in replies if reply.usage != Usage()]
        if used:
            self._spent = total(self._spent, *used)
            self._run.event("spent", **files.plain(self._spent))
        return replies

    def _take(self, request: Request, index: int, id: str, reply: Reply) -> Candidate:
        """One reply → one candidate on disk, repaired once if need be."""
        self._run.clear_failure(id)  # an earlier life may have written one, and died before the candidate
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
        if failed is not None:
            self._run.write_failure(failed)
            self._run.event("failed", id=id, seed=None, kind=failed.kind, message=failed.message)
        self._run.write_candidate(candidate, feedback=request.feedback, exchanges=exchanges)
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
        except (Refused, RewardFailure) as problem:
            return failure_of(id, problem)
        self._run.event("gated", id=id, terms=list(terms))
        return None

    def _repair(self, request: Request, index: int, reply: Reply, failed: Failed) -> Reply | None:
        problems = f"{failed.message}\n{failed.detail}".strip()
        repair = Repair(reply.source, problems, reply.exchange)
        kept = self._run.proposals(request.generation, index)
        if kept is not None:
            return kept[0] if kept else None
        try:
            again = self._ask(replace(request, samples=1, sample=index, repair=repair))
        except DesignerError:
            return None  # the other replies are here, and may be paid for: go on with those
        again = [replace(each, parents=reply.parents) for each in again[:1]]
        self._run.write_proposals(request.generation, again, repaired=index)
        return again[0] if again else None


def spent_before(run: Run) -> Usage:
    """What the run's earlier lives spent, from its events."""
    spent = [event for event in run.events() if event["event"] == "spent"]
    if not spent:
        return Usage(usd=0.0)
    return Usage(spent[-1]["prompt_tokens"], spent[-1]["completion_tokens"], spent[-1]["usd"])


def total(*usages: Usage) -> Usage:
    """The sum; `usd` is None where a part has no known price."""
    prices = [usage.usd for usage in usages]
    return Usage(
        sum(usage.prompt_tokens for usage in usages),
        sum(usage.completion_tokens for usage in usages),
        None if None in prices else sum(price or 0.0 for price in prices),
    )


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
