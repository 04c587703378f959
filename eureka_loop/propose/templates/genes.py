"""A program's text as genes: one a term, with the statements, weights and observables it needs.

The text is the genome. Nothing is kept beside it: a run resumes from its files, a person may change a weight
by hand, and a program that a language model wrote breeds as well, if it has the plain form (assignments, then
one returned dict). What hasn't that form has no genome, and is left as it is.
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from eureka_loop.reward.contract import ENTRY_POINTS


@dataclass(frozen=True, slots=True)
class Gene:
    """One term.

    Attributes:
        key: of the dict of terms.
        statements: lines before the returned dict, comments included.
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
        """What it computes, comments and the weights' values aside: two genes of one form are one term."""
        return ast.dump(_tree([*self.statements, _braced(self.entry)]))

    def weighted(self, changes: Mapping[str, float]) -> Gene:
        """The same with other values for some of its weights."""
        return replace(self, weights={name: changes.get(name, value) for name, value in self.weights.items()})


Genome = tuple[Gene, ...]


def gene(text: str, weights: Mapping[str, float], known: Collection[str]) -> Gene:
    """A rendered term as a gene.

    Args:
        text: statements, then the entry, which begins with its quoted key.
        weights: every keyword it might use; those it does use are kept.
        known: names a program can ask for, `prev_` and `init_` included.
    """
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    first = next(at for at, line in enumerate(lines) if line.startswith('"'))
    entry = "\n".join(lines[first:])
    names = _names(_tree([*lines[:first], _braced(entry)]))
    return Gene(
        key=entry[1:].partition('"')[0],
        statements=tuple(lines[:first]),
        entry=entry,
        weights={name: value for name, value in weights.items() if name in names},
        parameters=tuple(name for name in names if name in known),
    )


def parse(source: str) -> Genome | None:
    """The genes of a program; None where it hasn't the plain form."""
    try:
        function = _only_function(ast.parse(source))
        weights = _weights(function) if function else None
    except (SyntaxError, ValueError, TypeError):
        return None
    if function is None or weights is None:
        return None
    has_doc = ast.get_docstring(function) is not None
    body = function.body[1:] if has_doc else function.body
    *statements, last = body or function.body
    if not isinstance(last, ast.Return) or not isinstance(last.value, ast.Dict):
        return None
    entries = _entries(source, last.value)
    if entries is None or not all(isinstance(each, ast.Assign) for each in statements):
        return None
    before = function.body[0].end_lineno if has_doc else (statements or [last])[0].lineno - 1
    texts = _texts(source, statements, before or 0)
    parameters = [argument.arg for argument in function.args.args]
    return tuple(_gene(key, entry, statements, texts, weights, parameters) for key, entry in entries)


def compatible(first: Gene, second: Gene) -> bool:
    """Whether two genes fit into one program: no name means two things."""
    if first.key == second.key:
        return False
    shared = _assigned(first.statements) & _assigned(second.statements)
    return all(line in second.statements for line in first.statements if _assigned([line]) & shared)


def _only_function(tree: ast.Module) -> ast.FunctionDef | None:
    """The entry point, where nothing else stands beside it (constants and helpers can't be split up)."""
    if len(tree.body) != 1 or not isinstance(tree.body[0], ast.FunctionDef):
        return None
    function, arguments = tree.body[0], tree.body[0].args
    odd = arguments.vararg or arguments.kwarg or arguments.posonlyargs or arguments.defaults
    return function if function.name == ENTRY_POINTS["reward"] and not odd else None


def _weights(function: ast.FunctionDef) -> dict[str, float] | None:
    """
    Raises:
        ValueError, TypeError: a default that is no number.
    """
    named = zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True)
    found = {argument.arg: default for argument, default in named if default is not None}
    if len(found) < len(function.args.kwonlyargs):
        return None
    return {name: float(ast.literal_eval(default)) for name, default in found.items()}


def _entries(source: str, returned: ast.Dict) -> list[tuple[str, str]] | None:
    """Key and text of each entry: with its comment, where every entry has lines of its own and a comma."""
    lines = source.splitlines()
    spans: list[tuple[str, int, int, ast.expr]] = []
    for key, value in zip(returned.keys, returned.values, strict=True):
        if not isinstance(key, ast.Constant) or not isinstance(key.value, str):
            return None
        spans.append((key.value, key.lineno, value.end_lineno or key.lineno, value))
    edges = [returned.lineno, *(edge for _, start, end, _ in spans for edge in (start, end))]
    apart = all(start > end for end, start in zip(edges[::2], edges[1::2], strict=False))
    closed = all(
        lines[end - 1].encode()[value.end_col_offset or 0 :].startswith(b",") for *_, end, value in spans
    )
    if apart and closed and edges[-1] < (returned.end_lineno or 0):
        return [(key, textwrap.dedent("\n".join(lines[start - 1 : end]))) for key, start, end, _ in spans]
    segments = [(key, ast.get_source_segment(source, value)) for key, _, _, value in spans]
    return [(key, f'"{key}": {segment},') for key, segment in segments]


def _texts(source: str, statements: Sequence[ast.stmt], before: int) -> list[str]:
    """Each statement's lines, comments above it included; `before`: the last line that is none of theirs."""
    lines = source.splitlines()
    texts = []
    for statement in statements:
        end = statement.end_lineno or statement.lineno
        texts.append(textwrap.dedent("\n".join(line for line in lines[before:end] if line.strip())))
        before = end
    return texts


def _gene(
    key: str,
    entry: str,
    statements: Sequence[ast.stmt],
    texts: Sequence[str],
    weights: Mapping[str, float],
    parameters: Sequence[str],
) -> Gene:
    """An entry with the statements it rests on."""
    wanted = set(_names(_tree([_braced(entry)])))
    kept: list[str] = []
    for statement, text in zip(reversed(statements), reversed(texts), strict=True):
        if _assigned([text]) & wanted:
            wanted |= set(_names(statement))
            kept.insert(0, text)
    return Gene(
        key=key,
        statements=tuple(kept),
        entry=entry,
        weights={name: value for name, value in weights.items() if name in wanted},
        parameters=tuple(name for name in parameters if name in wanted),
    )


def _braced(entry: str) -> str:
    return "{" + entry + "\n}"


def _tree(texts: Iterable[str]) -> ast.Module:
    return ast.parse("\n".join(texts))


def _names(tree: ast.AST) -> list[str]:
    """Names in the order in which they stand."""
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    found.sort(key=lambda node: (node.lineno, node.col_offset))
    return list(dict.fromkeys(node.id for node in found))


def _assigned(statements: Iterable[str]) -> set[str]:
    nodes = ast.walk(_tree(statements))
    return {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
