"""Functions and values as Python text, together with all that they use, for a file that stands alone."""

from __future__ import annotations

import ast
import inspect
import json
import math
import re
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import partial
from types import FunctionType, ModuleType
from typing import Any, NamedTuple

import numpy as np

from eureka_loop.errors import BadInput

LIBRARIES = {"numpy": "import numpy as np", "mujoco": "import mujoco", "math": "import math"}


class SourceText:
    """Collects definitions, each once, after those that it uses.

    Args:
        packages: whose functions may be written out; others' are refused, but for the standard library's.

    Attributes:
        imports: lines that the text needs before it.
    """

    def __init__(self, packages: Iterable[str]) -> None:
        self._packages = {*packages, "eureka_loop"}
        self.imports: set[str] = set()
        self._texts: dict[str, str] = {}

    def __str__(self) -> str:
        return "\n\n".join(self._texts.values())

    def expression(self, value: Any) -> str:
        """Text that evaluates to a value; what it uses is added.

        Raises:
            BadInput: it can't be written as text.
        """
        if (name := getattr(value, "__name__", "")) and getattr(np, name, None) is value:
            self.imports.add(LIBRARIES["numpy"])
            return f"np.{name}"
        match value:
            case FunctionType() | type():
                return self._defined(value)
            case partial():
                self.imports.add("from functools import partial")
                return self._call("partial", [value.func, *value.args], value.keywords)
            case np.ndarray():
                self.imports.add(LIBRARIES["numpy"])
                return f"np.array({value.tolist()!r}, np.{value.dtype})"
            case dict():
                pairs = (f"{self.expression(key)}: {self.expression(each)}" for key, each in value.items())
                return f"{{{', '.join(pairs)}}}"
        if type(value) in (tuple, list):
            parts = ", ".join(map(self.expression, value))
            return f"[{parts}]" if type(value) is list else f"({parts}{',' * (len(value) == 1)})"
        if is_dataclass(value):
            return self._call(type(value), [getattr(value, each.name) for each in fields(value)])
        if (
            isinstance(value, float | str | slice | np.generic)
            or hasattr(value, "__index__")
            or value is None
        ):
            return _literal(value)
        if hasattr(value, "__getnewargs__"):  # named tuples, and classes that say how to make them again
            return self._call(type(value), value.__getnewargs__())
        raise BadInput(f"{value!r:.80} can't be written into a file: it is no number, array or function")

    def define(self, name: str, text: str) -> None:
        """Add a definition in place of the one that would be written by itself.

        Raises:
            BadInput: there is another one of that name.
        """
        if self._texts.setdefault(name, text) != text:
            raise BadInput(
                f"two different {name!r} are used together, which one file can't hold: rename one of them"
            )

    def _call(self, function: Any, values: Any, named: Mapping[str, Any] = {}) -> str:
        name = function if isinstance(function, str) else self.expression(function)
        parts = [
            *map(self.expression, values),
            *(f"{key}={self.expression(each)}" for key, each in named.items()),
        ]
        return f"{name}({', '.join(parts)})"

    def _defined(self, value: Any) -> str:
        """Add a function or class; the text that stands for it."""
        if (root := value.__module__.partition(".")[0]) in sys.stdlib_module_names:
            self.imports.add(f"from {value.__module__} import {value.__name__}")
            return str(value.__name__)
        if root not in self._packages:
            raise BadInput(
                f"{value.__name__} of {root} can't be written into a file with numpy and mujoco alone"
            )
        if value.__name__ in self._texts and not hasattr(value, "__closure__"):
            return str(value.__name__)
        scope = vars(sys.modules[value.__module__])
        free = inspect.getclosurevars(value).nonlocals if isinstance(value, FunctionType) else {}
        scope = {name: each for name, each in scope.items() if name not in free}
        if value.__name__ == "<lambda>":
            node = _lambda(value)
            self._use(node, scope)
            node.args.kwonlyargs += [ast.arg(name) for name in free]
            defaults = [ast.parse(self.expression(each), mode="eval").body for each in free.values()]
            node.args.kw_defaults += defaults
            return f"({ast.unparse(node)})"
        text = textwrap.dedent(inspect.getsource(value))
        statement = ast.parse(text).body[0]
        assert isinstance(statement, ast.FunctionDef | ast.ClassDef)
        text = _without_annotations(text, statement)
        if isinstance(statement, ast.FunctionDef):  # without decorators, which belong to the package
            text = "".join(text.splitlines(keepends=True)[statement.lineno - 1 :])
            statement.decorator_list = []
        values = {name: self.expression(each) for name, each in free.items()}
        for module in self._use(statement, scope):
            text = re.sub(rf"\b{module}\.(?=\w)", "", text)
        name = statement.name
        if not free:
            self.define(name, text)
            return name
        inner = textwrap.indent(text, "    ")
        self.define(f"make_{name}", f"def make_{name}({', '.join(free)}):\n{inner}\n    return {name}\n")
        return f"make_{name}({', '.join(values.values())})"

    def _use(self, node: ast.AST, scope: Mapping[str, Any]) -> list[str]:
        """Add what a definition uses of its module; the names there of the package's own modules."""
        modules = []
        skipped = {id(part) for each in _annotations(node) for part in ast.walk(each.annotation)}
        own = {part.arg for part in ast.walk(node) if isinstance(part, ast.arg)}
        names = [part for part in ast.walk(node) if isinstance(part, ast.Name) and id(part) not in skipped]
        own |= {part.id for part in names if isinstance(part.ctx, ast.Store)}
        for name in dict.fromkeys(part.id for part in names if part.id in scope and part.id not in own):
            value = scope[name]
            if isinstance(value, ModuleType) and value.__name__ not in LIBRARIES:
                modules.append(name)
            else:
                self._global(name, value)
        for part in ast.walk(node):
            match part:
                case ast.Attribute(value=ast.Name(id=name), attr=attribute) if name in modules:
                    self._global(attribute, getattr(scope[name], attribute))
        return modules

    def _global(self, name: str, value: Any) -> None:
        """Add what a name of a module stands for."""
        if isinstance(value, ModuleType):
            self.imports.add(LIBRARIES[value.__name__])
            return
        text = self.expression(value)
        if text != name:
            self.define(name, f"{name} = {text}\n")


class _Annotation(NamedTuple):
    """An annotation with the place where what is to be removed of the text begins: line and byte."""

    annotation: ast.expr
    line: int
    column: int


def _annotations(node: ast.AST) -> Iterator[_Annotation]:
    """Of parameters, results and variables of functions; fields of classes keep theirs."""
    fields = {id(each) for part in ast.walk(node) if isinstance(part, ast.ClassDef) for each in part.body}
    for part in ast.walk(node):
        match part:
            case ast.arg(annotation=ast.expr() as found):
                yield _Annotation(found, part.lineno, part.col_offset + len(part.arg.encode()))
            case ast.FunctionDef(returns=ast.expr() as found):
                yield _Annotation(found, found.lineno, found.col_offset - len(" -> "))
            case ast.AnnAssign(target=target, annotation=found, value=ast.expr()) if id(part) not in fields:
                yield _Annotation(found, target.end_lineno or 0, target.end_col_offset or 0)
            case ast.AnnAssign(annotation=found):
                yield _Annotation(found, 0, 0)


def _without_annotations(text: str, node: ast.AST) -> str:
    lines = text.encode().splitlines(keepends=True)
    for found, line, column in sorted(_annotations(node), key=lambda each: each[1:], reverse=True):
        if line:
            end, rest = found.end_lineno or 0, lines[(found.end_lineno or 0) - 1][found.end_col_offset :]
            lines[line - 1 : end] = [lines[line - 1][:column] + rest, *[b""] * (end - line)]
    return b"".join(lines).decode()


def _literal(value: Any) -> str:
    plain = value.item() if isinstance(value, np.generic) else value
    if isinstance(plain, float) and not math.isfinite(plain):
        return f'float("{plain}")'
    return json.dumps(plain, ensure_ascii=False) if isinstance(plain, str) else repr(plain)


def _lambda(function: FunctionType) -> ast.Lambda:
    """The syntax tree of a lambda, by its place in its file."""
    code = function.__code__
    places = {(line, column) for line, _, column, _ in code.co_positions() if line and column}
    begin = max(places)  # of the last expression in its body
    tree = ast.parse(inspect.getsource(sys.modules[function.__module__]))
    around = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Lambda)
        and node.lineno == code.co_firstlineno
        and (node.body.lineno, node.body.col_offset) <= begin
        and begin <= (node.body.end_lineno or 0, node.body.end_col_offset or 0)
    ]
    return around[-1]
