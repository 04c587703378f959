"""Between gate and training: programs that the trajectory bank knows to be backwards are not trained.

What it said of a program is in the program's folder before it is trained (bank.json), so
that a run that goes on decides as it did.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from eureka_loop import files
from eureka_loop.errors import RewardFailure
from eureka_loop.judge.programs import ProgramJudge
from eureka_loop.judge.screening import Screened, one_sided, reason, screen
from eureka_loop.records import Candidate, Later, Task
from eureka_loop.results import Failed
from eureka_loop.reward.gate import check
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.vocabulary import Vocabulary
from eureka_loop.search.bank import Bank, Known, gather
from eureka_loop.store import Run


@dataclass(frozen=True, slots=True)
class Screening:
    """
    Attributes:
        discount: as in training.
        known: of the bank's episodes, as far as they have been judged and read.
    """

    run: Run
    fork_server: ForkServer
    task: Task
    vocabulary: Vocabulary
    discount: float
    known: Known = field(default_factory=Known)

    def screen(self, candidates: Iterable[Candidate | Later]) -> Iterator[Candidate | Later]:
        """All of them, as they come; those that the bank rejects have failed. It is asked once about each."""
        together: list[Candidate] = []
        for each in candidates:
            if not isinstance(each, Later):
                together.append(each)
                continue
            yield from self._screened(together)
            together = []
            yield each
        yield from self._screened(together)

    def _screened(self, candidates: Sequence[Candidate]) -> Sequence[Candidate]:
        """Those that came at the same time."""
        alive = [each for each in candidates if self.run.failure(each.id) is None]
        new = [each for each in alive if not self._decided(each)]
        for generation in sorted({each.generation for each in new}):
            with ProgramJudge(self.fork_server, self.task, self.vocabulary) as judge:
                bank = gather(self.run, judge, generation, known=self.known)
            for each in (each for each in new if each.generation == generation):
                self.known.shrink()
                files.write_json(self.run.candidate_folder(each.id) / "bank.json", self._ask(bank, each))
        for each in alive:
            found = self.run.screened(each.id)
            if found is not None and found.verdict == "backwards":
                self.run.fail(Failed(each.id, "ranks_backwards", reason(found)))
        return candidates

    def _decided(self, candidate: Candidate) -> bool:
        """Whether it has been asked about, or its training has begun without."""
        begun = any(self.run.candidate_folder(candidate.id).glob("**/seed-*"))
        return begun or self.run.screened(candidate.id) is not None

    def _ask(self, bank: Bank, candidate: Candidate) -> Screened:
        """What the bank says; a program that fails on its rows is left for training to judge."""
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
