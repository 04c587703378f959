"""Products of vectors and matrices, and the shaping functions: what they make of rows."""

from __future__ import annotations

import ast
from collections.abc import Callable

from eureka_loop.reward.problems import code, quoted
from eureka_loop.reward.rows.broadcasting import broadcast
from eureka_loop.reward.rows.calls import Site, combined, misfit
from eureka_loop.reward.rows.values import (
    NUMBER,
    UNKNOWN,
    Derived,
    Fixed,
    Items,
    Number,
    Rows,
    Text,
    Value,
    as_array,
    has_rows,
    own,
    shape_text,
)


def matrix_product(
    left: Value,
    right: Value,
    sides: tuple[ast.expr, ast.expr],
    node: ast.AST,
    episode: bool,
    report: Callable[[str], None],
) -> Value:
    """`left @ right`, `np.dot`, `np.inner`: rows with something fixed, or matrix by matrix."""
    match as_array(left), as_array(right):
        case Rows(shape=(_,)), Fixed(shape=(_,)):
            return Rows(())
        case Rows(shape=(_,)), Fixed(shape=(_, columns)):
            return Rows((columns,))
        case Rows(shape=(rows, _)), Rows(shape=(_, columns)):
            return Rows((rows, columns))
        case Rows(shape=() | (_,)) as one, Rows(shape=() | (_,)):
            if episode:
                return NUMBER if one.shape == () else UNKNOWN
            texts = [code(side) for side in sides]
            instead = " * ".join(texts) if one.shape == () else f"dot({', '.join(texts)})"
            report(f"{quoted(node)} mixes the rows of the batch: write `{instead}`")
            return UNKNOWN
        case one, other:
            return Derived() if has_rows(one) or has_rows(other) else UNKNOWN


def _matmul(site: Site) -> Value:
    if len(site.values) != 2:
        return UNKNOWN
    if any(isinstance(as_array(value), Number) for value in site.values):
        return combined(site, site.values)
    sides = site.nodes[0], site.nodes[1]
    return matrix_product(*site.values, sides, site.node, site.episode, site.report)


def _outer(site: Site) -> Value:
    if len(site.values) == 2 and all(has_rows(value) for value in site.values) and not site.episode:
        flat = all(isinstance(value, Rows) and value.shape == () for value in site.values)
        axes = ("", "") if flat else ("[:, :, None]", "[:, None, :]")
        instead = f"{site.text(0)}{axes[0]} * {site.text(1)}{axes[1]}"
        site.report(f"`{site.code}` pairs every row with every other: write `{instead}`")
        return UNKNOWN
    return Derived() if any(has_rows(value) for value in site.values) else UNKNOWN


def _cross(site: Site) -> Value:
    value = combined(site, site.values)
    return (
        value
        if isinstance(value, Rows) and value.shape == (3,)
        else Derived()
        if has_rows(value)
        else UNKNOWN
    )


def _einsum(site: Site) -> Value:
    subscripts, operands = site.values[0], [as_array(value) for value in site.values[1:]]
    if not any(has_rows(operand) for operand in operands):
        return UNKNOWN
    if not isinstance(subscripts, Text) or subscripts.value is None:
        return Derived()
    if "->" not in subscripts.value:
        site.report(f"`{site.code}`: write the output's indices, `np.einsum('ni,ni->n', a, b)`")
        return UNKNOWN
    inputs, _, output = subscripts.value.replace(" ", "").partition("->")
    letters = inputs.split(",")
    pairs = list(zip(letters, operands, strict=False))
    batch = {names[:1] for names, operand in pairs if isinstance(operand, Rows)}
    if "." in inputs or len(batch) != 1:
        return Derived()
    if not site.episode and not batch & set(output):
        site.report(
            f"`{site.code}` sums over the batch: keep its index in the output, `np.einsum('ni,ni->n', a, b)`"
        )
        return UNKNOWN
    sizes = {
        letter: dim
        for names, operand in pairs
        if isinstance(operand, Rows) and operand.shape is not None
        for letter, dim in zip(names[1:], operand.shape, strict=False)
    }
    first = output[:1] in batch
    return Rows(tuple(sizes.get(letter) for letter in output[1:])) if first else Derived()


def _tolerance(site: Site) -> Value:
    margin, bounds = site.value(2, "margin"), site.value(1, "bounds")
    if margin is not None and has_rows(margin):
        site.report(f"`{site.code}`: the margin is one number for all rows")
        return UNKNOWN
    if isinstance(bounds, Number):
        site.report(f"`{site.code}`: bounds are a pair: `bounds=(lower, upper)`")
        return UNKNOWN
    limits = bounds.items or () if isinstance(bounds, Items) else ()
    return combined(site, [site.values[0], *limits]) if site.values else UNKNOWN


def _ramp(site: Site) -> Value:
    return combined(site, [*site.values, *site.keywords.values()])


def _wrap(site: Site) -> Value:
    return own(site.first)


def _dot(site: Site) -> Value:
    value = broadcast(site.values)
    if value is None:
        site.report(misfit(site.code, site.values, [site.text(0), site.text(1)]))
        return UNKNOWN
    if isinstance(value, Rows) and value.shape == ():
        site.report(f"`{site.code}`: `dot` takes (N, k); of (N,) write `{site.text(0)} * {site.text(1)}`")
        return UNKNOWN
    return _last_axis_gone(value)


def _norm(site: Site) -> Value:
    value = site.first
    if isinstance(value, Rows) and value.shape == ():
        site.report(
            f"`{site.code}`: `norm` takes (N, k); `{site.text()}` is (N,): write `np.abs({site.text()})`"
        )
        return UNKNOWN
    if isinstance(value, Fixed) and value.shape is not None and len(value.shape) == 1:
        site.report(
            f"`{site.code}`: `norm` takes (N, k); of a fixed vector write `np.linalg.norm({site.text()})`"
        )
        return UNKNOWN
    return _last_axis_gone(value)


def _last_axis_gone(value: Value) -> Value:
    if isinstance(value, Rows) and value.shape:
        return Rows(value.shape[:-1])
    return Derived() if has_rows(value) else UNKNOWN


def _rotate(site: Site) -> Value:
    return Rows((3,)) if _of_size(site, 4, "a quaternion (N, 4), w, x, y, z") else UNKNOWN


def _heading(site: Site) -> Value:
    return Rows(()) if _of_size(site, 3, "a quaternion (N, 4) or a forward axis (N, 3)", 4) else UNKNOWN


def _of_size(site: Site, size: int, wanted: str, other: int = 0) -> bool:
    """The first argument is (N, size), as far as is known; reports where it isn't."""
    value = site.first
    if (
        isinstance(value, Rows)
        and value.shape is not None
        and value.shape not in ((size,), (other,), (None,))
    ):
        site.report(f"`{site.code}`: `{site.name}` takes {wanted}; `{site.text()}` is {shape_text(value)}")
        return False
    return has_rows(value)


HANDLERS: dict[str, Callable[[Site], Value]] = {
    **dict.fromkeys(("dot", "inner", "matmul"), _matmul),
    "outer": _outer,
    "cross": _cross,
    "einsum": _einsum,
}
SHAPING_HANDLERS: dict[str, Callable[[Site], Value]] = {
    "tolerance": _tolerance,
    "ramp": _ramp,
    "wrap": _wrap,
    "dot": _dot,
    "norm": _norm,
    "rotate": _rotate,
    "heading": _heading,
}
