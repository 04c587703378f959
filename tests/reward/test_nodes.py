"""Syntax that a program can't be made of, and what is said of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Check = Callable[..., list[str]]
NO_MEMORY = "a program has no memory: ask for `prev_<name>`, `init_<name>` or a tracker"
NO_TEXT = "text can't be built; write it out as a literal"


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (
            "while w < 1.0:\n    pass",
            "`while` may never end: write `for i in range(10):` with a fixed number",
        ),
        (
            "try:\n    x = 1.0\nexcept Exception as e:\n    x = 2.0",
            "`try` hides errors: guard the value: `np.where(d > 1e-8, a / np.maximum(d, 1e-8), 0.0)`",
        ),
        ("with w:\n    pass", "`with` can't be used: leave it out and keep its body"),
        ("class A:\n    x = missing", "`class` can't be used: write functions above the entry point"),
        ("global w2", f"`global` can't be used: {NO_MEMORY}"),
        ("raise ValueError('no')", "`raise` can't be used: leave it out"),
        ("assert w > 0", "`assert` can't be used: leave it out; shapes are checked for you"),
        ("x = 1\ndel x", "`del` can't be used: leave it out"),
        (
            "match w:\n    case float():\n        pass",
            "`match` can't be used: write `np.where` or `np.select`",
        ),
        ('x = f"{w}"', 'f-strings can\'t be used: write every key as a literal string: `"left_foot"`'),
        ("print(x := 1)", "`:=` can't be used: assign on a line of its own"),
        ("x = {1, 2}", "sets can't be used: write a tuple"),
        ("x = {i for i in (1, 2)}", "sets can't be used: write a list"),
        ("x, *y = 1, 2, 3", "`*` can't be used here: write the items out"),
        ("x = yield", "`yield` can't be used: return the dict of terms"),
        ("async def f():\n    pass", "`async` can't be used: write `def`"),
        ("x = 1 << 30", "`<<` can't be used: multiply"),
        ("x = np.maximum(*(1, 2))", "`*` in a call: write the arguments out"),
        ("x = dict(**{'a': 1})", "`**` in a call: write the arguments out"),
        ("x = b'abc'", "bytes can't be used"),
        ("x = 1j", "complex numbers can't be used"),
        ("x = 10000000000000", "an integer above 1e12: write it as a float, `1e15`"),
        ("x = 9**9**9", "`9 ** 9 ** 9`: an exponent above 64"),
        ("x = w**65", "`w ** 65`: an exponent above 64"),
        ("x = 'a' * 9", f"`'a' * 9`: {NO_TEXT}"),
        ("x = '%s' % w", f"`'%s' % w`: {NO_TEXT}"),
        ("t = 'a'\nx = t % w", f"`t % w`: {NO_TEXT}"),
        ("x = '" + "a" * 201 + "'", "text of 201 characters; 200 are allowed"),
        ("x = (i for i in (1, 2))", "write a list, `[i for i in (1, 2)]`, in place of the generator"),
        ("x = [lambda: 1]", "a lambda needs a name: write a function above the entry point"),
        (
            "f = lambda x, y=[]: x",
            "a lambda takes plain parameters, without defaults: write a function above the entry point",
        ),
        ("def f(x, y=[]):\n    return x", "default `[]`: only numbers, text and tuples of numbers"),
        (
            "def f(x, y=np.zeros(3)):\n    return x",
            "default `np.zeros(3)`: only numbers, text and tuples of numbers",
        ),
        ("@staticmethod\ndef f(x):\n    return x", "`@staticmethod`: leave the decorator out"),
        ("def f(x: np.zeros(3)):\n    return x", "annotation `np.zeros(3)`: leave it out"),
        (
            "forward_velocity > 0",
            "`forward_velocity > 0` does nothing: leave it out, or give its value a name",
        ),
        ("x = ...", "`...` stands only in an index: `x[..., 0]`"),
    ],
)
def test_syntax_that_is_refused(body: Check, statement: str, message: str) -> None:
    found = [problem.partition(": ")[2] for problem in body(statement)]
    assert message in found


@pytest.mark.parametrize(
    "statement",
    [
        "class A:\n    x = missing",
        "raise ValueError('no')",
        "try:\n    x = 1.0\nexcept ValueError:\n    x = 2.0",
        "x = f'{missing}'",
        "x = '%s' % w",
        "with w as v:\n    pass",
    ],
)
def test_a_refused_construct_is_told_once(body: Check, statement: str) -> None:
    assert len(body(statement)) == 1


def test_what_is_in_a_refused_block_is_looked_at_all_the_same(body: Check) -> None:
    assert body("while w < 1:\n    x = torso_pos.mean()")[1] == (
        "Line 3: `torso_pos.mean()` mixes the rows of the batch; `torso_pos` is (N, 3): write "
        "`torso_pos.mean(axis=1)`"
    )


def test_loops_are_nested_four_deep_at_most(body: Check) -> None:
    loops = "\n".join(f"{'  ' * i}for i{i} in range(2):" for i in range(5))
    assert body(f"{loops}\n{'  ' * 5}x = i4")[0] == "Line 6: loops nested more than 4 deep"


def test_a_list_can_grow_only_in_other_loops(body: Check) -> None:
    assert body("xs = [1.0]\nfor x in xs:\n    xs.append(x)") == [
        "Line 4: `xs.append` in the loop over it: fill a list of another name"
    ]


@pytest.mark.parametrize(
    "statement",
    [
        "x: float = 1.0",
        "x = y = 0.0",
        "x, (y, z) = 1, (2, 3)",
        "x = torso_pos[..., 2]",
        "x = [torso_pos[:, i] for i in range(3) if i != 1]",
        "x = sum(torso_pos[:, i] for i in range(3))",
        "f = lambda q: q * 2\nx = f(w)",
        "def f(q, scale=2.0, name='a', limits=(0, 1)):\n    return q * scale\nx = f(w, scale=3.0)",
        "for i in range(3):\n    if i == 1:\n        continue\n    x = i\nelse:\n    x = 2",
        "import numpy as np",
        "x = 1e400",
    ],
)
def test_syntax_that_passes(body: Check, statement: str) -> None:
    assert body(statement) == []
