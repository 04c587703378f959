"""What a board says of each candidate and of each training."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import fmean
from typing import Literal

from eureka_loop.results import SKIPPED

State = Literal["written", "repaired", "gated", "training", "done", "halted", "skipped", "failed"]
UNDER_WAY: frozenset[State] = frozenset({"written", "repaired", "gated", "training"})


@dataclass(slots=True)
class Training:
    """One training of one candidate, as far as it has come. Times are Unix seconds."""

    steps: int
    started: float
    step: int = 0
    heard: float = 0.0  # when `step` was reached
    fitness: float | None = None  # so far; once it is done, of the judged policy
    success: float | None = None
    steps_per_s: float | None = None
    state: Literal["running", "waiting", "halted", "done", "failed"] = "running"


@dataclass(slots=True)
class Row:
    """One candidate, in the search or in the report."""

    id: str
    generation: int
    note: str = ""
    gate: Literal["written", "repaired", "gated"] = "written"
    failure: str = ""  # its kind; "" while there is none
    message: str = ""
    halted: int = 0  # steps after which its training ended early
    trainings: dict[int, Training] = field(default_factory=dict)

    def state(self, wanted: int) -> State:
        """Where it stands, if it is to be trained with `wanted` seeds."""
        if self.failure:
            return "skipped" if self.failure in SKIPPED else "failed"
        if self.halted:
            return "halted"
        if not self.trainings:
            return self.gate
        done = sum(each.state == "done" for each in self.trainings.values())
        return "done" if done >= wanted else "training"

    @property
    def running(self) -> list[Training]:
        return [each for each in self.trainings.values() if each.state == "running"]

    @property
    def step(self) -> int:
        """Environment steps so far, over all seeds."""
        return sum(each.steps if each.state == "done" else each.step for each in self.trainings.values())

    @property
    def fitness(self) -> float | None:
        """Mean over the seeds that have one, so far."""
        known = [each.fitness for each in self.trainings.values() if each.fitness is not None]
        return fmean(known) if known else None
