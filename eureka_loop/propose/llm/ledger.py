"""Tokens and money: prices of models, spent so far, reserved for the calls under way, and the limits."""

from __future__ import annotations

import os
import re
import threading
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib import resources
from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from eureka_loop.errors import BadInput, BudgetSpent
from eureka_loop.records import Usage

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


def load_prices(environ: Mapping[str, str] = os.environ) -> tuple[Price, ...]:
    """The user's table, then the shipped one.

    Raises:
        BadInput: the user's file is not a price table.
    """
    path = user_file(environ)
    own = _rows(path.read_text(encoding="utf-8"), str(path)) if path.is_file() else ()
    shipped = resources.files("eureka_loop.reward_templates").joinpath("prices.toml")
    return *own, *_rows(shipped.read_text(encoding="utf-8"), "prices.toml")


def price_of(model: str, prices: Sequence[Price]) -> Price | None:
    """The first row of a name as written, without its provider, or without its date.

    "openai/gpt-4.1-2025-04-14" → "gpt-4.1-2025-04-14" → "gpt-4.1".
    """
    bare = model.rsplit("/", 1)[-1].split(":")[0]
    names = [name.lower() for name in (model, bare, _DATE.sub("", bare))]
    return next((row for name in names for row in prices if fnmatchcase(name, row.model.lower())), None)


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


@dataclass(slots=True)
class Call:
    """One call to a model: the most it can take, until it is set to what it really took."""

    used: Usage


class Ledger:
    """Counts every call of every thread, and stops before a limit is passed.

    A call begins only if the spent amount, the reservations of all calls under way and its own stay within
    the limits; where only reservations stand in its way, it waits for these calls to end. A call that ends
    without an answer counts as its whole reservation: the endpoint may have served and charged it.

    Attributes:
        spent: so far; its `usd` is None where a part has no known price.

    Args:
        max_usd: limit on money; the model must then have a price.
        max_tokens: limit on tokens of prompts and replies together.
        spent: by the run before it was resumed.
        record: takes the amount spent so far after every call that cost something, before the next counts;
            called from the call's thread.

    Raises:
        BadInput: a limit on money is set, and the model, or a part of `spent`, has no known price.
    """

    def __init__(
        self,
        model: str,
        prices: Sequence[Price],
        *,
        max_usd: float | None = None,
        max_tokens: int | None = None,
        spent: Usage = Usage(usd=0.0),  # noqa: B008 - frozen
        record: Callable[[Usage], object] = lambda _: None,
    ) -> None:
        self._price, self._max_usd, self._max_tokens = price_of(model, prices), max_usd, max_tokens
        self._record = record
        self.spent = spent
        self._reserved: list[Usage] = []
        self._changed = threading.Condition()
        if max_usd is not None and self._price is None:
            raise BadInput(
                f"--max-usd needs the price of model {model!r}: add it to {user_file()} as "
                f'price = [{{ model = "{model}", input = 1.0, output = 4.0 }}] '
                "(USD per million tokens), or give --max-tokens instead"
            )
        if max_usd is not None and spent.tokens and spent.usd is None:
            raise BadInput(
                "--max-usd can't be kept: this run's earlier calls were made at an unknown price; "
                "give --max-tokens instead"
            )

    def usage(self, prompt_tokens: int, completion_tokens: int) -> Usage:
        """Tokens with their price; `usd` is None where it is unknown."""
        usd = self._price.usd(prompt_tokens, completion_tokens) if self._price else None
        return Usage(prompt_tokens, completion_tokens, usd)

    @contextmanager
    def call(self, most: Usage) -> Iterator[Call]:
        """Reserve the most that a call can take; set `used` of the yielded call to what it took.

        Raises:
            BudgetSpent: the call might pass a limit.
        """
        call = Call(most)
        with self._changed:
            while passed := self._would_pass(most):
                if not self._reserved:
                    raise BudgetSpent(f"{passed}; resume with more, or with a lower --max-completion-tokens")
                self._changed.wait()
            self._reserved.append(most)
        try:
            yield call
        finally:
            with self._changed:  # both at once, or another call could slip in between
                self._reserved.remove(most)
                self.spent += call.used
                self._changed.notify_all()  # first: waiting calls must wake even where recording fails
                if call.used.tokens:
                    self._record(self.spent)

    def _would_pass(self, most: Usage) -> str:
        """The message on the limit that a call might pass; "" where it passes none."""
        whole, spent = sum(self._reserved, self.spent + most), self.spent
        if self._max_tokens is not None and whole.tokens > self._max_tokens:
            need = f"{spent.tokens:,} spent, and the next call may take {most.tokens:,}"
            return f"--max-tokens {self._max_tokens:,}: {need}"
        if self._max_usd is not None and (whole.usd or 0.0) > self._max_usd:
            need = f"${spent.usd or 0.0:.4f} spent, and the next call may cost ${most.usd or 0.0:.4f}"
            return f"--max-usd {self._max_usd:.2f}: {need}"
        return ""
