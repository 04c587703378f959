"""A local endpoint that behaves and misbehaves as scripted."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from eureka_loop.config import RunConfig
from eureka_loop.propose.llm.designer import LLMDesigner
from eureka_loop.propose.llm.ledger import Price
from eureka_loop.store import Run

Behaviour = Callable[[Request], Response]

SILENCE = 0.6  # s; how long a silent endpoint keeps a call: tests give it half as much
SOON = {"Retry-After": "0.01"}
PROGRAM = (
    "def compute_reward(forward_velocity, *, speed=1.0):\n"
    '    """Go."""\n'
    '    return {"speed": speed * forward_velocity}\n'
)


def answers(status: int, body: object, headers: Mapping[str, str] = SOON) -> Behaviour:
    """Any answer; `body` is sent as JSON unless it is text."""
    text, kind = (body, "text/html") if isinstance(body, str) else (json.dumps(body), "application/json")
    return lambda _: Response(text, status, dict(headers), content_type=kind)


def fails(status: int, message: str, headers: Mapping[str, str] = SOON, **error: Any) -> Behaviour:
    """An error in OpenAI's form."""
    return answers(status, {"error": {"message": message, "type": "error", **error}}, headers)


def chooses(choices: object, usage: Any = (100, 50), model: str = "big-model-0925") -> Behaviour:
    """A chat completion with these choices; `usage` is (prompt, completion) tokens."""
    body: dict[str, Any] = {"id": "c", "object": "chat.completion", "created": 0, "model": model}
    if usage:
        body["usage"] = {"prompt_tokens": usage[0], "completion_tokens": usage[1]}
    return answers(200, {**body, "choices": choices})


def says(text: object, *, finish: str = "stop", usage: Any = (100, 50), **message: Any) -> Behaviour:
    """A chat completion with one choice."""
    whole = {"role": "assistant", "content": text, **message}
    return chooses([{"index": 0, "finish_reason": finish, "message": whole}], usage)


def writes(code: str = PROGRAM, **more: Any) -> Behaviour:
    """A reply with a program."""
    return says(f"Plan: go.\n\n```python\n{code}```", **more)


def rejects(*names: str, text: str = "Unsupported parameter: '{}' is not supported.") -> Behaviour:
    """Refuse a request with one of the parameters, else write a program."""

    def behave(request: Request) -> Response:
        found = next((name for name in names if name in request.get_json()), None)
        return (fails(400, text.format(found)) if found else writes())(request)

    return behave


def drops(request: Request) -> Response:
    """Close the connection without an answer."""
    request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    return Response()


def hangs(_: Request) -> Response:
    """Keep silent for a while."""
    time.sleep(SILENCE)
    return Response()


class Script:
    """The endpoint's next behaviours, `always` after them, and a record of the requests."""

    def __init__(self, server: HTTPServer) -> None:
        self.url = server.url_for("/v1")
        self.models = ["big-model", "small-model", "text-embedding"]
        self.always: Behaviour = writes()
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self._next: list[Behaviour] = []
        self._lock = threading.Lock()
        server.expect_request("/v1/models").respond_with_handler(
            lambda request: answers(200, {"data": [{"id": name} for name in self.models]})(request)
        )
        server.expect_request("/v1/chat/completions").respond_with_handler(self._answer)

    def then(self, *behaviours: Behaviour) -> None:
        self._next.extend(behaviours)

    def _answer(self, request: Request) -> Response:
        with self._lock:
            self.bodies.append(request.get_json())
            self.headers.append({name.lower(): value for name, value in request.headers})
            behave = self._next.pop(0) if self._next else self.always
        return behave(request)


@pytest.fixture(scope="module")
def server() -> Iterator[HTTPServer]:
    with HTTPServer(threaded=True) as server:
        yield server


@pytest.fixture
def script(server: HTTPServer) -> Iterator[Script]:
    """A scripted endpoint."""
    yield Script(server)
    server.clear()


@pytest.fixture
def key() -> str:
    """Must be seen nowhere but in the request's header."""
    return "sk-test-0123456789abcdef"


@pytest.fixture
def designer(script: Script, key: str) -> Callable[..., LLMDesigner]:
    """Makes designers that ask the scripted endpoint."""
    config = RunConfig(model="big-model", base_url=script.url, max_completion_tokens=1000)
    priced = [Price("big-model", 1.0, 10.0)]

    def make(
        *,
        environ: Mapping[str, str] | None = None,
        prices: Sequence[Price] = priced,
        timeout: float = 20.0,
        deadline: float = 60.0,
        run: Run | None = None,
        **changes: Any,
    ) -> LLMDesigner:
        environ = {"EUREKA_API_KEY": key} if environ is None else environ
        config_now = replace(config, **changes)
        return LLMDesigner(
            config_now, prices, run, environ=environ, timeout=timeout, deadline=deadline, pause=0.01
        )

    return make
