"""An exception of a program in words: the line, what was raised, the last lines of its traceback.

Made by hand: `traceback` would look for the source in a file, which a locked process can't open.
"""

from __future__ import annotations

import contextlib
import re
from types import TracebackType

from eureka_loop.errors import Refused, RewardFailure

FILENAME = "<program>"  # the program's code objects carry it
_FRAMES = 5  # of the traceback's end are shown
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")  # differs from run to run; a replayed prompt must not

_ADVICE = {
    "truth value of an array": "write `np.where(condition, a, b)`, and `&`, `|`, `~` for and, or, not",
    "could not be broadcast": "give both the same last axis, or add one with `[:, None]`",
}


def explain(error: BaseException, source: str) -> RewardFailure:
    """The failure that an exception stands for: exception, out_of_memory or mutated_input."""
    if isinstance(error, Refused):  # it isn't Python, or has no entry point; the lines are in the text
        return RewardFailure("exception", str(error))
    frames = _program_frames(error.__traceback__)
    if (
        isinstance(error, SyntaxError) and error.filename == FILENAME
    ):  # from `compile`: a `return` outside, ...
        frames.append((error.lineno or 0, "<module>"))
    where = f"Line {frames[-1][0]}: " if frames else ""
    name, text = type(error).__name__, _ADDRESS.sub("", _text(error)).replace("\n", " ")
    detail = "\n".join([*_traceback_lines(frames, source.splitlines()), f"{name}: {text}"])
    if isinstance(error, MemoryError):
        return RewardFailure("out_of_memory", f"{where}more than 512 MB: {text or 'out of memory'}", detail)
    if isinstance(error, ValueError) and ("read-only" in text or "WRITEABLE" in text):
        message = f"{where}the inputs are read-only; work on a copy (`x = x + 0.0`) or build a new array"
        return RewardFailure("mutated_input", message, detail)
    advice = next((f"; {advice}" for part, advice in _ADVICE.items() if part in text), "")
    return RewardFailure("exception", f"{where}{name}: {text}{advice}", detail)


def _program_frames(trace: TracebackType | None) -> list[tuple[int, str]]:
    """(line, function) of the program's own frames, outermost first."""
    frames = []
    while trace is not None:
        code = trace.tb_frame.f_code
        if code.co_filename == FILENAME:
            frames.append((trace.tb_lineno, code.co_name))
        with contextlib.suppress(RuntimeError):  # still running: our own
            trace.tb_frame.clear()  # its arrays may be what memory is short of
        trace = trace.tb_next
    return frames


def _traceback_lines(frames: list[tuple[int, str]], lines: list[str]) -> list[str]:
    shown = ["…"] if len(frames) > _FRAMES else []
    for line, function in frames[-_FRAMES:]:
        code = lines[line - 1].strip() if 0 < line <= len(lines) else ""
        shown += [f"  line {line}, in {function}", f"    {code}"]
    return shown


def _text(error: BaseException) -> str:
    try:
        return error.msg if isinstance(error, SyntaxError) else str(error)
    except BaseException:  # noqa: BLE001 (the program may have written this __str__)
        return "(its text can't be shown)"
