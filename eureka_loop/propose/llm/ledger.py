"""Tokens and money: what is spent, what the next call may cost at most, and the limits it must not pass."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from eureka_loop.errors import BadInput, BudgetSpent
from eureka_loop.propose.llm.prices import Prices, user_file
from eureka_loop.records import Usage


@dataclass(slots=True, eq=False)
class Entry:
    """One call: its upper estimate while it is under way, then what it really took (see `Ledger.call`)."""

    tokens: int
    usd: float
    used: Usage = field(default_factory=Usage)


class Ledger:
    """Counts every call of every thread, and keeps the limits before they are passed.

    A call is let through only if what is spent, plus the upper estimates of all calls under way, plus its
    own, stays within the limits; where calls under way stand in its way, it waits until they have settled.

    Args:
        max_usd: limit on money; every model used must then have a price.
        max_tokens: limit on tokens of prompts and replies together.
        record: takes what is spent so far, after every call that cost something and before the next counts;
            called from the call's thread.
    """

    def __init__(
        self,
        prices: Prices,
        *,
        max_usd: float | None = None,
        max_tokens: int | None = None,
        record: Callable[[Usage], object] = lambda _: None,
    ) -> None:
        self._prices, self._max_usd, self._max_tokens = prices, max_usd, max_tokens
        self._record = record
        self._prompt_tokens = self._completion_tokens = 0
        self._usd = 0.0
        self._all_priced = True
        self._open: list[Entry] = []
        self._changed = threading.Condition()

    @property
    def spent(self) -> Usage:
        """So far; `usd` is None where a part has no known price."""
        with self._changed:
            usd = self._usd if self._all_priced else None
            return Usage(self._prompt_tokens, self._completion_tokens, usd)

    def restore(self, spent: Usage) -> None:
        """Count what an earlier life of the run spent.

        Raises:
            BadInput: a limit on money is set, and that part has no known price.
        """
        if self._max_usd is not None and _unpriced(spent):
            raise BadInput(
                "--max-usd can't be kept: this run's earlier calls were made at an unknown price; "
                "give --max-tokens instead"
            )
        self._count(spent)

    def require_price(self, model: str) -> None:
        """Check, before anything is spent, that a limit on money can be kept.

        Raises:
            BadInput: it can't, because the model's price is unknown.
        """
        if self._max_usd is not None and self._prices.of(model) is None:
            raise BadInput(
                f"--max-usd needs the price of model {model!r}: add it to {user_file()} as "
                f'price = [{{ model = "{model}", input = 1.0, output = 4.0 }}] '
                "(USD per million tokens), or give --max-tokens instead"
            )

    @contextmanager
    def call(self, model: str, *, prompt_tokens: int, completion_tokens: int) -> Iterator[Entry]:
        """Hold an upper estimate while a call is under way; set the entry's `used` to what it took.

        Raises:
            BadInput: a limit on money, and no price.
            BudgetSpent: the call might pass a limit.
        """
        self.require_price(model)
        usd = self.usd(model, prompt_tokens, completion_tokens) or 0.0
        entry = Entry(prompt_tokens + completion_tokens, usd)
        self._reserve(entry)
        try:
            yield entry
        finally:
            with self._changed:  # both at once, or another call could slip in between
                self._open.remove(entry)
                self._count(entry.used)
                self._changed.notify_all()  # first: who waits must wake even where recording fails
                if entry.used != Usage():
                    self._record(self.spent)

    def usd(self, model: str, prompt_tokens: int, completion_tokens: int) -> float | None:
        """What that many tokens cost; None where the model's price is unknown."""
        price = self._prices.of(model)
        return None if price is None else price.usd(prompt_tokens, completion_tokens)

    def _reserve(self, entry: Entry) -> None:
        with self._changed:
            while passed := self._would_pass(entry):
                if not self._open:
                    raise BudgetSpent(passed)
                self._changed.wait()
            self._open.append(entry)

    def _would_pass(self, entry: Entry) -> str:
        """Which limit the call might pass, in words; "" where none."""
        spent = self._prompt_tokens + self._completion_tokens
        held = sum(each.tokens for each in self._open)
        if self._max_tokens is not None and spent + held + entry.tokens > self._max_tokens:
            return (
                f"--max-tokens {self._max_tokens:,}: {spent:,} spent, and the next call may take "
                f"{entry.tokens:,}; resume with more, or with a lower --max-completion-tokens"
            )
        held_usd = sum(each.usd for each in self._open)
        if self._max_usd is not None and self._usd + held_usd + entry.usd > self._max_usd:
            return (
                f"--max-usd {self._max_usd:.2f}: ${self._usd:.4f} spent, and the next call may cost "
                f"${entry.usd:.4f}; resume with more, or with a lower --max-completion-tokens"
            )
        return ""

    def _count(self, used: Usage) -> None:
        with self._changed:
            self._prompt_tokens += used.prompt_tokens
            self._completion_tokens += used.completion_tokens
            self._usd += used.usd or 0.0
            self._all_priced = self._all_priced and not _unpriced(used)


def _unpriced(usage: Usage) -> bool:
    return usage.usd is None and usage.prompt_tokens + usage.completion_tokens > 0
