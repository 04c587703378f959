"""The designer against a well-behaved endpoint: what it sends, and its replies."""

from __future__ import annotations

from typing import Any

import pytest

from eureka_loop.errors import BadInput
from eureka_loop.propose.designer import Repair
from eureka_loop.records import Usage
from tests.propose.conftest import proposals
from tests.propose.llm.conftest import PROGRAM, writes
from tests.propose.llm.test_prompts import parent


def test_each_sample_is_a_call_of_its_own(script: Any, designer: Any, ask: Any) -> None:
    asked = designer()
    replies = proposals(asked, ask(samples=5))
    assert [reply.source for reply in replies] == [PROGRAM] * 5
    assert len({body["seed"] for body in script.bodies}) == len(script.bodies) == 5
    for body in script.bodies:
        assert (body["model"], body["temperature"], body["max_tokens"]) == ("big-model", 1.0, 1000)
        assert [message["role"] for message in body["messages"]] == ["system", "user"]
    assert asked.ledger.spent == Usage(500, 250, pytest.approx(5 * 600e-6))
    proposals(designer(), ask(samples=5))  # a resumed run
    proposals(designer(), ask(samples=5, seed=1))
    first, again, other = (script.bodies[5 * n : 5 * n + 5] for n in range(3))
    assert again == first
    assert not {body["seed"] for body in other} & {body["seed"] for body in first}


def test_the_exchange_is_complete(script: Any, designer: Any, ask: Any) -> None:
    reply = designer().propose(ask(), 0)
    assert reply.exchange["messages"] == script.bodies[0]["messages"]
    assert reply.exchange["reply"] == f"Plan: go.\n\n```python\n{PROGRAM}```"
    assert reply.exchange["finish_reason"] == "stop"
    assert reply.exchange["model"] == "big-model-0925"
    assert reply.exchange["usage"] == {
        "prompt_tokens": 100,
        "completion_tokens": 50,
        "usd": pytest.approx(600e-6),
    }
    assert set(reply.exchange["request"]) == {"model", "temperature", "max_tokens", "seed"}


@pytest.mark.parametrize("operator", ["", "cross", "differ"])
def test_a_reply_has_its_operator_and_lineage(script: Any, designer: Any, ask: Any, operator: str) -> None:
    pair = (parent("g0-03"), parent("g0-01"))
    reply = designer().propose(ask(generation=1, parents=pair, operator=operator), 0)
    assert reply.operator == (operator or "refine")
    assert reply.parents == (() if operator == "differ" else ("g0-03", "g0-01"))


def test_the_prompt_never_shows_the_hand_written_reward(script: Any, designer: Any, ask: Any) -> None:
    designer().propose(ask(), 0)
    assert "HAND_WRITTEN" not in str(script.bodies)
    assert "native_reward" not in str(script.bodies)


def test_a_repair_continues_the_exchange(script: Any, designer: Any, ask: Any) -> None:
    asked = designer()
    reply = asked.propose(ask(), 2)
    asked.propose(ask(repair=Repair(reply.source, "Line 1: no", reply.exchange)), 2)
    first, second = script.bodies
    assert second["messages"][:2] == first["messages"]
    assert second["seed"] != first["seed"]


def test_usage_is_estimated_where_the_endpoint_counts_nothing(script: Any, designer: Any, ask: Any) -> None:
    script.then(writes(usage=None))
    asked = designer()
    asked.propose(ask(), 0)
    assert asked.ledger.spent.prompt_tokens > 1000
    assert 20 < asked.ledger.spent.completion_tokens < 200


def test_a_limit_on_money_needs_a_price(designer: Any, ask: Any) -> None:
    with pytest.raises(BadInput, match=r"--max-usd needs the price of model 'big-model': add it to .*toml"):
        designer(prices=[], max_usd=1.0)
    free = designer(prices=[])
    free.propose(ask(), 0)
    assert free.ledger.spent == Usage(100, 50, None)


def test_without_a_model_the_offer_is_listed(designer: Any, script: Any, ask: Any, key: str) -> None:
    with pytest.raises(BadInput) as caught:
        designer(model=None)
    assert str(caught.value) == (
        f"no model is chosen: give --model, or set EUREKA_MODEL; {script.url} offers big-model, small-model"
    )
    environ = {"EUREKA_MODEL": "small-model", "OPENAI_API_KEY": key}
    designer(model=None, environ=environ).propose(ask(), 0)
    assert script.bodies[0]["model"] == "small-model"
