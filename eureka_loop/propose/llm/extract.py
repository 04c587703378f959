"""Code out of replies: the program, or one line on why a reply holds none."""

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
    """The program's text, or why there is none: one of the two is empty."""

    source: str | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block of a reply; `closed` is False where the closing fence is missing."""

    code: str
    closed: bool

    @property
    def defines_entry(self) -> bool:
        return bool(_DEFINES.search(self.code))


def extract(text: str, *, finish_reason: str = "stop", refusal: str = "", limit: int = 0) -> Extracted:
    """The program in a reply.

    Of several fenced blocks the last complete one that defines `compute_reward` counts, since models correct
    themselves downwards; code without a fence is found by its `def`. A block that defines another function is
    passed on, for the gate to name the mistake.

    Args:
        finish_reason: as the endpoint gave it; "length" and "content_filter" matter.
        refusal: the endpoint's own field for refusals.
        limit: tokens the reply could have, for the message.
    """
    if refusal or finish_reason == "content_filter":
        return Extracted(None, f"the model refused: {_one_line(refusal or text) or 'content filter'}")
    text = without_thinking(text).replace("\r\n", "\n").replace("\r", "\n")
    blocks = list(fenced_blocks(text))
    cut = finish_reason == "length"
    source = _from_blocks(blocks, cut=cut) or (_unfenced(text) if not blocks and not cut else None)
    if source is not None:
        return Extracted(source)
    return Extracted(None, _why_none(text, blocks, cut=cut, limit=limit))


def without_thinking(text: str) -> str:
    """A reply without what a reasoning model thought aloud before it.

    A chat template may have opened the tag in the prompt, so that only its end is seen; and thinking that was
    cut off is all there is.
    """
    text = re.sub(r"<think(?:ing)?>.*?</think(?:ing)?>", "", text, flags=re.DOTALL)
    text = re.split(r"</think(?:ing)?>", text)[-1]
    return re.split(r"<think(?:ing)?>", text)[0].strip()


def fenced_blocks(text: str) -> Iterator[Block]:
    """Every fenced block, in order, dedented."""
    marks, lines = "", list[str]()
    for line in text.split("\n"):
        fence = _FENCE.match(line)
        if fence and not marks:
            marks, lines = fence["marks"], []
        elif fence and not fence["language"] and fence["marks"].startswith(marks):
            yield _block(lines, closed=True)
            marks = ""
        elif marks:
            lines.append(line)
    if marks:
        yield _block(lines, closed=False)


def _block(lines: list[str], *, closed: bool) -> Block:
    return Block(_tidy(textwrap.dedent("\n".join(lines))), closed)


def _from_blocks(blocks: list[Block], *, cut: bool) -> str | None:
    """The block to take. An unclosed one counts only where nothing cut the reply and it is whole Python."""
    whole = [block for block in blocks if block.closed or (not cut and _parses(block.code))]
    entries = [block.code for block in whole if block.defines_entry]
    if entries:
        return next((code for code in reversed(entries) if _parses(code)), entries[-1])
    functions = [block.code for block in whole if re.search(r"^def ", block.code, re.MULTILINE)]
    return functions[-1] if functions and not cut else None


def _unfenced(text: str) -> str | None:
    """Code that stands bare in prose: the longest run of lines around the `def` that is Python."""
    lines = text.split("\n")
    entry = next((n for n, line in enumerate(lines) if re.match(rf"def\s+{ENTRY}\s*\(", line)), None)
    if entry is None:
        return None
    starts = [n for n in range(entry + 1) if _STARTS_CODE.match(lines[n])]
    ends = [n for n in range(len(lines), entry, -1) if n == len(lines) or lines[n][:1].strip()]
    for start in starts:
        for end in ends:
            code = "\n".join(lines[start:end])
            if _parses(code):
                return _tidy(code)
    return _tidy("\n".join(lines[entry:]))  # not Python as it stands: the gate says where


def _why_none(text: str, blocks: list[Block], *, cut: bool, limit: int) -> str:
    if cut or any(not block.closed for block in blocks):
        tokens = f" ({limit} tokens)" if limit and cut else ""
        return (
            f"the reply was cut off by the token limit{tokens} before the program was complete: "
            "raise --max-completion-tokens, or choose a model that thinks less"
            if cut
            else "the reply ends in the middle of the program"
        )
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


def _one_line(text: str, width: int = 160) -> str:
    return textwrap.shorten(" ".join(text.split()), width, placeholder=" …")
