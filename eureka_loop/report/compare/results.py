"""A comparison as it is on disk: for each algorithm the results of every entry, number by number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from eureka_loop import files, numbers
from eureka_loop.execute.budget import time_worked
from eureka_loop.judge.agreement import Agreement
from eureka_loop.judge.learning import (
    Curves,
    band,
    common_steps,
    curves,
    mean_heights,
    steps_to_reach,
)
from eureka_loop.judge.statistics import Interval, bootstrap_interval, iqm, rate_interval
from eureka_loop.records import Algorithm, Array
from eureka_loop.report.compare.entries import Entry
from eureka_loop.report.compare.setup import SETUP, Setup
from eureka_loop.report.compare.transitions import SHARED, agreements, films
from eureka_loop.report.comparison import Comparison, RewardResult, compare, sentence
from eureka_loop.results import Evaluated
from eureka_loop.store import Run

Band = tuple[Array, Array, Array]  # value, low, high at each point, (P,) each


@dataclass(frozen=True, slots=True)
class Part:
    """One algorithm's trainings.

    Attributes:
        comparison: results in the order of the entries, differences of the first from each other one.
        curves: of each entry, on steps that are the same for all; None where no training episode finished.
    """

    algorithm: Algorithm
    run: Run
    comparison: Comparison
    curves: tuple[Curves | None, ...]

    @property
    def name(self) -> str:
        return self.algorithm.upper()

    @property
    def results(self) -> tuple[RewardResult, ...]:
        return self.comparison.results

    @property
    def line(self) -> str:
        """The verdict on the reference and the numbers behind it."""
        verdict, why = self.comparison.verdict(self.reference)
        first, other = self.results[0].label, self.reference.label if self.reference else "nothing"
        if verdict == "can't tell":
            return f"can't tell {first} from {other}: {why}"
        return f"{first} is {verdict} than {other}: {why}"

    @property
    def reference(self) -> RewardResult | None:
        """Reference of the headline: the hand-written reward, else the env's own, else the first other."""
        others = self.results[1:]
        known = {each.id: each for each in others}
        return known.get("human") or known.get("native") or (others[0] if others else None)

    @property
    def target(self) -> float | None:
        """Fitness that the reference's training episodes reached at last, IQM over seeds."""
        for each, found in zip(self.results, self.curves, strict=True):
            if self.reference is not None and each.id == self.reference.id and found is not None:
                return float(iqm(found.fitness[:, -1]))
        return None

    @property
    def areas(self) -> list[Interval | None]:
        """Each entry's mean fitness of training episodes: the area under its curve divided by its length."""
        heights = [None if each is None else mean_heights(each) for each in self.curves]
        return [
            None if each is None else bootstrap_interval([each], rng=np.random.default_rng(0))
            for each in heights
        ]

    @property
    def steps_to_target(self) -> list[Array | None]:
        """Each entry's environment steps until `target`, (seeds,), sorted; infinite if never."""
        goal = self.target
        return [
            None if each is None or goal is None else np.sort(steps_to_reach(each, goal))
            for each in self.curves
        ]

    @property
    def bands(self) -> list[Band | None]:
        """Each entry's learning curve: interquartile mean over seeds with its 95% interval."""
        return [None if each is None else band(each, np.random.default_rng(0)) for each in self.curves]

    @property
    def steps(self) -> Array:
        """(P,): environment steps of the learning curves."""
        return next((each.steps for each in self.curves if each is not None), np.zeros(0))

    @property
    def agreements(self) -> list[tuple[Agreement, RewardResult]]:
        """The first reward's agreement with each other one, on shared transitions."""
        known = {each.id: each for each in self.results}
        found = [each for each in agreements(self.run) if {each.ours, each.theirs} <= known.keys()]
        return [(each, known[each.theirs]) for each in found]

    @property
    def films(self) -> tuple[list[tuple[str, Path]], str]:
        """Label and video of each, all from the same start; and why there are none, else."""
        found = films(self.run)
        paths = [self.run.folder / SHARED / f"film-{n}.mp4" for n in range(len(found.labels))]
        pairs = zip(found.labels, paths, strict=True)
        return [(label, path) for label, path in pairs if path.exists()], found.why_not

    @property
    def cost(self) -> tuple[int, int, float]:
        """Finished trainings, their environment steps, and seconds in all, interruptions left out."""
        trained = [result for each in self.results for result in each.evaluated.trained]
        return len(trained), sum(each.steps for each in trained), time_worked(self.run.events())


@dataclass(frozen=True, slots=True)
class ComparisonResults:
    """All of a comparison."""

    folder: Path
    setup: Setup
    parts: tuple[Part, ...]

    @property
    def title(self) -> str:
        """ "winner g1-03 against hand-written and sparse"."""
        first, *others = [each.label for each in self.setup.entries]
        return f"{first} against {' and '.join(others)}"

    @property
    def headline(self) -> str:
        """The verdict: "better", or with several algorithms "better with PPO, can't tell with SAC"."""
        verdicts = {part.name: part.comparison.verdict(part.reference)[0] for part in self.parts}
        if len(set(verdicts.values())) == 1:
            return next(iter(verdicts.values()))
        return ", ".join(f"{verdict} with {name}" for name, verdict in verdicts.items())

    @property
    def lines(self) -> list[str]:
        """The verdict in one line with all that it rests on, for each algorithm."""
        several = len(self.parts) > 1
        return [sentence(f"with {part.name}: {part.line}" if several else part.line) for part in self.parts]

    @property
    def caution(self) -> str:
        """A sentence where seeds were added after a look at the result; "" where they weren't."""
        before = [numbers.plural(each, "seed") for each in self.setup.looks if each != self.setup.seeds]
        if not before:
            return ""
        return (
            f"Reports were written at {' and '.join(before)}, too. Each look errs in at most 5% of cases "
            "where rewards are equal; all of them together err more often."
        )

    def source(self, entry: Entry) -> str:
        """An entry's program; of the env's own reward, which is none, the env's source."""
        native = self.parts[0].run.task_folder / "native.py"
        return files.read_text(native) if entry.id == "native" and native.exists() else entry.source

    @classmethod
    def of(cls, folder: Path) -> ComparisonResults:
        """Read a comparison.

        Raises:
            RunError: a file of it is damaged or missing.
        """
        setup = files.read_json(folder / SETUP, Setup)
        return cls(folder, setup, tuple(_part(folder, each, setup) for each in setup.algorithms))


def _part(folder: Path, algorithm: Algorithm, setup: Setup) -> Part:
    run = Run.open(folder / algorithm)
    reports = tuple(_evaluated(run, each.id, setup) for each in setup.entries)
    done, wanted = sum(len(each.results) for each in reports), len(reports) * setup.seeds
    labels = {each.id: each.label for each in setup.entries}
    steps = common_steps([result for each in reports for result in each.trained])
    return Part(
        algorithm=algorithm,
        run=run,
        comparison=compare(reports, done, wanted, labels),
        curves=tuple(curves(each.trained, steps) for each in reports),
    )


def _evaluated(run: Run, id: str, setup: Setup) -> Evaluated:
    """An entry on the setup's seeds: an earlier, longer comparison may have left more."""
    found = run.evaluated(id, report=True)
    return replace(found, results=tuple(each for each in found.results if each.seed in setup.training_seeds))


def profile_band(result: RewardResult, levels: Array) -> Band:
    """Share of seeds that reach each level of fitness, with its 95% interval at each level on its own."""
    found = [rate_interval((result.fitness >= level).astype(np.float64)) for level in levels]
    value, low, high = np.array([[each.value, each.low, each.high] for each in found]).T
    return value, low, high


def terms_over_training(evaluated: Evaluated) -> dict[str, Array]:
    """Term → (checkpoints, 4): step, mean over seeds, and the lowest and highest of the seeds' means."""
    points = list(zip(*(each.checkpoints for each in evaluated.trained), strict=False))
    names = dict.fromkeys(name for group in points for point in group for name in point.terms)
    found: dict[str, list[Sequence[float]]] = {name: [] for name in names}
    for group in points:
        for name in names:
            means = [point.terms[name].mean for point in group if name in point.terms]
            if means:
                found[name].append((group[0].step, float(np.mean(means)), min(means), max(means)))
    return {name: np.array(rows) for name, rows in found.items() if rows}
