"""What a run's folder says, read once: who did how well, what failed, what it cost. Any moment will do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from eureka_loop.config import RunConfig
from eureka_loop.records import Candidate, Task, Training
from eureka_loop.report.board import Board
from eureka_loop.results import Evaluated, Trained, ranked
from eureka_loop.store import REFERENCES, Run

LOCKS = Path("/proc/locks")  # "1: FLOCK  ADVISORY  WRITE <pid> <major>:<minor>:<inode> <start> <end>"


@dataclass(frozen=True, slots=True)
class Facts:
    """A run as it is on disk.

    Attributes:
        task: None where the run ended before it was written.
        training: how every policy is trained, by whom, and why; None likewise.
        board: what its events say.
        search: every candidate with its results on the search's seeds, in order of id.
        reports: the winner, then the references, with their results on report seeds; empty before the report.
        winner: None while it isn't chosen.
        made_by: versions, git commit.
        sandbox: tier, layers and what the witness saw when the run began.
        being_written: whether the run is going on just now.
    """

    run: Run
    config: RunConfig
    task: Task | None
    training: Training | None
    board: Board
    search: tuple[Evaluated, ...]
    reports: tuple[Evaluated, ...]
    winner: Candidate | None
    made_by: Mapping[str, Any]
    sandbox: Mapping[str, Any]
    being_written: bool

    @classmethod
    def of(cls, run: Run) -> Facts:
        """Read a run.

        Raises:
            RunError: a file of it is damaged.
        """
        board, config, ids = Board.of(run.events()), run.config, run.candidate_ids()
        search = tuple(run.evaluated(id) for id in ids if id not in REFERENCES)
        written = (run.task_folder / "task.json").exists()
        winner = _winner(search, board, config.seeds)
        return cls(
            run=run,
            config=config,
            task=run.task() if written else None,
            training=run.training() if (run.task_folder / "training.json").exists() else None,
            board=board,
            search=search,
            reports=_reports(run, winner, ids),
            winner=winner,
            made_by=run.record("made_by"),
            sandbox=run.record("sandbox"),
            being_written=being_written(run),
        )

    @property
    def ranking(self) -> list[Evaluated]:
        """Candidates of which every seed finished, best first; of equals the earlier one."""
        return ranked([each for each in self.search if complete(each, self.config.seeds)])

    @property
    def best(self) -> Candidate | None:
        """The winner; before it is chosen, the best so far; None where nothing has finished training."""
        return self.winner or (self.ranking[0].candidate if self.ranking else None)

    @property
    def stopped(self) -> list[Evaluated]:
        """Candidates whose training ended early; those that got furthest first, then the best."""
        return ranked([each for each in self.search if each.halted is not None])

    @property
    def failed(self) -> list[Evaluated]:
        """Candidates that failed, before training or in it."""
        return [each for each in self.search if any(not failure.skipped for failure in each.failures)]

    @property
    def skipped(self) -> list[Evaluated]:
        """Candidates that nothing is wrong with but what they pay for."""
        return [each for each in self.search if any(failure.skipped for failure in each.failures)]

    @property
    def unfinished(self) -> list[Evaluated]:
        """Candidates that neither failed nor were stopped early nor have all their results."""
        wanted = self.config.seeds
        under_way = [each for each in self.search if not each.failures and each.halted is None]
        return [each for each in under_way if not complete(each, wanted)]

    @property
    def reported(self) -> tuple[int, int]:
        """How many of the report's trainings have ended, well or not, and how many there will be."""
        results = [result for each in self.reports for result in each.results]
        done = sum(result.seed is not None for result in results)  # not what the gate refused
        return done, done if self.board.ended == "finished" else max(done, self.board.reports_wanted)

    @property
    def trainings(self) -> list[Trained]:
        """Every finished training, of the search and of the report."""
        return [result for each in (*self.search, *self.reports) for result in each.trained]


def being_written(run: Run) -> bool:
    """Whether a process of this machine holds the run's lock; looked up, since trying it might stop one.

    An inode's number is one file system's alone, and the device beside it is not always the one that `stat`
    tells (overlays, btrfs); so the lock has to be that of the process whose id its owner wrote into the file.
    """
    path = run.folder / ".lock"
    try:
        inode, owner = str(path.stat().st_ino), path.read_text(encoding="ascii").strip()
        locks = [line.split() for line in LOCKS.read_text(encoding="ascii").splitlines()]
    except (OSError, ValueError):
        return False
    return any(
        kind == "FLOCK" and file.endswith(f":{inode}") and owner in (pid, "")  # "": it found the disk full
        for _, kind, _, _, pid, file, *_ in locks
    )


def complete(evaluated: Evaluated, wanted: int) -> bool:
    """Whether every training of a candidate finished."""
    return evaluated.halted is None and len(evaluated.trained) >= wanted


def terms(results: tuple[Trained, ...]) -> dict[str, float]:
    """Each term's share of the reward at the end of training, mean over seeds; the largest first."""
    last = [result.checkpoints[-1].terms for result in results if result.checkpoints]
    shares = {
        name: fmean(each[name].share for each in last if name in each)
        for name in dict.fromkeys(name for each in last for name in each)
    }
    return dict(sorted(shares.items(), key=lambda pair: -pair[1]))


def _winner(search: tuple[Evaluated, ...], board: Board, wanted: int) -> Candidate | None:
    """As the events say; where they say nothing yet though the report has begun, the best."""
    by_id = {each.candidate.id: each.candidate for each in search}
    if board.winner in by_id:
        return by_id[board.winner]
    best = ranked([each for each in search if complete(each, wanted)])
    return best[0].candidate if best and board.report else None


def _reports(run: Run, winner: Candidate | None, ids: list[str]) -> tuple[Evaluated, ...]:
    wanted = [winner.id] if winner is not None else []
    return tuple(_on_report_seeds(run, id) for id in (*wanted, *(id for id in ids if id in REFERENCES)))


def _on_report_seeds(run: Run, id: str) -> Evaluated:
    """With the gate's failure where that is why nothing was trained."""
    found, failure = run.evaluated(id, report=True), run.failure(id)
    return found if found.results or failure is None else Evaluated(found.candidate, (failure,))
