"""What a run looks like at this moment, from its events alone; nothing here draws."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from eureka_loop import seeds
from eureka_loop.records import Rung
from eureka_loop.report import text, words
from eureka_loop.report.rows import UNDER_WAY, Row, Training
from eureka_loop.run_folder import Event
from eureka_loop.search.halving import ladder, steps_of
from eureka_loop.store import REFERENCES

COUNTS = ("generations", "samples", "seeds", "steps", "halving", "jobs", "learners", "cores", "report_seeds")


class Board:
    """Takes a run's events one by one; an event of a later version is passed over, not an error."""

    def __init__(self) -> None:
        self.task = self.designer = self.algorithm = ""
        self.trainer, self.why_trainer = "sb3", ""
        self.generations = self.samples = self.steps = self.report_seeds = 0
        self.seeds = self.jobs = self.halving = 1
        self.learners = 0  # at once in each worker, where many are trained together
        self.cores, self.memory = 0, 0.0  # that there are; bytes that it stays within
        self.references: tuple[str, ...] = ()
        self.labels = dict(words.LABELS)  # id → what it is called, where that isn't the id
        self.steady = False  # no generation is waited for
        self.writing = True  # nobody has said that no more is written
        self.asked: set[str] = set()  # ids; in a steady search alone
        self.told = 0  # candidates; likewise
        self.generation: int | None = None
        self.generation_started = 0.0
        self.writing_seconds: list[float] = []  # what each generation's replies took
        self.rows: dict[str, Row] = {}  # the search's, in order of generation and sample
        self.report: dict[str, Row] = {}  # winner and references on fresh seeds
        self.winner: str | None = None
        self.proposed: set[int] = set()  # generations that are completely written
        self.tokens = 0
        self.usd: float | None = None
        self.then: tuple[str, ...] = ()  # what follows in the same call, with a board of its own
        self.ended = ""  # "finished", "interrupted", "stopped: …"
        self.worked = 0.0  # s, over all lives of the run, interruptions left out
        self.last = 0.0  # when the last event happened

    @classmethod
    def of(cls, events: Iterable[Event]) -> Board:
        """The board after these events."""
        board = cls()
        for event in events:
            board.take(event)
        return board

    def take(self, event: Event) -> None:
        """Bring the board up to date."""
        now = event.get("time", self.last)
        if self.last and event.get("event") != "resumed":
            self.worked += max(0.0, now - self.last)
        self.last = now
        handler: Callable[[Event], None] | None = getattr(self, f"_on_{event.get('event')}", None)
        if handler is not None:
            handler(event)

    # what the display asks

    def called(self, id: str) -> str:
        """What people call a candidate or a reference."""
        return text.one_line(self.labels.get(id, id))

    @property
    def best(self) -> Row | None:
        """The search's best candidate of which every seed has finished; the earlier one of equals."""
        done = [row for row in self.rows.values() if row.state(self.seeds) == "done"]
        return max(done, key=lambda row: row.fitness or 0.0, default=None)

    def of_generation(self, generation: int) -> list[Row]:
        return [row for row in self.rows.values() if row.generation == generation]

    @property
    def current(self) -> list[Row]:
        """The newest generation's, and in a steady search all that are under way; none in the report."""
        rows = [] if self.report else self.rows.values()
        return [row for row in rows if row.generation == self.generation or self._under_way(row)]

    @property
    def past(self) -> list[Row]:
        """The search's others."""
        current = {row.id for row in self.current}
        return [row for row in self.rows.values() if row.id not in current]

    def _under_way(self, row: Row) -> bool:
        return self.steady and row.state(self.seeds) in UNDER_WAY

    @property
    def unwritten(self) -> int:
        """Programs that are still being written."""
        if not self.writing:
            return 0
        if self.steady:
            return len(self.asked - self.rows.keys())
        if self.generation is None or self.generation in self.proposed:
            return 0
        return max(0, self.samples - len(self.of_generation(self.generation)))

    def trainings(self) -> Iterator[Training]:
        for row in (*self.rows.values(), *self.report.values()):
            yield from row.trainings.values()

    @property
    def trainings_done(self) -> int:
        return sum(each.state not in ("running", "waiting") for each in self.trainings())

    @property
    def trainings_wanted(self) -> int:
        """All that the run will train if nothing else fails: a failed candidate's are taken off."""
        search = self.generations * self.samples * self.seeds
        skipped = [row for row in self.rows.values() if row.failure and not row.trainings]
        short = [self.samples - len(self.of_generation(generation)) for generation in self.proposed]
        halted = sum(self.seeds - len(row.trainings) for row in self.rows.values() if row.halted)
        return search - self.seeds * (len(skipped) + sum(short)) - halted + self.reports_wanted

    @property
    def steps_wanted(self) -> int:
        """Environment steps of all these."""
        if self.halving == 1:
            return self.trainings_wanted * self.steps
        whole = Rung(0, self.steps, self.seeds, 1, self.samples)
        return self.generations * steps_of(ladder(self.halving, whole)) + self.reports_wanted * self.steps

    @property
    def reports_wanted(self) -> int:
        """Trainings of the report: the winner's and each reference's that got past the gate."""
        rows = [self.report[id] for id in self.references if id in self.report]
        refused = [row for row in rows if row.failure and not row.trainings]
        return (1 + len(self.references) - len(refused)) * self.report_seeds

    # what each event changes

    def _on_started(self, event: Event) -> None:
        for name in ("task", "designer", "algorithm", "trainer", "why_trainer"):
            setattr(self, name, str(event.get(name, getattr(self, name))))
        for name in COUNTS:
            setattr(self, name, int(event.get(name) or getattr(self, name)))
        self.memory = float(event.get("memory") or self.memory)
        self.references = tuple(event.get("references") or ())
        self.labels |= event.get("labels") or {}
        self.then = tuple(event.get("then") or ())
        self.steady = bool(event.get("steady"))

    def _on_shared(self, event: Event) -> None:
        """Another share of a machine than before, or of another one."""
        self.jobs, self.learners = int(event["jobs"]), int(event["learners"])
        self.cores, self.memory = int(event["cores"]), float(event["memory"])

    def _on_resumed(self, event: Event) -> None:
        """What an earlier life was in the midst of is begun anew."""
        self.ended, self.writing = "", True
        for row in (*self.rows.values(), *self.report.values()):
            row.trainings = {seed: each for seed, each in row.trainings.items() if each.state != "running"}

    def _on_generation(self, event: Event) -> None:
        self.generation = int(event["generation"])
        self.generation_started = event.get("time", 0.0)

    def _on_written(self, event: Event) -> None:
        generation = int(event.get("generation", self.generation or 0))
        row = Row(event["id"], generation, str(event.get("note", "")))
        rows = {**self.rows, row.id: row}  # a model's replies come in any order
        self.rows = dict(sorted(rows.items(), key=lambda each: (each[1].generation, len(each[0]), each[0])))
        if not self.steady and len(self.of_generation(generation)) >= self.samples:
            self._all_written(event.get("time", 0.0))

    def _on_asked(self, event: Event) -> None:
        self.asked |= set(event["ids"])

    def _on_writing_ended(self, event: Event) -> None:
        self.writing = False

    def _on_told(self, event: Event) -> None:
        self.told += 1

    def _on_repaired(self, event: Event) -> None:
        self._row(event).gate = "repaired"

    def _on_gated(self, event: Event) -> None:
        self._row(event).gate = "gated"

    def _on_training(self, event: Event) -> None:
        now, row = event.get("time", 0.0), self._row(event)
        trainings, seed = row.trainings, event["seed"]
        if [n for n, each in trainings.items() if each.state == "failed"] == [seed]:
            row.failure = row.message = ""  # it crashed in an earlier life, and is tried again
        if seed in trainings and trainings[seed].state == "waiting":
            trainings[seed].state = "running"
        else:
            trainings[seed] = Training(event.get("steps") or self.steps, now, heard=now)

    def _on_progress(self, event: Event) -> None:
        training = self._training(event)
        training.step = min(int(event.get("step") or 0), training.steps)  # the last rollout may overshoot
        training.heard = event.get("time", 0.0)
        training.steps_per_s = event.get("steps_per_s")
        if event.get("fitness") is not None:
            training.fitness = event["fitness"]

    def _on_trained(self, event: Event) -> None:
        training = self._training(event)
        training.step, training.heard, training.state = training.steps, event.get("time", 0.0), "done"
        training.fitness, training.success = event["fitness"], event.get("success")

    def _on_reached(self, event: Event) -> None:
        """It is judged before its end; whether it goes on depends on the others."""
        training = self._training(event)
        training.step, training.heard, training.state = event["step"], event.get("time", 0.0), "waiting"
        training.fitness, training.success = event["fitness"], event.get("success")

    def _on_halted(self, event: Event) -> None:
        row = self._row(event)
        row.halted = event["steps"]
        for training in row.trainings.values():
            training.state = "halted"

    def _on_failed(self, event: Event) -> None:
        row = self._row(event)
        row.failure, row.message = str(event["kind"]), str(event.get("message", ""))
        if event.get("seed") is not None:
            training = self._training(event)
            training.state, training.heard = "failed", event.get("time", 0.0)

    def _on_ranked(self, event: Event) -> None:
        self._all_written(event.get("time", 0.0))

    def _on_spent(self, event: Event) -> None:
        self.tokens = int(event.get("prompt_tokens") or 0) + int(event.get("completion_tokens") or 0)
        self.usd = event.get("usd")

    def _on_reporting(self, event: Event) -> None:
        self.references = tuple(event.get("references") or ())
        self.labels |= event.get("labels") or {}
        self._begin_report(event.get("winner"))

    def _on_finished(self, event: Event) -> None:
        self.winner, self.ended = event.get("winner"), "finished"

    def _on_interrupted(self, event: Event) -> None:
        self.ended = "interrupted"

    def _on_stopped(self, event: Event) -> None:
        self.ended = f"stopped: {event.get('reason', '')}"

    def _all_written(self, now: float) -> None:
        """The generation's last program has been written."""
        if self.generation is not None and self.generation not in self.proposed:
            self.proposed.add(self.generation)
            self.writing_seconds.append(max(0.0, now - self.generation_started))

    def _begin_report(self, winner: str | None) -> None:
        """A row for the winner, and for each reference."""
        self.winner = winner or self.winner
        for id in (*([self.winner] if self.winner else []), *self.references):
            self.report.setdefault(id, Row(id, self.generation or 0, gate="gated"))

    def _row(self, event: Event) -> Row:
        """The row an event speaks of; one that was never announced is made."""
        id, seed = event["id"], event.get("seed")
        if id not in REFERENCES and not (seed is not None and seeds.is_report(seed)):
            return self.rows.setdefault(id, Row(id, self.generation or 0))
        if not self.report:
            best = self.best
            self._begin_report(id if id not in REFERENCES else best.id if best else None)
        return self.report.setdefault(id, Row(id, self.generation or 0))

    def _training(self, event: Event) -> Training:
        now = event.get("time", 0.0)
        begun = Training(event.get("steps") or self.steps, now, heard=now)
        return self._row(event).trainings.setdefault(event["seed"], begun)
