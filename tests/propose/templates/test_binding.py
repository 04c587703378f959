from __future__ import annotations

from dataclasses import replace

import pytest

from eureka_loop.propose.templates.binding import fitness_names
from eureka_loop.propose.templates.inventory import inventory
from eureka_loop.propose.templates.pool import Pool, pool
from eureka_loop.records import Task
from eureka_loop.reward.vocabulary import Observable, Vocabulary


def measures(vocabulary: Vocabulary, task: Task, text: str, template: str) -> list[str]:
    """What the best binding of a template is made of."""
    terms = [term for term in asked(vocabulary, task, text).terms if term.template.name == template]
    return [str(measure) for measure in terms[0].binding.measures.values()] if terms else []


def asked(vocabulary: Vocabulary, task: Task, text: str, fitness: str = "") -> Pool:
    return pool(replace(task, text=text, fitness=fitness), vocabulary)


def entry(vocabulary: Vocabulary, task: Task, text: str, template: str) -> str:
    terms = [term for term in asked(vocabulary, task, text).terms if term.template.name == template]
    return next(iter(terms[0].genes.values())).entry


def test_axes_and_driven_joints(planar: Vocabulary) -> None:
    found = {str(measure): measure for measure in inventory(planar)}
    assert found["torso_linvel[:, 0]"].axis == "x"
    assert not found["torso_linvel[:, 1]"].varies
    assert found["forward_velocity"].axis == "x"
    assert found["torso_height"].axis == "z"
    assert found["qpos[:, 2:]"].shape == (2,), "rootx and rooty are the root's"
    assert "native_reward" not in found


def test_a_free_root_stands_before_the_joints(arm: Vocabulary) -> None:
    found = {str(measure): measure for measure in inventory(arm)}
    assert found["qpos[:, 7:]"].unit == "rad"
    assert found["qvel[:, 6:]"].unit == "rad/s"


def test_scales_are_how_far_random_actions_lead_from_the_start() -> None:
    height = Observable("torso_height", (), "m", start=(1.25,), low=(0.75,), high=(1.3,))
    measure = inventory(Vocabulary("X", (height,)))[0]
    assert measure.scale == pytest.approx(0.5)
    assert inventory(Vocabulary("X", (replace(height, start=None, low=None, high=None),)))[0].scale == 1.0


@pytest.mark.parametrize(
    ("text", "template", "expected"),
    [
        ("run forward", "progress", ["forward_velocity"]),
        ("jump as high as you can", "height", ["torso_height"]),
        ("jump as high as you can", "rise", ["torso_linvel[:, 2]"]),
        ("raise the left arm", "height", ["left_arm_pos[:, 2]"]),
        ("walk", "gait", ["left_foot_contact", "right_foot_contact"]),
        ("stand upright", "upright", ["torso_up[:, 2]"]),
        ("spin in place", "spin", ["pitch_velocity"]),  # a planar robot turns about y alone
        ("spin in place", "stay_near", ["torso_pos"]),
        ("stand still", "stillness", ["torso_linvel"]),
        ("jab with the left arm", "strike", ["left_arm_linvel[:, 0]"]),
    ],
)
def test_the_planar_robot(
    planar: Vocabulary, task: Task, text: str, template: str, expected: list[str]
) -> None:
    assert measures(planar, task, text, template) == expected


@pytest.mark.parametrize(
    ("text", "template", "expected"),
    [
        ("reach the target with the gripper", "reach", ["gripper_pos", "target_pos"]),
        ("touch the ball", "reach", ["gripper_pos", "ball_pos"]),
        ("push the ball to the target", "carry", ["ball_pos", "target_pos"]),
        ("push the ball to the target", "attend", ["gripper_pos", "ball_pos"]),
        ("hold the pose", "hold_pose", ["qpos[:, 7:]"]),
    ],
)
def test_an_arm_without_a_domain(
    arm: Vocabulary, task: Task, text: str, template: str, expected: list[str]
) -> None:
    assert measures(arm, task, text, template) == expected


def test_a_goal_envs_goals_are_positions(planar: Vocabulary, task: Task) -> None:
    goals = [Observable(name, (3,), group="goal") for name in ("achieved_goal", "desired_goal")]
    vocabulary = replace(planar, observables=(*planar.observables, *goals))
    assert measures(vocabulary, task, "push the block to the goal", "carry") == [
        "achieved_goal",
        "desired_goal",
    ]


def test_backwards_turns_the_sign(planar: Vocabulary, task: Task) -> None:
    assert entry(planar, task, "walk forward", "progress").startswith('"speed": speed *')
    assert entry(planar, task, "walk backwards", "progress").startswith('"speed": -speed *')


def test_a_description_can_turn_the_sign_of_a_flip(planar: Vocabulary, task: Task) -> None:
    """A backflip is negative about +y, but `pitch_velocity` says it is positive nose up."""
    assert entry(planar, task, "do a backflip", "flip").startswith('"flip": flip * pitch_velocity')
    assert entry(planar, task, "do a frontflip", "flip").startswith('"flip": -flip * pitch_velocity')


def test_the_fitness_lends_its_names_and_no_more() -> None:
    source = "def fitness(hand_distance, prev_qpos, dt):\n    return -hand_distance.mean()\n"
    assert fitness_names(source) == {"hand_distance"}
    assert fitness_names("this is no Python") == frozenset()


def test_without_a_known_word_the_fitness_says_what_the_goal_is_made_of(
    planar: Vocabulary, task: Task
) -> None:
    goals = asked(planar, task, "be brilliant", "def fitness(left_foot_contact):\n    return 0.0\n").goals
    assert [(goal.key, str(goal.binding.measures["quantity"])) for goal in goals] == [
        ("score", "left_foot_contact")
    ]


def test_a_distance_is_better_small(planar: Vocabulary, task: Task) -> None:
    source = "def fitness(door_distance):\n    return 0.0\n"
    vocabulary = replace(planar, observables=(*planar.observables, Observable("door_distance", (), "m")))
    terms = asked(vocabulary, task, "be brilliant", source).terms
    score = next(term for term in terms if term.template.name == "improve")
    assert score.genes["linear"].entry.startswith('"score": -score * door_distance')


def test_without_any_hint_there_is_still_a_goal(planar: Vocabulary, task: Task) -> None:
    assert asked(planar, task, "be brilliant").goals


def test_keys_and_weights_never_hide_an_observable(planar: Vocabulary, task: Task) -> None:
    clashing = [Observable(name, (), "m") for name in ("speed", "effort", "alive", "height", "speed_cap")]
    vocabulary = replace(planar, observables=(*planar.observables, *clashing))
    for term in asked(vocabulary, task, "run forward, jump high").terms:
        for gene in term.genes.values():
            assert not gene.weights.keys() & set(vocabulary.names()), gene
