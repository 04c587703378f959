"""Two small vocabularies: a planar robot with a domain's names, an arm with automatic names alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from eureka_loop.propose.designer import Request
from eureka_loop.records import Candidate, Task
from eureka_loop.results import Checkpoint, Evaluated, TermStats, Trained, judged_episode
from eureka_loop.reward.vocabulary import Observable, Vocabulary


def seen(
    name: str, unit: str, low: Sequence[float], high: Sequence[float], group: str = "", **more: Any
) -> Observable:
    """A surveyed observable; it starts at 0, and its shape follows from the ranges, unless stated."""
    more = {"shape": () if len(low) == 1 else (len(low),), "start": (0.0,) * len(low), **more}
    return Observable(name, unit=unit, group=group, low=tuple(low), high=tuple(high), **more)


def around(name: str, unit: str, reach: Sequence[float], group: str = "", **more: Any) -> Observable:
    """One that goes as far down as up."""
    return seen(name, unit, [-each for each in reach], reach, group, **more)


def episode(actions: int, *, ends: bool) -> list[Observable]:
    return [
        around("action", "", [1.0] * actions, "episode", shape=(actions,)),
        seen("terminated", "", [0.0], [float(ends)], "episode"),
        seen("dt", "s", [0.01], [0.01], "episode", start=(0.01,)),
        seen("time", "s", [0.0], [1.0], "episode"),
    ]


def body(name: str, reach: Sequence[float]) -> list[Observable]:
    """Observables of a body; `reach`: how far it moves along x, y and z."""
    turns = [reach[1], reach[0], reach[1]]
    return [
        around(f"{name}_pos", "m", reach, name),
        seen(f"{name}_up", "", [-1.0, -1.0, 0.0], [1.0] * 3, name, start=(0.0, 0.0, 1.0)),
        seen(f"{name}_forward", "", [0.0, -1.0, -1.0], [1.0] * 3, name, start=(1.0, 0.0, 0.0)),
        around(f"{name}_linvel", "m/s", reach, name),
        around(f"{name}_angvel", "rad/s", turns, name),
        around(f"{name}_turn", "rad", turns, name),
    ]


def joint(name: str, group: str = "joints") -> list[Observable]:
    return [
        around(f"{name}_angle", "rad", [1.0], group),
        around(f"{name}_velocity", "rad/s", [5.0], group),
    ]


@pytest.fixture
def planar() -> Vocabulary:
    """A robot that moves in the x-z plane and can fall."""
    nose = "Rate of pitch; positive: nose up, negative: nose down."
    own = [
        seen("forward_velocity", "m/s", [-2.0], [1.0]),
        seen("torso_height", "m", [0.7], [1.3], start=(1.25,)),
        around("pitch_velocity", "rad/s", [4.0], description=nose),
        seen("left_foot_contact", "", [0.0], [1.0]),
        seen("right_foot_contact", "", [0.0], [1.0]),
    ]
    root = [
        around("rootx_position", "m", [1.0], "joints root"),
        around("rootx_velocity", "m/s", [2.0], "joints root"),
        *joint("rooty", "joints root"),
    ]
    state = [
        around("qpos", "", [1.0] * 4, "state"),
        around("qvel", "", [5.0] * 4, "state"),
        around("actuator_force", "", [10.0] * 2, "state"),
        seen("air_time", "s", [0.0], [0.4], "state"),
        around("native_reward", "", [1.0], hidden=True),
    ]
    bodies = [*body("torso", [1.0, 0.0, 0.5]), *body("left_arm", [1.0, 0.0, 1.0])]
    everything = [*own, *episode(2, ends=True), *root, *joint("hip"), *joint("knee"), *bodies, *state]
    return Vocabulary("Planar-v0", tuple(everything), horizon=1000, dt=0.01)


@pytest.fixture
def arm() -> Vocabulary:
    """An arm without a domain file, with a ball and a fixed target."""
    bodies = [*body("link_1", [0.2] * 3), *body("gripper", [0.5] * 3), *body("ball", [0.1, 0.1, 0.0])]
    target = around("target_pos", "m", [0.3, 0.3, 0.0], "target")
    state = [around("qpos", "", [1.0] * 9, "state"), around("qvel", "", [5.0] * 8, "state")]
    joints = [*joint("joint_1"), *joint("joint_2")]
    everything = [*episode(2, ends=False), *joints, *bodies, target, *state]
    return Vocabulary("Arm-v0", tuple(everything), horizon=100, dt=0.02)


@pytest.fixture
def task() -> Task:
    """A task with a hand-written reward that must never be read."""
    return Task(
        name="hop",
        env_id="Planar-v0",
        text="Hop forward as fast as possible without falling.",
        fitness="def fitness(forward_velocity):\n    return forward_velocity.mean()\n",
        human="raise SystemExit('read')",
    )


@pytest.fixture
def asks(task: Task, planar: Vocabulary) -> Callable[..., Request]:
    """Requests for the planar robot; keywords change them."""

    def make(text: str = task.text, **changes: Any) -> Request:
        request = Request(replace(task, text=text), planar, "ppo", 0.99, 1000, 0, samples=8, seed=0)
        return replace(request, **changes)

    return make


@pytest.fixture
def trained() -> Callable[..., Evaluated]:
    """A candidate with a fitness, and with shares and correlations of its terms."""

    def make(
        id: str,
        source: str,
        fitness: float,
        shares: dict[str, float] | None = None,
        correlations: dict[str, float] | None = None,
    ) -> Evaluated:
        stats = {term: TermStats(0.0, -1.0, 1.0, share) for term, share in (shares or {}).items()}
        checkpoint = Checkpoint(1000, 3, fitness, None, 100.0, stats)
        episodes = (judged_episode(1, fitness, None, 100),)
        result = Trained(id, 0, 1000, episodes, (checkpoint,), correlations or {}, 1.0)
        return Evaluated(Candidate(id, 0, source, "templates"), (result,))

    return make
