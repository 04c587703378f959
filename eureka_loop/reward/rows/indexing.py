"""What a subscript gives, and what it does to the batch axis."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from eureka_loop.reward.problems import code
from eureka_loop.reward.rows.values import (
    UNKNOWN,
    Derived,
    Dim,
    Fixed,
    Items,
    Nothing,
    Number,
    Rows,
    Shape,
    Terms,
    Text,
    Value,
    each,
    shape_text,
    whole,
)


@dataclass(frozen=True, slots=True)
class Span:
    """A slice; `start`, `stop` and `step` as far as they are known to be whole numbers."""

    start: int | None
    stop: int | None
    step: int | None
    known: bool  # every bound that is written is a known number

    @property
    def whole(self) -> bool:
        return self.known and self.start in (None, 0) and self.stop is None and self.step in (None, 1)

    def length(self, dim: Dim) -> Dim:
        return (
            len(range(dim)[slice(self.start, self.stop, self.step)])
            if self.known and dim is not None
            else None
        )


class Rest:
    """`...`"""


class NewAxis:
    """`None` or `np.newaxis`"""


Index = Span | Rest | NewAxis | Number | Items | Rows | Derived | Fixed | Text | Value


def indices(node: ast.Subscript, value: Callable[[ast.expr], Value]) -> list[Index]:
    """What stands between the brackets; `value` evaluates a part."""
    parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    return [_index(part, value) for part in parts] or [Rest()]


def _index(node: ast.expr, value: Callable[[ast.expr], Value]) -> Index:
    if isinstance(node, ast.Slice):
        bounds = [value(bound) if bound else None for bound in (node.lower, node.upper, node.step)]
        start, stop, step = map(whole, bounds)
        known = all(bound is None or whole(bound) is not None for bound in bounds)
        return Span(start, stop, step, known=known and step != 0)
    if isinstance(node, ast.Constant) and node.value is ...:
        return Rest()
    index = value(node)
    return NewAxis() if isinstance(index, Nothing) else index


def subscript(
    node: ast.Subscript,
    base: Value,
    indices: Sequence[Index],
    *,
    episode: bool,
    report: Callable[[str], None],
) -> Value:
    """The value of `base[indices]`.

    Args:
        episode: fitness and success may take rows of the episode; a reward may not.
        report: told what is wrong.
    """
    match base:
        case Items():
            return _item(base, indices[0])
        case Terms():
            return dict(base.terms).get(_key(indices[0]), UNKNOWN)
        case Rows():
            return _Rows(node, base, episode, report).take(indices)
        case Derived():
            return Derived()
        case Fixed(shape=shape):
            return _fixed(_components(shape, list(indices))) if shape is not None else UNKNOWN
    return UNKNOWN


def _item(base: Items, index: Index) -> Value:
    match index:
        case Number(value=int(position)) if base.items is not None and -len(base.items) <= position < len(
            base.items
        ):
            return base.items[position]
        case Span() if base.items is not None and index.known:
            return Items(base.items[slice(index.start, index.stop, index.step)])
        case Span():
            return Items(None, each(base))
    return each(base)


def _key(index: Index) -> str:
    return index.value or "" if isinstance(index, Text) else ""


def _fixed(shape: Shape | None) -> Value:
    return Fixed(shape) if shape else Number() if shape == () else UNKNOWN


def _components(shape: Shape, indices: list[Index]) -> Shape | None:
    """The shape that is left of the component axes; None where that can't be told."""
    taken = sum(not isinstance(index, Rest | NewAxis) for index in indices)
    left = list(shape)
    result: list[Dim] = []
    for index in indices:
        match index:
            case Rest():
                spared = max(len(shape) - taken, 0)
                result += left[:spared]
                left = left[spared:]
            case NewAxis():
                result.append(1)
            case Span() if left:
                result.append(index.length(left.pop(0)))
            case Number() if left:
                left.pop(0)
            case Items(items=items) if left and _once(indices):
                left.pop(0)
                result.append(len(items) if items is not None else None)
            case Fixed(shape=(count,)) if left and _once(indices):
                left.pop(0)
                result.append(count)
            case _:
                return None
    return (*result, *left)


def _once(indices: list[Index]) -> bool:
    """At most one index is itself an array: with two, numpy pairs them up."""
    return sum(isinstance(index, Items | Fixed | Rows | Derived) for index in indices) == 1


class _Rows:
    """Subscripts of an array over the batch."""

    def __init__(self, node: ast.Subscript, base: Rows, episode: bool, report: Callable[[str], None]) -> None:
        self._node, self._base, self._episode, self._report = node, base, episode, report
        self._name = code(node.value)

    def take(self, indices: Sequence[Index]) -> Value:
        shape = self._base.shape
        indices = self._spelled_out(list(indices))
        first, rest = indices[0], list(indices[1:])
        if isinstance(first, NewAxis):
            return Derived()
        if shape is not None and not self._fits(shape, rest):
            return UNKNOWN
        components = _components(shape, rest) if shape is not None else None
        match first:
            case Span() if first.whole:
                if components is None and shape is not None:
                    return Derived()
                view = all(isinstance(index, Span | NewAxis | Number | Rest) for index in rest)
                return Rows(components, self._base.source if view else "")
            case Rows() | Derived():
                return Derived()  # a mask: only some rows are left, to be written back under the same mask
            case Span() | Number() | Items() | Fixed():
                return self._some_rows(first, components)
        return Derived()

    def _spelled_out(self, indices: list[Index]) -> list[Index]:
        """With a leading `...` written as the axes it stands for."""
        if not isinstance(indices[0], Rest):
            return indices
        if self._base.shape is None:
            return [Span(None, None, None, True), Rest(), *indices[1:]]
        spared = len(self._base.shape) + 1 - sum(not isinstance(index, NewAxis) for index in indices[1:])
        return [Span(None, None, None, True)] * spared + indices[1:] or indices

    def _some_rows(self, first: Index, components: Shape | None) -> Value:
        """Rows picked by position: fine in an episode, wrong in a batch."""
        if not self._episode:
            self._report(self._mixed(first))
            return UNKNOWN
        if isinstance(first, Number):
            return _fixed(components) if components is not None else UNKNOWN
        return Rows(components, self._base.source)

    def _mixed(self, first: Index) -> str:
        written, shape = code(self._node), self._base.shape
        if isinstance(first, Span):
            before = (
                f"; for the value before the step ask for `prev_{self._base.source}`"
                if self._base.source
                else ""
            )
            return f"`{written}` takes some rows of the batch; rows are independent, in any order{before}"
        index = code(self._node.slice)
        further = self._node.slice.elts[1:] if isinstance(self._node.slice, ast.Tuple) else []
        rest = ", ".join(code(each) for each in further)
        if shape == ():
            told = f"; `{self._name}` is (N,), one number a row: write `{self._name}`"
        else:
            told = f", not a component: write `{self._name}[:, {rest or index}]`"
        return f"`{written}` takes one row of the batch{told}"

    def _fits(self, shape: Shape, rest: list[Index]) -> bool:
        """Whether the components asked for exist."""
        size = shape_text(self._base)
        taken = [index for index in rest if not isinstance(index, Rest | NewAxis)]
        if len(taken) > len(shape):
            told = f"it has no components: write `{self._name}`" if not shape else "it has no axis more"
            self._report(f"`{code(self._node)}`: `{self._name}` is {size}, {told}")
            return False
        if len(taken) < len(rest):
            return True  # which axis an index is for isn't worth working out
        for dim, index in zip(shape, taken, strict=False):
            position = None if isinstance(index, Span | Rest | NewAxis) else whole(index)
            if dim is not None and position is not None and not -dim <= position < dim:
                self._report(
                    f"`{code(self._node)}`: `{self._name}` is {size}, its components are 0 to {dim - 1}"
                )
                return False
        return True
