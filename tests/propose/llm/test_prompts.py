"""What a model is told, verbatim: whole conversations in tests/conversations.

After a wanted change: WRITE_GOLDEN=1 pytest tests/propose/llm/test_prompts.py, and read the difference.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from eureka_loop.propose.designer import Repair
from eureka_loop.propose.llm import prompts
from eureka_loop.records import Candidate
from eureka_loop.results import Evaluated
from eureka_loop.reward.gate import check
from eureka_loop.reward.vocabulary import Observable, Vocabulary

CONVERSATIONS = Path(__file__).parents[2] / "conversations"
FEEDBACK = "g0-01: the final policy's fitness is 1.2, 1.1 to 1.3 in 10 episodes; episode length 1000 steps."
PROBLEMS = "Line 2: unknown observable 'speed'; did you mean 'forward_velocity' (N,) m/s?"
SOURCE = 'def compute_reward(forward_velocity):\n    return {"go": forward_velocity}\n'


def conversation(messages: list[dict[str, str]]) -> str:
    return "\n\n".join(f"=== {message['role']} ===\n{message['content']}" for message in messages) + "\n"


def assert_golden(name: str, messages: list[dict[str, str]]) -> None:
    path, text = CONVERSATIONS / f"{name}.txt", conversation(messages)
    if os.environ.get("WRITE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def elite() -> Evaluated:
    return Evaluated(Candidate("g0-01", 0, SOURCE, "llm"), ())


def test_first(ask: Any) -> None:
    assert_golden("first", prompts.messages(ask()))


def test_feedback_on_the_best(ask: Any) -> None:
    messages = prompts.messages(ask(generation=1, parents=(elite(),), feedback=FEEDBACK))
    assert messages[:2] == prompts.messages(ask())  # what endpoints can cache
    assert_golden("feedback", messages[2:])


def test_feedback_where_nothing_was_trained(ask: Any) -> None:
    failed = "The programs of this generation:\ng0-00: failed, refused: Line 1: no."
    messages = prompts.messages(ask(generation=1, feedback=failed))
    assert [message["role"] for message in messages] == ["system", "user"]
    opening = prompts.messages(ask())[1]["content"]
    assert messages[1]["content"].startswith(opening)
    assert_golden(
        "feedback_on_failures", [{"role": "user", "content": messages[1]["content"][len(opening) :]}]
    )


def test_repair(ask: Any) -> None:
    before = [{"role": "system", "content": "S"}, {"role": "user", "content": "U"}]
    reply = f"<think>hm</think>Plan.\n```python\n{SOURCE}```"
    request = ask(repair=Repair(SOURCE, PROBLEMS, {"messages": before, "reply": reply}))
    assert_golden("repair", prompts.messages(request))


def test_repair_of_a_reply_without_a_program(ask: Any) -> None:
    before = [{"role": "system", "content": "S"}, {"role": "user", "content": "U"}]
    problem = "the reply holds no code: Sure, here is"
    request = ask(repair=Repair(None, problem, {"messages": before, "reply": ""}))
    assert_golden("repair_without_program", prompts.messages(request))


def test_repair_of_a_program_without_a_conversation(ask: Any) -> None:
    messages = prompts.messages(ask(repair=Repair(SOURCE, PROBLEMS)))
    assert messages[:2] == prompts.messages(ask())
    assert messages[2]["content"] == f"```python\n{SOURCE}```"


def test_a_call_that_failed_altogether_is_asked_afresh(ask: Any) -> None:
    assert prompts.messages(ask(repair=Repair(None, "no answer"))) == prompts.messages(ask())


def test_success_is_told_where_there_is_one(ask: Any) -> None:
    request = ask()
    assert "success" not in prompts.first(request)
    success = "def success(forward_velocity):\n    return forward_velocity.mean() > 1\n"
    assert success.strip() in prompts.first(replace(request, task=replace(request.task, success=success)))


def test_the_example_passes_the_gate() -> None:
    names = {"chest_pos": (3,), "chest_up": (3,), "dt": (), "action": (6,)}
    vocabulary = Vocabulary("Any-v0", tuple(Observable(name, shape) for name, shape in names.items()))
    program = check(prompts.example(), vocabulary)
    assert program.parameters == ("chest_pos", "prev_chest_pos", "chest_up", "dt", "action")
    assert dict(program.weights) == {"speed": 1.0, "upright": 0.5, "margin": 0.3, "effort": 1e-3}


@pytest.mark.parametrize("name", ["tolerance", "ramp", "wrap", "dot", "norm", "rotate", "heading"])
def test_every_shaping_function_is_told(name: str) -> None:
    assert f"`{name}(" in prompts.system()


def test_documentation_is_shortened() -> None:
    long = "| a |\n| --- |\n" + "| x |\n" * 13
    figure, table = "```{figure} a.png\n:name: a\n```\n", "| a    | b   |\n| ---- | ------ |\n| 1 | 2 |\n"
    text = f"See [here](http://x.y).\n{figure}\n\n\n{table}And\n{long}End."
    assert prompts.documentation_text(text) == (
        "See here.\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\nAnd\n"
        "(A table of 13 rows is left out: see the observables above.)\nEnd."
    )
