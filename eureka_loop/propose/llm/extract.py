"""The program in a model's reply, or the reason why there is none."""

from __future__ import annotations

import ast
import re
import textwrap
from itertools import groupby

from eureka_loop.records import Reply

ENTRY = "compute_reward"
_DEFINES = re.compile(rf"^\s*def\s+{ENTRY}\s*\(", re.MULTILINE)
_OPENING = r"^[ \t>]*(?P<marks>`{3,}|~{3,})[^`\n]*\n"
_BLOCK = re.compile(rf"{_OPENING}(?P<code>.*?)^[ \t>]*(?P=marks)[`~]*[ \t]*$", re.MULTILINE | re.DOTALL)
_UNCLOSED = re.compile(rf"{_OPENING}(?P<code>.*)", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"\s|$|[)\]}@#]|def |from |import |[A-Za-z_]\w*\s*(:[^=]+)?=[^=]")  # begins a line of code


def extract(text: str, *, finish_reason: str = "stop", refusal: str = "", limit: int = 0) -> Reply:
    """The program in a reply, or the reason why there is none.

    The last complete fenced block that defines `compute_reward` counts: models correct themselves downwards.
    Without a fence it is the lines around it that look like code. A block with another function is passed on,
    for the gate to name the mistake.

    Args:
        finish_reason: as the endpoint gave it; "length" and "content_filter" matter.
        refusal: the endpoint's own field for refusals.
        limit: tokens that the reply could have, for the message.
    """
    if refusal or finish_reason == "content_filter":
        return Reply(None, problem=f"the model refused: {one_line(refusal or text) or 'content filter'}")
    text = without_thinking(text).replace("\r\n", "\n").replace("\r", "\n")
    blocks = [_tidy(block["code"]) for block in _BLOCK.finditer(text)]
    unclosed = _UNCLOSED.search(_BLOCK.sub("", text))
    rest, cut = _tidy(unclosed["code"]) if unclosed else "", finish_reason == "length"
    if not cut and rest and _parses(rest):
        blocks.append(rest)  # only the closing fence is missing
    if not (blocks or rest or cut):
        runs = groupby(text.split("\n"), key=lambda line: bool(_CODE.match(line)))
        bare = [_tidy("\n".join(lines)) for is_code, lines in runs if is_code]
        blocks = [code for code in bare if _DEFINES.search(code)]
    source = _chosen(blocks, cut=cut)
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
        problem = f"no code block of the reply defines {ENTRY}"
    else:
        problem = f"the reply holds no code: {one_line(text)}" if text else "the reply is empty"
    return Reply(None, problem=problem)


def without_thinking(text: str) -> str:
    """A reply without the `<think>` part before it, whole, without its beginning, or cut off."""
    text = re.sub(r"<think(?:ing)?>.*?</think(?:ing)?>", "", text, flags=re.DOTALL)
    text = re.split(r"</think(?:ing)?>", text)[-1]
    return re.split(r"<think(?:ing)?>", text)[0].strip()


def one_line(text: str, width: int = 160) -> str:
    """Foreign text without control characters and line breaks, cut to `width`."""
    return textwrap.shorten(re.sub(r"[\x00-\x1f\x7f-\x9f]", " ", text), width, placeholder=" …")


def _chosen(blocks: list[str], *, cut: bool) -> str | None:
    """The last block that defines the function and is Python, else the last one with any function."""
    entries = [code for code in blocks if _DEFINES.search(code)]
    if entries:
        return next(filter(_parses, reversed(entries)), entries[-1])
    functions = [code for code in blocks if re.search(r"^def ", code, re.MULTILINE)]
    return functions[-1] if functions and not cut else None


def _parses(code: str) -> bool:
    try:
        ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _tidy(code: str) -> str:
    return textwrap.dedent(code).strip("\n").rstrip() + "\n"
