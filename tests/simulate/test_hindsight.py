"""Columns recomputed for another goal, of quantities that can be worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from eureka_loop.envs.domain import Domain
from eureka_loop.envs.registry import find_task
from eureka_loop.errors import BadInput, Refused
from eureka_loop.records import Task
from eureka_loop.reward.vocabulary import Observable
from eureka_loop.simulate.definitions import Definition, InfoValue, Raw, StepValue, as_is, running_sum
from eureka_loop.simulate.hindsight import Hindsight, stated_of


def quantity(name: str, function: Callable[..., Any], *needs: Raw | str, **more: Any) -> Definition:
    hidden = more.pop("hidden", False)
    return Definition(Observable(name, (), hidden=hidden), needs or _names(function), function, **more)


def _names(function: Callable[..., Any]) -> tuple[str, ...]:
    return function.__code__.co_varnames[: function.__code__.co_argcount]


OWN: dict[str, Any] = {"origin": "envs/toy.py"}
QUANTITIES = {
    each.name: each
    for each in (
        quantity("achieved_goal", as_is, StepValue("achieved_goal")),
        quantity("desired_goal", as_is, StepValue("desired_goal")),
        quantity("time", as_is, StepValue("steps")),
        quantity("info_there", as_is, InfoValue("there")),
        quantity("native_reward", as_is, StepValue("reward"), hidden=True),
        quantity("gap", lambda achieved_goal, desired_goal: desired_goal - achieved_goal, **OWN),
        quantity("gain", lambda gap, prev_gap: prev_gap - gap, **OWN),
        quantity(
            "speed", lambda achieved_goal, prev_achieved_goal: achieved_goal - prev_achieved_goal, **OWN
        ),
        quantity("paid", lambda native_reward: native_reward, **OWN),
        quantity("way", lambda gap: gap, accumulate=running_sum, **OWN),
    )
}
STATED = {"info_there": lambda gap, time: (gap == 0.0) & (time > 0.0)}

# Two transitions, of an episode that began at 1: from 3 to 6, from 6 to 10.
KEPT = {
    "achieved_goal": [6.0, 10.0],
    "prev_achieved_goal": [3.0, 6.0],
    "init_achieved_goal": [1.0, 1.0],
    "time": [1.0, 2.0],
    "prev_time": [0.0, 1.0],
    "speed": [3.0, 4.0],
}
GOALS = np.array([10.0, 10.0])


def recomputed(*parameters: str) -> dict[str, list[float]]:
    hindsight = Hindsight(QUANTITIES, STATED, parameters)
    columns = hindsight.columns({name: np.array(KEPT[name]) for name in hindsight.kept}, GOALS)
    assert list(columns) == list(parameters)
    return {name: column.tolist() for name, column in columns.items()}


def test_what_follows_the_goal_is_computed_anew() -> None:
    assert recomputed("gap", "prev_gap", "init_gap") == {
        "gap": [4.0, 0.0],
        "prev_gap": [7.0, 4.0],
        "init_gap": [9.0, 9.0],
    }


def test_the_rest_is_kept_and_only_that() -> None:
    assert recomputed("speed", "time") == {"speed": KEPT["speed"], "time": KEPT["time"]}
    assert Hindsight(QUANTITIES, STATED, ["speed"]).kept == ("achieved_goal", "speed")
    assert Hindsight(QUANTITIES, STATED, ["gain"]).kept == ("achieved_goal", "prev_achieved_goal")


def test_what_a_domain_states_is_computed_by_that() -> None:
    assert recomputed("info_there", "prev_info_there") == {
        "info_there": [0.0, 1.0],
        "prev_info_there": [0.0, 0.0],
    }
    assert Hindsight(QUANTITIES, {}, ["info_there"]).kept == ("achieved_goal", "info_there")


@pytest.mark.parametrize(
    ("parameter", "reason"),
    [
        ("prev_gain", "'prev_gain' depends on the goal and looks two steps back"),
        ("native_reward", "no domain file states how 'native_reward' depends on the goal"),
        ("paid", "no domain file states how 'native_reward' depends on the goal"),
        ("way", "'way' adds up over the episode what depends on the goal"),
    ],
)
def test_what_cannot_be_recomputed_is_refused_in_one_line(parameter: str, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        Hindsight(QUANTITIES, STATED, ["gap", parameter])
    assert reason in str(refused.value)
    assert "her = false" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_stated_name_that_does_not_exist() -> None:
    with pytest.raises(BadInput, match=r"info_thre.*info_there"):
        Hindsight(QUANTITIES, {"info_thre": STATED["info_there"]}, ["gap"])


def test_a_domain_without_a_statement_on_its_goal() -> None:
    task = find_task("halfcheetah-run")
    with pytest.raises(
        BadInput, match=r"no domain file states what follows the goal in HalfCheetah-v5.*her = false"
    ):
        stated_of(task, Domain("any", task.env_id))


def test_a_statement_holds_for_the_env_as_it_is() -> None:
    other = Task("any", "Any-v0", "", "", env_kwargs={"max_episode_steps": 5, "reset_target": True})
    with pytest.raises(BadInput, match="'any' says nothing of its goal with reset_target"):
        stated_of(other, Domain("any", "Any-v0", hindsight={}))
