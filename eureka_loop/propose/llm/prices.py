"""Prices of models, by patterns of their names: the user's table over the shipped one."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib import resources
from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from eureka_loop.errors import BadInput

_DATE = re.compile(r"[-@](20\d\d-?\d\d-?\d\d|latest|preview)$")
PerMillion = Annotated[float, Field(ge=0, lt=1e6, allow_inf_nan=False)]


@dataclass(frozen=True, slots=True)
class Price:
    """USD per million tokens; `model` is a name, or a pattern with `*`, `?` and `[...]`."""

    model: str
    input: PerMillion
    output: PerMillion

    def usd(self, prompt_tokens: int, completion_tokens: int) -> float:
        return (prompt_tokens * self.input + completion_tokens * self.output) / 1e6


class Prices:
    """A price table; the first row that matches counts."""

    def __init__(self, rows: Iterable[Price]) -> None:
        self._rows = tuple(rows)

    @classmethod
    def load(cls, environ: Mapping[str, str] = os.environ) -> Prices:
        """The user's rows, then the shipped ones.

        Raises:
            BadInput: the user's file is not a price table.
        """
        path = user_file(environ)
        own = _rows(path.read_text(encoding="utf-8"), str(path)) if path.is_file() else ()
        shipped = resources.files("eureka_loop.reward_templates").joinpath("prices.toml")
        return cls((*own, *_rows(shipped.read_text(encoding="utf-8"), "prices.toml")))

    def of(self, model: str) -> Price | None:
        """The row of a name as written, without its provider, or without its date.

        "openai/gpt-4.1-2025-04-14" → "gpt-4.1-2025-04-14" → "gpt-4.1".
        """
        bare = model.rsplit("/", 1)[-1].split(":")[0]
        names = [name.lower() for name in (model, bare, _DATE.sub("", bare))]
        matches = (row for name in names for row in self._rows if fnmatchcase(name, row.model.lower()))
        return next(matches, None)


def user_file(environ: Mapping[str, str] = os.environ) -> Path:
    """Path of the user's own table: `$EUREKA_PRICES`, else under `$XDG_CONFIG_HOME` or `~/.config`."""
    home = Path(environ.get("XDG_CONFIG_HOME") or "~/.config")
    return Path(environ.get("EUREKA_PRICES") or home / "eureka-loop" / "prices.toml").expanduser()


def _rows(text: str, where: str) -> tuple[Price, ...]:
    try:
        return TypeAdapter(tuple[Price, ...]).validate_python(tomllib.loads(text)["price"])
    except (KeyError, ValueError) as error:
        reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error
        raise BadInput(
            f"{where} is not a price table ({reason}); "
            'a row: price = [{ model = "my-model", input = 1.0, output = 4.0 }]  # USD per million tokens'
        ) from error
