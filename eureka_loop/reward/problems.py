"""What is wrong with a program, gathered while it is read, so that its author hears it all at once."""

from __future__ import annotations

import ast
import re

from eureka_loop.errors import Problem, Refused

NO_TEXT = "text can't be built; write it out as a literal"
MAX_PROBLEMS = 40  # more only cost a model tokens
MAX_MESSAGE = 1_000  # characters of one of them; the program's own names may be longer


class Problems:
    """Collects; the same words about the same line count once."""

    def __init__(self) -> None:
        self._found: dict[tuple[int, str], Problem] = {}

    def __bool__(self) -> bool:
        return bool(self._found)

    @property
    def full(self) -> bool:
        """More than are shown: no further one needs advice that is dear to find."""
        return len(self._found) > MAX_PROBLEMS

    def add(self, node: ast.AST | int, message: str) -> None:
        line = node if isinstance(node, int) else getattr(node, "lineno", 1)
        if len(message) > MAX_MESSAGE:
            message = f"{message[: MAX_MESSAGE - 1]}…"
        self._found.setdefault((line, message), Problem(line, message))

    def raise_if_any(self) -> None:
        """
        Raises:
            Refused: with every problem, in order of lines; beyond `MAX_PROBLEMS` only their number.
        """
        found = sorted(self._found.values(), key=lambda problem: problem.line)
        if len(found) > MAX_PROBLEMS:
            rest = Problem(found[MAX_PROBLEMS].line, f"… and {len(found) - MAX_PROBLEMS} more")
            found = [*found[:MAX_PROBLEMS], rest]
        if found:
            raise Refused(found)


def code(node: ast.AST, limit: int = 90) -> str:
    """A piece of the program as one line of text, cut at `limit` characters."""
    try:
        text = " ".join(ast.unparse(node).split())
    except ValueError:  # an integer of thousands of digits, a backslash within an f-string's braces
        text = "…"
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def bracketed(text: str) -> str:
    """As it may stand before `.name` or `[index]`."""
    simple = re.fullmatch(r"[\w.]+(\([^()]*\)|\[[^][]*\])?", text)
    return text if simple else f"({text})"


def quoted(node: ast.AST) -> str:
    return f"`{code(node)}`"
