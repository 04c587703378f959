"""Conversations about a measure, verbatim; the program that they show is one."""

from __future__ import annotations

from typing import Any

from eureka_loop.propose.llm import measure_prompts as measure
from eureka_loop.records import Reply
from eureka_loop.reward.episode import EPISODE
from eureka_loop.reward.measure import criteria, lacking, programs, weaknesses
from eureka_loop.reward.vocabulary import Observable, Vocabulary
from tests.propose.llm.test_prompts import assert_golden

SOURCE = "def fitness(forward_velocity):\n    return forward_velocity.mean()\n"


def test_a_draft_is_asked_for_attacked_and_changed(ask: Any) -> None:
    asked = measure.opening("Walk ahead.", ask().vocabulary)
    assert all(f"`{name}(" in asked[0]["content"] for name in EPISODE)
    shown = {"rival": SOURCE, "rival_scores": "episode | fitness", "tau": "+0.50", "scores": "still | 0"}
    attacked = measure.attack(asked, SOURCE, **shown)
    told = measure.words(asked, SOURCE, "walk, don't crawl", "still | 0")
    repaired = measure.repair(asked, Reply(SOURCE, exchange={"reply": "Here."}), "Line 1: no.")
    for messages in (attacked, told, repaired):
        assert messages[:2] == asked, "the part that endpoints can cache"
        assert [each["role"] for each in messages[2:]] == ["assistant", "user"]
    assert_golden("measure", [*attacked, *told[2:]])
    assert repaired[2]["content"] == "Here."


def test_an_attack_without_a_rival_says_nothing_of_one(ask: Any) -> None:
    text = measure.attack(measure.opening("Walk.", ask().vocabulary), SOURCE, scores="still | 0")[-1][
        "content"
    ]
    assert "drafted apart" not in text
    assert "the two measures differ" not in text


def test_the_example_is_a_measure() -> None:
    names = {"torso_pos": (3,), "torso_up": (3,), "torso_linvel": (3,), "dt": ()}
    known = Vocabulary("E-v0", tuple(Observable(name, shape) for name, shape in names.items()))
    source = measure.example()
    assert list(programs(source, known, hidden=False)) == ["fitness", "success"]
    assert lacking(source) == []
    assert sum(each.weight for each in criteria(source)) == 1.0
    assert len(weaknesses(source)) == 2
