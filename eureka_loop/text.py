"""Text for display: foreign text made inert, names of references and of failures.

Notes, error messages and programs may come from a language model. Characters that would move the cursor,
change colours, ring the bell or turn the reading direction are shown as escapes (`\\x1b`).
"""

from __future__ import annotations

import difflib
import re

from eureka_loop import numbers
from eureka_loop.records import Candidate
from eureka_loop.results import FITNESS, SKIPPED, Scores, ranked_by

LABELS = {"original": "original", "human": "hand-written", "sparse": "sparse", "native": "the env's own"}
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 and C1 controls but newline and tab, DEL
    "\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # unseen; direction
    "\ud800-\udfff"  # lone surrogates: they can't be written as UTF-8
    "\U000e0000-\U000e0fff]"  # tags and variation selectors: unseen
)


def clean(text: str) -> str:
    """The same lines, control characters shown as escapes."""
    return _UNSAFE.sub(_escape, text.replace("\r\n", "\n").expandtabs(4))


def one_line(text: str, limit: int = 0) -> str:
    """Clean text on one line, cut to `limit` characters if given."""
    text = text.strip()[: 8 * limit or None]  # it may be megabytes
    line = " ".join(clean(text).split())
    return line if not limit or len(line) <= limit else line[: limit - 1].rstrip() + "…"


def message(written: object, limit: int = 300) -> str:
    """An error on one line, " · " between its own lines."""
    return one_line(" · ".join(filter(None, map(one_line, str(written or "").splitlines()))), limit)


def unified(before: str, after: str, names: tuple[str, str]) -> str:
    """A unified diff of two programs, whole: programs are short; "" where they are equal."""
    a, b = clean(before).splitlines(), clean(after).splitlines()
    return "\n".join(difflib.unified_diff(a, b, *names, n=len(a) + len(b), lineterm=""))


def label(id: str) -> str:
    """Display name of a reference; any other id as it is."""
    return LABELS.get(id, id)


def failure(kind: str) -> str:
    """Display name of a failure kind: "rows not independent"."""
    return one_line(kind.replace("_", " "), 40)


def outcome(kind: str) -> str:
    """ "failed: timed out"; "skipped: ..." for a program that was left out."""
    return f"{'skipped' if kind == SKIPPED else 'failed'}: {failure(kind)}"


def reached(score: Scores) -> str:
    """ "fitness 2.100"; "progress -0.3100, never succeeded" of what is ranked by it."""
    by = ranked_by(score)
    return f"{by} {numbers.number(score(by))}{'' if by == FITNESS else ', never succeeded'}"


def origin(candidate: Candidate) -> str:
    """ "cross of g0-01, g0-03"; "fresh"; "" where nothing is known."""
    operator, parents = one_line(candidate.operator, 40), ", ".join(candidate.parents)
    return f"{operator} of {parents}" if operator and parents else operator or parents


def generation(number: int, of: int = 0) -> str:
    """ "generation 3 of 4 (g2)": counted from one, ids from zero."""
    return f"generation {number + 1}{f' of {of}' if of else ''} (g{number})"


def _escape(match: re.Match[str]) -> str:
    return match[0].encode("unicode-escape", "surrogatepass").decode("ascii")
