"""An exception of a program as text, in the locked process: line, cause, what to write instead.

Made by hand: `traceback` would look for the source in a file, which a locked process can't open.
"""

from __future__ import annotations

import ast
import contextlib
import re
from types import TracebackType

from eureka_loop.errors import Refused, RewardFailure
from eureka_loop.reward import hints
from eureka_loop.reward.parsing import FILENAME

_FRAMES = 5  # shown, from the traceback's end
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")  # differs from run to run; a replayed prompt must not


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
