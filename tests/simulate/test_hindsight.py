"""Columns recomputed for another goal, of quantities that can be worked out by hand."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from eureka_loop.envs.domain import Domain
from eureka_loop.errors import BadInput, Refused
from eureka_loop.records import Task
from eureka_loop.simulate.definitions import Raw, defined, running_sum
from eureka_loop.simulate.hindsight import Hindsight, stated_of

OWN: dict[str, Callable[..., Any]] = {
    "gap": lambda achieved_goal, desired_goal: desired_goal - achieved_goal,
    "gain": lambda gap, prev_gap: prev_gap - gap,
    "speed": lambda achieved_goal, prev_achieved_goal: achieved_goal - prev_achieved_goal,
    "paid": lambda native_reward: native_reward,
    "way": lambda gap: gap,
}
QUANTITIES = {
    name: defined(name, "", "", Raw("step", name), hidden=name == "native_reward")
    for name in ("achieved_goal", "desired_goal", "time", "info_there", "native_reward")
}
for name, function in OWN.items():
    needs, adds_up = inspect.signature(function).parameters, running_sum if name == "way" else None
    QUANTITIES[name] = defined(name, "", "", *needs, function=function, accumulate=adds_up, origin="toy.py")
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


@pytest.mark.parametrize(
    ("expected", "kept"),
    [
        ({"gap": [4.0, 0.0], "prev_gap": [7.0, 4.0]}, {"achieved_goal", "prev_achieved_goal"}),
        ({"init_gap": [9.0, 9.0]}, {"achieved_goal", "init_achieved_goal"}),
        ({"gain": [3.0, 4.0]}, {"achieved_goal", "prev_achieved_goal"}),
        ({"speed": KEPT["speed"], "time": KEPT["time"]}, {"achieved_goal", "speed", "time"}),
        (
            {"info_there": [0.0, 1.0], "prev_info_there": [0.0, 0.0]},
            {"achieved_goal", "time", "prev_achieved_goal", "prev_time"},
        ),
    ],
)
def test_what_follows_the_goal_is_computed_anew_and_the_rest_kept(expected: Any, kept: set[str]) -> None:
    hindsight = Hindsight(QUANTITIES, STATED, expected)
    assert set(hindsight.kept) == kept
    columns = hindsight.columns({name: np.array(KEPT[name]) for name in kept}, np.array([10.0, 10.0]))
    assert {name: column.tolist() for name, column in columns.items()} == expected


@pytest.mark.parametrize(
    ("parameter", "named"),
    [("prev_gain", "prev_gain"), ("native_reward",) * 2, ("paid", "native_reward"), ("way", "way")],
)
def test_what_cannot_be_recomputed_is_refused_in_one_line(parameter: str, named: str) -> None:
    """Names that need two earlier steps or a reward, directly or through another, and sums over steps."""
    with pytest.raises(
        Refused, match=f"'{named}' can't be computed for another goal.*her = false"
    ) as refused:
        Hindsight(QUANTITIES, STATED, ["gap", parameter])
    assert "\n" not in str(refused.value)


def test_what_a_domain_states_is_there_and_of_the_env_as_it_is() -> None:
    with pytest.raises(BadInput, match=r"info_thre.*info_there"):
        Hindsight(QUANTITIES, {"info_thre": STATED["info_there"]}, ["gap"])
    other = Task("any", "Any-v0", "", "", env_kwargs={"max_episode_steps": 5, "reset_target": True})
    with pytest.raises(
        BadInput, match="no domain file states what follows the goal in Any-v0 with reset_target"
    ):
        stated_of(other, Domain("any", "Any-v0", hindsight={}))
    with pytest.raises(BadInput, match=r"what follows the goal in Any-v0; .*her = false"):
        stated_of(Task("any", "Any-v0", "", ""), Domain("any", "Any-v0"))
