"""How an allowed function may be called: how many arguments, which keywords, which types."""

from __future__ import annotations

import ast

from eureka_loop.reward.allowed import NUMPY_TYPES, TYPES, Signature
from eureka_loop.reward.functions import SHAPING_SIGNATURES
from eureka_loop.reward.parsing import module_path
from eureka_loop.reward.problems import Problems, code, quoted

_TAKES_TEXT = (
    "einsum",
    "get",
    "dict",
    "append",
    "astype",
    *SHAPING_SIGNATURES,
)  # astype's is looked at on its own


def check_arguments(
    node: ast.Call, name: str, signature: Signature, problems: Problems, *, own: bool = False
) -> None:
    """Report what the signature doesn't allow.

    Args:
        name: the function's, without what stands before it ("linalg.norm").
        own: it is a function of the program, which may be given anything.
    """
    if len(node.args) > signature.positional:
        problems.add(node, f"{quoted(node)}: `{code(node.func)}` takes {_count(signature)} without a name")
    for keyword in node.keywords:
        allowed = keyword.arg is None or keyword.arg in signature.keywords or name == "dict"
        if not allowed:
            problems.add(node, _keyword_problem(node, keyword, signature))
    for argument in types_in(node, name):
        if not _is_type(argument):
            problems.add(argument, f"dtype {quoted(argument)}: write `float`, `int` or `bool`")
    if not own and name not in _TAKES_TEXT:
        for argument in (*node.args, *(each.value for each in node.keywords if each.arg != "dtype")):
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                instead = "; write `np.inf` or `np.nan`" if name == "float" else ""
                problems.add(node, f"{quoted(node)}: text is no argument of `{code(node.func)}`{instead}")


def types_in(node: ast.Call, name: str) -> list[ast.expr]:
    """The arguments that name a dtype."""
    first = node.args[:1] if name == "astype" else []
    return [*first, *(each.value for each in node.keywords if each.arg == "dtype")]


def _is_type(node: ast.expr) -> bool:
    """float, np.float64, x.dtype"""
    if isinstance(node, ast.Name):
        return node.id in TYPES
    return isinstance(node, ast.Attribute) and (module_path(node)[1] in NUMPY_TYPES or node.attr == "dtype")


def _keyword_problem(node: ast.Call, keyword: ast.keyword, signature: Signature) -> str:
    match keyword.arg:
        case "dim" | "keepdim" as name:
            return f"{quoted(node)}: write `{'axis' if name == 'dim' else 'keepdims'}=` for `{name}=`"
        case "out":
            return f"{quoted(node)}: no `out=`; functions give a new array"
        case "where":
            return f"{quoted(node)}: no `where=`; write `np.where(d != 0, a / np.where(d != 0, d, 1.0), 0.0)`"
    known = ", ".join(f"`{each}=`" for each in sorted(signature.keywords)) or "none"
    return f"{quoted(node)}: no keyword `{keyword.arg}=`; allowed: {known}"


def _count(signature: Signature) -> str:
    number = signature.positional
    return f"{number or 'no'} argument{'' if number == 1 else 's'}"
