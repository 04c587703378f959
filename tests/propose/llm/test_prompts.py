"""Prompts verbatim: whole conversations in tests/conversations.

After a wanted change: WRITE_GOLDEN=1 pytest tests/propose/llm/test_prompts.py, and read the difference.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from eureka_loop.propose.designer import Choice, Repair
from eureka_loop.propose.llm import prompts
from eureka_loop.propose.operators import OPERATORS
from eureka_loop.records import Candidate
from eureka_loop.results import Evaluated, Trained, judged_episode
from eureka_loop.reward.gate import check
from eureka_loop.reward.vocabulary import Observable, Vocabulary
from eureka_loop.search.feedback import feedback
from tests.search.test_feedback import lineage

CONVERSATIONS = Path(__file__).parents[2] / "conversations"
FEEDBACK = "g0-01: the final policy's fitness is 1.2 in 10 judged episodes; episode length 1000 steps."
PROBLEMS = "Line 2: unknown observable 'speed'; did you mean 'forward_velocity' (N,) m/s?"
SOURCE = 'def compute_reward(forward_velocity):\n    return {"go": forward_velocity}\n'
EXCHANGE = {
    "messages": [{"role": "system", "content": "S"}, {"role": "user", "content": "U"}],
    "reply": f"<think>hm</think>Plan.\n```python\n{SOURCE}```",
}


def assert_golden(name: str, messages: list[dict[str, str]]) -> None:
    path = CONVERSATIONS / f"{name}.txt"
    text = "\n\n".join(f"=== {each['role']} ===\n{each['content']}" for each in messages) + "\n"
    if os.environ.get("WRITE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def parent(id: str = "g0-01", source: str = SOURCE, fitness: float = 1.2) -> Evaluated:
    trained = Trained(id, 0, 1000, (judged_episode(0, fitness, None, 10),), (), {}, 1.0)
    return Evaluated(Candidate(id, 0, source, "llm"), (trained,))


def test_first(ask: Any) -> None:
    assert_golden("first", prompts.messages(ask()))


def test_progress_is_shown_as_what_ranks_policies_that_never_succeed(ask: Any) -> None:
    program = "def progress(forward_velocity):\n    return forward_velocity.max()\n"
    task = replace(ask().task, success=program.replace("progress", "success"), progress=program)
    text = prompts.messages(ask(task=task))[1]["content"]
    assert (
        f"never succeeds, it is ranked by this progress instead; higher is better, too:\n\n```python\n{program}"
        in text
    )


def test_lessons_stand_before_the_task_is_asked_for(ask: Any) -> None:
    text = prompts.messages(ask(lessons=("adding `a` raised fitness by 1", "b")))[1]["content"]
    before, _, after = text.partition("\n\n# Lessons of earlier runs\n")
    assert "\n\n- adding `a` raised fitness by 1\n- b\n\n# Your turn\n" in after
    assert f"{before}\n\n# Your turn" in prompts.messages(ask())[1]["content"]


def test_feedback_on_a_parent(ask: Any) -> None:
    messages = prompts.messages(ask(generation=1, parents=(parent(),), feedback=FEEDBACK))
    assert messages[:2] == prompts.messages(ask())  # the part that endpoints can cache
    assert_golden("feedback", messages[2:])


def test_feedback_where_nothing_was_trained(ask: Any) -> None:
    failed = "The programs of this generation:\ng0-00: failed, refused: Line 1: no."
    messages = prompts.messages(ask(generation=1, feedback=failed))
    assert [message["role"] for message in messages] == ["system", "user"]
    opening = prompts.messages(ask())[1]["content"]
    assert messages[1]["content"].startswith(opening)
    rest = {"role": "user", "content": messages[1]["content"][len(opening) :].strip()}
    assert_golden("feedback_on_failures", [rest])


def test_several_parents_an_operator_and_instructions(ask: Any) -> None:
    other = parent("g1-07", SOURCE.replace("go", "run"), 1234567.0)
    request = ask(
        generation=2,
        parents=(parent(), other),
        operator="cross",
        instructions="Use at most three terms.",
        feedback=FEEDBACK,
    )
    assert_golden("cross", prompts.messages(request)[2:])


@pytest.mark.parametrize("operator", OPERATORS)
def test_every_operator_has_a_text_of_its_own(ask: Any, operator: str) -> None:
    def last(name: str) -> str:
        request = ask(generation=1, parents=(parent(), parent("g0-02")), operator=name, feedback=FEEDBACK)
        return prompts.messages(request)[-1]["content"]

    assert last(operator) not in [last(name) for name in OPERATORS if name != operator]
    assert (SOURCE.strip() in last(operator)) is (operator != "fresh")


def test_the_samples_of_a_generation_have_prompts_of_their_own(ask: Any) -> None:
    """Golden: what each operator asks for, with the feedback on its own parents."""
    history = lineage()
    choices = {}
    for sample, operator in enumerate(OPERATORS):
        parents = () if operator == "fresh" else (history[3], *history[1:2] * (operator == "cross"))
        text = feedback(parents, history[3:], history=history, operator=operator)
        choices[sample] = Choice(parents, operator, feedback=text)
    whole = ask(samples=len(choices), generation=3, history=history, choices=choices)
    turns = [prompts.messages(whole.of(sample))[-1] for sample in choices]
    opening = prompts.messages(ask())[1]["content"]
    assert_golden("operators", [{**each, "content": each["content"].removeprefix(opening)} for each in turns])


def test_repair(ask: Any) -> None:
    assert_golden("repair", prompts.messages(ask(repair=Repair(SOURCE, PROBLEMS, EXCHANGE))))
    empty = Repair(None, "the reply holds no code: Sure, here is", {**EXCHANGE, "reply": ""})
    assert_golden("repair_without_program", prompts.messages(ask(repair=empty)))


def test_the_example_passes_the_gate() -> None:
    names = {"chest_pos": (3,), "chest_up": (3,), "dt": (), "action": (6,)}
    vocabulary = Vocabulary("Any-v0", tuple(Observable(name, shape) for name, shape in names.items()))
    program = check(prompts.example(), vocabulary)
    assert program.parameters == ("chest_pos", "prev_chest_pos", "chest_up", "dt", "action")
    assert dict(program.weights) == {"speed": 1.0, "upright": 0.5, "margin": 0.3, "effort": 1e-3}
