"""Tokens and money: spent so far, reserved for the calls under way, and the limits on both."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from eureka_loop.errors import BadInput, BudgetSpent
from eureka_loop.propose.llm.prices import Prices, user_file
from eureka_loop.records import Usage


@dataclass(slots=True)
class Call:
    """One call to a model: the most it can take, until it is set to what it really took."""

    used: Usage


class Ledger:
    """Counts every call of every thread, and stops before a limit is passed.

    A call begins only if the spent amount, the reservations of all calls under way and its own stay within
    the limits; where only reservations stand in its way, it waits for these calls to end. A call that ends
    without an answer counts as its whole reservation: the endpoint may have served and charged it.

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
        prices: Prices,
        *,
        max_usd: float | None = None,
        max_tokens: int | None = None,
        spent: Usage = Usage(usd=0.0),  # noqa: B008 - frozen
        record: Callable[[Usage], object] = lambda _: None,
    ) -> None:
        self._price, self._max_usd, self._max_tokens = prices.of(model), max_usd, max_tokens
        self._record = record
        self._spent = spent
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

    @property
    def spent(self) -> Usage:
        """So far; `usd` is None where a part has no known price."""
        with self._changed:
            return self._spent

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
                self._spent += call.used
                self._changed.notify_all()  # first: waiting calls must wake even where recording fails
                if call.used.tokens:
                    self._record(self._spent)

    def _would_pass(self, most: Usage) -> str:
        """The message on the limit that a call might pass; "" where it passes none."""
        whole, spent = sum(self._reserved, self._spent + most), self._spent
        if self._max_tokens is not None and whole.tokens > self._max_tokens:
            need = f"{spent.tokens:,} spent, and the next call may take {most.tokens:,}"
            return f"--max-tokens {self._max_tokens:,}: {need}"
        if self._max_usd is not None and (whole.usd or 0.0) > self._max_usd:
            need = f"${spent.usd or 0.0:.4f} spent, and the next call may cost ${most.usd or 0.0:.4f}"
            return f"--max-usd {self._max_usd:.2f}: {need}"
        return ""
