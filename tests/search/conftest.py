"""A run with scripted results."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from eureka_loop.execute.evaluate import Plan
from eureka_loop.propose.designer import Choice
from eureka_loop.records import Candidate, Job, Task, Training
from eureka_loop.results import Behaviour, Course, Evaluated, Failed, JudgedEpisode, Trained, judged_episode
from eureka_loop.search.strategy import ProposalRequest, Strategy
from eureka_loop.store import Run

PLAN = Plan(Task("t", "E-v0", "x", "f"), Training("ppo", {}, "population"), 8)


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    with Run.create(tmp_path, "t") as run:
        yield run


def evaluated(id: str, fitness: float | None) -> Evaluated:
    """A candidate that was trained with one seed, or was refused."""
    candidate = Candidate(id, int(id[1]), "", "scripted")
    if fitness is None:
        return Evaluated(candidate, (Failed(id, "refused", "no"),))
    return Evaluated(candidate, (Trained(id, 0, 1, (judged_episode(0, fitness, None, 1),), (), {}, 0.0),))


def trained(job: Job, fitness: float) -> Trained:
    episodes = tuple(judged_episode(seed, fitness, None, 1) for seed in job.judge_seeds)
    return Trained(job.candidate, job.seed, job.steps, episodes, (), {}, 0.1)


def behaving(episode: JudgedEpisode, turns: float, *, terminated: bool = False) -> JudgedEpisode:
    """An episode in which the policy turned over so often, and then lay still."""
    course = Course(tuple(0.1 * n * turns for n in range(10)), -0.1, turns)
    found = Behaviour(
        seconds=5.0 if terminated else 50.0,
        terminated=terminated,
        succeeded_at=None if terminated else 10.0 * turns,
        moved=(2.0 * turns, 0.0, -0.3),
        path=3.0 * turns,
        turned=(0.0, turns, 0.0),
        still_from=30.0 + turns,
        effort=0.5,
        saturated=0.25,
        shares={"foot_contact": 0.1 * turns},
        pieces={"best": turns / 10.0, "on_feet": 0.02},
        terms={"speed": -turns, "effort": -0.01, "_held": 0.5},
        courses={
            "torso_pitch": course,
            "torso_pos[1]": Course((), 0.0, 0.0),
            "term speed": Course(course.means, -turns, 0.0),
        },
    )
    return replace(episode, behaviour=found)


def program(
    id: str,
    fitness: float | None,
    names: Sequence[str] = (),
    parents: tuple[str, ...] = (),
    trainings: int = 1,
) -> Evaluated:
    """A candidate whose terms are the observables of those names, trained so often."""
    terms = ", ".join(f"'{name}': {name}" for name in names)
    source = f"def compute_reward({', '.join(names)}):\n    return {{{terms}}}\n"
    one = evaluated(id, fitness)
    candidate = replace(one.candidate, source=source, parents=parents)
    results = tuple(replace(each, seed=n) for n in range(trainings) for each in one.results)
    return replace(one, candidate=candidate, results=results)


def play(
    strategy: Strategy, answer: Callable[[str, Choice], Evaluated], most: int = 100
) -> list[ProposalRequest]:
    """The requests of a search in which each candidate is answered from its id and its choice."""
    requests: list[ProposalRequest] = []
    while len(requests) < most and (request := strategy.ask()) is not None:
        assert strategy.ask() is None, "a generation is a barrier"
        requests.append(request)
        strategy.tell([answer(*each) for each in zip(request.ids, request.choices, strict=True)])
    return requests
