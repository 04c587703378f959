"""The program in a model's reply, or the reason why there is none.

Everything here takes a time in proportion to the text: an endpoint may have made it for taking longer.
"""

from __future__ import annotations

import ast
import re
import textwrap
import warnings
from collections.abc import Iterator
from itertools import groupby, islice

from eureka_loop.records import Reply
from eureka_loop.reward.parsing import MAX_BYTES
from eureka_loop.text import one_line

ENTRY = "compute_reward"
TRIED = 10  # programs of one reply, from its end
QUOTED = 160  # characters of a reply, in the reason
_FUNCTION = re.compile(r"^def ", re.MULTILINE)
_OPENS = re.compile(r"[ \t>]*(`{3,}|~{3,})[^`]*$|[^`]*(`{3,})\w*[ \t]*$")  # a fence alone, or after words
_CLOSES = re.compile(r"[ \t>]*(`{3,}|~{3,})[`~]*[ \t]*$")
_LANGUAGE = re.compile(r"\s*(python3?|py)[ \t]*\n")
_CODE = re.compile(r"\s|$|[)\]}@#]|def |from |import |[A-Za-z_]\w*\s*(:[^=]+)?=[^=]")  # begins a line of code
_THINKS = re.compile(r"<(/?)think(?:ing)?>")


def extract(
    text: str, *, entry: str = ENTRY, finish_reason: str = "stop", refusal: str = "", limit: int = 0
) -> Reply:
    """The program in a reply, or the reason why there is none.

    The last complete fenced block that defines the entry point counts: models correct themselves downwards.
    Without a fence it is the lines around it that look like code. A block with another function is passed on,
    for the gate to name the mistake.

    Args:
        entry: the function that the program must define.
        finish_reason: as the endpoint gave it; "length" and "content_filter" matter.
        refusal: the endpoint's own field for refusals.
        limit: tokens that the reply could have, for the message.
    """
    if refusal or finish_reason == "content_filter":
        said = one_line(refusal or text, QUOTED) or "content filter"
        return Reply(None, problem=f"the model refused: {said}")
    text = without_thinking(text).replace("\r\n", "\n").replace("\r", "\n").replace("\ufeff", "")
    found, cut = list(_fenced(text)), finish_reason == "length"
    blocks = [code for code, closed in found if closed]
    rest = next((code for code, closed in found if not closed and code.strip()), "")
    if not cut and rest and _parses(rest):
        blocks.append(rest)  # only the closing fence is missing
    if not (blocks or rest or cut):
        runs = groupby(text.split("\n"), key=lambda line: bool(_CODE.match(line)))
        bare = [_tidy("\n".join(lines)) for is_code, lines in runs if is_code]
        blocks = [code for code in bare if _defines(entry, code)]
    source = _chosen(blocks, entry, cut=cut)
    if source is not None and (size := len(source.encode())) > MAX_BYTES:
        problem = f"the program is {size:,} bytes long; {MAX_BYTES:,} are allowed: shorten it"
        return Reply(None, problem=problem)
    if source is not None:
        return Reply(source)
    if cut:
        problem = (
            f"the reply was cut off by the token limit ({limit} tokens) before the program was complete: "
            "raise --max-completion-tokens, or choose a model that thinks less"
        )
    elif rest:
        problem = "the reply ends in the middle of the program"
    elif blocks:
        problem = f"no code block of the reply defines {entry}"
    else:
        problem = f"the reply holds no code: {one_line(text, QUOTED)}" if text else "the reply is empty"
    return Reply(None, problem=problem)


def without_thinking(text: str) -> str:
    """A reply without its `<think>` parts, whole, without their beginning, or cut off.

    A tag that a sentence or a comment names takes nothing away.
    """
    kept: list[str] = []
    start, opened = 0, -1
    for tag in _THINKS.finditer(text):
        if tag[1]:
            if opened >= 0:
                kept.append(text[start:opened])
            else:
                kept.clear()
            start, opened = tag.end(), -1
        elif opened < 0:
            opened = tag.start()
    cut_off = opened >= 0 and not text[start:opened].strip()
    return "".join([*kept, "" if cut_off else text[start:]]).strip()


def _fenced(text: str) -> Iterator[tuple[str, bool]]:
    """The code of each fenced block, and whether its end is there."""
    lines: list[str] = []
    fence = ""
    for line in text.split("\n"):
        if fence:
            closing = _CLOSES.match(line)
            if closing and closing[1].startswith(fence):
                yield _tidy("\n".join(lines)), True
                fence = ""
            else:
                lines.append(line)
        elif opening := _OPENS.match(line):
            fence, lines = opening[1] or opening[2], []
    if fence:
        yield _tidy("\n".join(lines)), False


def _defines(entry: str, code: str) -> bool:
    return re.search(rf"^[ \t]*def[ \t]+{entry}[ \t]*\(", code, re.MULTILINE) is not None


def _chosen(blocks: list[str], entry: str, *, cut: bool) -> str | None:
    """The last block that defines the function and is Python, else the last one with any function."""
    entries = [code for code in blocks if _defines(entry, code)]
    if entries:
        return next(filter(_parses, islice(reversed(entries), TRIED)), entries[-1])
    functions = [code for code in blocks if _FUNCTION.search(code)]
    return functions[-1] if functions and not cut else None


def _parses(code: str) -> bool:
    if len(code) > MAX_BYTES:
        return False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _tidy(code: str) -> str:
    """A block without its indentation, and without a language named in its first line."""
    named = _LANGUAGE.match(code)
    return textwrap.dedent(code[named.end() :] if named else code).strip("\n").rstrip() + "\n"
