"""The ledger keeps its limits whatever the threads do."""

from __future__ import annotations

import random
import threading
import time
from contextlib import suppress

import pytest

from eureka_loop.errors import BadInput, BudgetSpent, RunError
from eureka_loop.propose.llm.ledger import Ledger
from eureka_loop.propose.llm.prices import Price, Prices
from eureka_loop.records import Usage

PRICES = Prices([Price("m", 1.0, 10.0)])


def test_calls_in_parallel_never_pass_a_limit() -> None:
    ledger = Ledger(PRICES, max_usd=0.05, max_tokens=20_000)
    seen, refused = list[Usage](), list[BudgetSpent]()
    rng = random.Random(0)
    takes = [rng.randint(1, 1000) for _ in range(80)]

    def work(take: int) -> None:
        try:
            with ledger.call("m", prompt_tokens=500, completion_tokens=1000) as entry:
                time.sleep(0.001)
                entry.used = Usage(400, take, ledger.usd("m", 400, take))
        except BudgetSpent as error:
            refused.append(error)
        seen.append(ledger.spent)

    threads = [threading.Thread(target=work, args=(take,)) for take in takes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refused
    assert max(each.usd or 0 for each in seen) <= 0.05
    assert 0.05 - (ledger.spent.usd or 0) < 0.0105  # used up, but for less than a call
    assert all("--max-usd 0.05" in str(error) for error in refused)


def test_a_call_waits_for_what_is_under_way() -> None:
    ledger = Ledger(PRICES, max_tokens=1500)
    order = list[str]()
    inside = threading.Event()

    def first() -> None:
        with ledger.call("m", prompt_tokens=0, completion_tokens=1000) as entry:
            inside.set()
            time.sleep(0.05)
            order.append("first")
            entry.used = Usage(0, 400, 0.0)

    thread = threading.Thread(target=first)
    thread.start()
    inside.wait()
    with ledger.call("m", prompt_tokens=0, completion_tokens=1000):
        order.append("second")
    thread.join()
    assert order == ["first", "second"]


def test_a_failed_call_gives_its_estimate_back() -> None:
    ledger = Ledger(PRICES, max_tokens=1000)
    with pytest.raises(ZeroDivisionError), ledger.call("m", prompt_tokens=0, completion_tokens=1000):
        raise ZeroDivisionError
    with ledger.call("m", prompt_tokens=0, completion_tokens=1000):
        pass
    assert ledger.spent == Usage(0, 0, 0.0)


def test_a_limit_of_nothing_lets_nothing_through() -> None:
    for ledger in (Ledger(PRICES, max_tokens=0), Ledger(PRICES, max_usd=0.0)):
        with pytest.raises(BudgetSpent), ledger.call("m", prompt_tokens=1, completion_tokens=1):
            pass


def test_what_was_spent_before_counts() -> None:
    ledger = Ledger(PRICES, max_usd=1.0)
    ledger.restore(Usage(10, 20, 0.999))
    with pytest.raises(
        BudgetSpent, match=r"--max-usd 1\.00: \$0\.9990 spent, and the next call may cost \$0\.0101"
    ):
        ledger.call("m", prompt_tokens=100, completion_tokens=1000).__enter__()
    assert ledger.spent == Usage(10, 20, 0.999)


def test_unpriced_spending_can_t_be_limited_in_money() -> None:
    with pytest.raises(BadInput, match="give --max-tokens instead"):
        Ledger(PRICES, max_usd=1.0).restore(Usage(10, 20, None))
    free = Ledger(PRICES)
    free.restore(Usage(10, 20, None))
    assert free.spent == Usage(10, 20, None)
    priced = Ledger(PRICES, max_usd=1.0)
    priced.restore(Usage(usd=0.0))
    priced.restore(Usage())
    assert priced.spent == Usage(0, 0, 0.0)


def test_without_limits_nothing_is_refused() -> None:
    ledger = Ledger(Prices([]))
    with ledger.call("unknown", prompt_tokens=10**9, completion_tokens=10**9) as entry:
        entry.used = Usage(1, 2, ledger.usd("unknown", 1, 2))
    assert ledger.spent == Usage(1, 2, None)


def test_every_call_is_recorded_before_the_next_one_counts() -> None:
    recorded = list[Usage]()
    ledger = Ledger(PRICES, max_tokens=100_000, record=recorded.append)

    def work() -> None:
        with ledger.call("m", prompt_tokens=10, completion_tokens=100) as entry:
            entry.used = Usage(3, 4, ledger.usd("m", 3, 4))

    threads = [threading.Thread(target=work) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [each.prompt_tokens for each in recorded] == [3 * (n + 1) for n in range(20)]
    again = Ledger(PRICES)
    again.restore(recorded[-1])
    assert again.spent == ledger.spent  # to the last bit


def test_a_call_that_failed_is_not_recorded() -> None:
    recorded = list[Usage]()
    ledger = Ledger(PRICES, record=recorded.append)
    with pytest.raises(ZeroDivisionError), ledger.call("m", prompt_tokens=1, completion_tokens=1):
        raise ZeroDivisionError
    assert recorded == []


def test_who_waits_goes_on_where_recording_fails() -> None:
    def full_disk(_: Usage) -> None:
        raise RunError("disk full")

    ledger, inside = Ledger(PRICES, max_tokens=1500, record=full_disk), threading.Event()

    def first() -> None:
        with suppress(RunError), ledger.call("m", prompt_tokens=0, completion_tokens=1000) as entry:
            inside.set()
            time.sleep(0.05)
            entry.used = Usage(0, 400, 0.0)

    thread = threading.Thread(target=first)
    thread.start()
    inside.wait()
    with ledger.call("m", prompt_tokens=0, completion_tokens=1000):
        thread.join()
