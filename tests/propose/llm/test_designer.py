"""The designer against a well-behaved endpoint: what it sends, what it makes of the replies."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from eureka_loop.errors import BadInput, BudgetSpent
from eureka_loop.propose.designer import Gathered, Repair, gathered
from eureka_loop.propose.llm.designer import LLMSettings, configured_model, configured_url
from eureka_loop.propose.llm.ledger import Ledger
from eureka_loop.propose.llm.prices import Price, Prices
from eureka_loop.records import Usage


def test_a_sample_is_a_call_of_its_own(script: Any, designer: Any, ask: Any) -> None:
    replies = gathered(designer(), ask(samples=5))
    assert [reply.source for reply in replies] == [script.PROGRAM] * 5
    assert len(script.bodies) == 5
    assert len({body["seed"] for body in script.bodies}) == 5
    for body in script.bodies:
        assert (body["model"], body["temperature"], body["max_tokens"]) == ("big-model", 1.0, 1000)
        assert [message["role"] for message in body["messages"]] == ["system", "user"]


def test_replies_keep_the_order_of_their_calls(script: Any, designer: Any, ask: Any) -> None:
    script.always = lambda handler, body: script.writes(
        f"def compute_reward(x):\n    return {body['seed']}\n"
    )(handler, body)
    asked = designer(parallel=3)
    replies = gathered(asked, ask(samples=7))
    seeds = [reply.exchange["request"]["seed"] for reply in replies]
    assert all(f"return {seed}\n" in reply.source for seed, reply in zip(seeds, replies, strict=True))
    again = gathered(asked, ask(samples=7))
    assert [reply.source for reply in again] == [reply.source for reply in replies]
    other = gathered(asked, ask(samples=7, seed=1))
    assert not {reply.source for reply in other} & {reply.source for reply in replies}


def test_requests_that_overlap_share_the_calls_at_once(script: Any, designer: Any, ask: Any) -> None:
    under_way: list[int] = []
    most: list[int] = []

    def busy(handler: Any, body: Any) -> None:
        under_way.append(1)
        most.append(len(under_way))
        time.sleep(0.05)
        under_way.pop()
        script.writes()(handler, body)

    script.always, asked = busy, designer(parallel=2)
    requests = [ask(samples=2, generation=number) for number in range(3)]
    threads = [threading.Thread(target=gathered, args=(asked, request)) for request in requests]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(most), max(most)) == (6, 2)


def test_the_exchange_tells_everything(script: Any, designer: Any, ask: Any) -> None:
    (reply,) = gathered(designer(), ask())
    assert reply.exchange["messages"] == script.bodies[0]["messages"]
    assert reply.exchange["reply"] == f"Plan: go.\n\n```python\n{script.PROGRAM}```"
    assert reply.exchange["finish_reason"] == "stop"
    assert reply.exchange["model"] == "big-model-0925"
    assert reply.exchange["usage"] == {"prompt_tokens": 100, "completion_tokens": 50}
    assert set(reply.exchange["request"]) == {"model", "temperature", "max_tokens", "seed"}
    assert reply.usage == Usage(100, 50, pytest.approx(100e-6 + 500e-6))


def test_a_repair_continues_the_exchange(script: Any, designer: Any, ask: Any) -> None:
    asked = designer()
    (reply,) = gathered(asked, ask())
    problems = "Line 1: unknown observable 'velocity'; did you mean 'forward_velocity'?"
    repair = Repair(reply.source, problems, reply.exchange)
    (mended,) = gathered(asked, ask(repair=repair, only=(2,)))
    assert mended.source == script.PROGRAM
    first, second = script.bodies
    assert second["messages"][:2] == first["messages"]
    assert [message["role"] for message in second["messages"][2:]] == ["assistant", "user"]
    assert second["messages"][2]["content"] == reply.exchange["reply"]
    assert problems in second["messages"][3]["content"]
    assert second["seed"] != first["seed"]


def test_usage_is_estimated_where_the_endpoint_counts_nothing(
    script: Any, designer: Any, ask: Any, ledger: Any
) -> None:
    script.then(script.says(f"```python\n{script.PROGRAM}```", usage=None))
    gathered(designer(), ask())
    assert ledger.spent.prompt_tokens > 1000
    assert 20 < ledger.spent.completion_tokens < 200


def test_the_ledger_counts_every_thread(script: Any, designer: Any, ask: Any, ledger: Any) -> None:
    gathered(designer(parallel=4), ask(samples=9))
    assert ledger.spent == Usage(900, 450, pytest.approx(9 * 600e-6))


def test_an_unknown_price_is_no_price(designer: Any, ask: Any) -> None:
    ledger = Ledger(Prices([]))
    (reply,) = gathered(designer(ledger=ledger), ask())
    assert reply.usage.usd is None
    assert ledger.spent == Usage(100, 50, None)


def test_money_is_limited_only_where_the_price_is_known(designer: Any) -> None:
    with pytest.raises(
        BadInput, match=r"--max-usd needs the price of model 'big-model': add it to .*prices.toml"
    ):
        designer(ledger=Ledger(Prices([]), max_usd=1.0))


def test_the_budget_stops_before_it_is_passed(script: Any, designer: Any, ask: Any) -> None:
    script.always = script.says(f"```python\n{script.PROGRAM}```", usage=(3000, 1000))
    ledger = Ledger(Prices([Price("big-model", 1.0, 10.0)]), max_tokens=20_000)
    asked = designer(ledger=ledger)
    with pytest.raises(BudgetSpent, match=r"--max-tokens 20,000: 1\d,000 spent, and the next call may take"):
        [gathered(asked, ask()) for _ in range(9)]
    assert ledger.spent.prompt_tokens + ledger.spent.completion_tokens == 4000 * len(script.bodies) <= 20_000


def test_a_generation_that_the_budget_cuts_short_keeps_what_was_paid_for(
    script: Any, designer: Any, ask: Any
) -> None:
    script.always = script.says(f"```python\n{script.PROGRAM}```", usage=(3000, 1000))
    ledger, inbox = Ledger(Prices([Price("big-model", 1.0, 10.0)]), max_usd=0.05), Gathered()
    with pytest.raises(BudgetSpent, match=r"--max-usd 0\.05"):
        designer(ledger=ledger).propose(ask(samples=8), inbox)
    assert 8 > len(inbox.replies) == len(script.bodies) > 0
    assert all(reply.source for reply in inbox.replies.values())  # what wasn't asked has no reply at all
    assert 0 < ledger.spent.usd <= 0.05


def test_only_the_missing_samples_are_asked_for(script: Any, designer: Any, ask: Any) -> None:
    gathered(designer(), ask(samples=4))
    seeds = {body["seed"] for body in script.bodies}
    script.bodies.clear()
    inbox = Gathered()
    designer().propose(ask(samples=4, only=(1, 3)), inbox)
    assert sorted(inbox.replies) == [1, 3]
    again = {body["seed"] for body in script.bodies}
    assert len(again) == 2
    assert again < seeds  # each is asked as it would have been


def test_a_reply_is_given_while_others_are_still_written(script: Any, designer: Any, ask: Any) -> None:
    answered = threading.Event()

    def slow(handler: Any, body: Any) -> None:
        assert answered.wait(10)
        script.writes()(handler, body)

    class Waiting(Gathered):
        def keep(self, sample: int, reply: Any) -> None:
            super().keep(sample, reply)
            answered.set()

    script.then(script.writes(), slow)
    inbox = Waiting()
    designer(parallel=2).propose(ask(samples=2), inbox)
    assert len(inbox.replies) == 2


def test_waiting_for_a_model_has_an_end(script: Any, designer: Any, ask: Any) -> None:
    class Late(Gathered):
        def tick(self) -> None:
            super().tick()
            if self.ticks > 2:
                raise BudgetSpent("--max-hours 1 is reached")

    script.always = script.hangs
    began = time.monotonic()
    with pytest.raises(BudgetSpent, match="--max-hours"):
        designer(parallel=2).propose(ask(samples=9), Late())
    assert time.monotonic() - began < 0.6
    time.sleep(0.5)
    assert len({body["seed"] for body in script.bodies}) <= 2  # no further call has begun


def test_the_model_comes_from_the_environment(designer: Any, ask: Any, script: Any, key: Any) -> None:
    gathered(designer(model=None, environ={"EUREKA_MODEL": "small-model", "OPENAI_API_KEY": key}), ask())
    assert script.bodies[0]["model"] == "small-model"


def test_without_a_model_the_endpoint_s_offer_is_told(designer: Any, script: Any) -> None:
    with pytest.raises(BadInput) as caught:
        designer(model=None)
    assert str(caught.value) == (
        f"no model is chosen: give --model, or set EUREKA_MODEL; {script.url} offers big-model, small-model"
    )


def test_configuration() -> None:
    settings = LLMSettings()
    assert configured_model(settings, {}) is None
    assert configured_model(settings, {"EUREKA_MODEL": "m"}) == "m"
    assert configured_model(LLMSettings(model="n"), {"EUREKA_MODEL": "m"}) == "n"
    assert configured_url(settings, {}) == "https://api.openai.com/v1"
    assert configured_url(settings, {"OPENAI_BASE_URL": "http://localhost:1/v1/"}) == "http://localhost:1/v1"


@pytest.mark.parametrize(
    "url",
    [
        "localhost:11434",
        "ftp://host/v1",
        "",
        "http://",
        "http://host:x/v1",
        "http://[::1/v1",
        "http://a b/v1",
    ],
)
def test_an_address_must_be_one(url: Any) -> None:
    with pytest.raises(BadInput, match="is no web address; for example http"):
        LLMSettings(base_url=url)


def test_the_prompt_never_shows_the_hand_written_reward(script: Any, designer: Any, ask: Any) -> None:
    gathered(designer(), ask())
    assert "HAND_WRITTEN" not in str(script.bodies)
    assert "native_reward" not in str(script.bodies)
