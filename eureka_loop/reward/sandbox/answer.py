"""A program's result or exception: names, shapes, types, failures in the child; floats in the owner."""

from __future__ import annotations

import ast
import contextlib
import linecache
import re
import traceback
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from eureka_loop import numbers
from eureka_loop.errors import RewardFailure
from eureka_loop.records import Array
from eureka_loop.reward import hints
from eureka_loop.reward.contract import MAX_TERMS, TERM_LIMIT, TERM_NAME, is_diagnostic
from eureka_loop.reward.parsing import FILENAME

_TOTALS = ("total", "reward", "total_reward", "reward_total", "overall", "final_reward")
_ONE_NUMBER = (
    "one number for the whole episode: reduce it with `.mean()`, `.sum()`, `.max()` or `[-1]`, "
    "or take a component, `[:, 0]`"
)
_REAL = "fiub"  # dtype kinds that become float64 without loss of meaning: float, int, unsigned, bool
_SHOWN = 40  # characters of a name that is too long
_FRAMES = 5  # shown, from the traceback's end
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")  # differs from run to run; a replayed prompt must not


def collect(result: object, known: tuple[str, ...], shape: tuple[int, ...], values: Array) -> tuple[str, ...]:
    """Copy a program's terms to `values` (MAX_TERMS, capacity), one a line; returns their names.

    Args:
        result: terms by name; of a fitness or success program, its number by its kind.
        known: names in the calls before; () in the first.
        shape: of each: (N,) for a reward's terms, () for one number.

    Raises:
        RewardFailure: wrong_terms, wrong_shape or wrong_dtype, of all terms together.
    """
    if type(result) is not dict:
        found = f"{type(result).__name__}, expected a dict of terms: `return {{'name': array}}`"
        if result is None:
            found = "None: end it with `return {...}`, a dict of terms"
        elif type(result) is tuple:
            found = "a tuple: return only the dict of terms, the reward is their sum"
        raise RewardFailure("wrong_terms", f"`compute_reward` returned {found}")
    names = tuple(result)
    if not known or names != known:
        check_names(names)
        if known:
            change = f"The terms were ({', '.join(known)}) and are now ({', '.join(names)})"
            raise RewardFailure("wrong_terms", f"{change}: always the same keys, in one order")
    failures = []
    for line, (name, value) in enumerate(result.items()):
        try:
            array = _checked(f"Term {name!r}" if shape else f"`{name}`", value, shape)
            values[line, : array.size] = array
        except RewardFailure as failure:
            failures.append(failure)
    if failures:
        raise RewardFailure(failures[0].kind, "\n".join(map(str, failures)))
    return names


def check_names(names: tuple[str, ...]) -> None:
    """Hold the names of a reward's terms to the contract.

    Raises:
        RewardFailure: wrong_terms.
    """
    for name in names:
        if type(name) is not str or not TERM_NAME.fullmatch(name):
            shown = repr(f"{name[:_SHOWN]}…" if isinstance(name, str) and len(name) > _SHOWN else name)
            allowed = "1 to 32 letters (a to z), digits and `_`, the first no digit"
            raise RewardFailure("wrong_terms", f"Term {shown}: a name has {allowed}, as 'forward_speed'")
    total = next((name for name in _TOTALS if name in names), None)
    if total and not all(map(is_diagnostic, set(names) - {total})):
        text = f"Remove the key {total!r}: the reward is the sum of the other terms"
        raise RewardFailure("wrong_terms", text)
    if not 0 < len(names) <= MAX_TERMS or len(set(names)) < len(names) or all(map(is_diagnostic, names)):
        expected = f"expected 1 to {MAX_TERMS}, at least one of them without a leading `_`"
        raise RewardFailure("wrong_terms", f"{len(names)} terms ({', '.join(names) or 'none'}): {expected}")


def find_fault(
    names: Iterable[str], values: Array, parameters: Iterable[str], columns: Sequence[Array]
) -> RewardFailure | None:
    """The first value (K, N) that is not finite or too large, with the program's inputs in its row."""
    wrong = ~(np.abs(values) <= TERM_LIMIT)  # NaN included
    if not wrong.any():
        return None
    term, row = (int(index) for index in np.argwhere(wrong)[0])
    name, value, inputs = list(names)[term], values[term, row], _inputs_at(parameters, columns, row)
    where = f"in {wrong[term].sum()} of {values.shape[1]} rows, first in row {row}"
    if not np.isfinite(value):
        return RewardFailure("not_finite", f"Term {name!r} is {value} {where}, where {inputs}")
    limit, size = numbers.number(TERM_LIMIT), numbers.number(float(value))
    message = f"Term {name!r} exceeds ±{limit} {where} ({size}): scale or clip it"
    return RewardFailure("out_of_range", f"{message}, where {inputs}")


def _inputs_at(parameters: Iterable[str], columns: Sequence[Array], row: int) -> str:
    """A program's inputs in one row: "speed = 0.1, torso_up = [0, 0.1, 0.99]"."""
    shown = []
    for name, column in zip(parameters, columns, strict=True):
        flat = [numbers.compact(float(each), 6) for each in column[row].ravel()]
        more = [*flat[:8], *(["…"] if len(flat) > 8 else [])]
        shown.append(f"{name} = {flat[0] if column.ndim == 1 else '[' + ', '.join(more) + ']'}")
    return ", ".join(shown)


def _checked(what: str, value: object, shape: tuple[int, ...]) -> npt.NDArray[Any]:
    """The value as an array of real numbers of this shape, (N,) or ()."""
    try:
        array = value if type(value) is np.ndarray else np.asarray(value)
    except (ValueError, TypeError) as error:
        raise RewardFailure("wrong_dtype", f"{what} is no array of numbers: {error}") from error
    if array.shape != shape:
        found, wanted = str(array.shape), _ONE_NUMBER
        if shape:
            found = found.replace(f"({shape[0]},", "(N,").replace(f" {shape[0]})", " N)")
            wanted = "(N,)"
        raise RewardFailure("wrong_shape", f"{what} has shape {found}, expected {wanted}")
    if array.dtype.kind not in _REAL:
        text = f"{what} has dtype {array.dtype}, expected float64: real numbers only"
        raise RewardFailure("wrong_dtype", text)
    return array


def explain(error: BaseException, source: str, rows: int = 0) -> RewardFailure:
    """The failure that an exception stands for: exception, out_of_memory or mutated_input.

    Args:
        rows: of the batch; 0 while the program was loaded.
    """
    linecache.cache[FILENAME] = len(source), None, source.splitlines(), FILENAME
    frames = [each for each in traceback.extract_tb(error.__traceback__) if each.filename == FILENAME]
    where = f"Line {frames[-1].lineno}: " if frames else ""
    kind, text = type(error).__name__, _ADDRESS.sub("", _text(error)).replace("\n", " ")
    shown = (f"  line {each.lineno}, in {each.name}\n    {each.line}" for each in frames[-_FRAMES:])
    detail = "\n".join([*shown, f"{kind}: {text}"])
    if isinstance(error, MemoryError):
        return RewardFailure("out_of_memory", f"{where}more than 512 MB: {text or 'out of memory'}", detail)
    hint = ""
    with contextlib.suppress(Exception):  # the process's boundary: then there is no hint
        hint = hints.for_exception(f"{kind}: {text}", _path(frames[-1], source), rows)
    mutated = isinstance(error, ValueError) and ("read-only" in text or "WRITEABLE" in text)
    return RewardFailure(
        "mutated_input" if mutated else "exception", where + (hint or f"{kind}: {text}"), detail
    )


def _path(frame: traceback.FrameSummary, source: str) -> hints.Path:
    """The expression that raised the exception, and the nodes around it, outwards."""
    begin = frame.lineno or 0, frame.colno or 0
    end = frame.end_lineno or 0, frame.end_colno or 0
    around = [
        node
        for node in ast.walk(ast.parse(source))  # outer nodes come before inner ones
        if isinstance(node, ast.expr | ast.stmt)
        and (node.lineno, node.col_offset) <= begin
        and end <= (node.end_lineno or 0, node.end_col_offset or 0)
    ]
    return around[::-1]


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except BaseException:  # noqa: BLE001 (the program may have written this __str__)
        return "(its text can't be shown)"
