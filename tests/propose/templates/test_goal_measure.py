"""A measure without a model: the goals that a text names."""

from __future__ import annotations

from dataclasses import replace

import pytest

from eureka_loop.errors import BadInput
from eureka_loop.propose.templates.goal_measure import draft
from eureka_loop.records import Task
from eureka_loop.reward.measure import criteria, lacking, programs
from eureka_loop.reward.vocabulary import Observable, Vocabulary


def drafted(task: Task, text: str, vocabulary: Vocabulary) -> str:
    source = draft(replace(task, text=text, fitness=""), vocabulary)
    programs(source, vocabulary, hidden=False)
    assert lacking(source) == []
    return source


def test_one_goal_is_measured_in_its_own_unit(task: Task, planar: Vocabulary) -> None:
    source = drafted(task, "run backward", planar)
    assert "speed_goal = (-forward_velocity).mean()\n    return speed_goal\n" in source


@pytest.mark.parametrize(("side", "sign"), [("left", "-"), ("right", "")])
def test_where_nothing_moves_sideways_left_is_that_of_a_picture_from_the_side(
    task: Task, planar: Vocabulary, side: str, sign: str
) -> None:
    assert f"speed_goal = ({sign}forward_velocity).mean()" in drafted(task, f"run to the {side}", planar)


def test_where_an_episode_can_end_early_a_fall_costs_what_would_have_come(
    task: Task, planar: Vocabulary
) -> None:
    limited = replace(planar, observables=(*planar.observables, Observable("time_left", ())))
    source = drafted(task, "run backward", limited)
    assert "((-forward_velocity) * dt).sum() / (time[-1] + time_left[-1])\n" in source
    assert "mean over the whole time limit of -forward_velocity" in source


def test_several_goals_share_the_weight(task: Task, planar: Vocabulary) -> None:
    source = drafted(task, "jump as high as you can", planar)
    stated = criteria(source)
    assert len(stated) > 1
    assert sum(each.weight for each in stated) == pytest.approx(1.0, abs=0.01)


def test_a_text_that_names_no_goal_is_answered_with_what_to_do(task: Task, planar: Vocabulary) -> None:
    with pytest.raises(BadInput, match=r"no measure is known for 'think about life' in .*: give --fitness"):
        drafted(task, "think about life", planar)
