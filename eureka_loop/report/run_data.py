"""Everything a run's folder holds, read once at any moment; the reports are made from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from eureka_loop.errors import RunError
from eureka_loop.execute.budget import time_worked
from eureka_loop.foreign import unconfirmed
from eureka_loop.numbers import count, duration, money, plural
from eureka_loop.records import Candidate
from eureka_loop.report.comparison import Comparison, compare
from eureka_loop.report.state import ENDED, RunState, Status
from eureka_loop.results import Evaluated, Trained, ranked
from eureka_loop.store import REFERENCES, Run


@dataclass(frozen=True, slots=True)
class Cost:
    """Cost of one or several runs.

    Attributes:
        steps: environment steps of all finished trainings, of the search and of the report.
        seconds: interruptions left out.
        tokens: prompts and replies of a model.
        usd: None where a price isn't known.
    """

    trainings: int = 0
    steps: int = 0
    seconds: float = 0.0
    tokens: int = 0
    usd: float | None = 0.0

    @classmethod
    def of(cls, run: Run, evaluated: Sequence[Evaluated] = ()) -> Cost:
        """Time, tokens and money of a run so far, with the trainings of these candidates."""
        trained, usage = [result for each in evaluated for result in each.trained], run.spent()
        steps = sum(each.steps for each in trained)
        return cls(len(trained), steps, time_worked(run.events()), usage.tokens, usage.usd)

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.trainings + other.trainings,
            self.steps + other.steps,
            self.seconds + other.seconds,
            self.tokens + other.tokens,
            None if self.usd is None or other.usd is None else self.usd + other.usd,
        )

    @property
    def price(self) -> str:
        return "price unknown" if self.usd is None else money(self.usd)

    def __str__(self) -> str:
        model = f", {count(self.tokens)} tokens, {self.price}" if self.tokens else ""
        trainings = plural(self.trainings, "finished training")
        return f"{duration(self.seconds)}, {trainings}, {count(self.steps)} steps{model}"


class RunData:
    """A run as it is on disk.

    Attributes:
        task: None where the run ended before it was written.
        search: every candidate with its results on the search's seeds, in order of id.
        reports: the winner, then the references, with their results on report seeds; empty before the report.
        winner: None before it is chosen.
        unconfirmed: whether nobody here has confirmed the measure.
        floors, failed_floors: judged policies that learn nothing, by name; those that couldn't be judged.
        damaged: why results of a candidate can't be read, by id; they are left out of all else.

    Raises:
        RunError: a file of the run, not of a candidate, is damaged.
    """

    def __init__(self, run: Run) -> None:
        self.run, self.config = run, run.config
        self.state = RunState(run.events())
        self.task = run.task() if (run.task_folder / "task.json").exists() else None
        self.damaged: dict[str, str] = {}
        search, reports = {}, []
        for id in run.candidate_ids():
            try:
                if id not in REFERENCES:
                    search[id] = run.evaluated(id)
                if id in REFERENCES or id == self.state.winner:
                    reports.append(_on_report_seeds(run, id))
            except RunError as error:
                self.damaged[id] = str(error)
        self.floors, self.failed_floors = run.floors(), run.failed_floors()
        self.unconfirmed = bool(self.task and unconfirmed(self.config, self.task, here=run.made_here))
        self.search, self.reports = tuple(search.values()), tuple(reports)
        self.winner = search[self.state.winner].candidate if self.state.winner in search else None

    def having(self, status: Status) -> list[Evaluated]:
        """Candidates of the search with a status, in order of id."""
        known = self.state.candidates
        return [each for each in self.search if (at := known.get(each.candidate.id)) and at.status == status]

    @property
    def ranking(self) -> list[Evaluated]:
        """Candidates of which every training finished, best fitness first; of equals the earlier one."""
        return ranked(self.having("done"))

    @property
    def best(self) -> Candidate | None:
        """The winner, or the best so far; None where no candidate is completely trained."""
        return self.winner or next((each.candidate for each in self.ranking), None)

    @property
    def cost(self) -> Cost:
        return Cost.of(self.run, (*self.search, *self.reports))

    @property
    def elsewhere(self) -> tuple[int, int]:
        """Number of results that were not made here, and of all."""
        every = (*self.search, *self.reports)
        return sum(len(each.elsewhere) for each in every), sum(len(each.results) for each in every)

    @property
    def comparison(self) -> Comparison:
        """The report, as far as it has come."""
        done = sum(each.count(*ENDED) for each in self.state.report.values())
        wanted = 0 if self.state.ended == "finished" else self.state.report_trainings
        found = compare(self.reports, done, wanted, floors=self.floors, margin=self.config.margin)
        return replace(found, unconfirmed=self.unconfirmed)


def terms(trained: Sequence[Trained]) -> dict[str, float]:
    """Each term's share of the reward at the end of training, mean over seeds; the largest first."""
    last = [result.checkpoints[-1].terms for result in trained if result.checkpoints]
    names = dict.fromkeys(name for each in last for name in each)
    shares = {name: fmean(each[name].share for each in last if name in each) for name in names}
    return dict(sorted(shares.items(), key=lambda pair: -pair[1]))


def _on_report_seeds(run: Run, id: str) -> Evaluated:
    """Results on report seeds, or the gate's refusal of a reference."""
    found, failure = run.evaluated(id, report=True), run.failure(id)
    return found if found.results or failure is None else Evaluated(found.candidate, (failure,))
