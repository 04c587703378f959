"""Which function a call means, and the value it gives."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterable, Mapping

from eureka_loop.reward.allowed import CONTAINER_METHODS, METHODS, MODULES
from eureka_loop.reward.problems import Problems, quoted
from eureka_loop.reward.rows import arrangements, builtin_calls, products, reductions
from eureka_loop.reward.rows.calls import Site
from eureka_loop.reward.rows.containers import changed, result
from eureka_loop.reward.rows.values import UNKNOWN, Items, Names, Terms, Value, whole

_ARRAY_HANDLERS = {**arrangements.HANDLERS, **reductions.HANDLERS, **products.HANDLERS}

_SIZED = ("zeros", "ones", "full", "arange", "linspace", "eye", "identity", "tile", "repeat", "broadcast_to")
MAX_ELEMENTS = 1_000_000  # of an array whose size is written as a number


class Called:
    """Calls of everything but the program's own functions.

    Args:
        episode: rows are one episode, and may be reduced.
    """

    def __init__(self, problems: Problems, *, episode: bool) -> None:
        self._problems, self._episode = problems, episode

    def function(
        self, node: ast.Call, name: str, values: list[Value], keywords: Mapping[str, Value]
    ) -> Value:
        """A shaping function or a builtin."""
        handler = products.SHAPING_HANDLERS.get(name) or builtin_calls.HANDLERS.get(name)
        return self._handled(handler, self._site(node, name, node.args, values, keywords))

    def module_function(
        self, node: ast.Call, module: str, name: str, values: list[Value], keywords: Mapping[str, Value]
    ) -> Value:
        """`np.<name>(...)` or `math.<name>(...)`"""
        handler = builtin_calls.math_call if MODULES[module] == "math" else _ARRAY_HANDLERS.get(name)
        if name in _SIZED:
            self._check_sizes(node, [*values, *keywords.values()])
        return self._handled(handler, self._site(node, name, node.args, values, keywords))

    def _check_sizes(self, node: ast.Call, values: Iterable[Value]) -> None:
        for value in values:
            sizes = value.items or () if isinstance(value, Items) else (value,)
            if math.prod(whole(size) or 1 for size in sizes) > MAX_ELEMENTS:
                self._problems.add(node, f"{quoted(node)}: {MAX_ELEMENTS:,} elements are allowed")

    def method(
        self,
        node: ast.Call,
        function: ast.Attribute,
        base: Value,
        values: list[Value],
        keywords: Mapping[str, Value],
        names: Names,
    ) -> Value:
        """`base.<name>(...)`"""
        if isinstance(base, Items | Terms):
            after = changed(base, function.attr, values) if function.attr in CONTAINER_METHODS else None
            if after is not None and isinstance(function.value, ast.Name):
                names.held[function.value.id] = after
            return result(base, function.attr, values) if function.attr in CONTAINER_METHODS else UNKNOWN
        handler = _ARRAY_HANDLERS.get(function.attr) if function.attr in METHODS else None
        nodes, arguments = [function.value, *node.args], [base, *values]
        return self._handled(
            handler, self._site(node, function.attr, nodes, arguments, keywords, method=True)
        )

    def _site(
        self,
        node: ast.Call,
        name: str,
        nodes: list[ast.expr],
        values: list[Value],
        keywords: Mapping[str, Value],
        *,
        method: bool = False,
    ) -> Site:
        return Site(
            node=node,
            name=name,
            method=method,
            nodes=tuple(nodes),
            values=tuple(values),
            keywords=keywords,
            episode=self._episode,
            report=lambda message: self._problems.add(node, message),
        )

    @staticmethod
    def _handled(handler: Callable[[Site], Value] | None, site: Site) -> Value:
        return handler(site) if handler and (site.values or site.keywords) else UNKNOWN
