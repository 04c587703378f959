"""On the real environments every proposal passes the gate, and runs on recorded rows when locked up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pytest

from eureka_loop.envs.registry import find_domain, find_task, suites
from eureka_loop.propose.designer import Request, collect
from eureka_loop.propose.templates.designer import TemplatesDesigner
from eureka_loop.propose.templates.program import parse
from eureka_loop.records import Candidate, Task
from eureka_loop.results import Checkpoint, Evaluated, Failed, TermStats, Trained, judged_episode
from eureka_loop.reward.gate import check
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.sandbox.trial import try_out
from eureka_loop.simulate.survey import Survey, survey

SUITES = ("gymnasium", "beyond")
GENERATIONS, SAMPLES, SEEDS = 3, 5, 2
STEPS = 200  # of random actions: enough for ranges that aren't empty


@pytest.fixture(scope="module", params=sorted(task.name for suite in SUITES for task in suites()[suite]))
def surveyed(request: pytest.FixtureRequest) -> tuple[Task, Survey]:
    task = find_task(request.param)
    return task, survey(task, find_domain(task.env_id), steps=STEPS)


@pytest.fixture(scope="module")
def fork_server() -> Iterator[ForkServer]:
    with ForkServer() as fork_server:
        yield fork_server


def generations(task: Task, seen: Survey, seed: int) -> list[str]:
    """The sources of a whole search, with made-up results."""
    rng = np.random.default_rng(seed)
    history: list[Evaluated] = []
    for generation in range(GENERATIONS):
        best = max(
            (each for each in history if each.trained), key=lambda each: each.fitness or 0.0, default=None
        )
        request = Request(
            task,
            seen.vocabulary,
            "ppo",
            0.99,
            1000,
            generation,
            SAMPLES,
            seed,
            parents=() if best is None else (best,),
            history=tuple(history),
        )
        for at, reply in enumerate(collect(TemplatesDesigner(), request)):
            assert reply.source is not None, reply.problem
            candidate = Candidate(
                f"g{generation}-{at:02d}", generation, reply.source, "templates", reply.parents
            )
            history.append(made_up(candidate, rng))
    return [each.candidate.source for each in history]


def made_up(candidate: Candidate, rng: np.random.Generator) -> Evaluated:
    if rng.random() < 0.1:
        return Evaluated(candidate, (Failed(candidate.id, "not_finite", "made up"),))
    fitness, keys = float(rng.normal()), [gene.key for gene in parse(candidate.source) or ()]
    stats = {key: TermStats(0.0, -1.0, 1.0, float(rng.random())) for key in keys}
    checkpoint = Checkpoint(1000, 1, fitness, None, 10.0, stats)
    correlations = {key: float(rng.uniform(-1.0, 1.0)) for key in keys}
    scores = (judged_episode(0, fitness, None, 10),)
    return Evaluated(candidate, (Trained(candidate.id, 0, 1000, scores, (checkpoint,), correlations, 1.0),))


def test_every_proposal_passes_the_gate_and_a_sample_its_trial(
    surveyed: tuple[Task, Survey], fork_server: ForkServer
) -> None:
    task, seen = surveyed
    for seed in range(SEEDS):
        found = generations(task, seen, seed)
        assert len(set(found)) == GENERATIONS * SAMPLES
        programs = [check(source, seen.vocabulary) for source in found]
        for program in programs[::4]:
            names = program.parameters
            shapes = {name: seen.vocabulary.resolve(name).shape for name in names}
            terms = try_out(fork_server, program, {name: seen.probe[name] for name in names}, shapes)
            assert terms.values.shape[0] == len(terms.names) > 0


def test_automatic_names_alone_are_enough(surveyed: tuple[Task, Survey]) -> None:
    task, seen = surveyed
    own = {each.name for each in find_domain(task.env_id).observables}
    automatic = tuple(each for each in seen.vocabulary if each.name not in own)
    vocabulary = replace(seen.vocabulary, observables=automatic, documentation="")
    request = Request(task, vocabulary, "ppo", 0.99, 1000, generation=0, samples=4, seed=0)
    for reply in collect(TemplatesDesigner(), request):
        check(reply.source or "", vocabulary)


# The terms of the best guess, and their measures.
FIRST: dict[str, Sequence[str]] = {
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


def test_the_best_guess_aims_at_the_task(surveyed: tuple[Task, Survey]) -> None:
    task, seen = surveyed
    request = Request(task, seen.vocabulary, "ppo", 0.99, 1000, generation=0, samples=1, seed=0)
    source = collect(TemplatesDesigner(), request)[0].source or ""
    for part in FIRST.get(task.name, ()):
        assert part in source, source
