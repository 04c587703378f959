"""The program in replies, as models really write them."""

from __future__ import annotations

import pytest

from eureka_loop.propose.llm.extract import extract, without_thinking

PROGRAM = 'def compute_reward(speed, *, weight=1.0):\n    """Go."""\n    return {"go": weight * speed}\n'
OTHER = PROGRAM.replace("1.0", "2.0")


def fenced(code: str, language: str = "python") -> str:
    return f"```{language}\n{code.rstrip()}\n```"


@pytest.mark.parametrize(
    "reply",
    [
        f"Sure!\n\n{fenced(PROGRAM)}\n\nGood luck.",
        fenced(PROGRAM, ""),
        f"Sketch:\n{fenced('x = speed', 'text')}\nThen:\n{fenced(PROGRAM)}\nRun:\n{fenced('ls', 'bash')}",
        f"Draft:\n{fenced(OTHER)}\nBetter:\n{fenced(PROGRAM)}",
        f"Good:\n{fenced(PROGRAM)}\nBroken:\n{fenced('def compute_reward(:')}",
        f"<think>{fenced(OTHER)}</think>\n{fenced(PROGRAM)}",
        f"so {fenced(OTHER)}\n</think>\n{fenced(PROGRAM)}",
        f"Here it is:\n\n{PROGRAM}\nThis pays for speed.",
        f"```python\n{PROGRAM}",  # the closing fence forgotten
        "\n".join("   " + line for line in fenced(PROGRAM).split("\n")),
        fenced(PROGRAM).replace("\n", "\r\n"),
        f"The reward: {fenced(PROGRAM)}",
        f"Use `x` and `y`: {fenced(PROGRAM)}",
        f"```\npython\n{PROGRAM}```",
        fenced("\ufeff" + PROGRAM),
        f"No `<think>` block is needed for this.\n\n{fenced(PROGRAM)}",
    ],
    ids=range(16),
)
def test_finds_the_program(reply: str) -> None:
    assert extract(reply).source == PROGRAM


def test_a_program_that_names_a_tag_is_whole() -> None:
    program = PROGRAM.replace("Go.", "Go; no <think> here.")
    assert extract(fenced(program)).source == program


def test_without_a_fence_constants_and_helpers_belong_to_the_program() -> None:
    whole = f"import numpy as np\n\nSCALE = 2.0\n\n\ndef half(x):\n    return x / SCALE\n\n\n{PROGRAM}"
    assert extract(f"The idea: go fast.\n{whole}\nThis pays for speed.\nx is in m/s.").source == whole


@pytest.mark.parametrize(
    "code", [PROGRAM.replace("compute_reward", "reward"), "def compute_reward(speed:\n    pass\n"]
)
def test_another_function_and_broken_code_go_to_the_gate(code: str) -> None:
    assert extract(fenced(code)).source == code


@pytest.mark.parametrize(
    ("reply", "finish", "problem"),
    [
        ("", "stop", "the reply is empty"),
        ("<think>hm, well", "stop", "the reply is empty"),
        ("I would pay for speed.", "stop", "the reply holds no code: I would pay for speed."),
        (fenced("pip install x", "bash"), "stop", "no code block of the reply defines compute_reward"),
        ("I can't help with that.", "content_filter", "the model refused: I can't help with that."),
        ("```python\ndef compute_reward(speed):\n    return {", "stop", "the reply ends in the middle"),
        ("", "length", "cut off by the token limit (512 tokens)"),
        (f"```python\n{PROGRAM}", "length", "raise --max-completion-tokens"),
        (PROGRAM, "length", "cut off by the token limit (512 tokens)"),
    ],
)
def test_says_why_there_is_none(reply: str, finish: str, problem: str) -> None:
    found = extract(reply, finish_reason=finish, limit=512)
    assert found.source is None
    assert problem in found.problem


def test_cut_off_after_the_program_is_no_loss() -> None:
    assert extract(f"{fenced(PROGRAM)}\nThis rewa", finish_reason="length").source == PROGRAM
    assert extract("", refusal="Not this.").problem == "the model refused: Not this."
    assert without_thinking("a < b") == "a < b"
