"""Text that is no program, the code that runs, and the weights in it."""

from __future__ import annotations

import ast
import math

import numpy as np
import pytest

from eureka_loop.errors import Refused
from eureka_loop.reward.functions import namespace
from eureka_loop.reward.parsing import MAX_BYTES, MAX_NODES, compiled, number, parse

GOOD = 'def compute_reward(action):\n    return {"a": action[:, 0]}\n'
DEEP = "Line 1: nested too deeply: split the expression into steps with names"


def problem(source: str) -> str:
    with pytest.raises(Refused) as refused:
        parse(source)
    return str(refused.value)


@pytest.mark.parametrize(
    "source",
    [
        "x = " + "-" * 5000 + "1",
        "x = " + "a" + ".b" * 5000,
        "x = " + "1+" * 9000 + "1",
        "x = " + "[" * 150 + "1" + "]" * 150,
        "x = " + "not " * 4000 + "1",
        "x = " + "lambda: " * 400 + "1",
        "if 1:\n    pass\n" + "elif 1:\n    pass\n" * 300,
    ],
    ids=["minus", "attributes", "sum", "brackets", "not", "lambda", "elif"],
)
def test_deep_nesting_is_refused(source: str) -> None:
    assert problem(source) == DEEP


@pytest.mark.parametrize(
    ("text", "message"), [("\x00", "null bytes"), ("# \ud800", "surrogates not allowed")]
)
def test_text_that_is_none_is_refused(text: str, message: str) -> None:
    assert message in problem(GOOD + text)


@pytest.mark.parametrize("mark", "\u202e\u2066\u200f\u061c")
def test_marks_of_direction_are_refused_wherever_they_stand(mark: str) -> None:
    expected = f"Line 3: the invisible character U+{ord(mark):04X} reorders text: remove it"
    assert problem(f"{GOOD}# {mark}") == expected


def test_length_is_limited_in_bytes_and_nodes() -> None:
    parse(GOOD + "#" * (MAX_BYTES - len(GOOD)))
    assert problem(GOOD + "#" * MAX_BYTES) == (
        f"Line 1: the program is {len(GOOD) + MAX_BYTES:,} bytes long; 20,000 are allowed: shorten it"
    )
    assert "bytes long" in problem("# " + "é" * (MAX_BYTES // 2))
    parse("x = 1\n" * 600)
    assert f"syntax nodes; {MAX_NODES:,} are allowed" in problem("x = 1\n" * 700)


def test_a_markdown_fence_is_recognised() -> None:
    assert problem(f"```python\n{GOOD}```") == "Line 1: Markdown fence in the code: leave the ``` lines out"


def test_code_that_was_cut_off() -> None:
    assert problem('def compute_reward(a):\n    return {"a": a[:, 0') == (
        "Line 2: not valid Python: '[' was never closed in `return {\"a\": a[:, 0`"
    )


def run(source: str) -> dict[str, object]:
    scope = namespace()
    exec(compiled(source), scope)
    return scope


@pytest.mark.parametrize(
    "line",
    [
        "import numpy as np",
        "import numpy",
        "import math",
        "import numpy as np, math",
        "from __future__ import annotations",
        "from typing import Dict, Tuple",
        "import numpy as np; import math",
    ],
)
def test_imports_out_of_habit_are_left_out(line: str) -> None:
    assert run(f"{line}\nx = np.pi + math.pi\n")["x"] == pytest.approx(2 * np.pi)


def test_annotations_are_left_out() -> None:
    scope = run(
        "def f(x: np.ndarray, *, w: 'Tensor' = 1.0) -> Dict[str, Missing]:\n    y: Missing = x\n    return y\n"
    )
    assert scope["f"](3) == 3  # type: ignore[operator]


def test_module_constants_are_frozen() -> None:
    with pytest.raises(ValueError, match="read-only"):
        run("A = np.array([1.0, 2.0])\nA[0] = 3.0\n")


# Weights


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1.0),
        ("-1e-3", -1e-3),
        ("2 * np.pi / 3", 2 * math.pi / 3),
        ("10 ** -3", 1e-3),
        ("1 / 0", None),
        ("1e999", None),
        ("9 ** 999", None),
        ("10 ** 400", None),
        ("True", None),
        ("'1'", None),
        ("w", None),
        ("os.pi", None),
        ("(1, 2)", None),
        ("1" + "0" * 400, None),
    ],
)
def test_numbers_in_a_text(text: str, value: float | None) -> None:
    assert number(ast.parse(text, mode="eval").body) == (value if value is None else pytest.approx(value))
