"""An exception of a program as text, in the locked process: line, cause, what to write instead.

Made by hand: `traceback` would look for the source in a file, which a locked process can't open.
"""

from __future__ import annotations

import ast
import contextlib
import re
from collections.abc import Mapping
from types import TracebackType

import numpy as np

from eureka_loop.errors import Refused, RewardFailure
from eureka_loop.reward import hints
from eureka_loop.reward.term_hints import Shape

FILENAME = "<program>"  # of the program's code objects
_FRAMES = 5  # shown, from the traceback's end
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")  # differs from run to run; a replayed prompt must not


def explain(
    error: BaseException, source: str, rows: int = 0, shapes: Mapping[str, Shape] | None = None
) -> RewardFailure:
    """The failure that an exception stands for: exception, out_of_memory or mutated_input.

    Args:
        rows: of the batch; 0 while the program was loaded.
        shapes: parameter of a reward program to the shape of one row.
    """
    if isinstance(error, Refused):  # not Python, or no entry point; the lines are in the text
        return RewardFailure("exception", str(error))
    frames = _program_frames(error.__traceback__)
    lines = [(frame.tb_lineno, frame.tb_frame.f_code.co_name) for frame in frames]
    if isinstance(error, SyntaxError) and error.filename == FILENAME:  # from `compile`: a `return` outside
        lines.append((error.lineno or 0, "<module>"))
    where = f"Line {lines[-1][0]}: " if lines else ""
    kind, text = type(error).__name__, _ADDRESS.sub("", _text(error)).replace("\n", " ")
    detail = "\n".join([*_traceback_lines(lines, source.splitlines()), f"{kind}: {text}"])
    if isinstance(error, MemoryError):
        _release(error.__traceback__)
        return RewardFailure("out_of_memory", f"{where}more than 512 MB: {text or 'out of memory'}", detail)
    hint = ""
    with contextlib.suppress(Exception):  # the process's boundary: then there is no hint
        if frames and (spot := _spot(frames[-1], source, rows, shapes)):
            hint = hints.for_exception(f"{kind}: {text}", spot)
    mutated = isinstance(error, ValueError) and ("read-only" in text or "WRITEABLE" in text)
    return RewardFailure(
        "mutated_input" if mutated else "exception", where + (hint or f"{kind}: {text}"), detail
    )


def _program_frames(trace: TracebackType | None) -> list[TracebackType]:
    """Those of the program's own code, outermost first."""
    found = []
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == FILENAME:
            found.append(trace)
        trace = trace.tb_next
    return found


def _release(trace: TracebackType | None) -> None:
    """Clear the frames: their arrays may fill the memory."""
    while trace is not None:
        with contextlib.suppress(RuntimeError):  # still running: our own
            trace.tb_frame.clear()
        trace = trace.tb_next


def _spot(
    trace: TracebackType, source: str, rows: int, shapes: Mapping[str, Shape] | None
) -> hints.Spot | None:
    """Where the exception was raised; None where that is no expression or statement of the source."""
    frame = trace.tb_frame
    position = list(frame.f_code.co_positions())[trace.tb_lasti // 2]
    line, end_line, column, end_column = (number or 0 for number in position)
    start, end = (line, column), (end_line, end_column)
    path: list[ast.AST] = []
    node: ast.AST | None = ast.parse(source)
    while node is not None:
        path.insert(0, node)
        children = ((child, _span(child)) for child in ast.iter_child_nodes(node))
        node = next((child for child, (first, last) in children if first <= start and end <= last), None)
    if _span(path[0]) != (start, end):
        return None

    def shape(node: ast.expr) -> Shape | None:
        """Of a subexpression, evaluated again where it failed."""
        try:
            expression = compile(ast.fix_missing_locations(ast.Expression(node)), FILENAME, "eval")
            value = eval(expression, frame.f_globals, dict(frame.f_locals))
        except Exception:  # noqa: BLE001 (the process's boundary: then there is no hint)
            return None
        return np.shape(value) if isinstance(value, np.ndarray | np.generic | float | int | list) else None

    return hints.Spot(tuple(path), frame.f_code.co_name, rows, shape, shapes)


def _span(node: ast.AST) -> tuple[tuple[int, int], tuple[int, int]]:
    """Line and column of its start and of its end."""
    if not isinstance(node, ast.expr | ast.stmt | ast.keyword | ast.arg | ast.alias):
        return (0, 0), (0, 0)
    return (node.lineno, node.col_offset), (node.end_lineno or 0, node.end_col_offset or 0)


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
