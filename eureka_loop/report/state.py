"""State of a run from its events: candidates, trainings, what is left, cost. Drawing is done elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from statistics import fmean
from typing import Literal

from eureka_loop import seeds
from eureka_loop.records import Rung
from eureka_loop.report.text import LABELS, one_line
from eureka_loop.results import SKIPPED
from eureka_loop.search.halving import ladder, steps_of
from eureka_loop.store import REFERENCES, Event

Status = Literal["waiting", "training", "done", "halted", "skipped", "failed"]
COUNTS = ("generations", "samples", "seeds", "steps", "halving", "report_seeds")


@dataclass(slots=True)
class TrainingState:
    """One training of one candidate. `fitness` is that of training episodes until the policy is judged."""

    steps: int
    step: int = 0
    fitness: float | None = None
    success: float | None = None
    status: Literal["running", "waiting", "halted", "done", "failed"] = "running"


@dataclass(slots=True)
class CandidateState:
    """One candidate, in the search or in the report.

    Attributes:
        failure: kind of failure; "" for none.
        halted: steps after which training was stopped early; 0 for never.
        trainings: by seed.
    """

    id: str
    generation: int
    note: str = ""
    failure: str = ""
    message: str = ""
    halted: int = 0
    trainings: dict[int, TrainingState] = field(default_factory=dict)

    def status(self, seeds: int) -> Status:
        """Status of a candidate that is trained with so many seeds."""
        if self.failure:
            return "skipped" if self.failure == SKIPPED else "failed"
        if self.halted:
            return "halted"
        if not self.trainings:
            return "waiting"
        return "done" if self.finished >= seeds else "training"

    @property
    def finished(self) -> int:
        return sum(each.status == "done" for each in self.trainings.values())

    @property
    def running(self) -> bool:
        return any(each.status == "running" for each in self.trainings.values())

    @property
    def step(self) -> int:
        """Environment steps so far, over all seeds."""
        return sum(each.step for each in self.trainings.values())

    @property
    def fitness(self) -> float | None:
        """Mean over the seeds that have one so far."""
        return _mean(each.fitness for each in self.trainings.values())

    @property
    def success(self) -> float | None:
        """Likewise; None where the task defines no success."""
        return _mean(each.success for each in self.trainings.values())


class RunState:
    """Built from events, one at a time; unknown events are ignored."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self.task = self.designer = ""
        self.generations = self.samples = self.steps = self.report_seeds = 0
        self.seeds = self.halving = 1
        self.steady = False
        self.references: tuple[str, ...] = ()
        self.labels = dict(LABELS)
        self.then: tuple[str, ...] = ()  # algorithms that the same command trains with afterwards
        self.generation: int | None = None
        self.being_written = 0  # programs requested and not yet received
        self.ranked: set[int] = set()  # completed generations
        self.candidates: dict[str, CandidateState] = {}  # of the search, by generation and sample
        self.report: dict[str, CandidateState] = {}  # the winner and the references on fresh seeds
        self.winner: str | None = None
        self.tokens = 0
        self.usd: float | None = None
        self.ended = ""  # "finished", "interrupted", "stopped: <reason>"
        self.worked = 0.0  # s, interruptions excluded
        self.last = 0.0  # Unix time of the last event
        self._measured_from: tuple[float, int] | None = None  # seconds worked and steps at the first training
        for event in events:
            self.take(event)

    def take(self, event: Event) -> None:
        """Update the state by one event."""
        now = event.get("time", self.last)
        if self.last and event.get("event") != "resumed":
            self.worked += max(0.0, now - self.last)
        self.last = max(self.last, now)
        handler: Callable[[Event], None] | None = getattr(self, f"_on_{event.get('event')}", None)
        if handler is not None:
            handler(event)

    # candidates

    def name(self, id: str) -> str:
        """Display name of a candidate or a reference."""
        return one_line(self.labels.get(id, id))

    @property
    def best(self) -> CandidateState | None:
        """The search's best completely trained candidate; the earlier one of equals."""
        done = [each for each in self.candidates.values() if each.status(self.seeds) == "done"]
        return max(done, key=lambda each: each.fitness or 0.0, default=None)

    @property
    def current(self) -> list[CandidateState]:
        """Candidates of the newest generation and all that are still pending; none during the report."""
        if self.report:
            return []
        shown = self.candidates.values()
        return [each for each in shown if each.generation == self.generation or self._pending(each)]

    @property
    def past(self) -> list[CandidateState]:
        """The search's other candidates."""
        current = {each.id for each in self.current}
        return [each for each in self.candidates.values() if each.id not in current]

    @property
    def candidates_done(self) -> int:
        return sum(not self._pending(each) for each in self.candidates.values())

    # totals

    def trainings(self) -> Iterator[TrainingState]:
        for each in (*self.candidates.values(), *self.report.values()):
            yield from each.trainings.values()

    @property
    def trainings_done(self) -> int:
        return sum(each.status not in ("running", "waiting") for each in self.trainings())

    @property
    def trainings_wanted(self) -> int:
        """Trainings of the whole run, those that failures and early stops made unnecessary excluded."""
        known = self.candidates.values()
        missing = sum(self.samples - sum(each.generation == n for each in known) for n in self.ranked)
        untrained = sum(bool(each.failure) and not each.trainings for each in known)
        halted = sum(self.seeds - len(each.trainings) for each in known if each.halted)
        candidates = self.generations * self.samples - missing - untrained
        return candidates * self.seeds - halted + self.report_trainings

    @property
    def report_trainings(self) -> int:
        return (1 + len(self.references)) * self.report_seeds

    @property
    def steps_done(self) -> int:
        return sum(each.step for each in self.trainings())

    @property
    def steps_wanted(self) -> int:
        """Environment steps of the whole run."""
        if self.halving > 1:
            rungs = ladder(self.halving, Rung(0, self.steps, self.seeds, 1, self.samples))
            return self.generations * steps_of(rungs) + self.report_trainings * self.steps
        failed = sum(each.steps - each.step for each in self.trainings() if each.status == "failed")
        return self.trainings_wanted * self.steps - failed

    def seconds_left(self, now: float) -> float | None:
        """Remaining steps by the measured steps per second.

        None before a tenth of all running trainings is measured: they report one after the other.
        """
        if self.ended or self._measured_from is None:
            return None
        seconds, steps = self.worked - self._measured_from[0], self.steps_done - self._measured_from[1]
        running = sum(each.status == "running" for each in self.trainings())
        if seconds <= 0 or steps < self.steps * max(1, running) / 10:
            return None
        left = (self.steps_wanted - self.steps_done) * seconds / steps
        return max(0.0, left - max(0.0, now - self.last))

    # events

    def _on_started(self, event: Event) -> None:
        self.task, self.designer = str(event.get("task", "")), str(event.get("designer", ""))
        for name in COUNTS:
            setattr(self, name, int(event.get(name) or getattr(self, name)))
        self.then, self.steady = tuple(event.get("then") or ()), bool(event.get("steady"))
        self.references = tuple(event.get("references") or ())
        self.labels |= event.get("labels") or {}

    def _on_resumed(self, event: Event) -> None:
        """Trainings that were running begin again."""
        self.ended, self.being_written, self._measured_from = "", 0, None
        for each in (*self.candidates.values(), *self.report.values()):
            each.trainings = {seed: one for seed, one in each.trainings.items() if one.status != "running"}

    def _on_generation(self, event: Event) -> None:
        self.generation = max(int(event["generation"]), self.generation or 0)
        self.being_written += int(event.get("samples") or 0)

    def _on_written(self, event: Event) -> None:
        self.being_written = max(0, self.being_written - (event["id"] not in self.candidates))
        generation = int(event.get("generation", self.generation or 0))
        written = CandidateState(event["id"], generation, str(event.get("note", "")))
        rows = {**self.candidates, written.id: written}  # replies come in any order
        order = sorted(rows.values(), key=lambda each: (each.generation, len(each.id), each.id))
        self.candidates = {each.id: each for each in order}

    def _on_writing_ended(self, event: Event) -> None:
        self.being_written = 0

    def _on_training(self, event: Event) -> None:
        training, candidate, seed = self._training(event), self._candidate(event), event["seed"]
        if [n for n, each in candidate.trainings.items() if each.status == "failed"] == [seed]:
            candidate.failure = candidate.message = ""  # a crashed training is tried again
        if training.status == "waiting":
            training.status = "running"
        else:
            candidate.trainings[seed] = TrainingState(event.get("steps") or self.steps)

    def _on_progress(self, event: Event) -> None:
        training = self._training(event)
        training.step = min(int(event.get("step") or 0), training.steps)  # the last rollout may overshoot
        if event.get("fitness") is not None:
            training.fitness = event["fitness"]

    def _on_trained(self, event: Event) -> None:
        self._judged(event).status = "done"

    def _on_reached(self, event: Event) -> None:
        """Judged at a rung; whether training goes on depends on the other candidates."""
        self._judged(event).status = "waiting"

    def _on_halted(self, event: Event) -> None:
        candidate = self._candidate(event)
        candidate.halted = event["steps"]
        for training in candidate.trainings.values():
            training.status = "halted"

    def _on_failed(self, event: Event) -> None:
        candidate = self._candidate(event)
        candidate.failure, candidate.message = str(event["kind"]), str(event.get("message", ""))
        if event.get("seed") is not None:
            self._training(event).status = "failed"

    def _on_ranked(self, event: Event) -> None:
        self.ranked.add(int(event["generation"]))
        if event["generation"] == self.generation:
            self.being_written = 0

    def _on_spent(self, event: Event) -> None:
        self.tokens = int(event.get("prompt_tokens") or 0) + int(event.get("completion_tokens") or 0)
        self.usd = event.get("usd")

    def _on_reporting(self, event: Event) -> None:
        self.winner, self.references = event["winner"], tuple(event["references"])
        ids = (event["winner"], *self.report, *self.references)
        self.report = {id: self.report.get(id, CandidateState(id, self.generation or 0)) for id in ids}

    def _on_finished(self, event: Event) -> None:
        self.winner, self.ended = event.get("winner"), "finished"

    def _on_interrupted(self, event: Event) -> None:
        self.ended = "interrupted"

    def _on_stopped(self, event: Event) -> None:
        self.ended = f"stopped: {event.get('reason', '')}"

    def _candidate(self, event: Event) -> CandidateState:
        """The candidate of an event, in the search or in the report; one never announced is added."""
        id, seed = event["id"], event.get("seed")
        report = id in REFERENCES or (seed is not None and seeds.is_report(seed))
        rows = self.report if report else self.candidates
        return rows.setdefault(id, CandidateState(id, self.generation or 0))

    def _training(self, event: Event) -> TrainingState:
        if self._measured_from is None:
            self._measured_from = self.worked, self.steps_done
        begun = TrainingState(event.get("steps") or self.steps)
        return self._candidate(event).trainings.setdefault(event["seed"], begun)

    def _judged(self, event: Event) -> TrainingState:
        training = self._training(event)
        training.step = event.get("step", training.steps)
        training.fitness, training.success = event["fitness"], event.get("success")
        return training

    def _pending(self, candidate: CandidateState) -> bool:
        return candidate.status(self.seeds) in ("waiting", "training")


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None
