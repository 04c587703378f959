"""A run with rewards by a model: a real server on the loopback, answering as endpoints do."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from eureka_loop.search import lessons
from eureka_loop.search.lessons import Lesson, Term
from eureka_loop.store import Run

from .endpoint import SlowModel, chat, serving
from .program import done, eureka, kill, outcome, start, the_run, wait_for

pytestmark = pytest.mark.timeout(300)

KEY = {"EUREKA_API_KEY": "sk-secret-1234567890"}
GOOD = "Here you go.\n```python\ndef compute_reward(pole_up):\n    return {'up': pole_up[:, 2]}\n```\n"
BAD = "```python\ndef compute_reward(pole_upp):\n    return {'up': pole_upp[:, 2]}\n```\n"


class Model:
    """Busy at first; its first program has a mistake, which it repairs."""

    def __init__(self) -> None:
        self.asked: list[dict[str, object]] = []

    def __call__(self, request: Request) -> Response:
        self.asked.append(request.get_json())
        if len(self.asked) == 1:
            return Response("slow down", 429, headers={"Retry-After": "0"})
        repaired = "did you mean" in json.dumps(request.get_json())
        content = BAD if len(self.asked) == 2 and not repaired else GOOD
        return chat(content, prompt_tokens=1000, completion_tokens=50, total_tokens=1050)


@pytest.fixture
def model(httpserver: HTTPServer) -> Model:
    model = Model()
    httpserver.expect_request("/v1/chat/completions").respond_with_handler(model)
    return model


def words_for(url: str, *words: str) -> list[str]:
    base = f"run invertedpendulum-balance --model small --base-url {url}"
    small = "--generations 1 --samples 2 --steps 300 --report-seeds 0 --judge-episodes 2 --jobs 1"
    return [*base.split(), *small.split(), *words]


def test_a_model_writes_repairs_and_is_paid(httpserver: HTTPServer, model: Model, tmp_path: Path) -> None:
    out = done(*words_for(httpserver.url_for("/v1")), cwd=tmp_path, **KEY)
    run = the_run(tmp_path)
    assert run.config.designer == "llm"  # the default where a model is configured
    assert [run.evaluated(id).fitness is not None for id in ("g0-00", "g0-01")] == [True, True]
    (repaired,) = [event["id"] for event in run.events() if event["event"] == "repaired"]
    assert len(run.replies(repaired)) == 2
    assert spent(run)[:2] == (3000, 150)
    written = b"".join(path.read_bytes() for path in run.folder.rglob("*") if path.is_file())
    assert KEY["EUREKA_API_KEY"].encode() not in written + out.encode()


def test_a_run_keeps_the_lessons_of_its_prompts(httpserver: HTTPServer, model: Model, tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    up = (Term(("pole_up",), "never negative"),)
    about = ("invertedpendulum-balance", "InvertedPendulum-v5", "Balance the pole upright")
    lesson = Lesson(*about, up, (), "parent", 1.0, 0.8, 1.2, 5, 0, ("run-1",))
    lessons.write(tmp_path / "runs", [lesson])
    out = done(*words_for(httpserver.url_for("/v1")), cwd=tmp_path, **KEY)
    assert "1 lesson of earlier runs" in out
    assert lessons.read(the_run(tmp_path).folder) == (lesson,)
    assert all(f"- {lesson}\n" in asked["messages"][1]["content"] for asked in model.asked)  # type: ignore[index]


@pytest.fixture
def slow() -> Iterator[tuple[str, SlowModel]]:
    """From the fourth on, calls wait."""
    model = SlowModel(lambda seeds: len(seeds) > 3)
    with serving(model) as url:
        yield url, model


def test_a_kill_in_mid_generation_loses_no_reply_and_pays_none_twice(
    slow: tuple[str, SlowModel], tmp_path: Path
) -> None:
    url, model = slow
    prices = tmp_path / "prices.toml"
    prices.write_text('price = [{ model = "small", input = 1.7, output = 3.3 }]')
    env = {**KEY, "EUREKA_PRICES": str(prices)}
    words = words_for(url, "--samples", "6", "--max-usd", "1")

    killed, whole = tmp_path / "killed", tmp_path / "whole"
    killed.mkdir(), whole.mkdir()
    process = start(*words, cwd=killed, **env)
    wait_for(lambda: len(list(killed.glob("runs/*/proposals/*.json"))) == 3 and len(model.asked) == 6, 60)
    kill(process, killed)
    paid = list(model.answered)
    model.hurry.set()
    assert spent(the_run(killed)) == bill(paid)

    model.asked.clear()
    done("resume", str(the_run(killed).folder), cwd=killed, **env)
    assert len(model.asked) == 3
    assert not set(model.asked) & set(paid)
    assert requested(the_run(killed)) == [6, 3]
    assert spent(the_run(killed)) == bill([*paid, *model.asked])

    done(*words, cwd=whole, **env)
    assert outcome(the_run(killed)) == outcome(the_run(whole))
    assert spent(the_run(whole)) == spent(the_run(killed))


def bill(seeds: Sequence[int]) -> tuple[int, int, float]:
    prompt, completion = sum(1000 + seed % 10 for seed in seeds), 50 * len(seeds)
    return prompt, completion, round((prompt * 1.7 + completion * 3.3) / 1e6, 12)


def requested(run: Run) -> list[int]:
    return [event["samples"] for event in run.events() if event["event"] == "generation"]


def spent(run: Run) -> tuple[int, int, float]:
    usage = run.spent()
    return usage.prompt_tokens, usage.completion_tokens, round(usage.usd or 0.0, 12)


def test_a_limit_stops_the_run_before_it_is_passed_and_is_raised_on_resume(
    httpserver: HTTPServer, model: Model, tmp_path: Path
) -> None:
    words = words_for(httpserver.url_for("/v1"), "--samples", "3", "--max-completion-tokens", "1000")
    code, out, err = eureka(*words, "--max-tokens", "8500", cwd=tmp_path, **KEY)
    assert (code, err) == (3, "")
    assert "resume with more" in out
    run = the_run(tmp_path)
    paid = {path: json.loads(path.read_text())[0] for path in (run.folder / "proposals").iterdir()}
    assert 1 <= len(paid) <= 2
    assert set(run.candidate_ids()) <= {path.stem for path in paid}

    resume = ["resume", str(run.folder)]
    for wrong, part in (("--max-usd=1", "give --max-tokens instead"), ("--max-hours=-1", "out of range")):
        code, _, err = eureka(*resume, wrong, cwd=tmp_path, **KEY)
        assert (code, part in err) == (2, True)

    done(*resume, "--max-tokens", "100000", cwd=tmp_path, **KEY)
    assert requested(run) == [3, 3 - len(paid)]
    assert {path: json.loads(path.read_text())[0] for path in paid} == paid
    assert [run.failure(f"g0-0{n}") for n in range(3)] == [None] * 3


def test_a_time_limit_ends_the_waiting_for_a_model(slow: tuple[str, SlowModel], tmp_path: Path) -> None:
    began = time.monotonic()
    code, out, _ = eureka(*words_for(slow[0], "--samples", "6", "--max-hours", "0.001"), cwd=tmp_path, **KEY)
    assert code == 3
    assert "--max-hours 0.001 is reached" in out
    assert time.monotonic() - began < 100  # calls wait for 400
    assert len(list(the_run(tmp_path).folder.glob("proposals/*.json"))) == 3
