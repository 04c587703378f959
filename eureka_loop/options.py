"""Command-line arguments → a dataclass of options, by tyro; each mistake is one line."""

from __future__ import annotations

import contextlib
import io
import re
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

import tyro

from eureka_loop.errors import BadInput

Options = TypeVar("Options")
Where = Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
_WRONG = r"Error parsing (\S+): .*?(?:\['(.*?)'\]|: '(.*?)').*Argument helptext: \1 "
MESSAGES = {  # tyro's, without box and line breaks → ours
    r"invalid choice '(.*)' for argument '(.*)'\. Expected one of \((.*?)\)": r"\2 takes one of \3, not '\1'",
    _WRONG + r"(?:INT|N)\b": r"\1 takes a whole number, not '\2\3'",
    _WRONG + r"FLOAT\b": r"\1 takes a number, not '\2\3'",
    _WRONG + r"(\S+)": r"\1 takes \4, not '\2\3'",
    r"Missing value for argument '(\S+)'": r"\1 needs a value",
    r"Missing from eureka \S+: RUN\b": "say which run: its folder, such as runs/20261121-120000-hopper-hop",
    r"Missing from eureka \S+: REWARD\.py": "say which program: a file with `def compute_reward(...)`",
    r"Missing from eureka \S+: TRY\b": "say what to try: an expression such as forward_velocity, or FILE.py",
    r"Missing from eureka \S+: (\S+)": r"\1 is missing",
    r"Unrecognized options: (-[^\s,]*).*?Perhaps you meant: (\S+)": r"unknown option \1; did you mean \2?",
    r"Unrecognized options: (-[^\s,]*)": r"unknown option \1",
    r"Unrecognized options: (.*?)(?: Perhaps| For|$)": r"too much: \1 (what belongs together needs quotes)",
}


def optional(metavar: str) -> object:
    """For an option that may be left out: shown as `--env ID`, not as `--env {None}|STR (default: None)`."""
    return tyro.conf.arg(
        metavar=metavar,
        help_behavior_hint=lambda default: "" if default in ("None", "''") else f"(default: {default})",
    )


def parse(
    kind: type[Options],
    name: str,
    arguments: list[str],
    default: Options = tyro.MISSING_NONPROP,
    help: str | None = None,
) -> Options:
    """Options of the command `name` from its arguments.

    Raises:
        BadInput: an option is unknown, missing or of the wrong kind.
        SystemExit: help was requested, and is printed.
    """
    printed = io.StringIO()
    try:
        with contextlib.redirect_stderr(printed):
            options = tyro.cli(kind, prog=f"eureka {name}", args=arguments, description=help, default=default)
    except SystemExit as exit:
        if not exit.code:
            raise
        raise BadInput(f"{in_one_line(printed.getvalue())}; `eureka {name} --help` says more") from None
    sys.stderr.write(printed.getvalue())
    return options


def take(arguments: list[str], flag: str) -> tuple[list[str], str | None]:
    """The arguments without `flag VALUE` or `flag=VALUE`, and the value."""
    for index, argument in enumerate(arguments):
        if argument.startswith(flag + "="):
            return arguments[:index] + arguments[index + 1 :], argument.removeprefix(flag + "=")
        if argument == flag:
            if index + 1 == len(arguments):
                raise BadInput(f"{flag} needs a value")
            return arguments[:index] + arguments[index + 2 :], arguments[index + 1]
    return arguments, None


def take_env_arguments(arguments: list[str]) -> tuple[list[str], Mapping[str, Any]]:
    """The arguments without those of an environment, and these: KEY → VALUE as in TOML, or else a text."""
    found: dict[str, Any] = {}
    for flag in ("--observe", "--terminate"):
        arguments, text = take(arguments, flag)
        found |= {} if text is None else {flag[2:]: text}
    for flag in ("--env-arg", "--env-kwargs"):
        while (taken := take(arguments, flag))[1] is not None:
            arguments, given = taken[0], taken[1]
            key, sign, value = given.partition("=")
            if not (sign and key.isidentifier()):
                raise BadInput(
                    f"{flag} {given!r}: give KEY=VALUE, such as frame_skip=5 or xml_file=robot.xml"
                )
            try:
                read = tomllib.loads(f"value = {value.lower() if value in ('True', 'False') else value}")[
                    "value"
                ]
            except tomllib.TOMLDecodeError:
                read = value
            found[key] = read if isinstance(read, bool | int | float | str | list | dict) else value
    return arguments, found


def with_expression(arguments: list[str]) -> list[str]:
    """The arguments with `--fitness=VALUE`, so that "-forward_velocity" is a value and no option."""
    arguments, fitness = take(arguments, "--fitness")
    return arguments if fitness is None else [*arguments, f"--fitness={fitness}"]


def in_one_line(box: str) -> str:
    """A message of tyro in one line; one that is not in `MESSAGES` as it is."""
    flat = " ".join(re.sub(r"[│╭╰╮╯─]|--{2,}", " ", box).split())
    found = ((re.search(pattern, flat), ours) for pattern, ours in MESSAGES.items())
    return next((match.expand(ours) for match, ours in found if match), flat.split(" For full helptext")[0])
