"""An exception of a program as text, in the locked process: line, cause, what to write instead.

Made by hand: `traceback` would look for the source in a file, which a locked process can't open.
"""

from __future__ import annotations

import ast
import contextlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import FrameType, TracebackType

import numpy as np

from eureka_loop.errors import Refused, RewardFailure
from eureka_loop.reward import hints

FILENAME = "<program>"  # of the program's code objects
_FRAMES = 5  # shown, from the traceback's end
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")  # differs from run to run; a replayed prompt must not


@dataclass(frozen=True, slots=True)
class _Frame:
    """One of the program's own frames. `position`: line, end line, column, end column of what it executes."""

    function: str
    line: int
    position: tuple[int | None, ...]
    frame: FrameType


def explain(
    error: BaseException, source: str, rows: int = 0, shapes: Mapping[str, tuple[int, ...]] | None = None
) -> RewardFailure:
    """The failure that an exception stands for: exception, out_of_memory or mutated_input.

    Args:
        rows: of the batch; 0 while the program was loaded.
        shapes: observable to the shape of one row.
    """
    if isinstance(error, RewardFailure):
        return error
    if isinstance(error, Refused):  # not Python, or no entry point; the lines are in the text
        return RewardFailure("exception", str(error))
    frames = list(_program_frames(error.__traceback__))
    lines = [(each.line, each.function) for each in frames]
    if isinstance(error, SyntaxError) and error.filename == FILENAME:  # from `compile`: a `return` outside
        lines.append((error.lineno or 0, "<module>"))
    where = f"Line {lines[-1][0]}: " if lines else ""
    kind, text = type(error).__name__, _ADDRESS.sub("", _text(error)).replace("\n", " ")
    detail = "\n".join([*_traceback_lines(lines, source.splitlines()), f"{kind}: {text}"])
    if isinstance(error, MemoryError):
        _release(error.__traceback__)
        return RewardFailure("out_of_memory", f"{where}more than 512 MB: {text or 'out of memory'}", detail)
    spot = _spot(frames, source, rows, shapes or {})
    hint = hints.for_exception(f"{kind}: {text}", spot) if spot else ""
    mutated = isinstance(error, ValueError) and ("read-only" in text or "WRITEABLE" in text)
    return RewardFailure(
        "mutated_input" if mutated else "exception", where + (hint or f"{kind}: {text}"), detail
    )


def _program_frames(trace: TracebackType | None) -> Iterator[_Frame]:
    """The program's own frames, outermost first."""
    while trace is not None:
        code = trace.tb_frame.f_code
        if code.co_filename == FILENAME:
            positions = list(code.co_positions())
            position = positions[trace.tb_lasti // 2] if trace.tb_lasti >= 0 else (None,) * 4
            yield _Frame(code.co_name, trace.tb_lineno, position, trace.tb_frame)
        trace = trace.tb_next


def _release(trace: TracebackType | None) -> None:
    """Clear the frames, whose arrays may be what memory is short of."""
    while trace is not None:
        with contextlib.suppress(RuntimeError):  # still running: our own
            trace.tb_frame.clear()
        trace = trace.tb_next


def _spot(
    frames: list[_Frame], source: str, rows: int, shapes: Mapping[str, tuple[int, ...]]
) -> hints.Spot | None:
    """Where the exception was raised; None where that is no expression of the source."""
    if not frames:
        return None
    last = frames[-1]
    with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
        path = _path(ast.parse(source), last.position)
        if path:
            return hints.Spot(path, last.function, rows, lambda node: _shape(node, last.frame), shapes)
    return None


def _path(tree: ast.AST, position: tuple[int | None, ...]) -> tuple[ast.AST, ...]:
    """The node at exactly that position and those around it, innermost first; () where there is none."""
    line, end_line, column, end_column = position
    path: list[ast.AST] = []
    node: ast.AST | None = tree
    while node is not None:
        path.insert(0, node)
        node = next((child for child in ast.iter_child_nodes(node) if _covers(child, position)), None)
    at = getattr(path[0], "lineno", 0), getattr(path[0], "end_lineno", 0)
    columns = getattr(path[0], "col_offset", 0), getattr(path[0], "end_col_offset", 0)
    return tuple(path) if (*at, *columns) == (line, end_line, column, end_column) else ()


def _covers(node: ast.AST, position: tuple[int | None, ...]) -> bool:
    line, end_line, column, end_column = position
    if (
        not hasattr(node, "lineno")
        or line is None
        or end_line is None
        or column is None
        or end_column is None
    ):
        return False
    first, last = (node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)  # type: ignore[attr-defined]
    return first <= (line, column) and (end_line, end_column) <= last


def _shape(node: ast.expr, frame: FrameType) -> tuple[int, ...] | None:
    """The shape of a subexpression's value; it is evaluated again, where it failed."""
    values: Mapping[str, object] = frame.f_locals
    try:
        expression = ast.fix_missing_locations(ast.Expression(node))
        value = eval(compile(expression, FILENAME, "eval"), frame.f_globals, dict(values))
        return (
            np.shape(value)
            if isinstance(value, np.ndarray | np.generic | float | int | list | tuple)
            else None
        )
    except Exception:  # noqa: BLE001 (the process's boundary: then there is no hint)
        return None


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
