"""Everything needed to repeat a comparison: command, programs, seeds, versions, hardware, costs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from eureka_loop.report import text
from eureka_loop.report.compare.facts import Facts, Part
from eureka_loop.store import Run

Pair = tuple[str, str]


def provenance(facts: Facts) -> Iterator[Pair]:
    """Names and values."""
    contest = facts.contest
    yield "command", contest.command
    yield "task", f"{facts.task.name} on {facts.task.env_id}"
    for each in contest.contenders:
        if each.origin != each.label:
            yield each.label, each.origin or "the task's own"
    yield "training seeds", text.series(contest.training_seeds)
    yield "judged on seeds", text.series(contest.judging_seeds)
    for part in facts.parts:
        yield from _of_part(part)
    part = facts.parts[0]
    yield "machine", machine(part)
    yield "made by", ", ".join(f"{key} {value}" for key, value in part.made_by.items() if key not in HARDWARE)
    yield "sandbox", str(part.sandbox.get("tier", "unknown"))
    yield "cost", cost(facts)


HARDWARE = ("cpu", "cores", "memory_gb")


def machine(part: Part) -> str:
    """Processor, cores, memory."""
    made_by = part.made_by
    memory = f", {made_by['memory_gb']:g} GB" if "memory_gb" in made_by else ""
    return f"{made_by.get('cpu', 'processor unknown')}, {made_by.get('cores', '?')} cores{memory}"


def cost(facts: Facts) -> str:
    """Steps and time of the comparison, and what the search before it had cost."""
    steps = sum(part.steps for part in facts.parts)
    seconds = sum(part.worked for part in facts.parts)
    trained = sum(each.fitness.size for part in facts.parts for each in part.standings)
    spent = f"{text.plural(trained, 'training')}, {text.count(steps)} steps, {text.duration(seconds)}"
    return f"{spent}{_search(facts)}"


def _of_part(part: Part) -> Iterator[Pair]:
    training = part.training
    how = ", ".join(f"{key} = {value}" for key, value in training.hyperparameters.items())
    why = f" ({training.why})" if training.why else ""
    yield part.algorithm.upper(), f"trained by {training.trainer}{why}; {how or 'defaults'}"


def _search(facts: Facts) -> str:
    if not facts.contest.run:
        return ""
    spent = [event for event in Run(Path(facts.contest.run)).events() if event["event"] == "spent"]
    if not spent:
        return "; no model was asked in the search before it"
    tokens, usd = int(spent[-1]["prompt_tokens"]) + int(spent[-1]["completion_tokens"]), spent[-1]["usd"]
    money = f", {text.money(usd)}" if usd else ""
    return f"; in the search before it {text.count(tokens)} tokens{money}"
