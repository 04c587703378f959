"""A measure without a model: the goals that the task's text asks for, as their means over an episode.

Where an episode can end early, a goal counts as a mean over the whole time limit: else the best of a moment,
a fall, would beat what lasts.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping

from eureka_loop.errors import BadInput
from eureka_loop.propose.templates.pool import Term, can_end, pool
from eureka_loop.records import Task
from eureka_loop.reward.vocabulary import Vocabulary


def draft(task: Task, vocabulary: Vocabulary) -> str:
    """A fitness program with its criteria: one for each goal, of equal weight.

    Raises:
        BadInput: the text asks for nothing that the library knows in this environment.
    """
    goals = [term for term in pool(task, vocabulary).goals if term.relevance > 0]
    if not goals:
        raise BadInput(
            f"without a model no measure is known for {task.text!r} in {vocabulary.env_id}: give --fitness "
            "EXPRESSION or FILE.py (`eureka fitness` tries one), or choose a --model that drafts it"
        )
    share = round(1.0 / len(goals), 3)
    values = {f"{term.key}_goal": _expression(term, alone=len(goals) == 1) for term in goals}
    whole = can_end(vocabulary) and vocabulary.find("time_left") is not None
    over = "whole time limit" if whole else "episode"
    parameters = dict.fromkeys(name for term in goals for name in term.parameters)
    parameters |= dict.fromkeys(("dt", "time", "time_left") if whole else ())
    stated = [
        f"    - {name} ({share:g}): {term.template.summary}; mean over the {over} of {code}"
        for (name, code), term in zip(values.items(), goals, strict=True)
    ]
    mean = "(({}) * dt).sum() / (time[-1] + time_left[-1])" if whole else "({}).mean()"
    body = [f"    {name} = {mean.format(code)}" for name, code in values.items()]
    total = " + ".join(values if len(goals) == 1 else [f"{share:g} * {name}" for name in values])
    return "\n".join(
        [
            f"def fitness({', '.join(parameters)}):",
            '    """The goals that the text names, as the embedded templates understand it.',
            "",
            "    Criteria:",
            *stated,
            '    """',
            *(f"    {_with_numbers(line, term.weights)}" for term in goals for line in term.statements),
            *body,
            f"    return {total}",
            "",
        ]
    )


def _expression(term: Term, *, alone: bool) -> str:
    """The term's value at every step; its weight, which makes terms comparable, only beside others."""
    entry = ast.parse("{" + "\n".join(term.entry) + "\n}", mode="eval").body
    assert isinstance(entry, ast.Dict)
    weights = {**term.weights, term.key: 1.0} if alone else term.weights
    code = _with_numbers(ast.unparse(entry.values[0]), weights)
    return code.replace("-1.0 * ", "-").removeprefix("1.0 * ") if alone else code


def _with_numbers(code: str, weights: Mapping[str, float]) -> str:
    """The code with numbers in place of weights."""

    class Numbers(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.expr:
            return ast.Constant(weights[node.id]) if node.id in weights else node

    return ast.unparse(Numbers().visit(ast.parse(code)))
