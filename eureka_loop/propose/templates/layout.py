"""Genes as the text of a program: signature, docstring, statements, the dict of terms."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

from eureka_loop.propose.templates.genes import Genome
from eureka_loop.reward.contract import ENTRY_POINTS

_WIDTH = 100
_UNFIT = {**dict.fromkeys(range(32), " "), 127: " ", ord("\\"): "/", ord('"'): "'"}  # in a docstring


def write(genome: Genome, doc: str) -> str:
    """The program: signature, docstring, statements, dict of terms.

    Args:
        doc: the task's text; made fit for a docstring.
    """
    parameters = list(dict.fromkeys(name for each in genome for name in each.parameters))
    weights = {name: value for each in genome for name, value in each.weights.items()}
    statements = list(dict.fromkeys(line for each in genome for line in each.statements))
    entries = [line for each in genome for line in each.entry.splitlines()]
    lines = [
        *_signature(parameters, weights),
        *_docstring(doc),
        *(f"    {line}" for text in statements for line in text.splitlines()),
        "    return {",
        *(f"        {line}" for line in entries),
        "    }",
    ]
    return "\n".join(lines) + "\n"


def _signature(parameters: Sequence[str], weights: Mapping[str, float]) -> list[str]:
    numbers = [f"{name}={value!r}" for name, value in weights.items()]
    arguments = [*parameters, *(["*"] if numbers else []), *numbers]
    line = f"def {ENTRY_POINTS['reward']}({', '.join(arguments)}):"
    if len(line) <= _WIDTH:
        return [line]
    given = textwrap.wrap(", ".join([*parameters, "*"]) + ",", _WIDTH - 4)
    tuned = textwrap.wrap(", ".join(numbers) + ",", _WIDTH - 4)
    return [f"def {ENTRY_POINTS['reward']}(", *(f"    {each}" for each in given + tuned), "):"]


def _docstring(doc: str) -> list[str]:
    text = " ".join(doc.translate(_UNFIT).split()) or "A reward"
    text = text[:1].upper() + text[1:] + ("" if text[-1] in ".!?" else ".")
    lines = textwrap.wrap(text, _WIDTH - 10)
    if len(lines) == 1:
        return [f'    """{lines[0]}"""']
    return [f'    """{lines[0]}', *(f"    {line}" for line in lines[1:]), '    """']
