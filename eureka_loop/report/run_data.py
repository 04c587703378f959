"""Everything a run's folder holds, read once at any moment; the reports are made from it."""

from __future__ import annotations

import fcntl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, Literal

from eureka_loop.config import RunConfig
from eureka_loop.records import Candidate, Task, Training
from eureka_loop.report.state import RunState
from eureka_loop.results import Evaluated, Trained, ranked
from eureka_loop.store import REFERENCES, Run

# skipped: not trained because of the trajectory bank's verdict; stopped: early, by halving
Outcome = Literal["trained", "stopped", "unfinished", "skipped", "failed"]


@dataclass(frozen=True, slots=True)
class RunData:
    """A run as it is on disk.

    Attributes:
        task: None where the run ended before it was written.
        training: trainer and hyperparameters; None likewise.
        search: every candidate with its results on the search's seeds, in order of id.
        reports: the winner, then the references, with their results on report seeds; empty before the report.
        winner: None before it is chosen.
        made_by: versions and git commit.
        sandbox: tier, layers and self-test of the sandbox at the start.
        active: whether a process is writing to the run now.
    """

    run: Run
    config: RunConfig
    task: Task | None
    training: Training | None
    state: RunState
    search: tuple[Evaluated, ...]
    reports: tuple[Evaluated, ...]
    winner: Candidate | None
    made_by: Mapping[str, Any]
    sandbox: Mapping[str, Any]
    active: bool

    @classmethod
    def read(cls, run: Run) -> RunData:
        """Read a run.

        Raises:
            RunError: a file of it is damaged.
        """
        state, ids, folder = RunState(run.events()), run.candidate_ids(), run.task_folder
        search = {id: run.evaluated(id) for id in ids if id not in REFERENCES}
        winner = [state.winner] if state.winner in search else []
        references = [id for id in ids if id in REFERENCES]
        return cls(
            run=run,
            config=run.config,
            task=run.task() if (folder / "task.json").exists() else None,
            training=run.training() if (folder / "training.json").exists() else None,
            state=state,
            search=tuple(search.values()),
            reports=tuple(_on_report_seeds(run, id) for id in (*winner, *references)),
            winner=search[winner[0]].candidate if winner else None,
            made_by=run.record("made_by"),
            sandbox=run.record("sandbox"),
            active=is_active(run),
        )

    def having(self, outcome: Outcome) -> list[Evaluated]:
        """Candidates of the search with an outcome, in order of id."""
        return [each for each in self.search if self._outcome(each) == outcome]

    def _outcome(self, each: Evaluated) -> Outcome:
        if each.failures:
            return "skipped" if each.failures[0].skipped else "failed"
        if each.halted is not None:
            return "stopped"
        return "trained" if len(each.trained) >= self.config.seeds else "unfinished"

    @property
    def ranking(self) -> list[Evaluated]:
        """Candidates of which every training finished, best fitness first; of equals the earlier one."""
        return ranked(self.having("trained"))

    @property
    def best(self) -> Candidate | None:
        """The winner, or the best so far; None where no candidate is completely trained."""
        return self.winner or (self.ranking[0].candidate if self.ranking else None)

    @property
    def reported(self) -> tuple[int, int]:
        """Number of the report's trainings that have ended, and of all of them."""
        results = [result for each in self.reports for result in each.results]
        done = sum(result.seed is not None for result in results)  # a refusal by the gate is no training
        return done, done if self.state.ended == "finished" else max(done, self.state.report_trainings)


def is_active(run: Run) -> bool:
    """Whether a process holds the run's lock."""
    try:
        with (run.folder / ".lock").open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def terms(trained: Sequence[Trained]) -> dict[str, float]:
    """Each term's share of the reward at the end of training, mean over seeds; the largest first."""
    last = [result.checkpoints[-1].terms for result in trained if result.checkpoints]
    shares = {
        name: fmean(each[name].share for each in last if name in each)
        for name in dict.fromkeys(name for each in last for name in each)
    }
    return dict(sorted(shares.items(), key=lambda pair: -pair[1]))


def _on_report_seeds(run: Run, id: str) -> Evaluated:
    """Results on report seeds, or the gate's refusal of a reference."""
    found, failure = run.evaluated(id, report=True), run.failure(id)
    return found if found.results or failure is None else Evaluated(found.candidate, (failure,))
