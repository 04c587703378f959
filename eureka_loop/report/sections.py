"""Contents that the screen and report.md share: tables and sentences about a run and its report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich.table import Table

from eureka_loop import numbers
from eureka_loop.execute.budget import time_worked
from eureka_loop.judge.statistics import clipped
from eureka_loop.report import layout, text
from eureka_loop.report.comparison import Comparison, RewardResult, Undefined, Verdict
from eureka_loop.report.run_data import RunData, terms
from eureka_loop.report.state import RunState
from eureka_loop.results import FITNESS, SUCCESS, Evaluated, ranked
from eureka_loop.store import REFERENCES

STYLES: dict[Verdict, str] = {"better": "green", "worse": "red", "can't tell": "yellow"}
TERMS = "terms, by share of the reward"


@dataclass(frozen=True, slots=True)
class Grid:
    """A table's heads and cells."""

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]

    def table(self) -> Table:
        return layout.table(self.heads, self.rows)


def ranking(data: RunData, *, notes: bool = False) -> Grid:
    """Completely trained candidates, best first; each seed and further scores where there are any."""
    found, several = data.ranking, data.config.seeds > 1
    names = dict.fromkeys(name for each in found for result in each.trained for name in result.scores)
    scored = [
        name for name in names if name != FITNESS and any(each.score(name) is not None for each in found)
    ]
    heads = ["#", "id", "fitness", *(["each seed"] if several else []), *scored, TERMS, "from"]
    rows = []
    values = numbers.column(each.fitness for each in found)
    for place, (each, value) in enumerate(zip(found, values, strict=True), start=1):
        cells = [str(place), each.candidate.id, value]
        cells += [", ".join(numbers.column(result.fitness for result in each.trained))] if several else []
        for name in scored:
            mean = each.score(name)
            cells.append(numbers.percent(mean) if name == SUCCESS else numbers.number(mean))
        cells += [term_shares(each), ", ".join(each.candidate.parents)]
        rows.append(cells + ([each.candidate.note] if notes else []))
    return Grid(heads + (["note"] if notes else []), rows)


def stopped(data: RunData) -> Grid:
    """Candidates whose training was stopped early: when, their fitness then, and the fitness needed."""
    rows = []
    for each in ranked(data.having("stopped")):
        assert each.halted is not None
        shown = numbers.column([each.halted.fitness, each.halted.needed])
        after, parents = f"{numbers.count(each.halted.steps)} steps", ", ".join(each.candidate.parents)
        rows.append([each.candidate.id, after, *shown, term_shares(each), parents])
    return Grid(["id", "after", "fitness", "needed", TERMS, "from"], rows)


def unfinished(data: RunData) -> Grid:
    """Candidates that are waiting or in training, or were when the run ended."""
    seeds = data.config.seeds
    rows = [
        [each.candidate.id, f"{len(each.trained)} of {seeds}", each.candidate.note]
        for each in data.having("unfinished")
    ]
    return Grid(["id", "trainings", "note"], rows)


def failures(evaluated: Iterable[Evaluated]) -> Grid:
    """Every failure: candidate, seed, kind and message."""
    rows = [
        [
            text.label(failure.candidate),
            "before training" if failure.seed is None else f"seed {failure.seed}",
            text.failure(failure.kind),
            text.one_line(failure.message, 300),
        ]
        for each in evaluated
        for failure in each.failures
    ]
    return Grid(["id", "when", "failure", "message"], rows)


def comparison_grid(comparison: Comparison) -> Grid:
    """One line a reward of the report: fitness with its interval, success, and every seed."""
    everyone = [float(value) for each in comparison.results for value in each.fitness]
    rows = []
    for each in comparison.results:
        values = numbers.column((float(value) for value in each.fitness), like=everyone)
        kinds = Counter(text.failure(failure.kind) for failure in each.evaluated.failures)
        failed = [f"{amount} × failed: {kind}" for kind, amount in kinds.items()]
        fitness, interval = each.status, numbers.UNKNOWN
        if (found := each.interval) is not None:
            fitness, low, high = numbers.column([found.value, found.low, found.high], like=everyone)
            interval = f"[{low}, {high}]" if len(values) > 1 else interval
        seeds = ", ".join([*values, *failed])
        rows.append([name(each), fitness, interval, numbers.percent(each.success), seeds])
    return Grid(["reward", "fitness", "95% interval", "success", "each seed"], rows)


def name(result: RewardResult) -> str:
    """ "winner g1-02", "hand-written"."""
    return result.label if result.label != "winner" else f"winner {result.id}"


def term_shares(evaluated: Evaluated) -> str:
    """ "speed 81%, effort 19%"; diagnostics by name alone."""
    shares = terms(evaluated.trained).items()
    return ", ".join(
        name if name.startswith("_") else f"{name} {numbers.percent(share)}" for name, share in shares
    )


def trained_by(data: RunData) -> str:
    """Trainer, and why not the population trainer: "sb3 (SAC is trained by Stable-Baselines3)"."""
    if data.training is None:
        return ""
    why = "--trainer" if data.config.trainer else data.training.why
    return f"{data.training.trainer}{f' ({why})' if why else ''}"


def progress(state: RunState) -> str:
    """ "9 of 26 trainings done"."""
    return f"{state.trainings_done} of {numbers.plural(state.trainings_wanted, 'training')} done"


def tokens(state: RunState) -> str:
    """Tokens, and money where the price is known."""
    counted = f"{numbers.count(state.tokens)} tokens"
    return counted if state.usd is None else f"{counted}, {numbers.money(state.usd)}"


def cost(data: RunData) -> str:
    """Time, trainings, steps, tokens and money so far."""
    done = [result for each in (*data.search, *data.reports) for result in each.trained]
    parts = [numbers.duration(time_worked(data.run.events())), numbers.plural(len(done), "finished training")]
    parts.append(f"{numbers.count(sum(each.steps for each in done))} steps")
    return ", ".join(parts + ([tokens(data.state)] if data.state.tokens else []))


def sentences(comparison: Comparison) -> Iterator[tuple[str, str]]:
    """Verdicts and the human-normalised score, each with a style."""
    if comparison.unfinished:
        yield f"The report is not finished ({comparison.unfinished}): there is no verdict yet.", "yellow"
        return
    for each in comparison.differences:
        yield f"Against {each.reference.label}: {each.verdict}: {each.explanation}", STYLES[each.verdict]
    if len(comparison.results) > 2 and (score := _normalised(comparison)):
        yield score, ""


def _normalised(comparison: Comparison) -> str:
    """The winner's score, or why it is undefined; "" without a winner."""
    winner, scale = comparison.results[0], comparison.scale
    if winner.id in REFERENCES:
        return ""
    if isinstance(scale, Undefined):
        return f"Human-normalised score: not defined, since {scale.why}."
    found, failed = comparison.normalised(winner), len(winner.evaluated.failures)
    if found is None:
        why = f"{numbers.plural(failed, 'training')} of the {winner.label} reward failed"
        return f"Human-normalised score: not defined, since {why}." if failed else ""
    within = clipped(found)
    remark = f" (clipped to [0, 3]: {within:.2f})" if within != found else ""
    return f"Human-normalised score: {found:.2f}{remark}; {scale.explanation}"
