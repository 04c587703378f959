"""The gate's refusals: every problem at once, with the line and what to write instead."""

from __future__ import annotations

import pytest

from eureka_loop.reward.gate import MAX_PROBLEMS, check
from tests.reward.conftest import body_problems, problems_of, vocabulary_of

ENTRY = 'def compute_reward(forward_velocity):\n    return {"speed": forward_velocity}\n'
NO_IMPORT = "nothing can be imported; programs have `np`, `math` and the shaping functions"

ISAAC_GYM = '''\
import torch
from torch import Tensor

@torch.jit.script
def compute_reward(object_pos: Tensor, goal_pos: Tensor, action: Tensor) -> Tuple[Tensor, Dict[str, Tensor]]:
    """Reach."""
    distance = torch.norm(object_pos - goal_pos, dim=-1)
    total_reward = torch.exp(-distance) - action.pow(2).sum(dim=-1)
    return total_reward, {"reach": distance}
'''


def test_torch_code_is_answered_with_numpys() -> None:
    assert problems_of(ISAAC_GYM) == [
        f"Line 1: `import torch`: {NO_IMPORT}",
        f"Line 2: `from torch import Tensor`: {NO_IMPORT}",
        "Line 4: `@torch.jit.script`: remove the decorator",
        "Line 5: unknown observable 'object_pos'; did you mean 'torso_pos' (N, 3) m or "
        "'back_left_foot_pos' (N, 3) m?",
        "Line 5: unknown observable 'goal_pos'; did you mean 'torso_pos' (N, 3) m or 'qpos' (N, 15)?",
        "Line 7: `torch.norm` can't be used: write `np.linalg.norm`",
        "Line 8: `torch.exp` can't be used: write `np.exp`",
        "Line 8: `action.pow` can't be used: write `x ** y`",
        "Line 8: `action.pow(2).sum(dim=-1)`: no keyword `dim=`; write `axis=` for `dim=`",
    ]


def test_beyond_forty_problems_there_are_only_more() -> None:
    found = body_problems("\n".join(f"x{i} = missing{i}" for i in range(60)))
    assert len(found) == MAX_PROBLEMS + 1
    assert found[-1] == f"Line {2 + MAX_PROBLEMS}: … and more"


# The top level


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("X, Y = 1, 2", "`X, Y = (1, 2)` can't stand outside a function"),
        ("X = Y", "unknown name `Y`"),
    ],
)  # fmt: skip
def test_top_level_statements_that_are_refused(line: str, message: str) -> None:
    assert any(problem.endswith(message) for problem in problems_of(f"{line}\n{ENTRY}"))


@pytest.mark.parametrize(
    "line",
    [
        '"""A docstring."""',
        "X = -0.5 * np.pi",
        "X: float = 3.0",
        "X = (0, (1.0, 'a'), None)",
        "X = 2.0\nY = X / 3",
        "f = lambda x: x * 2",
        "X = np.array([[0.0, 1.0], [1.0, 0.0]])",
        "X = math.radians(30)",
        "X = (np.array([1.0]), np.array([2.0]))",
        "import numpy as np\nimport math\nfrom typing import Dict",
    ],
)
def test_top_level_statements_that_pass(line: str) -> None:
    assert problems_of(f"{line}\n{ENTRY}") == []


def test_a_missing_entry_point() -> None:
    assert problems_of(ENTRY, kind="fitness") == [
        "Line 1: there is no function `fitness`: write `def fitness(...):`"
    ]


# Parameters


def signature(parameters: str) -> str:
    return f'def compute_reward({parameters}):\n    return {{"up": torso_up[:, 2]}}\n'


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ("torso_up, torso_vel", "(N, 3) m/s or 'torso_angvel' (N, 3) rad/s or 'torso_up' (N, 3)?"),
        ("torso_up, env", "'env': a program is a plain function; ask for each quantity by its name"),
        ("torso_up, next_obs", "write `obs`: the observation after the step (`prev_obs`: before)"),
        ("torso_up, info_reward_ctrl", "is the env's own reward or part of it; a program can't ask for it"),
        ("torso_up, *args", "`*args`: name every parameter"),
        ("torso_up, w=1.0", "`w` is a weight: it stands after a `*`: `*, w=1.0`"),
        ("torso_up, *, w", "weight `w`: its default is one finite number, `w=1.0`"),
        ("torso_up, *, w=True", "weight `w=True`: its default is one finite number, `w=1.0`"),
        ("torso_up, *, w=1e999", "weight `w=1e309`: its default is one finite number, `w=1.0`"),
        ("torso_up, *, action=1.0", "`action` is an observable: it stands before the `*`"),
    ],
)  # fmt: skip
def test_parameters_that_are_refused(parameters: str, message: str) -> None:
    assert any(problem.endswith(message) for problem in problems_of(signature(parameters)))


def test_no_observable_at_all() -> None:
    assert "names no observable" in problems_of('def compute_reward():\n    return {"a": 1.0}\n')[0]


def test_hidden_observables_are_for_references() -> None:
    source = 'def compute_reward(native_reward):\n    return {"native": native_reward}\n'
    assert problems_of(source, hidden=True) == []
    assert "env's own reward" in problems_of(source)[0]


def test_what_a_program_asks_for() -> None:
    source = """\
def compute_reward(prev_torso_pos, torso_pos, *, go=-2, bend=np.pi / 2):
    return {"go": go * bend * (torso_pos - prev_torso_pos)[:, 0]}
"""
    program = check(source, vocabulary_of("ant"))
    assert program.parameters == ("prev_torso_pos", "torso_pos")
    assert dict(program.weights) == {"go": -2.0, "bend": pytest.approx(1.5707963267948966)}
    assert (program.kind, program.source) == ("reward", source)


# Syntax


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("while w < 1.0:\n    pass", "may never end: write `for i in range(10):` with a fixed number"),
        ("try:\n    x = 1.0\nexcept Exception as e:\n    x = 2.0", "> 1e-8, a / np.maximum(d, 1e-8), 0.0)`"),
        ("class A:\n    x = missing", "`class` can't be used: write functions above the entry point"),
        ("global w2", "be used: a program has no memory: ask for `prev_<name>`, `init_<name>` or a tracker"),
        ("match w:\n    case float():\n        pass", "can't be used: write `np.where` or `np.select`"),
        ('x = f"{w}"', 'f-strings can\'t be used: write every key as a literal string: `"left_foot"`'),
        ("x = dict(**{'a': 1})", "`**` in a call: write the arguments out"),
        ("x = b'abc'", "bytes can't be used: write a number"),
        ("x = 10000000000000", "an integer above 1e12: write it as a float, `1e15`"),
        ("x = 'a' * 9", "`'a' * 9`: text can't be built; write it out as a literal"),
        ("x = [lambda: 1]", "a lambda needs a name: write a function above the entry point"),
        ("f = lambda x, y=[]: x", "default `[]`: only numbers, text and tuples of numbers"),
        ("def f(x, y=np.zeros(3)):\n    return x", "`np.zeros(3)`: only numbers, text and tuples of numbers"),
        ("@staticmethod\ndef f(x):\n    return x", "`@staticmethod`: remove the decorator"),
        ("def f(x: np.zeros(3)):\n    return x", "annotation `np.zeros(3)`: remove it"),
        ("import os", "os`: nothing can be imported; programs have `np`, `math` and the shaping functions"),
        ("from numpy.linalg import norm", "import norm`: nothing can be imported; write `np.linalg.norm`"),
    ],
)  # fmt: skip
def test_syntax_that_is_refused(statement: str, message: str) -> None:
    assert any(problem.endswith(message) for problem in body_problems(statement))


@pytest.mark.parametrize(
    "statement", ["class A:\n    x = missing", "x = f'{missing}'", "x = missing + missing"]
)
def test_a_problem_is_reported_once(statement: str) -> None:
    assert len(body_problems(statement)) == 1


def test_what_is_in_a_refused_block_is_checked_all_the_same() -> None:
    assert body_problems("while w < 1:\n    x = missing")[1] == "Line 3: unknown name `missing`"


@pytest.mark.parametrize("statement", ["return 1\nbreak", "def f(a, a):\n    pass"])
def test_what_only_the_compiler_finds(statement: str) -> None:
    assert "not valid Python" in body_problems(statement)[0]


@pytest.mark.parametrize(
    "statement",
    [
        "x: float = 1.0",
        "x, (y, z) = 1, (2, 3)",
        "x = [torso_pos[:, i] for i in range(3) if i != 1]",
        "x = sum(torso_pos[:, i] for i in range(3))",
        "f = lambda q: q * 2\nx = f(w)",
        "def f(q, scale=2.0, name='a', limits=(0, 1)):\n    return q * scale\nx = f(w, scale=3.0)",
        "for i in range(3):\n    if i == 1:\n        continue\n    x = i\nelse:\n    x = 2",
        "import numpy as np",
        "x = 1e400",
        "x = np.float64(w)",
        "f = 1.0\ndef g(f):\n    return f",
    ],
)
def test_syntax_that_passes(statement: str) -> None:
    assert body_problems(statement) == []


# Names, attributes, calls


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("x = torso_po[:, 2]", "unknown name `torso_po`; did you mean `torso_pos`?"),
        ("x = tolerence(forward_velocity)", "unknown name `tolerence`; did you mean `tolerance`?"),
        ("x = torso_up[:, 2]", "`torso_up` is an observable, (N, 3): name it as a parameter"),
        ("x = eval('1')", "unknown name `eval`"),
        ("x = ｏｐｅｎ('a')", "unknown name `open`"),
        ("f = np.exp", "`np.exp` can't be used as a value: write `np.exp(...)`"),
        ("f = np", "`np` can't be used as a value: write `np.<name>`"),
        ("x = torso_pos.mean", "`torso_pos.mean` can't be used as a value: write `torso_pos.mean(...)`"),
        ("f = lambda q: q\ng = f", "`f` can't be used as a value: write `f(...)`"),
        ("np = 1.0", "`np` can't be a name of the program's own: rename it"),
        ("__ｘ = 1.0", "`__x` can't be a name of the program's own: rename it"),
        ("x = torso_pos[:, 0](1)", "`torso_pos[:, 0]` can't be called: call functions by their name"),
        ("x = w.__class__", "`w.__class__` can't be used"),
        ("for np.e in (1, 2):\n    x = w", "`np.e` can't be set: give the value a name of its own"),
        ("x = np.random.normal()", "can't be used: programs are deterministic: there is no randomness"),
        ("x = np.sigmoid(w)", "`np.sigmoid` can't be used: write `1 / (1 + np.exp(-x))`"),
        ("x = np.maximun(w, 1)", "`np.maximun` can't be used; did you mean `np.maximum`?"),
        ("x = math.factorial(9)", "`math.factorial` can't be used"),
        ("x = forward_velocity.item()", "can't be used: arrays stay arrays: remove it"),
        ("x = torso_pos.tofile('a')", "`torso_pos.tofile` can't be used"),
        ("x = env.data.qpos[:, 2]", "`qpos` is an observable, (N, 15): name it as a parameter"),
        ("x = np.exp(w, out=torso_pos)", "out=torso_pos)`: no keyword `out=`; functions return a new array"),
        ("x = tolerance(forward_velocity, bound=(0, 1))", "no keyword `bound=`; did you mean `bounds`?"),
    ],
)  # fmt: skip
def test_names_and_calls_that_are_refused(statement: str, message: str) -> None:
    (problem,) = body_problems(statement)
    assert problem.endswith(message)


@pytest.mark.parametrize(
    "source",
    [
        "def tolerance(x, width):\n    return np.exp(-np.square(x / width))\n" + ENTRY,
        ENTRY + "\ndef f(x):\n    return x[:, 0]\n",
        "def distance(a):\n    return norm(a)\n"
        + ENTRY.replace("    return", "    distance = 1.0\n    return"),
    ],
    ids=["takes a shaping function's name", "stands below", "shares its name with a variable"],
)
def test_helpers_that_pass(source: str) -> None:
    assert problems_of(source) == []
