"""A program as data: one gene for each term, with the statements, weights and observables it needs.

The text of a program is its genome, nothing is kept beside it: a run resumes from its files, a weight may be
changed by hand, and a program by another author breeds too if it is plain (assignments, then one returned
dict). Other programs have no genome.
"""

from __future__ import annotations

import ast
import json
import textwrap
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

_WIDTH = 100
_UNFIT = {**dict.fromkeys(range(32), " "), 127: " ", ord("\\"): "/", ord('"'): "'"}  # in a docstring


@dataclass(frozen=True, slots=True)
class Gene:
    """One term.

    Attributes:
        key: of the dict of terms.
        statements: before the returned dict.
        entry: its lines in the dict: `"speed": speed * forward_velocity,  # m/s`.
        weights: keyword-only parameters it uses, with their defaults.
        parameters: observables it uses, as a program asks for them.
    """

    key: str
    statements: tuple[str, ...]
    entry: str
    weights: Mapping[str, float]
    parameters: tuple[str, ...]

    @property
    def form(self) -> str:
        """The computation without comments and values of weights: genes of one form are the same term."""
        return _dump("\n".join([*self.statements, "{", self.entry, "}"]))

    def weighted(self, changes: Mapping[str, float]) -> Gene:
        """The same with other values for some of its weights."""
        return replace(self, weights={name: changes.get(name, value) for name, value in self.weights.items()})


Genome = tuple[Gene, ...]


def gene(text: str, weights: Mapping[str, float], known: Collection[str]) -> Gene:
    """A rendered term.

    Args:
        text: statements, then the entry, which begins with its quoted key.
        weights: every keyword it might use; those it uses are kept.
        known: names a program can ask for, `prev_` and `init_` included.
    """
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    first = next(at for at, line in enumerate(lines) if line.startswith('"'))
    entry = "\n".join(lines[first:])
    names = _names(ast.parse("\n".join([*lines[:first], "{", entry, "}"])))
    return Gene(
        key=entry[1:].partition('"')[0],
        statements=tuple(lines[:first]),
        entry=entry,
        weights={name: value for name, value in weights.items() if name in names},
        parameters=tuple(name for name in names if name in known),
    )


def parse(source: str) -> Genome | None:
    """The genes of a program, without its comments; None where it isn't plain."""
    try:
        match ast.parse(source).body:
            case [ast.FunctionDef(name="compute_reward", args=arguments, body=body)]:
                weights = _weights(arguments)
            case _:  # constants and helpers can't be split up
                return None
    except (SyntaxError, ValueError, TypeError):
        return None
    has_doc = isinstance(body[0], ast.Expr) and len(body) > 1
    *statements, last = body[1:] if has_doc else body
    if not all(isinstance(each, ast.Assign) for each in statements):
        return None
    if not isinstance(last, ast.Return) or not isinstance(last.value, ast.Dict):
        return None
    parameters = [each.arg for each in arguments.args]
    genes: list[Gene] = []
    for key, value in zip(last.value.keys, last.value.values, strict=True):
        if not isinstance(key, ast.Constant):
            return None
        genes.append(_gene(str(key.value), value, statements, weights, parameters))
    return tuple(genes)


def compatible(first: Gene, second: Gene) -> bool:
    """Whether two genes fit into one program: no name means two things."""
    if first.key == second.key:
        return False
    shared = _assigned(first.statements) & _assigned(second.statements)
    return all(line in second.statements for line in first.statements if _assigned([line]) & shared)


def write(genome: Genome, doc: str) -> str:
    """The program: signature, docstring, statements, dict of terms.

    Args:
        doc: the task's text; made fit for a docstring.
    """
    parameters = list(dict.fromkeys(name for each in genome for name in each.parameters))
    weights = {name: value for each in genome for name, value in each.weights.items()}
    statements = dict.fromkeys(line for each in genome for line in each.statements)
    lines = [
        *_docstring(doc),
        *(line for text in statements for line in text.splitlines()),
        "return {",
        *(f"    {line}" for each in genome for line in each.entry.splitlines()),
        "}",
    ]
    return "\n".join([*_signature(parameters, weights), *(f"    {line}" for line in lines)]) + "\n"


def _signature(parameters: Sequence[str], weights: Mapping[str, float]) -> list[str]:
    numbers = [f"{name}={value!r}" for name, value in weights.items()]
    arguments = [*parameters, *(["*"] if numbers else []), *numbers]
    line = f"def compute_reward({', '.join(arguments)}):"
    if len(line) <= _WIDTH:
        return [line]
    given = textwrap.wrap(", ".join([*parameters, "*"]) + ",", _WIDTH - 4)
    tuned = textwrap.wrap(", ".join(numbers) + ",", _WIDTH - 4)
    return ["def compute_reward(", *(f"    {each}" for each in given + tuned), "):"]


def _docstring(doc: str) -> list[str]:
    text = " ".join(doc.translate(_UNFIT).split()) or "A reward"
    text = text[:1].upper() + text[1:] + ("" if text[-1] in ".!?" else ".")
    lines = textwrap.wrap(text, _WIDTH - 10)
    return [f'"""{lines[0]}"""'] if len(lines) == 1 else [f'"""{lines[0]}', *lines[1:], '"""']


def _weights(arguments: ast.arguments) -> dict[str, float]:
    """The keyword-only parameters.

    Raises:
        ValueError, TypeError: one without a default, or with one that isn't a number; other odd parameters.
    """
    if arguments.vararg or arguments.kwarg or arguments.posonlyargs or arguments.defaults:
        raise ValueError("parameters of another kind")
    named = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    return {name.arg: float(ast.literal_eval(default or "")) for name, default in named}


def _gene(
    key: str,
    value: ast.expr,
    statements: Sequence[ast.stmt],
    weights: Mapping[str, float],
    parameters: Sequence[str],
) -> Gene:
    """An entry with the statements it rests on."""
    wanted = set(_names(value))
    kept: list[str] = []
    for statement in reversed(statements):
        text = ast.unparse(statement)
        if _assigned([text]) & wanted:
            wanted |= set(_names(statement))
            kept.insert(0, text)
    return Gene(
        key=key,
        statements=tuple(kept),
        entry=f"{json.dumps(key)}: {ast.unparse(value)},",
        weights={name: number for name, number in weights.items() if name in wanted},
        parameters=tuple(name for name in parameters if name in wanted),
    )


@cache
def _dump(text: str) -> str:
    return ast.dump(ast.parse(text))


def _names(tree: ast.AST) -> list[str]:
    """Names in the order in which they stand."""
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    found.sort(key=lambda node: (node.lineno, node.col_offset))
    return list(dict.fromkeys(node.id for node in found))


def _assigned(statements: Iterable[str]) -> set[str]:
    nodes = ast.walk(ast.parse("\n".join(statements)))
    return {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
