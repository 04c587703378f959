"""The ledger keeps its limits with any number of threads; prices come from a table."""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from eureka_loop.errors import BadInput, BudgetSpent
from eureka_loop.propose.llm.ledger import Ledger, Price, load_prices, price_of, user_file
from eureka_loop.records import Usage

PRICES = [Price("m", 1.0, 10.0)]
NOTHING = Usage(usd=0.0)


def call(ledger: Ledger, most: int, used: int) -> None:
    """A call of up to `most` tokens that takes `used`, all of them written."""
    with ledger.call(ledger.usage(0, most)) as each:
        time.sleep(0.001)
        each.used = ledger.usage(0, used)


def test_calls_in_parallel_never_pass_a_limit_and_each_is_recorded_before_the_next() -> None:
    recorded, refused = list[Usage](), list[BudgetSpent]()
    ledger = Ledger("m", PRICES, max_usd=0.05, max_tokens=20_000, record=recorded.append)
    rng = random.Random(0)

    def work(take: int) -> None:
        try:
            call(ledger, 1000, take)
        except BudgetSpent as error:
            refused.append(error)

    with ThreadPoolExecutor(80) as threads:
        list(threads.map(work, [rng.randint(1, 1000) for _ in range(80)]))
    assert refused
    assert all("--max-usd 0.05" in str(error) for error in refused)
    assert len(recorded) + len(refused) == 80
    assert [each.tokens for each in recorded] == sorted({each.tokens for each in recorded})
    assert recorded[-1] == ledger.spent
    assert 0.04 < (ledger.spent.usd or 0) <= 0.05  # used up, but for less than a call


def test_a_call_without_an_answer_counts_as_the_most_it_can_take() -> None:
    recorded = list[Usage]()
    ledger = Ledger("m", PRICES, max_tokens=2500, record=recorded.append)
    with pytest.raises(ZeroDivisionError), ledger.call(ledger.usage(500, 1000)):
        raise ZeroDivisionError
    assert ledger.spent == Usage(500, 1000, pytest.approx(0.0105))
    assert recorded == [ledger.spent]
    with pytest.raises(BudgetSpent):
        call(ledger, 1001, 1)


def test_earlier_spending_counts() -> None:
    ledger = Ledger("m", PRICES, max_usd=1.0, spent=Usage(10, 20, 0.999))
    message = r"--max-usd 1\.00: \$0\.9990 spent, and the next call may cost \$0\.0100"
    with pytest.raises(BudgetSpent, match=message):
        call(ledger, 1000, 0)
    assert ledger.spent == Usage(10, 20, 0.999)


def test_unpriced_spending_can_t_be_limited_in_money() -> None:
    with pytest.raises(BadInput, match="give --max-tokens instead"):
        Ledger("m", PRICES, max_usd=1.0, spent=Usage(10, 20, None))
    free = Ledger("m", [], spent=Usage(10, 20, None))
    call(free, 10**9, 1)
    assert free.spent == Usage(10, 21, None)


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("gpt-4.1-2025-04-14", "gpt-4.1"),
        ("openai/gpt-4.1-mini", "gpt-4.1-mini"),
        ("claude-haiku-4-5-20251001", "claude-haiku-4-5"),
        ("gemini-3.1-pro-preview", "gemini-3.1-pro*"),
    ],
)
def test_a_model_is_found_by_its_spellings(tmp_path: Path, name: str, row: str) -> None:
    price = price_of(name, load_prices({"XDG_CONFIG_HOME": str(tmp_path)}))
    assert price is not None
    assert price.model == row


def test_the_users_rows_win(tmp_path: Path) -> None:
    own = tmp_path / "mine.toml"
    own.write_text(
        '[[price]]\nmodel = "gpt-4.1*"\ninput = 9.0\noutput = 9.0\n'
        '[[price]]\nmodel = "llama3:*"\ninput = 0\noutput = 0\n'
    )
    prices = load_prices({"EUREKA_PRICES": str(own)})
    assert price_of("gpt-4.1-2025-04-14", prices) == Price("gpt-4.1*", 9.0, 9.0)
    assert price_of("llama3:8b", prices) == Price("llama3:*", 0.0, 0.0)
    assert price_of("gpt-5", prices) == Price("gpt-5", 1.25, 10.0)
    assert user_file({"XDG_CONFIG_HOME": "/x"}) == Path("/x/eureka-loop/prices.toml")
    assert user_file({}) == Path.home() / ".config" / "eureka-loop" / "prices.toml"


@pytest.mark.parametrize(
    "text",
    [
        "no toml",
        "",
        'price = [{ model = "m", input = 1.0 }]',
        'price = [{ model = "m", input = nan, output = 1 }]',
    ],
)
def test_a_broken_table_is_reported_with_an_example(tmp_path: Path, text: str) -> None:
    own = tmp_path / "mine.toml"
    own.write_text(text)
    with pytest.raises(BadInput, match=r"mine\.toml is not a price table \(.*\); a row: price = "):
        load_prices({"EUREKA_PRICES": str(own)})
