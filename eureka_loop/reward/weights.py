"""The weights of a reward program's text, and the same text with others."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from eureka_loop.errors import Refused
from eureka_loop.reward.contract import ENTRY_POINTS
from eureka_loop.reward.parsing import number, parse


@dataclass(frozen=True, slots=True)
class Weight:
    """One keyword-only parameter.

    Attributes:
        value: its default.
        scales: whether it is nothing but a factor, outside of functions, powers and comparisons.
        place: of the default in the text, encoded: first byte, and the one after its last.
    """

    value: float
    scales: bool
    place: tuple[int, int]


def weights(source: str) -> dict[str, Weight]:
    """By name, in the order of the signature; {} of what is no program."""
    try:
        tree = parse(source)
    except Refused:
        return {}
    starts = [0]
    for line in source.encode().splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    bent, found = {*_bent(tree)}, {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == ENTRY_POINTS["reward"]:
            for each, default in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True):
                if default is not None and (value := number(default)) is not None:
                    assert default.end_lineno is not None
                    assert default.end_col_offset is not None
                    first = starts[default.lineno - 1] + default.col_offset
                    end = starts[default.end_lineno - 1] + default.end_col_offset
                    found[each.arg] = Weight(value, each.arg not in bent, (first, end))
    return found


def with_weights(source: str, values: Mapping[str, float]) -> str:
    """The text with other defaults for some weights; the rest stays byte for byte."""
    text, known = source.encode(), weights(source)
    for name in sorted(values, key=lambda name: known[name].place, reverse=True):
        first, end = known[name].place
        text = text[:first] + repr(values[name]).encode() + text[end:]
    return text.decode()


def _bent(node: ast.AST, bent: bool = False) -> Iterator[str]:
    """Names that a function, a power, a comparison or a quotient takes."""
    match node:
        case ast.Name(id=name):
            if bent:
                yield name
            return
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            yield from _bent(left, bent)
            yield from _bent(right, True)
            return
        case ast.BinOp(op=ast.Mult() | ast.Add() | ast.Sub()) | ast.UnaryOp() | ast.Dict():
            pass
        case ast.expr():
            bent = True
    for child in ast.iter_child_nodes(node):
        yield from _bent(child, bent)
