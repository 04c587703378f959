"""A comparison as text: report.html, report.md and the screen show the same facts.

Labels, notes and programs may come from a language model: the templates escape all of them, and a
content-security policy forbids scripts and requests besides.
"""

from __future__ import annotations

import base64
import difflib
from collections.abc import Iterable, Iterator, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Group, RenderableType
from rich.text import Text

from eureka_loop import files, numbers
from eureka_loop.judge.agreement import Agreement, Match
from eureka_loop.judge.statistics import Interval, clipped, rate_interval
from eureka_loop.records import Array
from eureka_loop.report import layout, text
from eureka_loop.report.compare import figures
from eureka_loop.report.compare.results import ComparisonResults, Part
from eureka_loop.report.compare.setup import Setup
from eureka_loop.report.comparison import RewardResult, Undefined
from eureka_loop.report.pages import render
from eureka_loop.report.run_data import terms
from eureka_loop.reward.contract import is_diagnostic

HARDWARE = ("cpu", "cores", "memory_gb")
HEADS = (
    "reward",
    "fitness, IQM [95%]",
    "success [95%]",
    "human-normalised",
    "fitness while learning [95%]",
    "steps to the reference's level",
    "trainings",
)
ON_SCREEN = 4  # of these columns
STYLES = {"better": "green", "worse": "red"}
CAPTIONS = {  # kind of figure → caption
    "seeds": "Small dots: trainings. Large: their interquartile mean. Bar: its 95% bootstrap interval",
    "learning": "Learning curves: interquartile mean of training episodes over seeds, with its 95% interval",
    "profiles": "Performance profile: the share of seeds that reach a fitness, with its 95% interval. Higher "
    "and further right is better",
    "shared": "A dot is a transition: grey from random actions, else in the colour of the policy's reward",
    "terms": "Mean of each term over the seeds, from the lowest seed to the highest, each on its own scale",
}


def write(found: ComparisonResults) -> list[Path]:
    """Write figures and both reports; the paths of the reports.

    Raises:
        RunError: the disk is full.
    """
    written = documents(found)
    for name, content in written.items():
        (found.folder / name).parent.mkdir(exist_ok=True)
        files.write_text(found.folder / name, content)
    return [found.folder / name for name in written if name.startswith("report")]


def documents(found: ComparisonResults) -> dict[str, str]:
    """Path in the comparison's folder → content: figures, then report.html and report.md."""
    parts = [_part(part) for part in found.parts]
    values = {
        "found": found,
        "protocol": protocol(found.setup),
        "heads": HEADS,
        "captions": CAPTIONS,
        "parts": parts,
        "labels": [each.label for each in found.setup.entries],
        "programs": [(each.label, found.source(each)) for each in found.setup.entries],
        "provenance": list(provenance(found)),
        "side_by_side": side_by_side,
        "unified": unified,
        "video": video,
    }
    drawn = {path: svg for part in parts for path, svg in part["files"].items()}
    reports = ("report.html", "report.md")
    return {**drawn, **{name: render(__package__, f"{name}.j2", **values) for name in reports}}


def _part(part: Part) -> dict[str, Any]:
    """Facts that both templates show of one algorithm."""
    films, why_no_films = part.films
    drawn = figures.drawn(part)
    paths = {name: f"{part.algorithm}/figures/{name}.svg" for name, svg in drawn.items() if svg}
    values = [numbers.column(float(value) for value in each.fitness) for each in part.results]
    return {
        "name": part.name,
        "rows": rows(part),
        "verdicts": [(each.label, *part.comparison.verdict(each)) for each in part.results[1:]],
        "explanations": explanations(part),
        "seeds": [
            (each.label, ", ".join(fitness) or "none finished")
            for each, fitness in zip(part.results, values, strict=True)
        ],
        "failures": [
            (each.label, str(failure.seed), text.failure(failure.kind), text.one_line(failure.message, 300))
            for each in part.results
            for failure in each.evaluated.failures
        ],
        "shared": [(*pair, correlation(pair[0]), term_rows(part, *pair)) for pair in part.agreements],
        "results": part.results,
        "films": films,
        "why_no_films": why_no_films,
        "figures": drawn,
        "paths": paths,
        "files": {path: drawn[name] for name, path in paths.items()},
    }


def summary(found: ComparisonResults) -> RenderableType:
    """The screen at the end: the verdict, then the table of each algorithm."""
    style = f"bold {STYLES.get(found.headline, 'yellow')}"
    head = Text("\n".join(text.one_line(line) for line in found.lines), style=style)
    shown: list[RenderableType] = [Text(), head, *([Text(found.caution)] if found.caution else [])]
    seeds = numbers.plural(found.setup.seeds, "fresh seed")
    for part in found.parts:
        title = f"{found.setup.task.name}, {part.name}, {found.setup.config.steps:,} steps, {seeds}"
        table = layout.table(HEADS[:ON_SCREEN], [line[:ON_SCREEN] for line in rows(part)])
        lines = (Text(text.one_line(line), style=style) for line, style in _lines(part))
        shown.append(layout.section(title, Group(table, Text(), *lines)))
    return Group(*shown, layout.section("Cost", Text(cost(found))))


def _lines(part: Part) -> Iterator[tuple[str, str]]:
    """Verdicts on all but the reference of the headline; correlations; why there is no video."""
    for other in part.results[1:]:
        if other is not part.reference:
            found, why = part.comparison.verdict(other)
            yield f"Against {other.label}: {found}: {why}", STYLES.get(found, "yellow")
    for agreement, other in part.agreements:
        yield f"On shared transitions with {other.label}: {correlation(agreement)}", ""
    films, why_not = part.films
    if not films:
        yield f"No video: {why_not}", "dim"


# numbers as text


def number(found: Interval | None, like: Iterable[float] = ()) -> str:
    """Value and interval: "2.600 [2.500, 2.700]", with as many decimals as `like` needs."""
    if found is None:
        return numbers.UNKNOWN
    value, low, high = numbers.column([found.value, found.low, found.high], like=like)
    return f"{value} [{low}, {high}]"


def share(found: Interval | None) -> str:
    """As `number`, for a share: "67% [33%, 100%]"."""
    if found is None:
        return numbers.UNKNOWN
    return f"{numbers.percent(found.value)} [{numbers.percent(found.low)}, {numbers.percent(found.high)}]"


def normalised(found: float | None) -> str:
    """Raw, and clipped to [0, 3] where that is another number."""
    if found is None:
        return "undefined"
    within = clipped(found)
    return f"{found:.2f}" + (f" ({within:.2f} clipped)" if abs(within - found) >= 0.005 else "")


def rows(part: Part) -> list[list[str]]:
    """The table under `HEADS`: a line for each entry."""
    return [
        [
            result.label,
            number(result.interval) if result.interval is not None else result.status,
            share(rate_interval(result.success_rates) if result.success_rates.size else None),
            normalised(part.comparison.normalised(result)),
            number(area),
            _reach(steps),
            _trainings(result),
        ]
        for result, area, steps in zip(part.results, part.areas, part.steps_to_target, strict=True)
    ]


def _reach(steps: Array | None) -> str:
    """The median seed's steps, and the number of seeds: "34k (9 of 10 seeds)"."""
    if steps is None:
        return numbers.UNKNOWN
    median = float(steps[(len(steps) - 1) // 2 : len(steps) // 2 + 1].mean())
    seeds = f"{np.isfinite(steps).sum()} of {numbers.plural(len(steps), 'seed')}"
    return f"{numbers.count(median)} ({seeds})" if np.isfinite(median) else f"not reached ({seeds})"


def _trainings(result: RewardResult) -> str:
    failures = dict.fromkeys(text.failure(each.kind) for each in result.evaluated.failures)
    done = f"{result.fitness.size} of {len(result.evaluated.results)}"
    return f"{done}: {'; '.join(failures)}" if failures else done


# sentences


def protocol(setup: Setup) -> str:
    """How it was measured."""
    return (
        f"Each reward trained from scratch {numbers.plural(setup.seeds, 'time')} for {setup.config.steps:,} "
        "steps, on seeds that no search has seen; the same seeds, budget and hyperparameters for all; each "
        f"final policy judged in {numbers.plural(setup.config.judge_episodes, 'episode')}."
    )


def explanations(part: Part) -> list[str]:
    """The meaning of the columns, a sentence each."""
    lines = [
        "Fitness: of the final policy on judged episodes, the interquartile mean over seeds with its 95% "
        "stratified bootstrap interval.",
        "Success: share of judged episodes; its 95% interval (Wilson's) counts a seed as one draw.",
        f"Human-normalised: (reward − sparse) / |hand-written − sparse|; {_scale(part)}",
        "Fitness while learning: the area under the learning curve divided by its length, exploration "
        "included; before a seed's first finished episode, that episode's fitness.",
    ]
    if part.target is not None and part.reference is not None:
        target = numbers.number(part.target)
        lines.append(
            f"Steps: until training episodes reach {target}, where {part.reference.label} "
            "ends; the median seed, read off between checkpoints."
        )
    return lines


def _scale(part: Part) -> str:
    """Scores of the references, or why there is no scale."""
    scale = part.comparison.scale
    if isinstance(scale, Undefined):
        return f"undefined here: {scale.why}."
    failed = any(each.evaluated.failures for each in part.results)
    return scale.explanation + (" A reward of which a training failed has no score." if failed else "")


def correlation(found: Agreement) -> str:
    """How two rewards agree on shared transitions."""
    pearson, ranks = (
        "undefined, since one of them is constant" if value is None else f"{value:+.2f}"
        for value in (found.pearson, found.spearman)
    )
    return f"correlation {pearson}, of ranks {ranks}, over {found.rows:,} transitions"


def term_rows(part: Part, found: Agreement, other: RewardResult) -> list[list[str]]:
    """Matched terms, each with its share of its reward at the end of training, and how they match."""
    ours, theirs = terms(part.results[0].evaluated.trained), terms(other.evaluated.trained)
    return [[*_term(match.ours, ours), *_term(match.theirs, theirs), _how(match)] for match in found.terms]


def _term(name: str | None, shares: dict[str, float]) -> tuple[str, str]:
    if name is None or name not in shares:
        return name or numbers.UNKNOWN, numbers.UNKNOWN
    return name, "not summed" if is_diagnostic(name) else numbers.percent(shares[name])


def _how(match: Match) -> str:
    if not match.how:
        return "no counterpart"
    value = "" if match.correlation is None else f", correlation {match.correlation:+.2f}"
    return ("same name" if match.how == "name" else "values") + value


# programs and videos


def side_by_side(left: str, right: str) -> list[tuple[str, str, str, str, str]]:
    """Both programs whole, lines that belong together in one row: kind, number and text of each side.

    A side without a line there has number "". Kinds: same, changed, only-left, only-right.
    """
    a, b = text.clean(left).rstrip("\n").split("\n"), text.clean(right).rstrip("\n").split("\n")
    rows = []
    for tag, i, j, k, m in difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        for p, q in zip_longest(range(i, j), range(k, m)):
            one_side = "only-right" if p is None else "only-left" if q is None else "changed"
            kind = "same" if tag == "equal" else one_side
            rows.append((kind, *_numbered(a, p), *_numbered(b, q)))
    return rows


def _numbered(lines: list[str], index: int | None) -> tuple[str, str]:
    return ("", "") if index is None else (str(index + 1), lines[index])


def unified(left: str, right: str, names: tuple[str, str]) -> str:
    """The same as one text; "" where they are equal."""
    a, b = text.clean(left).splitlines(), text.clean(right).splitlines()
    return "\n".join(difflib.unified_diff(a, b, *names, n=max(len(a), len(b)) + 1, lineterm=""))


def video(path: Path) -> str:
    """A video as an address that holds all of it."""
    return f"data:video/mp4;base64,{base64.b64encode(path.read_bytes()).decode('ascii')}"


# everything needed to repeat it


def provenance(found: ComparisonResults) -> Iterator[tuple[str, str]]:
    """Command, programs, seeds, versions, hardware, cost: names and values."""
    setup, run = found.setup, found.parts[0].run
    yield "command", setup.command
    yield "task", f"{setup.task.name} on {setup.task.env_id}"
    for each in setup.entries:
        if each.origin != each.label:
            yield each.label, each.origin or "the task's own"
    yield "training seeds", numbers.series(setup.training_seeds)
    yield "judged on seeds", numbers.series(setup.judging_seeds)
    for part in found.parts:
        training = part.run.training()
        why = f" ({training.why})" if training.why else ""
        yield part.name, f"trained by {training.trainer}{why}; {settings(training.hyperparameters)}"
    yield from machine(run.record("made_by"))
    yield "sandbox", str(run.record("sandbox").get("tier", "unknown"))
    yield "cost", cost(found)


def settings(values: Mapping[str, Any]) -> str:
    """ "n_steps = 64, gamma = 0.98"."""
    return ", ".join(f"{key} = {value}" for key, value in values.items()) or "default hyperparameters"


def machine(made_by: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Hardware and versions: names and values."""
    memory = f", {made_by['memory_gb']:g} GB" if "memory_gb" in made_by else ""
    yield "machine", f"{made_by.get('cpu', 'processor unknown')}, {made_by.get('cores', '?')} cores{memory}"
    yield "made by", ", ".join(f"{key} {value}" for key, value in made_by.items() if key not in HARDWARE)


def cost(found: ComparisonResults) -> str:
    """Trainings, steps and time."""
    trained, steps, seconds = (
        sum(column) for column in zip(*(part.cost for part in found.parts), strict=True)
    )
    amount = numbers.plural(int(trained), "finished training")
    return f"{amount}, {numbers.count(steps)} steps, {numbers.duration(seconds)}"
