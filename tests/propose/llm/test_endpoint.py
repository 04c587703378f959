"""The designer against endpoints that are busy, broken, picky or silent."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from eureka_loop.cli import doctor
from eureka_loop.errors import BadInput, EndpointError, Unavailable, UnknownName
from eureka_loop.propose.llm import refusal
from eureka_loop.propose.llm.connection import CERTIFICATES
from eureka_loop.records import Candidate, Usage
from eureka_loop.store import Run
from tests.propose.conftest import proposals
from tests.propose.llm.conftest import (
    PROGRAM,
    Script,
    answers,
    chooses,
    drops,
    fails,
    hangs,
    rejects,
    says,
    writes,
)  # fmt: skip

# retries


def test_an_overloaded_endpoint_is_asked_again_when_it_says(script: Any, designer: Any, ask: Any) -> None:
    bad = answers(502, "<html>Bad Gateway</html>")
    script.then(fails(429, "Slow down", {"Retry-After": "0.7"}), bad, fails(500, "oops"))
    began = time.monotonic()
    assert designer().propose(ask(), 0).source == PROGRAM
    assert len(script.bodies) == 4
    assert 0.7 <= time.monotonic() - began < 5.0


def test_a_rate_limit_is_no_lack_of_credit(script: Any, designer: Any, ask: Any) -> None:
    """A list, as Gemini's endpoint sends it, with the wait in its sentence."""
    text = "You exceeded your current quota, please check your plan and billing details. Quota exceeded"
    error = {"code": 429, "message": f"{text} for requests per minute, limit: 10. Please retry in 0.6s."}
    script.then(answers(429, [{"error": error}], {}))
    began = time.monotonic()
    assert designer().propose(ask(), 0).source == PROGRAM
    assert time.monotonic() - began > 0.6


@pytest.mark.parametrize(
    ("header", "text", "seconds"),
    [
        ("7", "again in 9s", 7),
        ("Fri, 01 Jan 2100 00:00:00 GMT", "", 2e9),
        ("", "Please retry in 29.5s.", 29.5),
        (
            "",
            "reached on requests per min (RPM). Please try again in 20s. Add a payment method at /billing",
            20,
        ),
        ("", "on tokens per day (TPD). Please try again in 1h2m3.5s.", 3723.5),
        ("", "Please try again in 6ms.", 0),
        ("", "Try again in 2 minutes", 120),
        ("", json.dumps({"details": [{"retryDelay": "34s"}]}), 34),
        ("", "Please wait 20 seconds", 20),
        ("", "Slow down", 0),
    ],
)
def test_the_wait_that_an_endpoint_asks_for(header: str, text: str, seconds: float) -> None:
    assert refusal.wait(header, text) == pytest.approx(seconds, rel=0.5 if seconds > 1e9 else 1e-9)
    assert not refusal.no_credit(429, text)


def test_an_error_in_a_200_counts_as_the_status_that_it_states(script: Any, designer: Any, ask: Any) -> None:
    system = {"error": {"code": 400, "message": "System role not supported"}}
    busy = {"choices": [{"error": {"code": 429, "message": "Rate limited, retry in 0.6s"}}]}
    script.then(answers(200, busy, {}), answers(200, system))
    began = time.monotonic()
    assert designer().propose(ask(), 0).source == PROGRAM
    assert time.monotonic() - began > 0.6
    assert [turn["role"] for turn in script.bodies[-1]["messages"]] == ["user"]
    script.always = answers(200, {"error": {"code": "401", "message": "No key"}})
    with pytest.raises(Unavailable, match="the endpoint reports No key; check the key in EUREKA_API_KEY"):
        designer().propose(ask(), 0)


def test_an_endpoint_that_stays_overloaded(script: Any, designer: Any, ask: Any) -> None:
    script.always = answers(503, "<html><style>x{}</style>\n<h1>Over\ncapacity</h1></html>")
    asked = designer()
    with pytest.raises(EndpointError) as caught:
        asked.propose(ask(), 0)
    assert str(caught.value) == (
        f"{script.url}, 4 times: HTTP 503: Over capacity; try again later: `eureka resume` goes on from here"
    )
    assert asked.ledger.spent == Usage(usd=0.0)  # refused calls are not charged


@pytest.mark.parametrize("how", [hangs, drops, answers(504, "Gateway Time-out")])
def test_a_lost_answer_counts_as_a_whole_call(script: Any, designer: Any, ask: Any, how: Any) -> None:
    script.then(how)
    asked = designer(timeout=0.3)
    reply = asked.propose(ask(), 0)
    assert reply.source == PROGRAM
    lost = asked.ledger.spent.completion_tokens - 50
    assert lost == 1000
    assert asked.ledger.spent.prompt_tokens > 1000
    script.always = how
    with pytest.raises(EndpointError, match=r", 4 times: .*; choose a faster model or endpoint$"):
        asked.propose(ask(), 0)
    assert asked.ledger.spent.completion_tokens == 50 + 5 * lost


def test_an_unreachable_endpoint(designer: Any, ask: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    url = f"http://127.0.0.1:{port}/v1"
    with pytest.raises(Unavailable) as caught:
        designer(base_url=url).propose(ask(), 0)
    assert str(caught.value).startswith(f"{url}: it can't be reached (")
    assert str(caught.value).endswith("is the server running, and is --base-url right?")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "url", "message"),
    [
        ("ALL_PROXY", "socks5://me:hunter2@127.0.0.1:9", "http://example.org/v1", "names a SOCKS proxy"),
        ("all_proxy", "socks://127.0.0.1:9", "https://example.org/v1", "names a SOCKS proxy"),
        (
            "HTTP_PROXY",
            "http://127.0.0.1:hunter2",
            "http://example.org/v1",
            "names no proxy: it must look like",
        ),
        ("HTTPS_PROXY", "ftp://hunter2", "https://example.org/v1", "names no proxy"),
        ("http_proxy", "127.0.0.1:9", "http://example.org/v1", "through the proxy of {}"),
        ("HTTPS_PROXY", "http://me:hunter2@127.0.0.1:9", "https://example.org/v1", "through the proxy of {}"),
        (
            "SSL_CERT_FILE",
            "/no/hunter2.pem",
            "https://example.org/v1",
            "names certificates that can't be read",
        ),
        ("REQUESTS_CA_BUNDLE", __file__, "https://example.org/v1", "names certificates that can't be read"),
    ],
)
def test_a_proxy_or_certificates_that_can_t_be_used(
    designer: Any, ask: Any, monkeypatch: Any, name: str, value: str, url: str, message: str
) -> None:
    """The variable is named; its value, which may hold a password, isn't shown."""
    for each in CERTIFICATES:
        monkeypatch.delenv(each, raising=False)
    monkeypatch.setenv(name, value)
    with pytest.raises(Unavailable) as caught:
        designer(base_url=url).propose(ask(), 0)
    *_, found = doctor.endpoint({"OPENAI_BASE_URL": url, "EUREKA_MODEL": "m", "EUREKA_API_KEY": "k"})
    for text in (str(caught.value), found.remedy):
        assert message.format(f"${name}") in text
        assert f"unset ${name}" in text
        assert "hunter2" not in text
        assert "\n" not in text


def test_a_proxy_that_an_address_doesn_t_use(script: Any, designer: Any, ask: Any, monkeypatch: Any) -> None:
    """A request goes through the proxy of its own scheme alone, and past it where NO_PROXY says so."""
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", script.url.removesuffix("/v1"))
    assert designer(base_url="http://host.invalid/v1").propose(ask(), 0).source == PROGRAM
    monkeypatch.setenv("NO_PROXY", "host.invalid")
    with pytest.raises(Unavailable, match=r"can't be reached .* is the server running"):
        designer(base_url="http://host.invalid/v1").propose(ask(), 0)


def test_a_proxy_that_wants_a_password(script: Any, designer: Any, ask: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("http_proxy", script.url.removesuffix("/v1"))
    script.always = answers(407, "Proxy Authentication Required")
    with pytest.raises(
        Unavailable, match=r"HTTP 407: .*; check or unset \$http_proxy, or add the host to NO"
    ):
        designer(base_url="http://host.invalid/v1").propose(ask(), 0)


def test_this_machine_s_addresses_need_no_proxy(
    script: Any, designer: Any, ask: Any, monkeypatch: Any
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert designer().propose(ask(), 0).source == PROGRAM


def test_an_endpoint_that_is_gone_is_tried_again(designer: Any, ask: Any) -> None:
    with HTTPServer() as server:
        asked = designer(base_url=Script(server).url)
        asked.propose(ask(), 0)
    with pytest.raises(Unavailable, match=", 4 times: it can't be reached"):
        asked.propose(ask(), 1)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("<!doctype html><title>Welcome</title>", "the answer is no chat completion: Welcome; is --base-url"),
        ([], r"the answer is no chat completion: \[\]"),
        ("null", "the answer is no chat completion: null"),
        ({"error": {"message": "upstream"}}, "the endpoint reports .*upstream"),
        ({}, "it sent no choice"),
        ({"choices": [{"error": {"code": 502, "message": "upstream"}}]}, "the endpoint reports upstream"),
        (
            {"choices": [{"finish_reason": "error", "message": None}]},
            "the endpoint reports finish_reason 'err",
        ),
        ({"object": "error", "message": "worker died", "code": 50003}, "the endpoint reports worker died"),
        ([{"error": {"code": 503, "message": "busy"}}], "the endpoint reports busy"),
        ({"base_resp": {"status_code": 1002, "status_msg": "rate limit"}}, "the endpoint reports rate limit"),
        (
            'data: {"choices": [{"delta": {"content": "a"}}]}\n\n',
            "the endpoint reports that the stream ended",
        ),
        ('event: error\ndata: {"message": "no memory"}\n\n', "the endpoint reports no memory"),
    ],
)
def test_an_answer_without_sense(script: Any, designer: Any, ask: Any, body: Any, message: str) -> None:
    script.always = answers(200, body)
    with pytest.raises(EndpointError, match=f", 4 times: {message}"):
        designer().propose(ask(), 0)


@pytest.mark.parametrize(
    ("behaviour", "message", "lasting"),
    [
        (fails(401, "Incorrect API key"), "HTTP 401: Incorrect.*; check the key in EUREKA_API_KEY", True),
        (fails(402, "Pay"), "the account behind the key has no credit left", True),
        (
            fails(429, "Over", code="insufficient_quota"),
            "the account behind the key has no credit left",
            True,
        ),
        (fails(429, "Daily limit", {"Retry-After": "3600"}), "Daily limit; it asks to wait 3600 s", True),
        (answers(404, "404 page not found"), "404 page not found; is --base-url right", False),
        (fails(400, "This model's maximum context length is 2048"), "a model with a longer context", False),
        (fails(400, "max_tokens is too large: 1000"), "too large: 1000; lower --max-comp", False),
        (fails(400, "Nonsense"), "HTTP 400: Nonsense; the endpoint doesn't accept this request", False),
    ],
)
def test_a_refusal_says_what_to_do(
    script: Any, designer: Any, ask: Any, behaviour: Any, message: str, lasting: bool
) -> None:
    script.always = behaviour
    with pytest.raises(EndpointError, match=message) as caught:
        designer().propose(ask(), 0)
    assert caught.value.lasting is lasting


# choices and replies


def test_an_empty_choice_list_is_topped_up(script: Any, designer: Any, ask: Any) -> None:
    script.then(chooses([]), chooses(None), writes())
    asked = designer()
    reply = asked.propose(ask(), 0)
    assert reply.source == PROGRAM
    assert asked.ledger.spent == Usage(300, 150, pytest.approx(3 * 600e-6))
    assert len({body["seed"] for body in script.bodies}) == 3


CODE = f"```python\n{PROGRAM}```"


@pytest.mark.parametrize(
    "message",
    [
        {"content": None, "reasoning": CODE},
        {"content": "", "reasoning_content": CODE},
        {"content": " \n", "thinking": CODE},
        {"content": None, "reasoning": {"content": CODE}},
        {"content": None, "reasoning_details": [{"type": "reasoning.text", "text": CODE}]},
        {"content": [{"type": "text", "text": CODE[:9]}, {"type": "text", "text": CODE[9:]}]},
        {"content": [{"type": "thinking", "thinking": [{"text": "Hm."}]}, {"type": "text", "text": CODE}]},
        {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": CODE}]}]},
        {"content": ["Go: ", CODE]},
        {"content": CODE, "refusal": {}, "reasoning": 7},
    ],
)
def test_where_answers_are(script: Any, designer: Any, ask: Any, message: Any) -> None:
    script.always = chooses([{"message": message, "finish_reason": None}])
    assert designer().propose(ask(), 0).source == PROGRAM


def test_thoughts_beside_an_answer_don_t_count(script: Any, designer: Any, ask: Any) -> None:
    script.always = says("No.", reasoning=CODE)
    reply = designer().propose(ask(), 0)
    assert (reply.source, reply.problem) == (None, "the reply holds no code: No.")


def test_a_reply_without_a_program(script: Any, designer: Any, ask: Any) -> None:
    script.then(says(None, refusal="I can't help."), says("```python\ndef compute_rew", finish="length"))
    refused, cut = proposals(designer(), ask(samples=2))
    assert (refused.source, refused.problem) == (None, "the model refused: I can't help.")
    assert "cut off by the token limit (1000 tokens)" in cut.problem
    assert cut.exchange["reply"].startswith("```python")
    assert cut.exchange["usage"]["completion_tokens"] == 50


@pytest.mark.parametrize("letter", ["\ud83d", "\x00", "\u2028", "\r"])
def test_a_reply_with_odd_letters_survives_its_files(
    script: Any, designer: Any, ask: Any, tmp_path: Path, letter: str
) -> None:
    """Half an emoji is valid JSON, and yet can be written to no file."""
    script.always = says(f"```python\n# a{letter}b\n{PROGRAM}```")
    reply = designer().propose(ask(), 0)
    run = Run.create(tmp_path, "t")
    run.write_reply("g0-00", reply)
    assert run.replies("g0-00") == [reply]
    candidate = Candidate("g0-00", 0, reply.source or "", "llm")
    run.write_candidate(candidate)
    assert run.candidate("g0-00") == candidate


# parameters


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (
            ("temperature",),
            "Unsupported value: '{}' does not support 1.0. Only the default (1) is supported.",
        ),
        (("seed",), '[{{"loc": ["body", "{}"], "msg": "Extra inputs are not permitted"}}]'),
        (("temperature", "seed"), "Unsupported parameter: '{}' is not supported with this model."),
    ],
)
def test_a_rejected_parameter_is_left_out_and_remembered(
    script: Any, designer: Any, ask: Any, text: str, names: Any
) -> None:
    script.always = rejects(*names, text=text)
    replies = proposals(designer(), ask(samples=2))
    assert [reply.source for reply in replies] == [PROGRAM] * 2
    assert len(script.bodies) == 2 + len(names)
    assert not set(names) & set(replies[1].exchange["request"])
    assert "max_tokens" in replies[1].exchange["request"]


PARAMETERS = {
    "max_tokens": {
        20_000: 16_384,
        "max_tokens is too large: {}. This model supports at most 16384 completion tokens, whereas": 16_384,
        "Invalid max_tokens value, the valid range of max_tokens is [1,8192]": 8192,
        "max_tokens: {} > 8,192, which is the maximum for claude-3-5-20240620": 8192,
        "This model's maximum context length is 8192 tokens. However, you requested 24500 tokens (4500 in "
        "the messages, 20000 in the completion).": 3692,
        "'max_tokens' is too large: {}. This model's maximum context length is 8192 tokens and your "
        "request has 4500 input tokens (20000 > 8192 - 4500)": 3692,
    },
    "temperature": {
        1.4: 1.0,
        "temperature: range: 0..1": 1.0,
        "temperature must be in (0.0, 1.0], got {}": 1.0,
        "'temperature' does not support {} with gpt-5.1-x. Only the default (1) value is supported.": None,
        "Unsupported parameter: 'temperature'": None,
    },
    "seed": {0: 0, "seed must be less than 65536": None},
}


@pytest.mark.parametrize(
    ("name", "text", "used"),
    [(name, text, used) for name, texts in PARAMETERS.items() for text, used in list(texts.items())[1:]],
)
def test_a_value_out_of_range_is_told_with_the_value_used(
    script: Any, designer: Any, ask: Any, tmp_path: Path, name: str, text: str, used: float | None
) -> None:
    wanted = next(iter(PARAMETERS[name]))

    def behave(request: Request) -> Response:
        value = request.get_json().get(name, 0)
        return (fails(400, text.format(value)) if value > (used or 0) else writes())(request)

    script.always = behave
    run = Run.create(tmp_path, "t")
    given = {"seed": {}, "temperature": {"temperature": wanted}}
    asked = designer(run=run, **given.get(name, {"max_completion_tokens": wanted}))
    replies = proposals(asked, ask(samples=2))
    assert [reply.exchange["request"].get(name) for reply in replies] == [used] * 2
    assert len(script.bodies) == 3
    (told,) = (event["message"] for event in run.events() if event["event"] == "adapted")
    assert f" refuses {name} {wanted or script.bodies[0]['seed']} (" in told
    assert told.endswith(
        f": {used} is used" if used else ("holds" if name != "seed" else "can't be repeated")
    )


def test_a_limit_that_leaves_no_room_isn_t_used(script: Any, designer: Any, ask: Any) -> None:
    script.always = fails(400, "max_tokens is too large: 1000. At most 100")
    with pytest.raises(EndpointError, match="lower --max-completion-tokens"):
        designer().propose(ask(), 0)
    assert len(script.bodies) == 1


def test_an_endpoint_that_refuses_every_value(script: Any, designer: Any, ask: Any) -> None:
    def behave(request: Request) -> Response:
        return fails(400, f"max_tokens must be at most {request.get_json()['max_tokens'] - 1}")(request)

    script.always = behave
    with pytest.raises(EndpointError, match="it refuses one value after another"):
        designer().propose(ask(), 0)
    assert len(script.bodies) < 20


def test_all_threads_find_out_at_once(script: Any, designer: Any, ask: Any) -> None:
    text = "Unsupported: '{}'. Use 'max_completion_tokens' instead."
    script.always = rejects("temperature", "max_tokens", "seed", text=text)
    asked = designer()
    with ThreadPoolExecutor(8) as threads:
        replies = list(threads.map(lambda sample: asked.propose(ask(), sample), range(8)))
    assert [reply.source for reply in replies] == [PROGRAM] * 8
    assert all(reply.exchange["request"]["max_completion_tokens"] == 1000 for reply in replies)


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (400, "System role not supported"),
        (400, "Developer instruction is not enabled for models/gemma-3-27b-it"),
        (400, "Conversation roles must alternate user/assistant/user/assistant/..."),
        (422, "Unsupported value: 'messages[0].role' does not support 'system' with this model."),
        (500, "raise_exception: System role not supported"),
    ],
)
def test_an_endpoint_without_a_system_role(
    script: Any, designer: Any, ask: Any, status: int, text: str
) -> None:
    def behave(request: Request) -> Response:
        roles = [turn["role"] for turn in request.get_json()["messages"]]
        return (fails(status, text) if "system" in roles else writes())(request)

    script.always = behave
    asked = designer()
    replies = proposals(asked, ask(samples=2))
    assert [reply.source for reply in replies] == [PROGRAM] * 2
    first, second, third = (body["messages"] for body in script.bodies)
    assert second == [{"role": "user", "content": f"{first[0]['content']}\n\n{first[1]['content']}"}]
    assert third == second
    assert replies[0].exchange["messages"] == first


@pytest.mark.parametrize(
    ("refused", "more"),
    [
        ("This model only supports stream mode: enable the stream parameter.", {}),
        ("Stream must be set to true", {"stream_options": None}),
        ("parameter.enable_thinking must be set to false for non-streaming calls", {}),
        ("Non-streaming requests are not supported", {}),
    ],
)
def test_an_endpoint_that_only_streams(script: Any, designer: Any, ask: Any, refused: str, more: Any) -> None:
    text = f"Plan: \u2028go.\n```python\n{PROGRAM}```"  # a break of lines that JSON may hold
    deltas: list[dict[str, Any]] = [{"role": "assistant"}, *({"content": letter} for letter in text)]
    chunks = [{"model": "m-1", "choices": [{"delta": delta}]} for delta in deltas]
    chunks += [{"choices": [{"delta": {}, "finish_reason": "stop"}]}]
    chunks += [{"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 9}}]
    events = "".join(f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n" for chunk in chunks)

    def behave(request: Request) -> Response:
        body = request.get_json()
        if not body.get("stream"):
            return fails(400, refused)(request)
        if more.keys() & body.keys():
            return fails(400, "Unrecognized request argument supplied: stream_options")(request)
        return Response(f": wait\n\n{events}data: [DONE]\n\n", content_type="text/event-stream")

    script.always = behave
    asked = designer()
    replies = proposals(asked, ask(samples=2))
    assert [reply.source for reply in replies] == [PROGRAM] * 2
    assert (replies[0].exchange["reply"], replies[0].exchange["model"]) == (text, "m-1")
    assert asked.ledger.spent.completion_tokens == 18
    assert len(script.bodies) == 3 + len(more)


# models and keys


@pytest.mark.parametrize(
    ("status", "message", "more"),
    [
        (404, "The model `big-modl` does not exist or you have no access.", {"code": "model_not_found"}),
        (404, "model 'big-modl' not found, try pulling it first", {}),
        (400, "big-modl is not a valid model ID", {}),
    ],
)
def test_an_unknown_model_gets_the_nearest_names(
    script: Any, designer: Any, ask: Any, status: int, message: str, more: Any
) -> None:
    script.always = fails(status, message, **more)
    with pytest.raises(UnknownName) as caught:
        designer(model="big-modl").propose(ask(), 0)
    assert str(caught.value) == (
        "unknown model 'big-modl'; did you mean 'big-model' or 'small-model'? "
        f"{script.url} offers big-model, small-model"
    )


def test_ten_thousand_models_are_compared_in_time(script: Any, designer: Any, ask: Any) -> None:
    script.models = [f"{'big-modle-' * 8}{number}" for number in range(10_000)]
    script.always = fails(404, "no such model")
    began = time.process_time()
    with pytest.raises(UnknownName, match="did you mean"):
        designer(model="big-model-" * 8).propose(ask(), 0)
    assert time.process_time() - began < 5.0


def test_a_missing_key_is_reported_before_any_call(designer: Any) -> None:
    with pytest.raises(BadInput, match="no key: set OPENAI_API_KEY"):
        designer(environ={}, base_url="https://api.openai.com/v1/")


@pytest.mark.parametrize(
    ("environ", "sent"),
    [
        ({}, None),
        ({"OPENAI_API_KEY": "one-of-openai", "OPENAI_ORG_ID": "mine"}, None),
        ({"OPENAI_API_KEY": "one-of-openai", "EUREKA_API_KEY": " another\n"}, "Bearer another"),
    ],
)
def test_only_the_projects_own_key_goes_to_another_address_than_openai_s(
    script: Any, designer: Any, ask: Any, environ: Any, sent: str | None
) -> None:
    designer(environ=environ).propose(ask(), 0)
    assert script.headers[0].get("authorization") == sent
    assert not {"one-of-openai", "mine"} & set(script.headers[0].values())


def test_an_endpoint_that_wants_a_key_and_gets_none(script: Any, designer: Any, ask: Any) -> None:
    script.always = fails(401, "No key")
    with pytest.raises(Unavailable, match=r"HTTP 401: No key; it wants a key: set EUREKA_API_KEY \(OPENAI_"):
        designer(environ={"OPENAI_API_KEY": "one-of-openai"}).propose(ask(), 0)


# Azure

FILTERED = {
    "hate": {"filtered": False, "severity": "safe"},
    "self_harm": {"filtered": True, "severity": "high"},
}


@pytest.fixture
def azure(server: HTTPServer) -> Iterator[Any]:
    """A gateway before a deployment, as Azure's interface with a version: its path, its query, its header."""
    replies: list[Any] = [writes()]

    def behave(request: Request) -> Response:
        if request.headers.get("api-key") != "az-key" or "authorization" in request.headers:
            return fails(401, "Access denied due to invalid subscription key")(request)
        if not request.args.get("api-version"):
            return fails(404, "Resource not found")(request)
        return replies[-1](request)

    missing = fails(404, "The API deployment for this resource does not exist.", code="DeploymentNotFound")
    server.expect_request("/openai/deployments/d/chat/completions").respond_with_handler(behave)
    server.expect_request("/openai/deployments/big-model/chat/completions").respond_with_handler(missing)
    yield replies
    server.clear()


@pytest.mark.parametrize(
    ("path", "model"),
    [
        ("/openai/deployments/d", "big-model"),
        ("/openai/deployments/d/chat/completions?api-version=2025-01-01-preview", "big-model"),
        ("/openai?api-version=2024-10-21", "d"),
    ],
)
def test_a_deployment_on_azure(
    server: HTTPServer, azure: Any, designer: Any, ask: Any, path: str, model: str
) -> None:
    environ = {"EUREKA_API_KEY": "az-key", "AZURE_OPENAI_AD_TOKEN": "another", "OPENAI_API_KEY": "sk-1"}
    asked = designer(base_url=server.url_for("/")[:-1] + path, model=model, environ=environ)
    assert asked.propose(ask(), 0).source == PROGRAM


def test_a_deployment_that_doesn_t_exist(server: HTTPServer, azure: Any, designer: Any, ask: Any) -> None:
    url = server.url_for("/openai?api-version=2024-10-21")
    with pytest.raises(Unavailable, match=r"does not exist.; give the name of a deployment of this resource"):
        designer(base_url=url, environ={"EUREKA_API_KEY": "az-key"}).propose(ask(), 0)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (
            {"choices": [{"finish_reason": "content_filter", "message": {"role": "assistant"},
                          "content_filter_results": FILTERED}]},
            "the model refused: content filter (self harm)",
        ),
        (
            {"choices": [], "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": FILTERED}]},
            "the model refused: content filter (self harm)",
        ),
    ],
)  # fmt: skip
def test_a_reply_that_a_filter_withholds(
    script: Any, designer: Any, ask: Any, body: Any, problem: str
) -> None:
    script.always = answers(200, body)
    reply = designer().propose(ask(), 0)
    assert (reply.source, reply.problem) == (None, problem)


def test_a_prompt_that_a_filter_withholds(script: Any, designer: Any, ask: Any) -> None:
    inner = {"code": "ResponsibleAIPolicyViolation", "content_filter_result": FILTERED}
    text = "The response was filtered due to the prompt triggering Azure OpenAI's content management policy."
    script.always = fails(400, text, code="content_filter", param="prompt", innererror=inner)
    with pytest.raises(
        EndpointError, match=r"withheld the prompt \(self harm\): put the task in other words"
    ):
        designer().propose(ask(), 0)
