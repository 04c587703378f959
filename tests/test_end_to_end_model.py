"""A run whose rewards a model writes: a real server on the loopback, answering as endpoints do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from eureka_loop.store import Run

from .test_end_to_end import eureka, the_run

pytestmark = pytest.mark.timeout(300)

KEY = "sk-secret-1234567890"
GOOD = "Here you go.\n```python\ndef compute_reward(pole_up):\n    return {'up': pole_up[:, 2]}\n```\n"
BAD = "```python\ndef compute_reward(pole_upp):\n    return {'up': pole_upp[:, 2]}\n```\n"


class Model:
    """Busy at first; its first program has a mistake, which it mends when told."""

    def __init__(self) -> None:
        self.asked: list[dict[str, object]] = []

    def __call__(self, request: Request) -> Response:
        self.asked.append(request.get_json())
        if len(self.asked) == 1:
            return Response("slow down", 429, headers={"Retry-After": "0"})
        mended = "did you mean" in json.dumps(request.get_json())
        first = len(self.asked) == 2
        message = {"role": "assistant", "content": BAD if first and not mended else GOOD}
        usage = {"prompt_tokens": 1000, "completion_tokens": 50, "total_tokens": 1050}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        body = {"id": "x", "object": "chat.completion", "created": 0, "model": "small", "usage": usage}
        return Response(json.dumps({**body, "choices": [choice]}), content_type="application/json")


@pytest.fixture
def model(httpserver: HTTPServer) -> Model:
    model = Model()
    httpserver.expect_request("/v1/chat/completions").respond_with_handler(model)
    return model


def run_with(httpserver: HTTPServer, cwd: Path, *words: str) -> tuple[int, str, str]:
    base = f"run invertedpendulum-balance --model small --base-url {httpserver.url_for('/v1')}"
    small = "--generations 1 --samples 2 --steps 300 --report-seeds 0 --judge-episodes 2"
    return eureka(*base.split(), *small.split(), *words, cwd=cwd, EUREKA_API_KEY=KEY)


def test_a_model_writes_mends_and_is_paid(httpserver: HTTPServer, model: Model, tmp_path: Path) -> None:
    code, out, err = run_with(httpserver, tmp_path)
    assert (code, err) == (0, "")
    run = the_run(tmp_path)
    assert run.config.designer == "llm"  # a model was configured, so nobody needed to say so
    assert [run.evaluated(id).fitness is not None for id in ("g0-00", "g0-01")] == [True, True]
    repaired = [event["id"] for event in run.events() if event["event"] == "repaired"]
    assert len(repaired) == 1
    assert len(run.exchanges(repaired[0])) == 2
    spent = [event for event in run.events() if event["event"] == "spent"][-1]
    assert (spent["prompt_tokens"], spent["completion_tokens"]) == (3000, 150)
    assert not leaks(run, out)


def leaks(run: Run, out: str) -> list[str]:
    """Where the key stands: files and output."""
    found = [
        str(path) for path in run.folder.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()
    ]
    return found + (["output"] if KEY in out else [])


def test_a_token_limit_stops_the_run_before_it_is_passed(
    httpserver: HTTPServer, model: Model, tmp_path: Path
) -> None:
    code, out, err = run_with(httpserver, tmp_path, "--max-tokens", "100")
    assert code == 3
    assert "--max-tokens 100" in out + err
    assert "Traceback" not in out + err
    assert model.asked == []
