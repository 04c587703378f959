"""Everything a program may touch is touched once, before the fork.

A locked process can import nothing, and numpy imports parts of itself on first use, through the builtins of
whoever calls it; a program's have no `__import__`. It also saves every child the time.
"""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import numpy as np

from eureka_loop.errors import RewardFailure
from eureka_loop.records import Array
from eureka_loop.reward import functions
from eureka_loop.reward.allowed import METHODS
from eureka_loop.reward.parsing import compile_ready
from eureka_loop.reward.sandbox import answer
from eureka_loop.reward.sandbox.explain import FILENAME, explain

_REHEARSAL = """
def compute_reward(x, v, *, weight=2.0):
    near = np.exp(-np.square(v).sum(axis=1))
    up = np.where((x > 0.5) & ~(x < 0.0), x ** 2 % 3.0 // 1.0, np.clip(x, -1.0, 1.0)) + v @ np.ones(3)
    return {"near": near, "up": weight * up, "_v": np.linalg.norm(v, axis=1)}
"""

# Errors import parts of numpy as well: each is raised and put into words once.
_BROKEN = (
    "1 / 0",
    "x[9]",
    "x[0] + v.sum(axis=5)",
    "x + v[:3, :2]",
    'np.array(["a"]) + x',
    "missing",
    "x[0] << 1",
    "np.linalg.inv(v)",
    "np.zeros(3).reshape(7)",
    "x.nothing",
    "bool(x)",
    "np.concatenate([x, v])",
    "v @ v",
    "x.sort()",
    "np.array([[1], [2, 3]])",
    "np.zeros((10**9, 10**9))",
)


def warm_up() -> None:
    """Call what a program can call, wrongly too; leaves nothing behind but warm caches."""
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    functions.warm_up()
    x, v = np.linspace(0.1, 0.9, 5), np.linspace(0.1, 0.9, 15).reshape(5, 3)
    x.flags.writeable = v.flags.writeable = False
    for function in _functions():
        for arguments in ((x,), (v,), (x, x), (v, v), (x > 0.5, x, x), (3,), ((3, 3),), (x, "a"), (None,)):
            for keywords in ({}, {"axis": 1}, {"axis": 9}):
                _attempt(function, *arguments, **keywords)
    for method in METHODS:
        for array in (x, v):
            for argument in ((), (x,), (float,), (0.2, 0.8), (9,), ("a",)):
                _attempt(getattr(array, method), *argument)
    _rehearse(x, v)


def namespace() -> dict[str, object]:
    """A program's globals, with as much of an import as numpy's own code can't do without."""
    scope = functions.namespace()
    inner = scope["__builtins__"]
    assert isinstance(inner, dict)
    inner["__import__"] = _loaded_already
    return scope


def _loaded_already(name: str, *_: object) -> None:
    """The import that numpy's C code finds when it looks for a part of itself.

    PyImport_Import drops what this returns and takes the module that is loaded; an `import` statement of a
    program gets the None.

    Raises:
        ImportError: it isn't loaded, and can't be in a locked process.
    """
    if name not in sys.modules:
        raise ImportError(f"{name!r} can't be imported; `np` and `math` are there")


def _functions() -> Iterator[Callable[..., object]]:
    """The shaping functions, and what stands in `np`, `np.linalg` and `math`."""
    waiting = list(namespace().values())
    while waiting:
        value = waiting.pop()
        if isinstance(value, SimpleNamespace):
            waiting += vars(value).values()
        elif callable(value):
            yield value


def _attempt(function: Callable[..., object], *arguments: object, **keywords: object) -> None:
    with contextlib.suppress(Exception):  # most of these calls are wrong, which warms the errors
        function(*arguments, **keywords)


def _rehearse(x: Array, v: Array) -> None:
    """A program's whole way, as the child goes it."""
    scope = namespace()
    exec(compile(compile_ready(_REHEARSAL), FILENAME, "exec", dont_inherit=True), scope)
    values = np.zeros((32, len(x)))
    result = scope["compute_reward"](x, v)  # type: ignore[operator]
    answer.collect(result, (), len(x), values)
    for wrong in (None, {"a": x[0]}, {"a": v}, {"a": np.array(["b"] * len(x))}, {"total": x}):
        with contextlib.suppress(RewardFailure):
            answer.collect(wrong, (), len(x), values)
    for line in _BROKEN:
        try:
            exec(compile(compile_ready(f"y = {line}"), FILENAME, "exec"), {**scope, "x": x, "v": v})
        except Exception as error:  # noqa: BLE001 (that is what it is for)
            explain(error, line)
