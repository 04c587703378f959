"""Between gate and training: programs that the trajectory bank knows to be backwards are not trained.

A verdict is in the candidate's folder before it is trained (bank.json), so a resumed run decides the same.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from eureka_loop import files
from eureka_loop.errors import RewardFailure
from eureka_loop.judge.programs import ProgramJudge
from eureka_loop.judge.screening import Screened, one_sided, reason, screen
from eureka_loop.records import Candidate, Task
from eureka_loop.results import Failed
from eureka_loop.reward.gate import check
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.vocabulary import Vocabulary
from eureka_loop.search.bank import Bank, gather
from eureka_loop.store import Run


@dataclass(frozen=True, slots=True)
class Screening:
    """
    Attributes:
        discount: as in training.
        known: fitness of the bank's episodes that were judged before.
    """

    run: Run
    fork_server: ForkServer
    task: Task
    vocabulary: Vocabulary
    discount: float
    known: dict[Path, float] = field(default_factory=dict)

    async def screened(self, written: asyncio.Task[Candidate | None]) -> Candidate | None:
        """The candidate once it is written; one that the bank rejects has failed."""
        candidate = await written
        if candidate is not None:
            self.screen(candidate)
        return candidate

    def screen(self, candidate: Candidate) -> None:
        """Ask the bank about a candidate, once, and record its rejection."""
        if self.run.failure(candidate.id) is not None:
            return
        if not self._decided(candidate):
            with ProgramJudge(self.fork_server, self.task, self.vocabulary) as judge:
                bank = gather(self.run, judge, candidate.generation, self.known)
            found = self._ask(bank, candidate)
            files.write_json(self.run.candidate_folder(candidate.id) / "bank.json", found)
        known = self.run.screened(candidate.id)
        if known is not None and known.verdict == "backwards":
            self.run.fail(Failed(candidate.id, "ranks_backwards", reason(known)))

    def _decided(self, candidate: Candidate) -> bool:
        """Whether the bank has been asked about it, or its training has begun without."""
        begun = any(self.run.candidate_folder(candidate.id).glob("**/seed-*"))
        return begun or self.run.screened(candidate.id) is not None

    def _ask(self, bank: Bank, candidate: Candidate) -> Screened:
        """The bank's verdict; a program that fails on its rows is left for training to judge."""
        why = one_sided(bank.fitness, bank.policies)
        counts = len(bank.policies), len(set(bank.policies))
        if why:
            return Screened("abstained", why, *counts)
        program = check(candidate.source, self.vocabulary)
        shapes = {name: self.vocabulary.resolve(name).shape for name in program.parameters}
        try:
            terms, lengths = bank.ask(program, shapes, self.fork_server)
        except RewardFailure as failure:
            return Screened("abstained", f"it failed on them ({failure.kind}: {failure})", *counts)
        return screen(terms, lengths, bank.ranking, self.discount)
