"""On the real environments every proposal passes the gate, and runs on recorded rows in a locked process."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from eureka_loop.envs.registry import find_domain, find_task, suites
from eureka_loop.propose.designer import Request
from eureka_loop.propose.templates.designer import TemplatesDesigner
from eureka_loop.records import Task
from eureka_loop.results import Evaluated, Failed
from eureka_loop.reward.gate import check
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.sandbox.trial import try_out
from eureka_loop.reward.vocabulary import Vocabulary
from eureka_loop.simulate.recorded import Survey, survey
from tests.propose.conftest import proposals

SUITES = ("gymnasium", "beyond")
GENERATIONS, SAMPLES = 3, 5
STEPS = 200  # of random actions: enough for ranges that aren't empty
Make = Callable[..., Evaluated]

# The terms of the best guess, and their measures.
FIRST = {
    "ant-run": ("speed * forward_velocity", "1.0 - terminated"),
    "halfcheetah-run": ("speed * forward_velocity", "np.square(action)"),
    "hopper-hop": ("speed * forward_velocity", "1.0 - terminated"),
    "humanoid-run": ("speed * forward_velocity", "1.0 - terminated"),
    "humanoidstandup-standup": ("height * (torso_height - init_torso_height)",),
    "inverteddoublependulum-balance": ("1.0 - terminated", "upright"),
    "invertedpendulum-balance": ("1.0 - terminated", "upright"),
    "pusher-push": ("-distance * goal_distance", "attend"),
    "reacher-reach": ("-distance * target_distance",),
    "swimmer-swim": ("speed * forward_velocity",),
    "walker2d-walk": ("speed * forward_velocity", "1.0 - terminated"),
}


@pytest.fixture(scope="module", params=sorted(task.name for suite in SUITES for task in suites()[suite]))
def surveyed(request: pytest.FixtureRequest) -> tuple[Task, Survey]:
    task = find_task(request.param)
    return task, survey(task, find_domain(task.env_id), steps=STEPS)


def request(task: Task, vocabulary: Vocabulary, generation: int, history: list[Evaluated]) -> Request:
    return Request(task, vocabulary, "ppo", 0.99, 1000, generation, SAMPLES, seed=0, history=tuple(history))


def test_every_proposal_passes_the_gate_and_a_sample_its_trial(
    surveyed: tuple[Task, Survey], fork_server: ForkServer, trained: Make
) -> None:
    """A whole search with made-up results."""
    task, seen = surveyed
    rng, history = np.random.default_rng(0), list[Evaluated]()
    for generation in range(GENERATIONS):
        replies = proposals(TemplatesDesigner(), request(task, seen.vocabulary, generation, history))
        for at, reply in enumerate(replies):
            assert reply.source is not None, reply.problem
            id, keys = f"g{generation}-{at:02d}", re.findall(r'^        "(\w+)":', reply.source, re.MULTILINE)
            shares = dict(zip(keys, rng.random(len(keys)), strict=True))
            correlations = dict(zip(keys, rng.uniform(-1.0, 1.0, len(keys)), strict=True))
            history.append(trained(id, reply.source, float(rng.normal()), shares, correlations))
        failed = (Failed(history[-1].candidate.id, "not_finite", "made up"),)
        history[-1] = replace(history[-1], results=failed)
    sources = [each.candidate.source for each in history]
    assert len(set(sources)) == GENERATIONS * SAMPLES
    for part in FIRST.get(task.name, ()):
        assert part in sources[0]
    programs = [check(source, seen.vocabulary) for source in sources]
    for program in programs[::4]:
        names = program.parameters
        shapes = seen.vocabulary.shapes(names)
        terms = try_out(fork_server, program, {name: seen.probe[name] for name in names}, shapes)
        assert terms.values.shape[0] == len(terms.names) > 0


def test_automatic_names_alone_are_enough(surveyed: tuple[Task, Survey]) -> None:
    task, seen = surveyed
    own = {each.name for each in find_domain(task.env_id).observables}
    automatic = tuple(each for each in seen.vocabulary if each.name not in own)
    vocabulary = replace(seen.vocabulary, observables=automatic, documentation="")
    for reply in proposals(TemplatesDesigner(), request(task, vocabulary, 0, [])):
        check(reply.source or "", vocabulary)
