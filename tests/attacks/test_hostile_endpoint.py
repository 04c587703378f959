"""Endpoints that send anything: each answer ends as a failed reply with a reason, or as a program.

Within its deadline and in bounded memory; meanwhile the interpreter can be interrupted at any time.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from eureka_loop.cli import doctor
from eureka_loop.propose.designer import Repair
from eureka_loop.propose.llm import prompts
from eureka_loop.propose.llm.endpoint import Endpoint
from eureka_loop.store import Run
from tests.attacks.hostile import KEY, REQUEST, Server, Watch, answered, families

SILENCE, DEADLINE = 0.4, 0.8  # seconds: of an endpoint here, for 300 and 1200
SECONDS = 2 * DEADLINE + 8.0  # for four attempts that share a deadline, and what is done with an answer
STUCK = 1.0  # seconds of processor time in which no other thread gets to run, so that Ctrl-C waits
MEMORY = 150e6  # bytes beyond what the process has
OFTEN = ("reply", "error")  # texts in other places, which the same code reads, are left to the slow tests
LISTED = ("sizes", "compression", "drips", "nesting", "redirects", "kinds")  # also tried as a list of models


def _names() -> Iterator[Any]:
    for family, replies in families("").items():
        for name in replies:
            slow = family == "texts" and not name.startswith(OFTEN)
            yield pytest.param(f"{family}: {name}", marks=[pytest.mark.slow] if slow else [])


importlib.import_module(
    "openai.resources.chat"
)  # at the first call, it would be taken for an answer's memory


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Server]:
    server = Server({"": {}})
    yield server
    server.close()


@pytest.fixture(scope="module")
def server(elsewhere: Server) -> Iterator[Server]:
    server = Server(families(elsewhere.url))
    yield server
    server.close()


@pytest.mark.parametrize("name", list(_names()))
def test_it_ends_as_one_reply(name, server, elsewhere, tmp_path, patience):
    run = Run.create(tmp_path, "t")
    with Watch() as watch:
        reply, problem = answered(server.address(name), run, SILENCE, DEADLINE)
        run.write_reply("g0-00", reply)
        again = prompts.messages(replace(REQUEST, repair=Repair(reply.source, problem, reply.exchange)))
    assert problem or (reply.source and run.replies("g0-00") == [reply])
    assert len(problem) < 50_000
    assert max(map(len, problem.splitlines()), default=0) < 2000
    assert KEY not in problem + str(reply)
    assert 0 <= run.spent().tokens < 10**10
    assert 0 <= (run.spent().usd or 0.0) < 1e4
    assert sum(len(turn["content"]) for turn in again) < 120_000
    assert elsewhere.asked == []
    assert watch.seconds < SECONDS * patience
    assert watch.stuck < STUCK
    assert watch.memory < MEMORY


@pytest.mark.parametrize("name", [f"{f}: {name}" for f in LISTED for name in families("")[f]])
def test_a_list_of_models_ends_too(name, server, patience, monkeypatch):
    monkeypatch.setattr(doctor, "ENDPOINT_SECONDS", SILENCE)
    environ = {"EUREKA_API_KEY": KEY, "EUREKA_MODEL": "m", "OPENAI_BASE_URL": server.address(name)}
    with Watch() as watch:
        listed = Endpoint(server.address(name), environ, SILENCE, DEADLINE).offer()
        found = str(list(doctor.endpoint(environ)))
    assert len(listed) + len(found) < 10_000
    assert watch.seconds < SECONDS * patience
    assert watch.stuck < STUCK
    assert watch.memory < MEMORY
