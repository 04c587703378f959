"""Two small vocabularies: a planar robot with a domain's names, an arm with the automatic ones alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from eureka_loop.propose.designer import Request
from eureka_loop.records import Candidate, Task
from eureka_loop.results import Checkpoint, Evaluated, TermStats, Trained, judged_episode
from eureka_loop.reward.vocabulary import Observable, Vocabulary


def seen(
    name: str,
    unit: str = "",
    *,
    low: Sequence[float],
    high: Sequence[float],
    start: Sequence[float] | None = None,
    shape: tuple[int, ...] | None = None,
    group: str = "",
    description: str = "",
) -> Observable:
    """A surveyed observable; its shape follows from the ranges."""
    if shape is None:
        shape = () if len(low) == 1 else (len(low),)
    begin = tuple(start) if start is not None else tuple(0.0 for _ in low)
    return Observable(name, shape, unit, "world", description, group, begin, tuple(low), tuple(high))


def episode(actions: int, *, ends: bool) -> list[Observable]:
    return [
        seen("action", low=[-1.0] * actions, high=[1.0] * actions, shape=(actions,), group="episode"),
        seen("terminated", low=[0.0], high=[float(ends)], group="episode"),
        seen("dt", "s", low=[0.01], high=[0.01], start=[0.01], group="episode"),
        seen("time", "s", low=[0.0], high=[1.0], group="episode"),
    ]


def body(name: str, reach: Sequence[float]) -> list[Observable]:
    """What a body offers; `reach`: how far it moves along x, y and z."""
    back = [-each for each in reach]
    turns = [reach[1], reach[0], reach[1]]
    return [
        seen(f"{name}_pos", "m", low=back, high=reach, group=name),
        seen(f"{name}_up", low=[-1.0, -1.0, 0.0], high=[1.0, 1.0, 1.0], start=[0.0, 0.0, 1.0], group=name),
        seen(f"{name}_forward", low=[0.0, -1.0, -1.0], high=[1.0] * 3, start=[1.0, 0.0, 0.0], group=name),
        seen(f"{name}_linvel", "m/s", low=back, high=reach, group=name),
        seen(f"{name}_angvel", "rad/s", low=[-each for each in turns], high=turns, group=name),
        seen(f"{name}_turn", "rad", low=[-each for each in turns], high=turns, group=name),
    ]


def joint(name: str, group: str = "joints") -> list[Observable]:
    return [
        seen(f"{name}_angle", "rad", low=[-1.0], high=[1.0], group=group),
        seen(f"{name}_velocity", "rad/s", low=[-5.0], high=[5.0], group=group),
    ]


@pytest.fixture
def planar() -> Vocabulary:
    """A robot that moves in the x-z plane and can fall."""
    root = [
        seen("rootx_position", "m", low=[-1.0], high=[1.0], group="joints root"),
        seen("rootx_velocity", "m/s", low=[-2.0], high=[2.0], group="joints root"),
        *joint("rooty", "joints root"),
    ]
    own = [
        seen("forward_velocity", "m/s", low=[-2.0], high=[1.0]),
        seen("torso_height", "m", low=[0.7], high=[1.3], start=[1.25]),
        seen(
            "pitch_velocity",
            "rad/s",
            low=[-4.0],
            high=[4.0],
            description="Rate of pitch; positive: nose up, negative: nose down.",
        ),
        seen("left_foot_contact", low=[0.0], high=[1.0]),
        seen("right_foot_contact", low=[0.0], high=[1.0]),
    ]
    state = [
        seen("qpos", low=[-1.0] * 4, high=[1.0] * 4, group="state"),
        seen("qvel", low=[-5.0] * 4, high=[5.0] * 4, group="state"),
        seen("actuator_force", low=[-10.0] * 2, high=[10.0] * 2, shape=(2,), group="state"),
        seen("air_time", "s", low=[0.0], high=[0.4], group="state"),
        replace(seen("native_reward", low=[-1.0], high=[1.0]), hidden=True),
    ]
    bodies = [*body("torso", [1.0, 0.0, 0.5]), *body("left_arm", [1.0, 0.0, 1.0])]
    everything = [*own, *episode(2, ends=True), *root, *joint("hip"), *joint("knee"), *bodies, *state]
    return Vocabulary("Planar-v0", tuple(everything), horizon=1000, dt=0.01)


@pytest.fixture
def arm() -> Vocabulary:
    """An arm nobody wrote a domain file for, with a ball and a target that is never moved by hand."""
    bodies = [
        *body("link_1", [0.2, 0.2, 0.2]),
        *body("gripper", [0.5, 0.5, 0.5]),
        *body("ball", [0.1, 0.1, 0.0]),
    ]
    target = seen("target_pos", "m", low=[-0.3, -0.3, 0.0], high=[0.3, 0.3, 0.0], group="target")
    state = [
        seen("qpos", low=[-1.0] * 9, high=[1.0] * 9, group="state"),
        seen("qvel", low=[-5.0] * 8, high=[5.0] * 8, group="state"),
    ]
    joints = [*joint("joint_1"), *joint("joint_2")]
    everything = [*episode(2, ends=False), *joints, *bodies, target, *state]
    return Vocabulary("Arm-v0", tuple(everything), horizon=100, dt=0.02)


@pytest.fixture
def task() -> Task:
    """A task whose hand-written reward must never be looked at."""
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

    def make(**changes: object) -> Request:
        request = Request(
            task=task,
            vocabulary=planar,
            algorithm="ppo",
            discount=0.99,
            steps=1000,
            generation=0,
            samples=8,
            seed=0,
        )
        text = changes.pop("text", None)
        if text is not None:
            changes["task"] = replace(task, text=str(text))
        return replace(request, **changes)  # type: ignore[arg-type]

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
        scores = (judged_episode(1, fitness, None, 100),)
        result = Trained(id, 0, 1000, scores, (checkpoint,), correlations or {}, 1.0)
        return Evaluated(Candidate(id, 0, source, "templates"), (result,))

    return make


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)
