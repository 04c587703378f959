"""Words and numbers fit to be shown, whoever wrote them.

A note, an error message or a program may come from a language model. Here nothing in it can move the cursor,
change a colour, ring the bell or turn the reading direction: such characters are shown as escapes (`\\x1b`).
"""

from __future__ import annotations

import re

from eureka_loop.numbers import UNKNOWN as UNKNOWN
from eureka_loop.numbers import count as count
from eureka_loop.numbers import duration as duration
from eureka_loop.numbers import money as money
from eureka_loop.numbers import number as number
from eureka_loop.numbers import numbers as numbers
from eureka_loop.numbers import percent as percent
from eureka_loop.numbers import plural as plural
from eureka_loop.numbers import series as series

_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 and C1 controls but newline and tab, DEL
    "\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # unseen; direction
    "\ud800-\udfff"  # lone surrogates: they can't be written as UTF-8
    "\U000e0000-\U000e0fff]"  # tags and variation selectors: unseen
)


def clean(text: str) -> str:
    """The same text, lines and all, with everything that a terminal would obey made visible."""
    text = text.replace("\r\n", "\n").expandtabs(4)
    return _UNSAFE.sub(_escape, text)


def one_line(text: str, limit: int = 0) -> str:
    """Clean text on one line, at most `limit` characters where given."""
    line = " ".join(clean(text).split())
    return line if not limit or len(line) <= limit else line[: limit - 1].rstrip() + "…"


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
