"""State of a run from its events: candidates, trainings, time left, cost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any, Literal

import numpy as np

from eureka_loop import seeds
from eureka_loop.execute.budget import WorkClock
from eureka_loop.judge.statistics import iqm
from eureka_loop.results import FITNESS, PROGRESS, SKIPPED, standing
from eureka_loop.search.planning import confirmations
from eureka_loop.store import REFERENCES, Event
from eureka_loop.text import LABELS, one_line

Status = Literal["waiting", "training", "done", "skipped", "failed"]
COUNTS = ("generations", "samples", "seeds", "confirm", "steps", "report_seeds")
RUNNING = ("training", "progress")  # last events of a training that goes on
ENDED = ("trained", "failed")


@dataclass(slots=True)
class CandidateState:
    """One candidate, in the search or in the report.

    Attributes:
        seeds, steps: trainings that it gets, and environment steps of each.
        events: the last event of each kind that is about no training.
        trainings: seed → the last event of a training, with the values of those before it.
    """

    id: str
    generation: int
    seeds: int
    steps: int
    report: bool = False
    events: dict[str, Event] = field(default_factory=dict)
    trainings: dict[int, dict[str, Any]] = field(default_factory=dict)

    def take(self, event: Event) -> None:
        """Update the state by one event of this candidate."""
        seed, kind = event.get("seed"), event["event"]
        if seed is None:
            self.events[kind] = event
            self.generation = int(event.get("generation", self.generation))
            return
        before = {} if kind == "training" else self.trainings.get(seed, {})  # a crashed one is tried again
        self.trainings[seed] = before | {name: value for name, value in event.items() if value is not None}

    @property
    def status(self) -> Status:
        if self.failure is not None:
            return "skipped" if self.failure["kind"] == SKIPPED else "failed"
        if not self.trainings:
            return "waiting"
        return "done" if self.count("trained") >= self.wanted else "training"

    @property
    def wanted(self) -> int:
        """Trainings: more than those of each candidate, where it is confirmed."""
        return max(self.seeds, len(self.trainings))

    @property
    def pending(self) -> bool:
        return self.status in ("waiting", "training")

    @property
    def failure(self) -> Event | None:
        """The first failure, before training or in it."""
        failed = (each for each in self.trainings.values() if each["event"] == "failed")
        return self.events.get("failed") or next(failed, None)

    @property
    def note(self) -> str:
        return str(self.events.get("written", {}).get("note", ""))

    def count(self, *last: str) -> int:
        """Number of trainings with one of these as the last event."""
        return sum(each["event"] in last for each in self.trainings.values())

    @property
    def progress(self) -> float:
        """Trainings so far, each that goes on as the share of its steps that is done."""
        going = [each for each in self.trainings.values() if each["event"] not in ENDED]
        done = min(sum(each.get("step", 0) for each in going), len(going) * self.steps)  # rollouts overshoot
        return self.count(*ENDED) + float(done) / max(1, self.steps)

    def score(self, name: str) -> float | None:
        """Mean over the seeds that have one so far (progress: all); of fitness in the report the IQM."""
        known = [float(each[name]) for each in self.trainings.values() if name in each]
        if not known or (name == PROGRESS and len(known) < len(self.trainings)):
            return None
        return float(iqm(np.array(known))) if self.report and name == FITNESS else fmean(known)


class RunState:
    """Built from events, one at a time; unknown events are ignored."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self.task = self.designer = ""
        self.generations = self.samples = self.steps = self.report_seeds = 0
        self.seeds, self.confirm = 1, 0
        self.steady = False
        self.references: tuple[str, ...] = ()
        self.labels = dict(LABELS)
        self.then: tuple[str, ...] = ()  # algorithms that the same command trains with afterwards
        self.generation: int | None = None
        self.candidates: dict[str, CandidateState] = {}  # of the search, by generation and sample
        self.report: dict[str, CandidateState] = {}  # the winner and the references on fresh seeds
        self.winner: str | None = None
        self.tokens = 0
        self.usd: float | None = None
        self.ended = ""  # "finished", "interrupted", "stopped: <reason>"
        self.worked = 0.0  # s, interruptions excluded
        self.last = 0.0  # Unix time of the last event
        self.clock = WorkClock()  # idle where only a person's answers are waited for
        self.prompts: dict[str, Event] = {}  # those that a person is to answer, by id of the program
        self.adapted: list[str] = []  # parameters that an endpoint refuses, and what is done
        self._began: float | None = None  # seconds worked before the first training
        self._requested: set[str] = set()  # ids of programs
        for event in events:
            self.take(event)

    def take(self, event: Event) -> None:
        """Update the state by one event."""
        self.worked += self.clock.passed(event)
        self.last = max(self.last, event["time"])
        if "id" in event:
            self._of_candidate(event)
        elif event["event"] == "prompted":
            self.prompts = dict(sorted({**self.prompts, event["candidate"]: event}.items()))
        elif event["event"] == "adapted":
            self.adapted.append(event["message"])
        else:
            self._of_run(event)

    def _of_candidate(self, event: Event) -> None:
        id, seed = event["id"], event.get("seed")
        self.prompts.pop(id, None)
        if seed is not None and self._began is None:
            self._began = self.worked
        report = id in REFERENCES if seed is None else seeds.is_report(seed)
        rows = self.report if report else self.candidates
        rows.setdefault(id, self._new(id, report=report)).take(event)
        order = sorted(self.candidates, key=lambda id: (len(id), id))  # replies come in any order
        self.candidates = {id: self.candidates[id] for id in order}

    def _of_run(self, event: Event) -> None:
        match event["event"]:
            case "started":
                self._started(event)
            case "resumed":  # trainings that were running begin again
                self.ended = ""
                self.prompts.clear()
                for each in self._all:
                    lasting = [seed for seed, last in each.trainings.items() if last["event"] not in RUNNING]
                    each.trainings = {seed: each.trainings[seed] for seed in lasting}
            case "generation":
                self.generation = max(int(event["generation"]), self.generation or 0)
            case "asked":
                self._requested |= set(event["ids"])
            case "writing_ended":
                self._requested.clear()
            case "spent":
                self.tokens, self.usd = event["prompt_tokens"] + event["completion_tokens"], event.get("usd")
            case "reporting":
                self.winner, self.references = event["winner"], tuple(event["references"])
                self.report_seeds = len(event.get("seeds", ())) or self.report_seeds
                ids = (event["winner"], *self.report, *self.references)
                self.report = {id: self.report.get(id, self._new(id, report=True)) for id in ids}
            case "finished" | "interrupted" | "stopped" as kind:
                self.ended = f"{kind}: {event['reason']}" if event.get("reason") else kind

    def _started(self, event: Event) -> None:
        self.task, self.designer = str(event.get("task", "")), str(event.get("designer", ""))
        for name in COUNTS:
            setattr(self, name, int(event.get(name) or getattr(self, name)))
        self.then, self.steady = tuple(event.get("then") or ()), bool(event.get("steady"))
        self.references = tuple(event.get("references") or ())
        self.labels |= event.get("labels") or {}

    def _new(self, id: str, *, report: bool) -> CandidateState:
        amount = self.report_seeds if report else self.seeds
        return CandidateState(id, self.generation or 0, amount, self.steps, report)

    def name(self, id: str) -> str:
        """Display name of a candidate or a reference."""
        return one_line(self.labels.get(id, id))

    @property
    def best(self) -> CandidateState | None:
        """The search's best completely trained candidate; the earlier one of equals."""
        done = [each for each in self.candidates.values() if each.status == "done"]
        return max(done, key=lambda each: standing(each.score), default=None)

    @property
    def current(self) -> list[CandidateState]:
        """Rewards of the report; before it, candidates of the newest generation and all that are pending."""
        shown = self.candidates.values()
        newest = [each for each in shown if each.generation == self.generation or each.pending]
        return list(self.report.values()) or newest

    @property
    def being_written(self) -> int:
        """Programs requested and not yet received."""
        return 0 if self.report else len(self._requested - self.candidates.keys())

    @property
    def observed(self) -> int:
        """Results that a steady search has observed."""
        return sum("told" in each.events for each in self.candidates.values())

    @property
    def trainings_done(self) -> int:
        return sum(each.count(*ENDED) for each in self._all)

    @property
    def trainings_wanted(self) -> int:
        """Trainings of the whole run, those that failures made unnecessary excluded.

        The best of this generation and of those to come are expected to be confirmed.
        """
        known = self.candidates.values()
        wanted = sum(each.wanted if each.pending else len(each.trainings) for each in known)
        if not self.winner and self.ended != "finished":
            now = self.generation or 0
            more = [max(0, len(each.trainings) - self.seeds) for each in known if each.generation == now]
            confirming = (self.generations - now) * confirmations(self.seeds, self.confirm) - sum(more)
            wanted += (self.generations * self.samples - len(known)) * self.seeds + round(max(0, confirming))
        return wanted + self.report_trainings

    @property
    def report_trainings(self) -> int:
        return (1 + len(self.references)) * self.report_seeds

    def seconds_left(self, now: float) -> float | None:
        """Time for the trainings that are left, at the pace since the first one.

        None before a tenth of all running trainings is measured: they report one after the other.
        """
        done = sum(each.progress for each in self._all)
        running = sum(each.count(*RUNNING) for each in self._all)
        if self.ended or self._began is None or done < max(1, running) / 10:
            return None
        left = (self.trainings_wanted - done) * (self.worked - self._began) / done
        return left if self.clock.idle else max(0.0, left - max(0.0, now - self.last))

    @property
    def _all(self) -> list[CandidateState]:
        return [*self.candidates.values(), *self.report.values()]
