"""The designer against a well-behaved endpoint: what it sends, and its replies."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from werkzeug import Request as HttpRequest
from werkzeug import Response

from eureka_loop.errors import BadInput, BudgetSpent
from eureka_loop.propose.designer import CollectedReplies, Repair, collect
from eureka_loop.propose.llm.ledger import Ledger
from eureka_loop.propose.llm.prices import Price, Prices
from eureka_loop.propose.llm.settings import LLMSettings, configured_model, configured_url
from eureka_loop.records import Usage
from tests.propose.llm.conftest import PROGRAM, hangs, writes


def test_each_sample_is_a_call_of_its_own(script: Any, designer: Any, ask: Any, ledger: Any) -> None:
    replies = collect(designer(), ask(samples=5))
    assert [reply.source for reply in replies] == [PROGRAM] * 5
    assert len({body["seed"] for body in script.bodies}) == len(script.bodies) == 5
    for body in script.bodies:
        assert (body["model"], body["temperature"], body["max_tokens"]) == ("big-model", 1.0, 1000)
        assert [message["role"] for message in body["messages"]] == ["system", "user"]
    assert ledger.spent == Usage(500, 250, pytest.approx(5 * 600e-6))


def test_replies_keep_the_order_of_their_calls(script: Any, designer: Any, ask: Any) -> None:
    script.always = lambda request: writes(f"def compute_reward(x):\n    return {request.json['seed']}\n")(
        request
    )
    asked = designer(parallel=3)
    replies = collect(asked, ask(samples=7))
    seeds = [reply.exchange["request"]["seed"] for reply in replies]
    assert all(f"return {seed}\n" in reply.source for seed, reply in zip(seeds, replies, strict=True))
    sink = CollectedReplies()
    asked.propose(ask(samples=7, only=(1, 3)), sink)  # each is asked as it would have been
    assert sink.replies == {1: replies[1], 3: replies[3]}
    other = collect(asked, ask(samples=7, seed=1))
    assert not {reply.source for reply in other} & {reply.source for reply in replies}


def test_concurrent_requests_share_the_limit_on_calls(script: Any, designer: Any, ask: Any) -> None:
    under_way: list[int] = []
    most: list[int] = []

    def busy(request: HttpRequest) -> Response:
        under_way.append(1)
        most.append(len(under_way))
        time.sleep(0.05)
        under_way.pop()
        return writes()(request)

    script.always, asked = busy, designer(parallel=2)
    requests = [ask(samples=2, generation=number) for number in range(3)]
    threads = [threading.Thread(target=collect, args=(asked, request)) for request in requests]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(most), max(most)) == (6, 2)


def test_the_exchange_is_complete(script: Any, designer: Any, ask: Any) -> None:
    (reply,) = collect(designer(), ask())
    assert reply.exchange["messages"] == script.bodies[0]["messages"]
    assert reply.exchange["reply"] == f"Plan: go.\n\n```python\n{PROGRAM}```"
    assert reply.exchange["finish_reason"] == "stop"
    assert reply.exchange["model"] == "big-model-0925"
    assert reply.exchange["usage"] == {"prompt_tokens": 100, "completion_tokens": 50}
    assert set(reply.exchange["request"]) == {"model", "temperature", "max_tokens", "seed"}
    assert reply.usage == Usage(100, 50, pytest.approx(600e-6))


def test_the_prompt_never_shows_the_hand_written_reward(script: Any, designer: Any, ask: Any) -> None:
    collect(designer(), ask())
    assert "HAND_WRITTEN" not in str(script.bodies)
    assert "native_reward" not in str(script.bodies)


def test_a_repair_continues_the_exchange(script: Any, designer: Any, ask: Any) -> None:
    asked = designer()
    (reply,) = collect(asked, ask())
    problems = "Line 1: unknown observable 'velocity'; did you mean 'forward_velocity'?"
    repair = Repair(reply.source, problems, reply.exchange)
    (repaired,) = collect(asked, ask(repair=repair, only=(2,)))
    assert repaired.source == PROGRAM
    first, second = script.bodies
    assert second["messages"][:2] == first["messages"]
    assert [message["role"] for message in second["messages"][2:]] == ["assistant", "user"]
    assert second["messages"][2]["content"] == reply.exchange["reply"]
    assert problems in second["messages"][3]["content"]
    assert second["seed"] != first["seed"]


def test_usage_is_estimated_where_the_endpoint_counts_nothing(
    script: Any, designer: Any, ask: Any, ledger: Any
) -> None:
    script.then(writes(usage=None))
    collect(designer(), ask())
    assert ledger.spent.prompt_tokens > 1000
    assert 20 < ledger.spent.completion_tokens < 200


def test_a_limit_on_money_needs_a_price(designer: Any, ask: Any) -> None:
    with pytest.raises(BadInput, match=r"--max-usd needs the price of model 'big-model': add it to .*toml"):
        designer(ledger=Ledger(Prices([]), max_usd=1.0))
    free = Ledger(Prices([]))
    (reply,) = collect(designer(ledger=free), ask())
    assert reply.usage == free.spent == Usage(100, 50, None)


def test_a_generation_that_the_budget_cuts_short_keeps_the_paid_replies(
    script: Any, designer: Any, ask: Any
) -> None:
    script.always = writes(usage=(3000, 1000))
    ledger, sink = Ledger(Prices([Price("big-model", 1.0, 10.0)]), max_usd=0.05), CollectedReplies()
    with pytest.raises(BudgetSpent, match=r"--max-usd 0\.05: \$0\.0\d+ spent, and the next call may cost"):
        designer(ledger=ledger).propose(ask(samples=8), sink)
    assert 8 > len(sink.replies) == len(script.bodies) > 0
    assert all(reply.source for reply in sink.replies.values())  # samples not asked for have no reply at all
    assert 0 < (ledger.spent.usd or 0.0) <= 0.05


def test_a_reply_is_given_while_others_are_still_written(script: Any, designer: Any, ask: Any) -> None:
    answered = threading.Event()

    def slow(request: HttpRequest) -> Response:
        assert answered.wait(10)
        return writes()(request)

    class Waiting(CollectedReplies):
        def keep(self, sample: int, reply: Any) -> None:
            super().keep(sample, reply)
            answered.set()

    script.then(writes(), slow)
    sink = Waiting()
    designer(parallel=2).propose(ask(samples=2), sink)
    assert len(sink.replies) == 2


def test_waiting_for_a_model_can_be_ended(script: Any, designer: Any, ask: Any) -> None:
    class Late(CollectedReplies):
        def tick(self) -> None:
            super().tick()
            if self.ticks > 1:
                raise BudgetSpent("--max-hours 1 is reached")

    script.always = hangs
    began = time.monotonic()
    with pytest.raises(BudgetSpent, match="--max-hours"):
        designer(parallel=2).propose(ask(samples=9), Late())
    assert time.monotonic() - began < 0.5
    time.sleep(0.5)
    assert len({body["seed"] for body in script.bodies}) <= 4  # of each: one repetition at most


def test_without_a_model_the_offer_is_listed(designer: Any, script: Any, ask: Any, key: str) -> None:
    with pytest.raises(BadInput) as caught:
        designer(model=None)
    assert str(caught.value) == (
        f"no model is chosen: give --model, or set EUREKA_MODEL; {script.url} offers big-model, small-model"
    )
    collect(designer(model=None, environ={"EUREKA_MODEL": "small-model", "OPENAI_API_KEY": key}), ask())
    assert script.bodies[0]["model"] == "small-model"


def test_configuration() -> None:
    settings = LLMSettings()
    assert configured_model(settings, {}) is None
    assert configured_model(LLMSettings(model="n"), {"EUREKA_MODEL": "m"}) == "n"
    assert configured_url(settings, {}) == "https://api.openai.com/v1"
    assert configured_url(settings, {"OPENAI_BASE_URL": "http://localhost:1/v1/"}) == "http://localhost:1/v1"


@pytest.mark.parametrize(
    "url",
    ["localhost:11434", "ftp://host/v1", "", "http://", "http://host:x/v1", "http://[::1/v1", "http://a b"],
)
def test_an_address_must_be_one(url: Any) -> None:
    with pytest.raises(BadInput, match="is no web address; for example http"):
        LLMSettings(base_url=url)
