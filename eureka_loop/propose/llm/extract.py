"""The program in a model's reply, or the reason why there is none.

Everything here takes a time in proportion to the text: an endpoint may have made it for taking longer.
"""

from __future__ import annotations

import ast
import html
import json
import re
import textwrap
import warnings
from collections.abc import Iterator
from itertools import groupby

from eureka_loop.records import Reply
from eureka_loop.reward.parsing import MAX_BYTES
from eureka_loop.text import one_line

ENTRY = "compute_reward"
TRIED = 10  # programs of one reply, from its end
QUOTED = 160  # characters of a reply, in the reason
_FUNCTION = re.compile(r"^def ", re.MULTILINE)
_OPENS = re.compile(r"[ \t>]*(`{3,}|~{3,})[^`]*$|[^`]*(`{3,})\w*[ \t]*$")  # a fence alone, or after words
_CLOSES = re.compile(r"[ \t>]*(`{3,}|~{3,})[`~]*[ \t]*$")
_LANGUAGE = re.compile(r"\s*(python3?|py)[ \t]*\n", re.I)
_CODE = re.compile(r"\s|$|[)\]}@#]|def |from |import |[A-Za-z_]\w*\s*(:[^=]+)?=[^=]")  # begins a line of code
_THINKS = re.compile(r"[<\[](/?)(?:think(?:ing)?|thoughts?|reasoning|THINK)[>\]]")
_FENCE = re.compile(r"(?:`{3,}|~{3,}|'{3}(?=python))[ \t]*(?:(?:python3?|py)\b[ \t]*)?", re.I)
_TAG = re.compile(rf"{_FENCE.pattern}|<[/|]?[a-z][^<>\n]{{0,80}}>|^[ \t]*`|`[ \t]*$", re.I | re.M)
_ODD = str.maketrans("\u00a0\u201c\u201d\u2018\u2019", " \"\"''", "\u200b")
_PREFIX = re.compile(  # of a quote, a prompt, a numbered line, a difference
    r"^[ \t]*(?:>>>|\.\.\.|>|\d{1,4}[ \t]?[|:.])(?:[ \t]|$)|^\+", re.M
)
_CUT = ("length", "max_tokens", "model_length")  # reasons to finish


def extract(
    text: str, *, entry: str = ENTRY, finish_reason: str = "stop", refusal: str = "", limit: int = 0
) -> Reply:
    """The program in a reply, or the reason why there is none.

    The last complete fenced block that defines the entry point counts: models correct themselves downwards.
    Without one that is Python it is the lines around it that look like code. A block with another function
    is passed on, for the gate to name the mistake.

    Args:
        entry: the function that the program must define.
        finish_reason: as the endpoint gave it; "length" and "content_filter" matter.
        refusal: the endpoint's own field for refusals.
        limit: tokens that the reply could have, for the message.
    """
    if refusal or finish_reason.lower().startswith(("content_filter", "safety")):
        said = one_line(refusal or text, QUOTED) or "content filter"
        return Reply(None, problem=f"the model refused: {said}")
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\ufeff", "")
    spoken, cut = without_thinking(text), finish_reason.lower() in _CUT
    if not (cut or re.search(r"\w", spoken)) and _defines(entry, _THINKS.sub("\n", text)):
        spoken = _THINKS.sub("\n", text)  # the thoughts don't end, or there is nothing but thoughts
    text = spoken
    found = list(_fenced(text))
    blocks = [code for code, closed in found if closed]
    rest = next((code for code, closed in found if not closed and code.strip()), "")
    if not cut and rest and _parses(rest):
        blocks.append(rest)  # only the closing fence is missing
    if not cut and not any(_defines(entry, code) and _parses(code) for code in blocks[-TRIED:]):
        blocks += _untidy(text, entry)
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


def _untidy(text: str, entry: str) -> list[str]:
    """Programs among lines that look like code, in a reply whose fences and tags aren't where they belong."""
    if entry not in text:
        return []
    plain = html.unescape(text).translate(_ODD)
    bare = _PREFIX.sub("", plain)
    readings = (
        _FENCE.split(text),
        [_FENCE.sub("\n", text)],
        _TAG.split(text),
        _TAG.split(plain),
        _FENCE.split(bare),
        _FENCE.split(_unquoted(text, entry)),
    )
    for pieces in readings:
        runs = (
            "\n".join(lines)
            for piece in pieces
            for is_code, lines in groupby(piece.split("\n"), key=lambda line: bool(_CODE.match(line)))
            if is_code
        )
        programs = [_tidy(code) for code in runs if _defines(entry, code)][-TRIED:]
        if programs := [code for code in programs if _parses(code)]:
            return programs
    return []


def _unquoted(text: str, entry: str) -> str:
    """The string of a JSON with the program in it; or the text with its own breaks of lines."""
    quote = text.rfind('"', 0, text.rfind(f"def {entry}"))
    while quote > 0 and text[quote - 1] == "\\":
        quote = text.rfind('"', 0, quote)
    if quote < 0:
        return text.replace("\\n", "\n")
    try:
        return str(json.JSONDecoder(strict=False).raw_decode(text, quote)[0])
    except ValueError:
        return ""


def _defines(entry: str, code: str) -> bool:
    return re.search(rf"^[ \t]*def[ \t]+{entry}[ \t]*\(", code, re.MULTILINE) is not None


def _chosen(blocks: list[str], entry: str, *, cut: bool) -> str | None:
    """The last block that defines the function and is Python, else the last one with any function."""
    entries = [code for code in blocks if _defines(entry, code)]
    if entries:
        parsed = [code for code in reversed(entries[-TRIED:]) if _parses(code)]
        whole = (code for code in parsed if "return" in code)  # not its signature alone
        return next(whole, [*parsed, entries[-1]][0])
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
