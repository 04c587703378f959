"""Conversations with a model, from the Jinja2 templates in `reward_templates/prompts`.

After Ma et al. 2023, "Eureka: Human-Level Reward Design via Coding Large Language Models", appendix A: system
prompt with the contract, task and environment, a parent program as the model's own turn, and its results.
Eureka shows the environment's source code; these prompts show its vocabulary, and never the hand-written
reward.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from functools import cache
from importlib import resources

import jinja2

from eureka_loop.numbers import compact
from eureka_loop.propose.designer import Repair, Request
from eureka_loop.propose.llm.extract import without_thinking
from eureka_loop.propose.llm.table import vocabulary_text
from eureka_loop.reward.functions import SHAPING

Message = dict[str, str]

LONG_TABLE = 12  # rows; longer tables of the env's documentation repeat the vocabulary


def messages(request: Request) -> list[Message]:
    """The conversation that asks for a new program, or for the repair of a refused one."""
    repair = request.repair
    if repair is None or not (repair.source or repair.exchange.get("messages")):
        return _opening(request)  # a call that failed altogether can't be continued: ask afresh
    problems = _render("repair.j2", source=repair.source, problems=repair.problems.strip())
    return [*_before_repair(request, repair), _turn("user", problems)]


def system() -> str:
    """The contract, with an example program: the same for every task."""
    return _render("system.j2", example=example(), functions=list(_functions()))


def example() -> str:
    """The program that the system prompt shows."""
    return _source("example.py.j2").strip()


def first(request: Request) -> str:
    """Task, environment and vocabulary: the same in every generation, so that endpoints can cache it."""
    vocabulary = request.vocabulary
    return _render(
        "first.j2",
        task=request.task,
        vocabulary=vocabulary,
        algorithm=request.algorithm.upper(),
        steps=request.steps,
        discount=request.discount,
        far=round(1 / max(1 - request.discount, 1e-6)),
        dt=vocabulary.dt,
        table=vocabulary_text(vocabulary),
        documentation=documentation_text(vocabulary.documentation),
    )


def documentation_text(documentation: str) -> str:
    """An env's documentation without pictures, links and long tables."""
    text = re.sub(r"```\{.*?```\n?", "", documentation, flags=re.DOTALL)
    text = re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"(?:^[ \t]*\|.*\n?)+", _short_table, text, flags=re.MULTILINE)
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def _opening(request: Request) -> list[Message]:
    start = [_turn("system", system()), _turn("user", first(request))]
    parents = () if request.operator == "fresh" else request.parents
    if not (parents or request.feedback or request.instructions):
        return start
    text = _render(
        "feedback.j2",
        parent=next(iter(parents), None),
        others=parents[1:],
        feedback=request.feedback.strip(),
        operator=request.operator or "refine",
        instructions=request.instructions.strip(),
    )
    if not parents:  # two user turns in a row break some chat templates
        return [start[0], _turn("user", f"{start[1]['content']}\n\n{text}")]
    return [*start, _turn("assistant", _fenced(parents[0].candidate.source)), _turn("user", text)]


def _before_repair(request: Request, repair: Repair) -> list[Message]:
    """The exchange so far; a program without one is shown as the model's own."""
    earlier = repair.exchange.get("messages")
    if not earlier:
        return [*_opening(request), _turn("assistant", _fenced(repair.source or ""))]
    reply = without_thinking(str(repair.exchange.get("reply") or ""))
    return [*map(dict, earlier), _turn("assistant", reply or "(no reply)")]


def _functions() -> Iterator[str]:
    """Signature without annotations, and summary, of each shaping function."""
    for name, function in SHAPING.items():
        signature = inspect.signature(function)
        bare = [p.replace(annotation=inspect.Parameter.empty) for p in signature.parameters.values()]
        summary = (inspect.getdoc(function) or "").partition("\n\n")[0].replace("\n", " ")
        yield f"`{name}{inspect.Signature(bare)}`: {summary}"


def _short_table(table: re.Match[str]) -> str:
    rows = table[0].strip().splitlines()
    if len(rows) > LONG_TABLE:
        return f"(A table of {len(rows) - 2} rows is left out: see the observables above.)\n"
    return "\n".join(re.sub(r"[ \t]+", " ", re.sub(r"-{4,}", "---", row.strip())) for row in rows) + "\n"


def _fenced(source: str) -> str:
    return f"```python\n{source.strip()}\n```"


def _turn(role: str, content: str) -> Message:
    return {"role": role, "content": content}


def _render(template: str, **values: object) -> str:
    return _environment().get_template(template).render(**values).strip()


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_source),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # plain text, not a page
    )
    environment.filters.update(compact=compact, fenced=_fenced)
    return environment


def _source(template: str) -> str:
    folder = resources.files("eureka_loop.reward_templates").joinpath("prompts")
    return folder.joinpath(template).read_text(encoding="utf-8")
