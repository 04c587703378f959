"""`eureka inspect RUN ID`: one reward program, where it comes from, and what training with it was like."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from eureka_loop.errors import BadInput, Refused, UnknownName
from eureka_loop.judge.screening import Screened, Verdict
from eureka_loop.records import Candidate
from eureka_loop.report import layout, text, words, written
from eureka_loop.report.changes import changes_view
from eureka_loop.report.training import progress_table, terms_table, trainings_table
from eureka_loop.results import Failed, Trained
from eureka_loop.reward.weights import defaults
from eureka_loop.search.feedback import stopped
from eureka_loop.store import REFERENCES, Run

VERDICTS: dict[Verdict, str] = {
    "forwards": "it ranks them as fitness does",
    "backwards": "it ranks them backwards",
    "unsure": "no sure order",
    "abstained": "no verdict",
}


def candidate_view(run: Run, id: str, *, diff: str | None = None, exchange: bool = False) -> RenderableType:
    """One candidate; with `diff` or `exchange` that alone.

    Raises:
        UnknownName: the run has no such candidate.
        BadInput: nothing to `diff` with.
    """
    known = run.candidate_ids()
    if id not in known:
        raise UnknownName("candidate", id, known, hint=f"`eureka inspect {run.folder}` lists them")
    candidate = run.candidate(id)
    if diff is not None:
        return changes_view(run, candidate, diff)
    return exchange_view(run, id) if exchange else full_view(run, candidate)


def full_view(run: Run, candidate: Candidate) -> RenderableType:
    """Code, origin, weights, fitness, terms over training, feedback."""
    search, report = run.evaluated(candidate.id), run.evaluated(candidate.id, report=True)
    trained = search.trained or report.trained
    parts: list[RenderableType] = [Text(words.label(candidate.id), style="bold"), origin(run, candidate)]
    parts.append(layout.section("Code", written.code(candidate.source)))
    for failure in (*search.failures, *report.failures):
        parts.append(layout.section("Skipped" if failure.skipped else "Failed", failure_view(failure)))
    if (screened := run.screened(candidate.id)) is not None:
        parts.append(layout.section("Before training", bank_view(screened), "asked about recorded episodes"))
    if search.halted is not None:
        said = stopped(search.halted)
        parts.append(Text(f"{said[0].upper()}{said[1:]}.", style="yellow"))
    trainings = trainings_table(run, search, report)
    if trainings is not None:
        parts.append(layout.section("Fitness", trainings, "of the final policy, mean over judged episodes"))
    if trained:
        remark = f"left to right, {text.plural(len(trained[0].checkpoints), 'point')}" + _over(trained)
        parts.append(layout.section("Training", progress_table(trained), remark))
        parts.append(layout.section("Terms", terms_table(trained), remark))
    feedback = run.feedback(candidate.id)
    if feedback.strip():
        parts.append(layout.section("Feedback its author got", written.verbatim(feedback)))
    return Group(*parts)


def origin(run: Run, candidate: Candidate) -> RenderableType:
    """Who wrote it, from what, and the numbers that may be tuned."""
    weights = ", ".join(f"{name} = {value}" for name, value in weights_of(candidate.source).items())
    generation = "" if candidate.id in REFERENCES else f", {words.generation(candidate.generation)}"
    return layout.facts(
        [
            ("written by", f"{candidate.designer}{generation}"),
            ("from", ", ".join(candidate.parents)),
            ("note", candidate.note),
            ("weights", weights),
            ("file", written.path(run.candidate_folder(candidate.id) / "reward.py")),
        ]
    )


def weights_of(source: str) -> dict[str, str]:
    """Keyword-only parameters with their defaults, as written; none where the text is no program."""
    try:
        return {name: ast.unparse(default) for name, default in defaults(source).items()}
    except (BadInput, Refused):
        return {}


def failure_view(failure: Failed) -> RenderableType:
    """What went wrong, with all its lines."""
    seed = "" if failure.seed is None else f" (seed {failure.seed})"
    parts: list[RenderableType] = [Text(words.failure(failure.kind) + seed, style="red")]
    parts += [written.paragraph(each) for each in (failure.message, failure.detail) if each.strip()]
    return Group(*parts)


def bank_view(screened: Screened) -> RenderableType:
    """What the trajectory bank said: the order it would put episodes in, and each term's."""
    asked = f"{screened.episodes} episodes of {screened.policies} policies"
    says = VERDICTS[screened.verdict]
    pairs = [("bank", f"{asked}: {says}{f', {screened.why}' if screened.why else ''}")]
    for name, found in (("return", screened.value), ("mean reward", screened.mean)):
        if found is not None:
            of = f"Kendall's tau with fitness {found.value:+.2f} [{found.low:+.2f}, {found.high:+.2f}]"
            pairs.append((name, of))
    for name, term in screened.terms.items():
        tau = "the same in every episode" if term.tau is None else f"tau {term.tau:+.2f}"
        pairs.append((name, f"{tau}, {text.percent(term.share)} of the reward"))
    return layout.facts(pairs)


def exchange_view(run: Run, id: str) -> RenderableType:
    """What was asked and answered, word for word; the repair after it where there was one."""
    exchanges = run.exchanges(id)
    if not exchanges:
        return Text(f"{id} was written without an exchange")
    parts: list[RenderableType] = []
    for number, exchange in enumerate(exchanges):
        parts.append(Text("First try" if number == 0 else "Repair", style="bold underline"))
        parts += _exchange_parts(exchange)
    return Group(*parts)


def _exchange_parts(exchange: Mapping[str, Any]) -> Iterator[RenderableType]:
    for message in exchange.get("messages") or ():
        yield layout.section(str(message.get("role", "")), written.verbatim(str(message.get("content", ""))))
    if exchange.get("reply"):
        yield layout.section("reply", written.verbatim(str(exchange["reply"])))
    rest = {
        key: value for key, value in exchange.items() if key not in ("messages", "reply", "source") and value
    }
    if rest:
        yield layout.section("about it", written.paragraph(json.dumps(rest, indent=1, ensure_ascii=False)))
    yield Text()


def _over(trained: Sequence[Trained]) -> str:
    return f", mean over {len(trained)} seeds" if len(trained) > 1 else ""
