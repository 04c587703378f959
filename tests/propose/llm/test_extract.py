"""The program in replies, as models really write them."""

from __future__ import annotations

import html
import json

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


QUOTED = "\n".join(f"> {line}" for line in fenced(PROGRAM).split("\n"))
DRAFT = f"hm {fenced(OTHER)}"


@pytest.mark.parametrize(
    "reply",
    [
        f"<think>\nFirst I consider.\n\n{fenced(PROGRAM)}",
        f"<think>Hm, so.\n\n{PROGRAM}",
        f"{fenced(PROGRAM)}\n</think>",
        f"```python\n{PROGRAM}</think>\n```",
        f"<thought>{DRAFT}</thought>\n{fenced(PROGRAM)}",
        f"[THINK]{DRAFT}[/THINK]{fenced(PROGRAM)}",
        f"{fenced(PROGRAM)}<|im_end|>",
        f"<|channel|>analysis<|message|>Hm.<|end|><|channel|>final<|message|>{fenced(PROGRAM)}<|return|>",
        f"<answer>{fenced(PROGRAM)}</answer>",
        fenced(f"<code>\n{PROGRAM}</code>"),
        f'<pre><code class="language-python">{html.escape(PROGRAM)}</code></pre>',
        fenced(html.escape(PROGRAM)),
        f"```markdown\nHere:\n{fenced(PROGRAM)}\n```",
        f"```python\ndef compute_reward(speed):\n    retu\n{fenced(PROGRAM)}",
        f"```\n{fenced(PROGRAM)}\n```",
        f"```python\n{PROGRAM.rstrip()}```",
        f"```python {PROGRAM}```",
        f"```python\n{PROGRAM}\nNow the explanation:\n\nIt goes.",
        fenced(f"Sure! Here's it:\n\n{PROGRAM}\nThat's it, isn't it?"),
        fenced(f"Python\n{PROGRAM}", ""),
        f"`{PROGRAM}`",
        QUOTED,
        QUOTED.replace("```", "").replace("python", ""),
        fenced("\n".join(f"{n:3} | {line}" for n, line in enumerate(PROGRAM.rstrip().split("\n")))),
        fenced("\n".join(f"... {line}" for line in PROGRAM.rstrip().split("\n")).replace("...", ">>>", 1)),
        fenced(PROGRAM.replace("    ", "\u00a0" * 4).replace("def", "\u200bdef")),
        fenced(PROGRAM.replace('"', "\u201c", 1).replace('"', "\u201d")),
        json.dumps({"thoughts": 'a "draft"', "code": f"{PROGRAM}"}),
        fenced(json.dumps({"code": PROGRAM}), "json"),
        fenced(PROGRAM).replace("\n", "\\n"),
        f"{fenced(PROGRAM)}\nSignature:\n{fenced('def compute_reward(speed, *, weight=1.0):' + chr(10) + '    ...')}",
    ],
    ids=range(31),
)
def test_finds_the_program_in_an_untidy_reply(reply: str) -> None:
    assert extract(reply).source == PROGRAM


def test_a_fence_in_a_docstring_ends_no_program() -> None:
    source = extract(fenced(PROGRAM.replace("Go.", "Go.\n    ```\n    x\n    ```\n    "))).source
    assert source is not None
    assert source.endswith(PROGRAM.splitlines()[-1] + "\n")


@pytest.mark.parametrize("text", [f"<think>{DRAFT}</think>I can't.", f"<think>{DRAFT}"])
def test_a_draft_among_the_thoughts_is_no_answer(text: str) -> None:
    assert extract(text, finish_reason="length").source is None


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
