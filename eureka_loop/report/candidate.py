"""`eureka inspect RUN ID`: one reward program, its origin, its training, its differences from another."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from statistics import fmean

from rich.console import Group, RenderableType
from rich.text import Text

from eureka_loop import files, numbers, seeds, text
from eureka_loop.errors import BadInput, Refused, RunError, UnknownName
from eureka_loop.judge.screening import Screened
from eureka_loop.records import PROGRESS, Candidate
from eureka_loop.report import layout, sections
from eureka_loop.results import FITNESS, SUCCESS, Failed, Trained
from eureka_loop.reward.gate import check
from eureka_loop.search.judged import behaviour, courses
from eureka_loop.search.training_table import training_table
from eureka_loop.store import REFERENCES, Run

KNOWN = ("messages", "reply")  # parts of an exchange that have a place of their own
POINTS = 10, 5, 3  # of training or of an episode; the fewer fit 80 columns
TRAINING = ("", "seed", "fitness", "lowest … highest", "success", "steps", "took")


def candidate_page(run: Run, id: str, *, diff: str | None = None, exchange: bool = False) -> RenderableType:
    """One candidate; with `diff` its differences, with `exchange` the messages it was written from.

    Args:
        diff: "parent" (the first one), "human" (the task's hand-written reward), or a candidate's id.

    Raises:
        UnknownName: the run has no such candidate.
        BadInput: nothing to `diff` with.
    """
    candidate = run.candidate(id)
    if diff is not None:
        name, source = _other(run, candidate, diff)
        lines = text.unified(source, candidate.source, (name, id))
        same = Text("no difference", style="dim")
        body = layout.code(lines, numbered=False, language="diff") if lines else same
        return Group(Text(f"{name} → {id}", style="bold"), Text(), body)
    return _exchanges(run, id) if exchange else Group(*_sections(run, candidate))


def _sections(run: Run, candidate: Candidate) -> Iterator[RenderableType]:
    id = candidate.id
    weights: Mapping[str, float] = {}
    search, report = run.evaluated(id), run.evaluated(id, report=True)
    trained = search.trained or report.trained
    generation = "" if id in REFERENCES else f", {text.generation(candidate.generation)}"
    with contextlib.suppress(Refused, RunError):  # no program, or a run without vocabulary
        weights = check(candidate.source, run.vocabulary(), hidden=True).weights
    yield Text(text.label(id), style="bold")
    yield layout.facts(
        [
            ("written by", f"{candidate.designer}{generation}"),
            ("from", text.origin(candidate)),
            ("note", candidate.note),
            ("weights", ", ".join(f"{name} = {value!r}" for name, value in weights.items())),
        ]
    )
    yield layout.unbroken("file      ", run.candidate_folder(id) / "reward.py")
    yield layout.section("Code", layout.code(candidate.source))
    elsewhere, every = (search.elsewhere, report.elsewhere), (search.results, report.results)
    if warning := sections.origin(sum(map(len, elsewhere)), sum(map(len, every))):
        yield Text(warning, style="yellow")
    for failure in (*search.failures, *report.failures):
        seed = "" if failure.seed is None else f" (seed {failure.seed})"
        lines = [layout.paragraph(each) for each in (failure.message, failure.detail) if each.strip()]
        body = Group(Text(text.failure(failure.kind) + seed, style="red"), *lines)
        yield layout.section("Skipped" if failure.skipped else "Failed", body)
    if (screened := run.screened(id)) is not None:
        yield layout.section("Before training", _bank(screened), "order of recorded episodes by this reward")
    if rows := list(_trainings(run, id)):
        remark = "of the final policy, mean over judged episodes"
        yield layout.section("Fitness", layout.table(TRAINING, rows), remark)
    further = [(each, name) for each in trained for name in each.scores if name not in (FITNESS, SUCCESS)]
    if further:
        pairs = [(f"{name} (seed {each.seed})", _score(each, name)) for each, name in further]
        yield layout.section("Further scores", layout.facts(pairs))
    if did := behaviour(trained):
        floors = run.floors()
        tables = tuple(layout.paragraph(courses(trained, floors, parts=parts)) for parts in POINTS)
        body = Group(layout.paragraph(did), Text(), layout.FirstThatFits(tables))
        yield layout.section("Behaviour", body, "as in feedback to designers")
    if trained:
        tables = tuple(layout.paragraph(training_table(trained, points)) for points in POINTS)
        yield layout.section("Training", layout.FirstThatFits(tables), "as in feedback to designers")
    if (feedback := run.feedback(id)).strip():
        yield layout.section("Feedback its author got", layout.paragraph(feedback))


def _score(trained: Trained, name: str) -> str:
    """ "-0.2047 (-0.2061 … -0.2012)": mean, lowest and highest of the judged episodes."""
    score = trained.scores[name]
    value = "unscored" if score.value is None else numbers.number(score.value)
    found = (each.score(name) for each in trained.episodes)
    if len(known := [each for each in found if each is not None]) > 1:
        value += f" ({' … '.join(numbers.column([min(known), max(known)]))})"
    return f"{value}: {score.explanation}" if score.explanation else value


def _bank(screened: Screened) -> RenderableType:
    """Rank correlation with the ranks of the trajectory bank's episodes."""
    why = f", {screened.why}" if screened.why else ""
    episodes = f"{screened.episodes} episodes of {screened.policies} policies"
    pairs = [("order", f"{screened.verdict}{why}, over {episodes}")]
    for name, found in (("return", screened.value), ("mean reward", screened.mean)):
        if found is not None:
            tau = f"Kendall's tau with their ranks {found.value:+.2f} [{found.low:+.2f}, {found.high:+.2f}]"
            pairs.append((name, tau))
    return layout.facts(pairs)


def _trainings(run: Run, id: str) -> Iterator[list[str]]:
    """One line a training: the search's, then the report's."""
    for seed in run.training_seeds(id):
        stage = "report" if seeds.is_report(seed) else "search"
        last = files.last_line(run.job_folder(id, seed) / "progress.jsonl", PROGRESS)
        yield [stage, str(seed), *_training(run.result(id, seed), last or {})]


def _training(result: Trained | Failed | None, last: dict[str, float | None]) -> list[str]:
    """Cells of one training; of one that goes on, its last progress."""
    if result is None:
        return [numbers.number(last.get("fitness")), f"so far, at step {int(last.get('step') or 0):,}"]
    if isinstance(result, Failed):
        return ["failed", text.failure(result.kind)]
    each = [episode.fitness for episode in result.episodes]
    return [
        numbers.number(result.fitness),
        " … ".join(numbers.column([min(each), max(each)])),
        numbers.percent(result.success),
        f"{fmean(episode.length for episode in result.episodes):,.0f}",
        numbers.duration(result.seconds),
    ]


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


def _exchanges(run: Run, id: str) -> RenderableType:
    """Messages and reply, word for word; those of the repair if there was one."""
    parts: list[RenderableType] = []
    for number, reply in enumerate(run.replies(id)):
        exchange = {**reply.exchange, "problem": reply.problem, "note": reply.note}
        texts = [(each.get("role", ""), each.get("content", "")) for each in exchange.get("messages") or ()]
        rest = {key: value for key, value in exchange.items() if key not in KNOWN and value}
        texts.append(("reply", exchange.get("reply") or ""))
        texts.append(("about it", json.dumps(rest, indent=1, ensure_ascii=False) if rest else ""))
        parts.append(Text("Repair" if number else "First try", style="bold underline"))
        parts += [layout.section(title, layout.paragraph(each)) for title, each in texts if each]
        parts.append(Text())
    return Group(*parts) if parts else Text(f"{id} was written without an exchange")
