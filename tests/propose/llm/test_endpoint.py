"""The designer against endpoints as they really are: busy, broken, picky, silent."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from eureka_loop.errors import BadInput, DesignerError, EndpointError, Unavailable, UnknownName
from eureka_loop.propose.designer import Gathered, gathered
from eureka_loop.propose.llm.threads import at_once
from eureka_loop.records import Candidate, Usage
from eureka_loop.store import Run

# what may pass: tried again


def test_429_waits_as_long_as_it_is_told(script: Any, designer: Any, ask: Any, waits: Any) -> None:
    script.then(script.fails(429, "Slow down", {"Retry-After": "7"}))
    (reply,) = gathered(designer(), ask())
    assert reply.source == script.PROGRAM
    assert waits.seconds == [7.0]


def test_429_with_a_date(script: Any, designer: Any, ask: Any, waits: Any) -> None:
    then = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 30))
    script.then(script.fails(429, "Slow down", {"Retry-After": then}))
    gathered(designer(), ask())
    assert 25 <= waits.seconds[0] <= 30


def test_429_for_an_hour_is_not_waited_for(script: Any, designer: Any, ask: Any, waits: Any) -> None:
    script.always = script.fails(429, "Daily limit", {"Retry-After": "3600"})
    with pytest.raises(EndpointError, match=r"HTTP 429: Daily limit; it asks to wait 3600 s; come back then"):
        gathered(designer(), ask())
    assert not waits.seconds


def test_an_empty_account_is_no_reason_to_wait(script: Any, designer: Any, ask: Any, waits: Any) -> None:
    script.always = script.fails(429, "You exceeded your current quota", code="insufficient_quota")
    with pytest.raises(EndpointError, match="the account behind the key has no credit left"):
        gathered(designer(), ask())
    assert not waits.seconds


def test_500s_are_tried_again_with_growing_waits(script: Any, designer: Any, ask: Any, waits: Any) -> None:
    script.then(script.fails(500, "oops"), script.answers(502, "<html><h1>Bad Gateway</h1></html>"))
    (reply,) = gathered(designer(), ask())
    assert reply.source == script.PROGRAM
    first, second = waits.seconds
    assert 1 <= first <= 1.5
    assert 2 <= second <= 3


def test_500s_for_good(script: Any, designer: Any, ask: Any, waits: Any) -> None:
    script.always = script.answers(503, "<html><style>x{}</style>\n<h1>Over\ncapacity</h1></html>")
    with pytest.raises(EndpointError) as caught:
        gathered(designer(), ask())
    assert str(caught.value) == (
        f"{script.url}: HTTP 503: Over capacity, 3 times; try again later: `eureka resume` goes on from here"
    )
    assert len(waits.seconds) == 2


def test_a_timeout(script: Any, designer: Any, ask: Any) -> None:
    script.then(script.hangs)
    assert gathered(designer(timeout=0.3), ask())[0].source == script.PROGRAM
    script.always = script.hangs
    with pytest.raises(EndpointError, match=r"no answer within 0\.3 s, 2 times; choose a faster model"):
        gathered(designer(timeout=0.3, retries=1), ask())


def test_a_dropped_connection(script: Any, designer: Any, ask: Any) -> None:
    script.then(script.drops)
    assert gathered(designer(), ask())[0].source == script.PROGRAM
    script.always = script.drops
    with pytest.raises(EndpointError, match=r"the connection broke \(.*\), 3 times; try again"):
        gathered(designer(), ask())


def test_an_unreachable_endpoint(designer: Any, ask: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    url = f"http://127.0.0.1:{port}/v1"
    with pytest.raises(EndpointError) as caught:
        gathered(designer(base_url=url), ask(samples=3))
    assert str(caught.value).startswith(f"{url}: it can't be reached (")
    assert str(caught.value).endswith("is the server running, and is --base-url right?")
    assert "\n" not in str(caught.value)


def test_a_page_instead_of_an_answer(script: Any, designer: Any, ask: Any) -> None:
    script.always = script.answers(200, "<!doctype html><title>Welcome</title>")
    with pytest.raises(
        EndpointError, match="the answer is no chat completion: Welcome, 3 times; is --base-url"
    ):
        gathered(designer(), ask())


@pytest.mark.parametrize("body", [{"error": {"message": "upstream"}}, [], "null", {}])
def test_an_answer_without_sense(script: Any, designer: Any, ask: Any, body: Any) -> None:
    script.always = script.answers(200, body)
    with pytest.raises(EndpointError):
        gathered(designer(), ask())


# choices


def test_an_empty_choice_list_is_topped_up(script: Any, designer: Any, ask: Any, ledger: Any) -> None:
    script.then(script.chooses([]), script.chooses(None), script.writes())
    (reply,) = gathered(designer(), ask())
    assert reply.source == script.PROGRAM
    assert reply.usage == ledger.spent == Usage(300, 150, pytest.approx(3 * 600e-6))
    assert len({body["seed"] for body in script.bodies}) == 3


def test_fewer_choices_than_asked_for_are_topped_up(script: Any, designer: Any, ask: Any) -> None:
    script.then(script.chooses([]), script.chooses([]))
    replies = gathered(designer(), ask(samples=4))
    assert [reply.source for reply in replies] == [script.PROGRAM] * 4
    assert len(script.bodies) == 6


def test_topping_up_has_an_end(script: Any, designer: Any, ask: Any) -> None:
    script.always = script.chooses([])
    with pytest.raises(EndpointError, match="sent no choice, 3 times"):
        gathered(designer(), ask(samples=2))
    assert len(script.bodies) == 6


# replies without a program


@pytest.mark.parametrize(
    ("text", "how", "problem"),
    [
        (None, {"refusal": "I can't help with robots."}, "the model refused: I can't help with robots."),
        ("", {"finish": "content_filter"}, "the model refused: content filter"),
        ("I would pay for speed.", {}, "the reply holds no code: I would pay for speed."),
        (None, {}, "the reply is empty"),
        (
            "```python\ndef compute_reward(fo",
            {"finish": "length"},
            "cut off by the token limit (1000 tokens)",
        ),
        (None, {"finish": "length"}, "raise --max-completion-tokens"),
    ],
)
def test_a_reply_without_a_program(
    script: Any, designer: Any, ask: Any, text: Any, how: Any, problem: Any
) -> None:
    script.then(script.says(text, **how))
    (reply,) = gathered(designer(), ask())
    assert reply.source is None
    assert problem in reply.problem
    assert reply.exchange["reply"] == (text or "")
    assert reply.usage.completion_tokens == 50


def test_several_code_blocks_and_thinking(script: Any, designer: Any, ask: Any) -> None:
    other = script.PROGRAM.replace("1.0", "9.0")
    script.then(
        script.says(
            f"<think>maybe ```python\n{other}```</think>Like this:\n```python\nx = 1\n```\n"
            f"```python\n{script.PROGRAM}```\nInstall:\n```bash\npip\n```"
        )
    )
    assert gathered(designer(), ask())[0].source == script.PROGRAM


def test_content_in_parts(script: Any, designer: Any, ask: Any) -> None:
    script.then(
        script.says(
            [{"type": "text", "text": f"```python\n{script.PROGRAM}"}, {"type": "text", "text": "```"}]
        )
    )
    assert gathered(designer(), ask())[0].source == script.PROGRAM


# parameters


@pytest.mark.parametrize(
    "words",
    [
        "Unsupported parameter: '{}' is not supported with this model.",
        "Unsupported value: '{}' does not support 1.0 with this model. Only the default (1) is supported.",
        '[{{"type": "extra_forbidden", "loc": ["body", "{}"], "msg": "Extra inputs are not permitted"}}]',
    ],
)
@pytest.mark.parametrize("names", [("temperature",), ("seed",), ("temperature", "seed")])
def test_a_rejected_parameter_is_left_out_and_remembered(
    script: Any, designer: Any, ask: Any, waits: Any, words: Any, names: Any
) -> None:
    script.always = script.rejects(*names, words=words)
    asked = designer(parallel=1)
    replies = gathered(asked, ask(samples=2))
    assert [reply.source for reply in replies] == [script.PROGRAM] * 2
    assert len(script.bodies) == 2 + len(names)
    assert not set(names) & set(replies[1].exchange["request"])
    assert "max_tokens" in replies[1].exchange["request"]
    assert not waits.seconds


def test_max_tokens_takes_its_new_name(script: Any, designer: Any, ask: Any) -> None:
    words = (
        "Unsupported parameter: '{}' is not supported with this model. Use 'max_completion_tokens' instead."
    )
    script.always = script.rejects("max_tokens", words=words)
    asked = designer(parallel=1)
    gathered(asked, ask(samples=3))
    assert len(script.bodies) == 4
    assert all(body["max_completion_tokens"] == 1000 for body in script.bodies[1:])


def test_neither_name_is_taken(script: Any, designer: Any, ask: Any) -> None:
    script.always = script.rejects("max_tokens", "max_completion_tokens")
    (reply,) = gathered(designer(), ask())
    assert reply.source == script.PROGRAM
    assert set(reply.exchange["request"]) == {"model", "temperature", "seed"}


def test_all_threads_find_out_at_once(script: Any, designer: Any, ask: Any) -> None:
    script.always = script.rejects("temperature", "max_tokens", "seed")
    replies = gathered(designer(parallel=8), ask(samples=8))
    assert [reply.source for reply in replies] == [script.PROGRAM] * 8


def test_a_limit_that_is_too_high_is_said(script: Any, designer: Any, ask: Any) -> None:
    script.always = script.fails(
        400,
        "max_tokens is too large: 1000. This model supports at most 512 completion tokens",
        param="max_tokens",
    )
    with pytest.raises(EndpointError, match=r"too large: 1000.*; lower --max-completion-tokens$"):
        gathered(designer(), ask())


def test_a_prompt_that_is_too_long_is_said(script: Any, designer: Any, ask: Any) -> None:
    script.always = script.fails(400, "This model's maximum context length is 2048 tokens")
    with pytest.raises(EndpointError, match="choose a model with a longer context"):
        gathered(designer(), ask())


# names, keys, addresses


@pytest.mark.parametrize(
    "error",
    [
        (
            404,
            "The model `big-modl` does not exist or you do not have access to it.",
            {"code": "model_not_found"},
        ),
        (404, "model 'big-modl' not found, try pulling it first", {}),
        (400, "big-modl is not a valid model ID", {}),
    ],
)
def test_an_unknown_model_gets_the_nearest_names(script: Any, designer: Any, ask: Any, error: Any) -> None:
    status, message, more = error
    script.always = script.fails(status, message, **more)
    with pytest.raises(UnknownName) as caught:
        gathered(designer(model="big-modl"), ask(samples=2))
    assert str(caught.value) == (
        "unknown model 'big-modl'; did you mean 'big-model' or 'small-model'? "
        f"{script.url} offers big-model, small-model"
    )


def test_a_wrong_path_is_said(script: Any, designer: Any, ask: Any) -> None:
    script.always = script.answers(404, "404 page not found")
    with pytest.raises(EndpointError, match="404 page not found; is --base-url right"):
        gathered(designer(), ask())


def test_a_refused_key(script: Any, designer: Any, ask: Any, waits: Any) -> None:
    script.always = script.fails(401, "Incorrect API key provided")
    with pytest.raises(EndpointError, match=r"HTTP 401.*; check the key in EUREKA_API_KEY or OPENAI_API_KEY"):
        gathered(designer(), ask())
    assert not waits.seconds


def test_no_key_is_said_before_anything_is_asked(designer: Any) -> None:
    with pytest.raises(BadInput, match="no key: set OPENAI_API_KEY"):
        designer(environ={}, base_url="https://api.openai.com/v1/")


def test_a_local_endpoint_needs_no_key(script: Any, designer: Any, ask: Any) -> None:
    gathered(designer(environ={}), ask())
    assert script.headers[0]["authorization"] == "Bearer none"


def test_the_projects_own_key_comes_first(script: Any, designer: Any, ask: Any) -> None:
    gathered(designer(environ={"OPENAI_API_KEY": "one-of-openai", "EUREKA_API_KEY": " another\n"}), ask())
    assert script.headers[0]["authorization"] == "Bearer another"


# several calls


def test_one_failed_call_does_not_lose_the_others(script: Any, designer: Any, ask: Any) -> None:
    script.then(script.fails(400, "nonsense"))
    replies = gathered(designer(parallel=1), ask(samples=3))
    assert [reply.source for reply in replies] == [None, script.PROGRAM, script.PROGRAM]
    assert replies[0].problem.startswith(f"{script.url}: HTTP 400: nonsense")


@pytest.mark.parametrize(("status", "message"), [(401, "Incorrect API key"), (429, "insufficient_quota")])
def test_what_every_other_call_would_meet_leaves_the_rest_unasked(
    script: Any, designer: Any, ask: Any, status: int, message: str
) -> None:
    script.then(script.writes(), script.fails(status, message))
    inbox = Gathered()
    with pytest.raises(Unavailable, match=message):
        designer(parallel=1).propose(ask(samples=3), inbox)
    assert inbox.replies[0].source == script.PROGRAM
    assert 1 not in inbox.replies


def test_calls_run_at_once_but_not_more_than_allowed() -> None:
    running, most, lock = 0, 0, threading.Lock()

    def call() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.05)
        with lock:
            running -= 1

    started = time.monotonic()
    at_once([call] * 6, 3)
    assert most == 3
    assert time.monotonic() - started < 0.25


def test_errors_of_ours_are_outcomes_and_bugs_are_bugs() -> None:
    def ours() -> int:
        raise DesignerError("no")

    def bug() -> int:
        raise ZeroDivisionError

    outcomes = at_once([lambda: 1, ours, lambda: 3], 2)
    assert outcomes[0] == 1
    assert outcomes[2] == 3
    assert isinstance(outcomes[1], DesignerError)
    with pytest.raises(ZeroDivisionError):
        at_once([bug], 1)


@pytest.mark.parametrize("letter", ["\ud83d", "\x00", "\u2028", "\r"])
def test_a_reply_with_odd_letters_survives_its_files(
    script: Any, designer: Any, ask: Any, tmp_path: Path, letter: str
) -> None:
    """Half an emoji is valid JSON, and yet can be written to no file."""
    script.always = script.says(f"```python\n# a{letter}b\n{script.PROGRAM}```")
    (reply,) = gathered(designer(), ask())
    run = Run.create(tmp_path, "t")
    run.write_proposal("g0-00", reply)
    assert run.proposal("g0-00") == reply
    candidate = Candidate("g0-00", 0, reply.source or "", "llm")
    run.write_candidate(candidate)
    assert run.candidate("g0-00") == candidate
