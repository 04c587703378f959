"""Vocabularies as small as the programs that use them; the gate and the dry run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from eureka_loop.errors import Refused, RewardFailure
from eureka_loop.records import Array
from eureka_loop.reward.contract import Kind
from eureka_loop.reward.gate import check
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.sandbox.process import Terms
from eureka_loop.reward.sandbox.trial import try_out
from eureka_loop.reward.vocabulary import Observable, Vocabulary

ACCEPTED = Path(__file__).parent / "accepted"

EPISODE = "time s | time_left s | dt s | terminated"
BODY = "pos 3 m | quat 4 | up 3 | forward 3 | linvel 3 m/s | angvel 3 rad/s | turn 3 rad | yaw_total rad | air_time s"
LEGS = "_foot_contact | _foot_pos 3 m | _ground_force N"
SIZES = {"ant": (15, 14, 8), "humanoid": (24, 23, 17), "hand": (30, 30, 20), "hopper": (6, 6, 3)}


def _state(robot: str) -> str:
    positions, velocities, actions = SIZES[robot]
    return (
        f"qpos {positions} | qvel {velocities} | obs {positions + velocities} | action {actions} | {EPISODE}"
    )


def _body(name: str) -> str:
    return " | ".join(f"{name}_{column}" for column in BODY.split(" | "))


def _legs(*names: str) -> str:
    return " | ".join(f"{name}{column}" for name in names for column in LEGS.split(" | "))


TEXTS = {
    "cheetah": "forward_velocity m/s | torso_height m | torso_pitch rad | pitch_velocity rad/s | upward_velocity m/s"
    " | torso_pos 3 m | torso_linvel 3 m/s | torso_angvel 3 rad/s | torso_up 3 | torso_turn 3 rad | air_time s"
    f" | back_foot_contact | front_foot_contact | bfoot_geom_pos 3 m | qpos 9 | qvel 9 | obs 17 | action 6 | {EPISODE}",
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


def problems_of(source: str, robot: str = "ant", kind: Kind = "reward", *, hidden: bool = False) -> list[str]:
    """A program's problems, "Line 2: …" each; an empty list where the gate accepts it."""
    try:
        check(source, vocabulary_of(robot), kind, hidden=hidden)
    except Refused as refused:
        return [str(problem) for problem in refused.problems]
    return []


def with_body(statements: str, returned: str = '{"a": w * forward_velocity}') -> str:
    """Statements, from line 2 on, in `compute_reward(torso_pos, torso_quat, forward_velocity, action, *, w=1.0)`."""
    lines = [
        "def compute_reward(torso_pos, torso_quat, forward_velocity, action, *, w=1.0):",
        *(f"    {line}" for line in statements.splitlines()),
        f"    return {returned}",
    ]
    return "\n".join(lines)


def body_problems(statements: str) -> list[str]:
    """The problems of statements within a program, see `with_body`."""
    return problems_of(with_body(statements))


def rows_of(vocabulary: Vocabulary, names: tuple[str, ...], rows: int) -> dict[str, Array]:
    random = np.random.default_rng(0)
    return {name: random.uniform(-1.0, 1.0, (rows, *vocabulary.resolve(name).shape)) for name in names}


@pytest.fixture(scope="session")
def dry_run(fork_server: ForkServer) -> Callable[..., Terms]:
    """A program through the gate and the dry run on random rows; its terms."""

    def run(source: str, robot: str = "ant", kind: Kind = "reward", rows: int = 64) -> Terms:
        vocabulary = vocabulary_of(robot)
        program = check(source, vocabulary, kind)
        shapes = vocabulary.shapes(program.parameters)
        return try_out(fork_server, program, rows_of(vocabulary, program.parameters, rows), shapes)

    return run


@pytest.fixture(scope="session")
def failure(dry_run: Callable[..., Terms]) -> Callable[..., RewardFailure]:
    """The failure of statements in a dry run, see `with_body`; they give the term `b` the value of `x`."""

    def fails(statements: str, returned: str = '{"a": w * forward_velocity, "b": x}') -> RewardFailure:
        with pytest.raises(RewardFailure) as caught:
            dry_run(with_body(statements, returned))
        return caught.value

    return fails
