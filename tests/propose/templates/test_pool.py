"""Terms bound to an env's observables: the right measures, signs, scales and goals; the library is sound."""

from __future__ import annotations

from dataclasses import replace

import pytest

from eureka_loop.propose.templates.genome import Gene, write
from eureka_loop.propose.templates.library import TermTemplate, library, parse
from eureka_loop.propose.templates.matching import fitness_names
from eureka_loop.propose.templates.pool import Pool, Term, pool
from eureka_loop.records import Task
from eureka_loop.reward.functions import namespace
from eureka_loop.reward.vocabulary import Observable, Vocabulary


def asked(vocabulary: Vocabulary, task: Task, text: str, fitness: str = "") -> Pool:
    return pool(replace(task, text=text, fitness=fitness), vocabulary)


def best(found: Pool, template: str) -> Term:
    return next(term for term in found.terms if term.template.name == template)


def entry(found: Pool, template: str) -> str:
    return best(found, template).entry[0]


@pytest.mark.parametrize(
    ("robot", "text", "template", "expected"),
    [
        ("planar", "run forward", "progress", "forward_velocity"),
        ("planar", "jump as high as you can", "height", "torso_height"),
        ("planar", "jump as high as you can", "rise", "torso_linvel[:, 2]"),
        ("planar", "raise the left arm", "height", "left_arm_pos[:, 2]"),
        ("planar", "walk", "gait", "left_foot_contact right_foot_contact"),
        ("planar", "stand upright", "upright", "torso_up[:, 2]"),
        ("planar", "spin in place", "spin", "pitch_velocity"),  # a planar robot turns about y alone
        ("planar", "spin in place", "stay_near", "torso_pos"),
        ("planar", "stand still", "stillness", "torso_linvel"),
        ("planar", "jab with the left arm", "strike", "left_arm_linvel[:, 0]"),
        ("planar", "push the block to the goal", "carry", "achieved_goal desired_goal"),
        ("arm", "reach the target with the gripper", "reach", "gripper_pos target_pos"),
        ("arm", "touch the ball", "reach", "gripper_pos ball_pos"),
        ("arm", "push the ball to the target", "carry", "ball_pos target_pos"),
        ("arm", "push the ball to the target", "attend", "gripper_pos ball_pos"),
        ("arm", "hold the pose", "hold_pose", "qpos[:, 7:]"),
    ],
)
def test_measures_of_terms(
    planar: Vocabulary, arm: Vocabulary, task: Task, robot: str, text: str, template: str, expected: str
) -> None:
    goals = [Observable(name, (3,), group="goal") for name in ("achieved_goal", "desired_goal")]
    vocabulary = arm if robot == "arm" else planar
    if "goal" in text:
        vocabulary = replace(planar, observables=(*planar.observables, *goals))
    term = best(asked(vocabulary, task, text), template)
    assert " ".join(map(str, term.binding.measures.values())) == expected


def test_signs(planar: Vocabulary, task: Task) -> None:
    assert entry(asked(planar, task, "walk forward"), "progress").startswith('"speed": speed *')
    assert entry(asked(planar, task, "walk backwards"), "progress").startswith('"speed": -speed *')
    # a backflip is negative about +y, but the description says that the rate is positive nose up
    assert entry(asked(planar, task, "do a backflip"), "flip").startswith('"flip": flip * pitch_velocity')
    assert entry(asked(planar, task, "do a frontflip"), "flip").startswith('"flip": -flip * pitch_velocity')


def test_the_fitness_lends_its_names_and_no_more(planar: Vocabulary, task: Task) -> None:
    source = "def fitness(hand_distance, prev_qpos, dt):\n    return -hand_distance.mean()\n"
    assert fitness_names(source) == {"hand_distance"}
    assert fitness_names("this is no Python") == frozenset()
    goals = asked(planar, task, "be brilliant", "def fitness(left_foot_contact):\n    return 0.0\n").goals
    assert [(goal.key, str(goal.binding.measures["quantity"])) for goal in goals] == [
        ("score", "left_foot_contact")
    ]
    door = replace(planar, observables=(*planar.observables, Observable("door_distance", (), "m")))
    found = asked(door, task, "be brilliant", "def fitness(door_distance):\n    return 0.0\n")
    assert entry(found, "improve").startswith('"score": -score * door_distance')  # better if small
    assert asked(planar, task, "be brilliant").goals


# the library


@pytest.mark.parametrize("template", library(), ids=lambda template: template.name)
def test_a_template_is_sound(template: TermTemplate) -> None:
    assert template.summary
    assert set(template.positive) <= set(template.shapes)
    assert template.key not in namespace(), "the key becomes a keyword: it must not hide a shaping function"
    assert template.purpose == "cost" or template.prior > 0 or template.words or template.last_resort
    assert all(role.about for role in template.roles.values())


def test_every_template_fits_somewhere_and_renders_readable_code(
    planar: Vocabulary, arm: Vocabulary, task: Task
) -> None:
    terms = [*pool(task, planar).terms, *pool(task, arm).terms]
    unbound = {template.name for template in library()} - {term.template.name for term in terms}
    assert unbound <= {"gap", "impact", "straight"}  # a stated distance, ground forces, sideways speed
    for term in terms:
        text, weights = write((Gene(term, term.weights),), "A task"), term.weights
        compile(text, term.key, "exec")
        assert weights
        assert all(value > 0 for value in weights.values()), f"{term.key}: {weights}"
        assert max(map(len, text.splitlines())) <= 115, text


def test_a_wrong_front_matter_is_refused() -> None:
    with pytest.raises(ValueError, match="front matter"):
        parse("odd", '"speed": 1.0,\n')
    head = (
        '+++\npurpose = "goal"\nkey = "k"\nsummary = "s"\nshapes = ["a"]\ncolour = 1\nweight = "1"\n[roles]\n'
    )
    with pytest.raises(ValueError, match="colour"):
        parse("odd", f"{head}+++\nx")
