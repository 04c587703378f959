"""Vocabularies written by hand, as small as the programs that use them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from eureka_loop.errors import Refused
from eureka_loop.records import Array
from eureka_loop.reward.contract import Kind
from eureka_loop.reward.gate import check
from eureka_loop.reward.vocabulary import Observable, Vocabulary

ACCEPTED = Path(__file__).parent / "accepted"

EPISODE = "time s | time_left s | dt s | terminated"
CHEETAH = f"""forward_velocity m/s | torso_height m | torso_pitch rad | pitch_velocity rad/s | upward_velocity m/s
    | torso_pos 3 m | torso_linvel 3 m/s | torso_angvel 3 rad/s | torso_up 3 | torso_turn 3 rad | air_time s
    | back_foot_contact | front_foot_contact | bfoot_geom_pos 3 m | qpos 9 | qvel 9 | obs 17 | action 6 | {EPISODE}"""
BODY = "pos 3 m | quat 4 | up 3 | forward 3 | linvel 3 m/s | angvel 3 rad/s | turn 3 rad | yaw_total rad | air_time s"
LEGS = "_foot_contact | _foot_pos 3 m | _ground_force N"
SIZES = {"ant": (15, 14, 8), "humanoid": (24, 23, 17), "hand": (30, 30, 20), "hopper": (6, 6, 3)}


def _state(robot: str) -> str:
    positions, velocities, actions = SIZES[robot]
    return (
        f"qpos {positions} | qvel {velocities} | obs {positions + velocities} | action {actions} | {EPISODE}"
    )


def _body(name: str, columns: str = BODY) -> str:
    return " | ".join(f"{name}_{column}" for column in columns.split(" | "))


def _legs(*names: str) -> str:
    return " | ".join(f"{name}{column}" for name in names for column in LEGS.split(" | "))


TEXTS = {
    "cheetah": CHEETAH,
    "ant": f"{_body('torso')} | {_legs('front_left', 'front_right', 'back_left', 'back_right')} | {_state('ant')}"
    " | forward_velocity m/s | torso_contact_force 6",
    "humanoid": f"{_body('torso')} | {_body('left_hand')} | {_body('pelvis')} | {_legs('left', 'right')}"
    f" | {_state('humanoid')} | head_pos 3 m | forward_velocity m/s | left_elbow_angle rad | right_hand_geom_pos 3 m"
    " | left_elbow_velocity rad/s",
    "hopper": f"{_body('torso')} | {_legs('left')} | {_state('hopper')} | forward_velocity m/s | torso_height m"
    " | torso_lean rad | foot_contact",
    "hand": f"{_body('object')} | {_body('palm')} | {_state('hand')} | target_quat 4 | fingertips_pos 5 3 m"
    " | target_pos 3 m | desired_goal 7 | achieved_goal 7",
    "arm": "fingertip_pos 3 m | target_pos 3 m | object_pos 3 m | object_linvel 3 m/s | fingertip_linvel 3 m/s"
    f" | qpos 11 | qvel 11 | action 7 | gripper_width m | {EPISODE}",
}
HIDDEN = (Observable("native_reward", (), hidden=True), Observable("info_reward_ctrl", (), hidden=True))


def _observable(text: str) -> Observable:
    """ "torso_pos 3 m" → (N, 3), in m."""
    name, *rest = text.split()
    shape = tuple(int(part) for part in rest if part.isdigit())
    return Observable(name, shape, unit="".join(part for part in rest if not part.isdigit()))


def vocabulary_of(robot: str) -> Vocabulary:
    observables = [_observable(text) for text in TEXTS[robot].split("|")]
    return Vocabulary(robot, (*observables, *HIDDEN), horizon=1000, dt=0.05)


@pytest.fixture(scope="session", params=sorted(path.stem for path in ACCEPTED.glob("*.txt")))
def accepted(request: pytest.FixtureRequest) -> tuple[str, Vocabulary]:
    """Every program of `accepted/`, with the vocabulary that its first line names."""
    source = (ACCEPTED / f"{request.param}.txt").read_text()
    return source, vocabulary_of(source.splitlines()[0].removeprefix("# ").strip())


@pytest.fixture(scope="session")
def vocabularies() -> Callable[[str], Vocabulary]:
    return vocabulary_of


@pytest.fixture(scope="session")
def problems() -> Callable[..., list[str]]:
    """A program's problems, "Line 2: …" each; an empty list where it passes."""

    def problems(
        source: str, robot: str = "ant", kind: Kind = "reward", *, hidden: bool = False
    ) -> list[str]:
        try:
            check(source, vocabulary_of(robot), kind, hidden=hidden)
        except Refused as refused:
            return [str(problem) for problem in refused.problems]
        return []

    return problems


@pytest.fixture(scope="session")
def body(problems: Callable[..., list[str]]) -> Callable[..., list[str]]:
    """The problems of statements in `compute_reward(torso_pos, torso_quat, forward_velocity, action)`.

    They stand on lines 2 and on; `a` and `b` are arrays (N,), `w` is a weight; the returned term is `a`.
    """

    def body(statements: str, robot: str = "ant") -> list[str]:
        lines = [
            "def compute_reward(torso_pos, torso_quat, forward_velocity, action, *, w=1.0):",
            *(f"    {line}" for line in statements.splitlines()),
            '    return {"a": w * forward_velocity}',
        ]
        return problems("\n".join(lines), robot)

    return body


@pytest.fixture(scope="session")
def columns() -> Callable[..., dict[str, Array]]:
    """Random rows of a vocabulary, `prev_` and `init_` included."""

    def columns(vocabulary: Vocabulary, names: tuple[str, ...], rows: int = 7) -> dict[str, Array]:
        random = np.random.default_rng(0)
        return {name: random.normal(size=(rows, *vocabulary.resolve(name).shape)) for name in names}

    return columns
