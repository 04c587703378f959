"""A command's words → its options, by tyro; what is wrong with them is said in one line."""

from __future__ import annotations

import contextlib
import io
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, TypeVar

import tyro

from eureka_loop.errors import BadInput

Options = TypeVar("Options")
Where = Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]

_LACKING = {
    "RUN": "say which run: its folder, such as runs/20261121-120000-hopper-hop",
    "REWARD.py": "say which program: a file with `def compute_reward(...)`",
}
_SHOWN_AS = {"INT": "a whole number", "N": "a whole number", "FLOAT": "a number"}
_CHOICE = re.compile(r"invalid choice '(.*)' for argument '(.*)'\. Expected one of \((.*)\)")
_PARSING = re.compile(r"Error parsing (\S+): .*?(?:\['(.*?)'\]|: '(.*?)')")
_VALUE = re.compile(r"Missing value for argument '(\S+)'")


def optional(metavar: str) -> object:
    """For an option that may be left out: shown as `--env ID`, not as `--env {None}|STR (default: None)`."""
    return tyro.conf.arg(
        metavar=metavar,
        help_behavior_hint=lambda default: "" if default in ("None", "''") else f"(default: {default})",
    )


def parse(
    kind: type[Options],
    name: str,
    words: list[str],
    default: Options = tyro.MISSING_NONPROP,
    help: str | None = None,
) -> Options:
    """The options that a command's words state.

    Raises:
        BadInput: one is unknown, missing or of the wrong kind.
        SystemExit: help was asked for, and is on the screen.
    """
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            options = tyro.cli(kind, prog=f"eureka {name}", args=words, description=help, default=default)
    except SystemExit as exit:
        if not exit.code:
            raise
        raise BadInput(f"{in_one_line(said.getvalue())}; `eureka {name} --help` says more") from None
    sys.stderr.write(said.getvalue())
    return options


def take(words: list[str], flag: str) -> tuple[list[str], str | None]:
    """The words without `flag VALUE` or `flag=VALUE`, and the value."""
    for index, word in enumerate(words):
        if word.startswith(flag + "="):
            return words[:index] + words[index + 1 :], word.removeprefix(flag + "=")
        if word == flag:
            if index + 1 == len(words):
                raise BadInput(f"{flag} needs a value")
            return words[:index] + words[index + 2 :], words[index + 1]
    return words, None


def with_expression(words: list[str]) -> list[str]:
    """The words with `--fitness=VALUE`, so that "-forward_velocity" is a value and no flag."""
    words, fitness = take(words, "--fitness")
    return words if fitness is None else [*words, f"--fitness={fitness}"]


def in_one_line(box: str) -> str:
    """What tyro says in a box of several lines, without its frame and its help."""
    parts = _parts(box)
    message = " ".join(line.strip() for line in parts[0])
    if found := _CHOICE.search(message):
        choices = sorted({each.strip(" '") for each in found[3].split(",")} - {"None"})
        return f"{found[2]} takes {_either(choices)}, not {found[1]!r}"
    if found := _PARSING.search(message):
        flag, kind = found[1], " ".join(_indented(parts[1])[0].split()[1:])
        return f"{flag} takes {_SHOWN_AS.get(kind, kind)}, not {found[2] or found[3]!r}"
    if found := _VALUE.search(message):
        return f"{found[1]} needs a value"
    if message.startswith("Missing from"):
        return " and ".join(_LACKING.get(each, f"{each} is missing") for each in _indented(parts[0]))
    if message.startswith("Unrecognized options: "):
        meant = [each.split()[0] for part in parts[1:-1] for each in _indented(part)]
        return _unrecognized(message.removeprefix("Unrecognized options: "), meant)
    return message


def _unrecognized(words: str, meant: list[str]) -> str:
    if not words.startswith("-"):
        return f"too much: {words} (what belongs together needs quotes)"
    suggestion = f"; did you mean {_either(meant[:3])}?" if meant else ""
    return f"unknown option {words.split(',')[0]}{suggestion}"


def _parts(box: str) -> list[list[str]]:
    """The lines between a box's horizontal rules, without its title and its frame of lines or of blanks."""
    lines = [line.rstrip("│ ")[2:] for line in box.splitlines() if line[:1] not in ("╭", "╰")]
    if box[:1] != "╭":
        lines = lines[2:]  # a title with a rule under it, where the terminal can't show frames
    parts: list[list[str]] = [[]]
    for line in filter(None, lines):
        if set(line) <= {"─", "-"}:
            parts.append([])
        else:
            parts[-1].append(line)
    return parts if parts[0] else [[" ".join(box.split())]]


def _indented(part: list[str]) -> list[str]:
    """The options in a list of options: their help stands further to the right."""
    return [line.strip() for line in part if re.match(r" {4}\S", line)]


def _either(names: Sequence[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} or {last}" if most else last
