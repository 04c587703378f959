"""The program in a model's reply, or the reason why there is none."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

ENTRY = "compute_reward"
_DEFINES = re.compile(rf"^\s*def\s+{ENTRY}\s*\(", re.MULTILINE)
_FENCE = re.compile(r"^[ \t>]*(?P<marks>`{3,}|~{3,})[ \t]*(?P<language>[\w+#.-]*)[^`\n]*$")
_STARTS_CODE = re.compile(r"^(@|#|def |from |import |[A-Za-z_]\w*\s*(:[^=]+)?=[^=])")


@dataclass(frozen=True, slots=True)
class Extracted:
    """A program's text, or the reason why there is none: one of the two is empty."""

    source: str | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block of a reply; `closed` is False where the closing fence is missing."""

    code: str
    closed: bool


def extract(text: str, *, finish_reason: str = "stop", refusal: str = "", limit: int = 0) -> Extracted:
    """The program in a reply.

    The last complete fenced block that defines `compute_reward` counts: models correct themselves downwards.
    Code without a fence is found by its `def`. A block with another function is passed on, for the gate to
    name the mistake.

    Args:
        finish_reason: as the endpoint gave it; "length" and "content_filter" matter.
        refusal: the endpoint's own field for refusals.
        limit: tokens that the reply could have, for the message.
    """
    if refusal or finish_reason == "content_filter":
        return Extracted(None, f"the model refused: {_one_line(refusal or text) or 'content filter'}")
    text = without_thinking(text).replace("\r\n", "\n").replace("\r", "\n")
    blocks, cut = list(_fenced_blocks(text)), finish_reason == "length"
    source = _from_blocks(blocks, cut=cut) or (_unfenced(text) if not blocks and not cut else None)
    return Extracted(source) if source else Extracted(None, _reason(text, blocks, cut=cut, limit=limit))


def without_thinking(text: str) -> str:
    """A reply without the `<think>` part before it, whole, without its beginning, or cut off."""
    text = re.sub(r"<think(?:ing)?>.*?</think(?:ing)?>", "", text, flags=re.DOTALL)
    text = re.split(r"</think(?:ing)?>", text)[-1]
    return re.split(r"<think(?:ing)?>", text)[0].strip()


def _fenced_blocks(text: str) -> Iterator[Block]:
    """Every fenced block, in order, dedented."""
    marks, lines = "", list[str]()
    for line in text.split("\n"):
        fence = _FENCE.match(line)
        if fence and not marks:
            marks, lines = fence["marks"], []
        elif fence and not fence["language"] and fence["marks"].startswith(marks):
            yield Block(_tidy(textwrap.dedent("\n".join(lines))), closed=True)
            marks = ""
        elif marks:
            lines.append(line)
    if marks:
        yield Block(_tidy(textwrap.dedent("\n".join(lines))), closed=False)


def _from_blocks(blocks: list[Block], *, cut: bool) -> str | None:
    """The block to take. An unclosed one counts only where nothing cut the reply and it is whole Python."""
    whole = [block.code for block in blocks if block.closed or (not cut and _parses(block.code))]
    entries = [code for code in whole if _DEFINES.search(code)]
    if entries:
        return next((code for code in reversed(entries) if _parses(code)), entries[-1])
    functions = [code for code in whole if re.search(r"^def ", code, re.MULTILINE)]
    return functions[-1] if functions and not cut else None


def _unfenced(text: str) -> str | None:
    """Code without a fence: the longest run of lines around the `def` that is Python."""
    lines = text.split("\n")
    entry = next((n for n, line in enumerate(lines) if re.match(rf"def\s+{ENTRY}\s*\(", line)), None)
    if entry is None:
        return None
    starts = [n for n in range(entry + 1) if _STARTS_CODE.match(lines[n])]
    ends = [n for n in range(len(lines), entry, -1) if n == len(lines) or lines[n][:1].strip()]
    runs = ("\n".join(lines[start:end]) for start in starts for end in ends)
    whole = next((code for code in runs if _parses(code)), None)
    return _tidy(whole or "\n".join(lines[entry:]))  # where no run is Python, the gate says why


def _reason(text: str, blocks: list[Block], *, cut: bool, limit: int) -> str:
    if cut:
        tokens = f" ({limit} tokens)" if limit else ""
        return (
            f"the reply was cut off by the token limit{tokens} before the program was complete: "
            "raise --max-completion-tokens, or choose a model that thinks less"
        )
    if any(not block.closed for block in blocks):
        return "the reply ends in the middle of the program"
    if not text:
        return "the reply is empty"
    if blocks:
        return f"no code block of the reply defines {ENTRY}"
    return f"the reply holds no code: {_one_line(text)}"


def _parses(code: str) -> bool:
    try:
        ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _tidy(code: str) -> str:
    return code.strip("\n").rstrip() + "\n"


def _one_line(text: str) -> str:
    return textwrap.shorten(" ".join(text.split()), 160, placeholder=" …")
