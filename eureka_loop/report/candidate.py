"""`eureka inspect RUN ID`: one reward program, its origin, its training, its differences from another."""

from __future__ import annotations

import ast
import difflib
import json
from collections.abc import Iterator, Sequence
from statistics import fmean

from rich.console import Group, RenderableType
from rich.text import Text

from eureka_loop import files, numbers, seeds
from eureka_loop.errors import BadInput, Refused, UnknownName
from eureka_loop.judge.screening import Screened, Verdict
from eureka_loop.records import Candidate
from eureka_loop.report import layout, text
from eureka_loop.report.comparison import sentence
from eureka_loop.results import FITNESS, SUCCESS, Evaluated, Failed, Trained
from eureka_loop.reward.parsing import defaults
from eureka_loop.search.feedback import stopped, training_table
from eureka_loop.store import REFERENCES, Run

VERDICTS: dict[Verdict, str] = {
    "forwards": "ranked as by fitness",
    "backwards": "ranked backwards",
    "unsure": "no sure order",
    "abstained": "no verdict",
}
KNOWN = ("messages", "reply", "source")  # parts of an exchange that have a place of their own
POINTS = 10, 5  # of training; the fewer fit 80 columns
TRAINING = ("", "seed", "fitness", "lowest … highest", "success", "steps", "took")


def candidate_page(run: Run, id: str, *, diff: str | None = None, exchange: bool = False) -> RenderableType:
    """One candidate; with `diff` its differences, with `exchange` the messages it was written from.

    Raises:
        UnknownName: the run has no such candidate.
        BadInput: nothing to `diff` with.
    """
    known = run.candidate_ids()
    if id not in known:
        raise UnknownName("candidate", id, known, hint=f"`eureka inspect {run.folder}` lists them")
    candidate = run.candidate(id)
    if diff is not None:
        return diff_page(run, candidate, diff)
    return exchange_page(run, id) if exchange else Group(*_sections(run, candidate))


def _sections(run: Run, candidate: Candidate) -> Iterator[RenderableType]:
    id = candidate.id
    search, report = run.evaluated(id), run.evaluated(id, report=True)
    trained = search.trained or report.trained
    generation = "" if id in REFERENCES else f", {text.generation(candidate.generation)}"
    weights = ", ".join(f"{name} = {value}" for name, value in weights_of(candidate.source).items())
    yield Text(text.label(id), style="bold")
    yield layout.facts(
        [
            ("written by", f"{candidate.designer}{generation}"),
            ("from", ", ".join(candidate.parents)),
            ("note", candidate.note),
            ("weights", weights),
        ]
    )
    yield layout.unbroken("file      ", run.candidate_folder(id) / "reward.py")
    yield layout.section("Code", layout.code(candidate.source))
    for failure in (*search.failures, *report.failures):
        yield layout.section("Skipped" if failure.skipped else "Failed", failure_text(failure))
    if (screened := run.screened(id)) is not None:
        yield layout.section("Before training", bank(screened), "order of recorded episodes by this reward")
    if search.halted is not None:
        yield Text(f"{sentence(stopped(search.halted))}.", style="yellow")
    if rows := list(_trainings(run, search, report)):
        remark = "of the final policy, mean over judged episodes"
        yield layout.section("Fitness", layout.table(TRAINING, rows), remark)
    if further := list(_further_scores(trained)):
        yield layout.section("Further scores", layout.facts(further))
    if trained:
        tables = tuple(layout.paragraph(training_table(trained, points)) for points in POINTS)
        yield layout.section("Training", layout.FirstThatFits(tables), "as in feedback to designers")
    if (feedback := run.feedback(id)).strip():
        yield layout.section("Feedback its author got", layout.paragraph(feedback))


def weights_of(source: str) -> dict[str, str]:
    """Keyword-only parameters with their defaults, as written; empty for a text that is no program."""
    try:
        return {name: ast.unparse(default) for name, default in defaults(source).items()}
    except (BadInput, Refused):
        return {}


def failure_text(failure: Failed) -> RenderableType:
    seed = "" if failure.seed is None else f" (seed {failure.seed})"
    lines = [layout.paragraph(each) for each in (failure.message, failure.detail) if each.strip()]
    return Group(Text(text.failure(failure.kind) + seed, style="red"), *lines)


def bank(screened: Screened) -> RenderableType:
    """Rank correlation with fitness over the trajectory bank's episodes, in all and by term."""
    why = f", {screened.why}" if screened.why else ""
    episodes = f"{screened.episodes} episodes of {screened.policies} policies"
    pairs = [("bank", f"{episodes}: {VERDICTS[screened.verdict]}{why}")]
    for name, found in (("return", screened.value), ("mean reward", screened.mean)):
        if found is not None:
            tau = f"Kendall's tau with fitness {found.value:+.2f} [{found.low:+.2f}, {found.high:+.2f}]"
            pairs.append((name, tau))
    for name, term in screened.terms.items():
        tau = "the same in every episode" if term.tau is None else f"tau {term.tau:+.2f}"
        pairs.append((name, f"{tau}, {numbers.percent(term.share)} of the reward"))
    return layout.facts(pairs)


# training


def _trainings(run: Run, search: Evaluated, report: Evaluated) -> Iterator[list[str]]:
    """One line a training: the search's, rung by rung, then the report's."""
    id = search.candidate.id
    for rung in run.rungs(id):
        for seed in run.training_seeds(id, rung):
            result = run.result(id, seed, rung)
            reached = f" to {numbers.count(result.steps)}" if isinstance(result, Trained) else ""
            yield [f"search{reached}", str(seed), *_training(run, id, seed, result, rung)]
    results = {result.seed: result for each in (search, report) for result in each.results}
    for seed in run.training_seeds(id):
        stream = "report" if seeds.is_report(seed) else "search"
        yield [stream, str(seed), *_training(run, id, seed, results.get(seed))]


def _training(
    run: Run, id: str, seed: int, result: Trained | Failed | None, rung: int | None = None
) -> list[str]:
    if result is None:
        *_, last = [{}, *files.read_lines(run.job_folder(id, seed, rung) / "progress.jsonl")]
        return [numbers.number(last.get("fitness")), f"so far, at step {int(last.get('step') or 0):,}"]
    if isinstance(result, Failed):
        return ["failed", text.failure(result.kind)]
    each = [episode.fitness for episode in result.episodes]
    length = fmean(episode.length for episode in result.episodes)
    return [
        numbers.number(result.fitness),
        " … ".join(numbers.column([min(each), max(each)])),
        numbers.percent(result.success),
        f"{length:,.0f}",
        numbers.duration(result.seconds),
    ]


def _further_scores(trained: Sequence[Trained]) -> Iterator[tuple[str, str]]:
    """Scores of further judges: the value of each training, or why there is none."""
    for result in trained:
        for name, found in result.scores.items():
            if name not in (FITNESS, SUCCESS):
                value = "unscored" if found.value is None else numbers.number(found.value)
                why = f": {found.explanation}" if found.explanation else ""
                yield f"{name} (seed {result.seed})", f"{value}{why}"


# differences and exchanges


def diff_page(run: Run, candidate: Candidate, against: str) -> RenderableType:
    """A unified diff from another program.

    Args:
        against: "parent" (the first one), "human" (the task's hand-written reward), or a candidate's id.

    Raises:
        BadInput: no parent, or no hand-written reward.
        UnknownName: no such candidate.
    """
    name, source = _other(run, candidate, against)
    before, after = text.clean(source).splitlines(), text.clean(candidate.source).splitlines()
    whole = len(before) + len(after)  # programs are short: show all of it
    diff = "\n".join(difflib.unified_diff(before, after, name, candidate.id, n=whole, lineterm=""))
    body = layout.code(diff, numbered=False, language="diff") if diff else Text("no difference", style="dim")
    return Group(Text(f"{name} → {candidate.id}", style="bold"), Text(), body)


def _other(run: Run, candidate: Candidate, against: str) -> tuple[str, str]:
    """Name and source of the other program."""
    if against == "parent":
        if not candidate.parents:
            raise BadInput(f"{candidate.id} has no parent: it was written from scratch; try --diff human")
        against = candidate.parents[0]
    known = run.candidate_ids()
    if against in known:
        return against, run.candidate(against).source
    if against != "human":
        hint = f"--diff takes parent, human, or an id that `eureka inspect {run.folder}` lists"
        raise UnknownName("candidate", against, ["parent", "human", *known], hint=hint)
    task = run.task()
    if task.human is None:
        raise BadInput(f"task {task.name!r} has no hand-written reward to compare with")
    return "human", task.human


def exchange_page(run: Run, id: str) -> RenderableType:
    """Messages and reply, word for word; those of the repair if there was one."""
    exchanges = run.exchanges(id)
    if not exchanges:
        return Text(f"{id} was written without an exchange")
    parts: list[RenderableType] = []
    for number, exchange in enumerate(exchanges):
        texts = [(each.get("role", ""), each.get("content", "")) for each in exchange.get("messages") or ()]
        texts.append(("reply", exchange.get("reply") or ""))
        rest = {key: value for key, value in exchange.items() if key not in KNOWN and value}
        texts.append(("about it", json.dumps(rest, indent=1, ensure_ascii=False) if rest else ""))
        parts.append(Text("Repair" if number else "First try", style="bold underline"))
        parts += [layout.section(title, layout.paragraph(each)) for title, each in texts if each]
        parts.append(Text())
    return Group(*parts)
