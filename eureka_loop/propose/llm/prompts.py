"""Conversations with a model, from the Jinja2 templates in `reward_templates/prompts`.

After Ma et al. 2023, "Eureka: Human-Level Reward Design via Coding Large Language Models", appendix A: system
prompt with the contract, task and environment, a parent program as the model's own turn, and its results.
Eureka shows the environment's source code; these prompts show its vocabulary, and never the hand-written
reward.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import resources

import jinja2

from eureka_loop.numbers import compact
from eureka_loop.propose.designer import Request
from eureka_loop.propose.llm.extract import without_thinking
from eureka_loop.propose.llm.table import vocabulary_text
from eureka_loop.propose.operators import OPERATORS
from eureka_loop.reward.functions import SHAPING

Turn = dict[str, str]

LONG_TABLE = 12  # rows; longer tables of the env's documentation repeat the vocabulary
LONG_REPLY = 30_000  # characters; of a longer one a repair shows both ends


def messages(request: Request) -> list[Turn]:
    """The conversation that asks for a new program, or for the repair of a refused one.

    Its beginning is the same in every generation, so that endpoints can cache it.
    """
    repair = request.repair
    if repair is None or not (repair.source or repair.exchange.get("messages")):
        return _opening(request)  # a call that failed altogether can't be continued: ask afresh
    if repair.exchange.get("messages"):
        before = [dict(each) for each in repair.exchange["messages"]]
        reply = str(repair.exchange.get("reply") or "")
    else:  # a program without an exchange is shown as the model's own
        before, reply = _opening(request), fenced(repair.source or "")
    return repaired(before, reply, repair.source, repair.problems)


def repaired(before: Sequence[Turn], reply: str, source: str | None, problems: str) -> list[Turn]:
    """The conversation after a reply that was refused, or held no program."""
    shown = without_thinking(reply) or "(no reply)"
    if len(shown) > LONG_REPLY:
        shown = f"{shown[: LONG_REPLY // 2]}\n…\n{shown[-LONG_REPLY // 2 :]}"
    asked = render("repair.j2", source=source, problems=problems.strip())
    return [*before, turn("assistant", shown), turn("user", asked)]


def example() -> str:
    """The program that the system prompt shows."""
    return render("example.py.j2")


def _opening(request: Request) -> list[Turn]:
    system = turn("system", render("system.j2", example=example(), functions=list(functions(SHAPING))))
    first = render(
        "first.j2",
        request=request,
        task=request.task,
        vocabulary=request.vocabulary,
        table=vocabulary_text(request.vocabulary),
        documentation=documentation(request.vocabulary.documentation),
    )
    parents = () if request.operator == "fresh" else request.parents
    if not (parents or request.feedback or request.instructions):
        return [system, turn("user", first)]
    operator = request.operator and f"{request.operator} ({OPERATORS[request.operator].about})"
    feedback = render("feedback.j2", request=request, parents=parents, requested=operator)
    if not parents:  # two user turns in a row break some chat templates
        return [system, turn("user", f"{first}\n\n{feedback}")]
    program = turn("assistant", fenced(parents[0].candidate.source))
    return [system, turn("user", first), program, turn("user", feedback)]


def documentation(text: str) -> str:
    """An env's documentation without pictures, links and long tables."""
    text = re.sub(r"```\{.*?```\n?", "", text, flags=re.DOTALL)
    text = re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"(?:^[ \t]*\|.*\n?)+", _short_table, text, flags=re.MULTILINE)
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def _short_table(table: re.Match[str]) -> str:
    rows = table[0].strip().splitlines()
    if len(rows) > LONG_TABLE:
        return f"(A table of {len(rows) - 2} rows is left out: see the observables above.)\n"
    return "\n".join(re.sub(r"[ \t]+", " ", re.sub(r"-{4,}", "---", row.strip())) for row in rows) + "\n"


def functions(known: Mapping[str, Callable[..., object]]) -> Iterator[str]:
    """Signature without annotations, and summary, of each function."""
    for name, function in known.items():
        signature = inspect.signature(function)
        bare = [each.replace(annotation=each.empty) for each in signature.parameters.values()]
        summary = (inspect.getdoc(function) or "").partition("\n\n")[0].replace("\n", " ")
        yield f"`{name}{inspect.Signature(bare)}`: {summary}"


def fenced(source: str) -> str:
    return f"```python\n{source.strip()}\n```"


def turn(role: str, content: str) -> Turn:
    return {"role": role, "content": content}


def render(template: str, **values: object) -> str:
    return _ENVIRONMENT.get_template(template).render(**values).strip()


def _source(template: str) -> str:
    folder = resources.files("eureka_loop.reward_templates").joinpath("prompts")
    return folder.joinpath(template).read_text(encoding="utf-8")


_ENVIRONMENT = jinja2.Environment(
    loader=jinja2.FunctionLoader(_source),
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    autoescape=False,  # plain text, not a page
)
_ENVIRONMENT.filters.update(compact=compact, fenced=fenced)
