"""A comparison as it is on disk: for each algorithm the results of every entry."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from eureka_loop import files, numbers
from eureka_loop.judge.learning import Curves, curves
from eureka_loop.judge.statistics import iqm
from eureka_loop.records import Algorithm
from eureka_loop.report.compare.setup import SETUP, Entry, Setup
from eureka_loop.report.comparison import Comparison, Difference, RewardResult, compare
from eureka_loop.report.sections import UNCONFIRMED
from eureka_loop.results import Evaluated
from eureka_loop.store import Run


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
    def headline(self) -> Difference:
        """From the hand-written reward, else from the env's own, else from the first other one."""
        known = {each.reference.id: each for each in self.comparison.differences}
        return known.get("human") or known.get("native") or self.comparison.differences[0]

    @property
    def target(self) -> float | None:
        """Fitness that the headline's reference had reached in training at last, IQM over seeds."""
        found = self.curves[self.results.index(self.headline.reference)]
        return None if found is None else float(iqm(found.fitness[:, -1]))


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
        verdicts = {part.name: part.headline.verdict for part in self.parts}
        if len(set(verdicts.values())) == 1:
            return next(iter(verdicts.values()))
        return ", ".join(f"{verdict} with {name}" for name, verdict in verdicts.items())

    @property
    def lines(self) -> list[str]:
        """The verdict in one line with all that it rests on, for each algorithm."""
        several = len(self.parts) > 1
        return [f"With {part.name}: " * several + str(part.headline) for part in self.parts]

    @property
    def caution(self) -> str:
        """Sentences where nobody has confirmed the measure, or seeds were added after a look; "" else."""
        looks = {*self.setup.looks} - {self.setup.seeds}
        before = [numbers.plural(each, "seed") for each in sorted(looks)]
        looked = (
            f"Reports were written at {' and '.join(before)}, too. Each look errs in at most 5% of cases "
            "where rewards are equal; all of them together err more often."
        )
        unconfirmed = UNCONFIRMED if self.setup.config.drafted == "unconfirmed" else ""
        return " ".join(filter(None, (unconfirmed, looked if before else "")))

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
    found = tuple(curves([each.trained for each in reports]))
    comparison = compare(reports, done, wanted, labels, run.floors(), setup.config.margin)
    return Part(algorithm, run, comparison, found)


def _evaluated(run: Run, id: str, setup: Setup) -> Evaluated:
    """An entry on the setup's seeds: an earlier, longer comparison may have left more."""
    found = run.evaluated(id, report=True)
    wanted = setup.training_seeds
    results = tuple(each for each in found.results if each.seed in wanted)
    elsewhere = tuple(seed for seed in found.elsewhere if seed in wanted)
    return replace(found, results=results, elsewhere=elsewhere)
