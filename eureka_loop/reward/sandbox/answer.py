"""A program's result or exception: names, shapes, types, failures in the child; floats in the owner's copy.

A traceback is written by hand: `traceback` would look for the source in a file, which a locked process can't
open.
"""

from __future__ import annotations

import ast
import contextlib
import re
from collections.abc import Sequence
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from eureka_loop import numbers
from eureka_loop.errors import Refused, RewardFailure
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
_FRAMES = 5  # shown, from the traceback's end
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")  # differs from run to run; a replayed prompt must not


def collect(result: object, known: tuple[str, ...], rows: int, values: Array) -> tuple[str, ...]:
    """Copy a reward program's terms to `values` (MAX_TERMS, capacity), one a line; returns their names.

    Args:
        known: names in the calls before; () in the first.

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
            values[line, :rows] = _checked(f"Term {name!r}", value, (rows,))
        except RewardFailure as failure:
            failures.append(failure)
    if failures:
        raise RewardFailure(failures[0].kind, "\n".join(map(str, failures)))
    return names


def collect_number(result: object, kind: str, values: Array) -> None:
    """Copy the number of a fitness or success program to `values[0, 0]`.

    Raises:
        RewardFailure: wrong_shape, wrong_dtype or not_finite.
    """
    values[0, 0] = number = _checked(f"`{kind}`", result, ())
    if not np.isfinite(number):
        raise RewardFailure("not_finite", f"`{kind}` returned {number}, expected a finite number")


def check_names(names: tuple[str, ...]) -> None:
    """Hold the names of a reward's terms to the contract.

    Raises:
        RewardFailure: wrong_terms.
    """
    for name in names:
        if type(name) is not str or not TERM_NAME.fullmatch(name):
            allowed = "1 to 64 letters, digits, `_`, `-`, `.`, `/`, the first no digit"
            raise RewardFailure("wrong_terms", f"Term {name!r}: a name has {allowed}")
    total = next((name for name in _TOTALS if name in names), None)
    if total and not all(map(is_diagnostic, set(names) - {total})):
        text = f"Remove the key {total!r}: the reward is the sum of the other terms"
        raise RewardFailure("wrong_terms", text)
    if not 0 < len(names) <= MAX_TERMS or len(set(names)) < len(names) or all(map(is_diagnostic, names)):
        expected = f"expected 1 to {MAX_TERMS}, at least one of them without a leading `_`"
        raise RewardFailure("wrong_terms", f"{len(names)} terms ({', '.join(names) or 'none'}): {expected}")


def find_fault(names: Sequence[str], values: Array) -> tuple[RewardFailure, int] | None:
    """The first value that is not finite or too large, with its row in `values` (K, N), or None."""
    wrong = ~(np.abs(values) <= TERM_LIMIT)  # NaN included
    if not wrong.any():
        return None
    term, row = (int(index) for index in np.argwhere(wrong)[0])
    name, value = names[term], values[term, row]
    where = f"in {wrong[term].sum()} of {values.shape[1]} rows, first in row {row}"
    if not np.isfinite(value):
        return RewardFailure("not_finite", f"Term {name!r} is {value} {where}"), row
    limit, size = numbers.number(TERM_LIMIT), numbers.number(float(value))
    message = f"Term {name!r} exceeds ±{limit} {where} ({size}): scale or clip it"
    return RewardFailure("out_of_range", message), row


def inputs_at(parameters: Sequence[str], columns: Sequence[Array], row: int) -> str:
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
    if isinstance(error, Refused):  # not Python, or no entry point; the lines are in the text
        return RewardFailure("exception", str(error))
    frames, trace = [], error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == FILENAME:
            frames.append(trace)
        trace = trace.tb_next
    lines = [(frame.tb_lineno, frame.tb_frame.f_code.co_name) for frame in frames]
    if isinstance(error, SyntaxError) and error.filename == FILENAME:  # from `compile`: a `return` outside
        lines.append((error.lineno or 0, "<module>"))
    where = f"Line {lines[-1][0]}: " if lines else ""
    kind, text = type(error).__name__, _ADDRESS.sub("", _text(error)).replace("\n", " ")
    detail = "\n".join([*_traceback_lines(lines, source.splitlines()), f"{kind}: {text}"])
    if isinstance(error, MemoryError):
        return RewardFailure("out_of_memory", f"{where}more than 512 MB: {text or 'out of memory'}", detail)
    hint = ""
    with contextlib.suppress(Exception):  # the process's boundary: then there is no hint
        hint = hints.for_exception(f"{kind}: {text}", _path(frames[-1], source), rows)
    mutated = isinstance(error, ValueError) and ("read-only" in text or "WRITEABLE" in text)
    return RewardFailure(
        "mutated_input" if mutated else "exception", where + (hint or f"{kind}: {text}"), detail
    )


def _path(trace: TracebackType, source: str) -> hints.Path:
    """The expression that raised the exception, and the nodes around it, outwards."""
    position = list(trace.tb_frame.f_code.co_positions())[trace.tb_lasti // 2]
    line, end_line, column, end_column = (number or 0 for number in position)
    around = [
        node
        for node in ast.walk(ast.parse(source))  # outer nodes come before inner ones
        if isinstance(node, ast.expr | ast.stmt)
        and (node.lineno, node.col_offset) <= (line, column)
        and (end_line, end_column) <= (node.end_lineno or 0, node.end_col_offset or 0)
    ]
    return around[::-1]


def _traceback_lines(frames: list[tuple[int, str]], lines: list[str]) -> list[str]:
    shown = ["…"] if len(frames) > _FRAMES else []
    for line, function in frames[-_FRAMES:]:
        text = lines[line - 1].strip() if 0 < line <= len(lines) else ""
        shown += [f"  line {line}, in {function}", f"    {text}"]
    return shown


def _text(error: BaseException) -> str:
    try:
        return error.msg if isinstance(error, SyntaxError) else str(error)
    except BaseException:  # noqa: BLE001 (the program may have written this __str__)
        return "(its text can't be shown)"
