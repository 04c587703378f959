"""A local endpoint that behaves and misbehaves as told, and a small task to ask it about."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from eureka_loop import files
from eureka_loop.propose.designer import Request
from eureka_loop.propose.llm.designer import LLMDesigner, LLMSettings
from eureka_loop.propose.llm.ledger import Ledger
from eureka_loop.propose.llm.prices import Price, Prices
from eureka_loop.records import Task
from eureka_loop.reward.vocabulary import Vocabulary

Body = Mapping[str, Any]
Behaviour = Callable[[BaseHTTPRequestHandler, Body], None]
SILENCE = 0.6  # s; how long an endpoint hangs: tests of that give it a timeout of half as much


class Behaviours:
    """What an endpoint may do with a request."""

    PROGRAM = (
        "def compute_reward(forward_velocity, *, speed=1.0):\n"
        '    """Go."""\n'
        '    return {"speed": speed * forward_velocity}\n'
    )

    @staticmethod
    def answers(status: int, body: object, headers: Mapping[str, str] | None = None) -> Behaviour:
        """Any answer; `body` is sent as JSON unless it is text."""

        def behave(handler: BaseHTTPRequestHandler, _: Body) -> None:
            text = body if isinstance(body, str) else json.dumps(body)
            kind = "text/html" if isinstance(body, str) else "application/json"
            length = str(len(text.encode()))
            handler.send_response(status)
            for name, value in {"Content-Type": kind, "Content-Length": length, **(headers or {})}.items():
                handler.send_header(name, value)
            handler.end_headers()
            handler.wfile.write(text.encode())

        return behave

    @classmethod
    def says(
        cls,
        text: object,
        *,
        finish: str = "stop",
        usage: object = (100, 50),
        model: str = "big-model-0925",
        **message: Any,
    ) -> Behaviour:
        """A chat completion with one choice."""
        whole = {"role": "assistant", "content": text, **message}
        return cls.chooses([{"index": 0, "finish_reason": finish, "message": whole}], usage, model)

    @classmethod
    def chooses(cls, choices: object, usage: Any = (100, 50), model: str = "big-model-0925") -> Behaviour:
        """A chat completion with these choices; `usage` is (prompt, completion) tokens."""
        body: dict[str, Any] = {
            "id": "c",
            "object": "chat.completion",
            "created": 0,
            "model": model,
        }
        if usage:
            body["usage"] = {"prompt_tokens": usage[0], "completion_tokens": usage[1]}
        return cls.answers(200, {**body, "choices": choices})

    @classmethod
    def writes(cls, code: str = PROGRAM) -> Behaviour:
        """A reply with a program."""
        return cls.says(f"Plan: go.\n\n```python\n{code}```")

    @classmethod
    def fails(
        cls, status: int, message: str, headers: Mapping[str, str] | None = None, **error: Any
    ) -> Behaviour:
        """An error as OpenAI words it."""
        return cls.answers(status, {"error": {"message": message, "type": "error", **error}}, headers)

    @classmethod
    def rejects(cls, *names: str, words: str = "Unsupported parameter: '{}' is not supported.") -> Behaviour:
        """Refuse a request that has one of the parameters, else write a program."""

        def behave(handler: BaseHTTPRequestHandler, body: Body) -> None:
            found = next((name for name in names if name in body), None)
            (cls.fails(400, words.format(found)) if found else cls.writes())(handler, body)

        return behave

    @staticmethod
    def drops(handler: BaseHTTPRequestHandler, _: Body) -> None:
        """Close the connection without a word."""
        handler.close_connection = True

    @staticmethod
    def hangs(handler: BaseHTTPRequestHandler, _: Body) -> None:
        """Say nothing for a while, then hang up."""
        time.sleep(SILENCE)
        handler.close_connection = True


@dataclass
class Script(Behaviours):
    """What the endpoint does next, and what it was asked; after the script it answers with a program."""

    url: str = ""
    models: list[str] = field(default_factory=lambda: ["big-model", "small-model", "text-embedding"])
    behaviours: list[Behaviour] = field(default_factory=list)
    always: Behaviour | None = None
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def then(self, *behaviours: Behaviour) -> None:
        self.behaviours.extend(behaviours)

    def next(self, body: dict[str, Any], headers: Mapping[str, str]) -> Behaviour:
        with self.lock:
            self.bodies.append(body)
            self.headers.append({name.lower(): value for name, value in headers.items()})
            return self.behaviours.pop(0) if self.behaviours else self.always or self.writes()


class Handler(BaseHTTPRequestHandler):
    """Speaks for the server's script."""

    protocol_version = "HTTP/1.1"
    script: Script

    def do_GET(self) -> None:
        Script.answers(200, {"data": [{"id": name} for name in self.script.models]})(self, {})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.script.next(body, self.headers)(self, body)

    def log_message(self, format: str, *args: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # a client that gave up


@pytest.fixture
def script() -> Iterator[Script]:
    """A scripted endpoint on a free port."""
    script = Script()
    server = Server(("127.0.0.1", 0), type("Handler", (Handler,), {"script": script}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    script.url = f"http://127.0.0.1:{server.server_port}/v1"
    yield script
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass
class Waits:
    """A clock for retries: remembers how long was asked for, and doesn't wait."""

    seconds: list[float] = field(default_factory=list)

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
def ledger() -> Ledger:
    return Ledger(Prices([Price("big-model", 1.0, 10.0)]))


@pytest.fixture
def key() -> str:
    """What must be seen nowhere but in the request's header."""
    return "sk-test-0123456789abcdef"


@pytest.fixture
def designer(script: Script, waits: Waits, ledger: Ledger, key: str) -> Iterator[Callable[..., LLMDesigner]]:
    """Makes designers that ask the scripted endpoint, and closes them."""
    made: list[LLMDesigner] = []

    def make(
        *, environ: Mapping[str, str] | None = None, ledger: Ledger = ledger, **changes: Any
    ) -> LLMDesigner:
        settings = LLMSettings(
            model="big-model", base_url=script.url, timeout=20.0, retries=2, max_tokens=1000
        )
        environ = {"OPENAI_API_KEY": key} if environ is None else environ
        made.append(LLMDesigner(replace(settings, **changes), ledger, environ=environ, sleep=waits))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def ask() -> Callable[..., Request]:
    """Makes requests about a small cheetah."""
    vocabulary = files.read_json(Path(__file__).with_name("small_cheetah.json"), Vocabulary)
    task = Task(
        name="halfcheetah-run",
        env_id="HalfCheetah-v5",
        text="Make the half-cheetah run forward as fast as possible.",
        fitness="def fitness(forward_velocity):\n    return forward_velocity.mean()\n",
        human="def compute_reward(HAND_WRITTEN):\n    return {}\n",
    )

    def make(samples: int = 1, **changes: Any) -> Request:
        request = Request(task, vocabulary, "ppo", 0.99, 100_000, 0, samples, 0)
        return replace(request, **changes)

    return make
