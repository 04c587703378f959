"""Names, attributes and arguments: all of them known, or the nearest ones told."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Check = Callable[..., list[str]]


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("x = torso_po[:, 2]", "unknown name `torso_po`; did you mean `torso_pos`?"),
        ("x = foo(w)", "unknown name `foo`"),
        ("x = tolerence(forward_velocity)", "unknown name `tolerence`; did you mean `tolerance`?"),
        (
            "x = torso_up[:, 2]",
            "`torso_up` is an observable, (N, 3): name it as a parameter of `compute_reward`",
        ),
        ("x = eval('1')", "unknown name `eval`"),
        ("x = __import__('os')", "unknown name `__import__`"),
        ("x = ｏｐｅｎ('a')", "unknown name `open`"),
        (
            "x = isinstance(w, float)",
            "`isinstance` can't be used: the inputs are always arrays: leave the check out",
        ),
        (
            "x = list(map(abs, (1, 2)))",
            "`map` can't be used: write array operations, or a list comprehension",
        ),
        ("f = np.exp", "`np.exp` is a function: call it, `np.exp(...)`"),
        ("f = abs", "`abs` can't be used as a value: write `abs(...)`"),
        ("f = np", "`np` can't be used as a value: write `np.<name>`"),
        ("x = torso_pos.mean", "`torso_pos.mean` is a method: call it, `torso_pos.mean(...)`"),
        ("f = lambda q: q\ng = f", "`f` is a function: call it, `f(...)`"),
        ("np = 1.0", "`np` can't be a name of the program's own: rename it"),
        ("__x = 1.0", "`__x` can't be a name of the program's own: rename it"),
        ("__ｘ = 1.0", "`__x` can't be a name of the program's own: rename it"),
        (
            "norm = 1.0\nx = norm(torso_pos)",
            "`norm` is a variable here, and hides the function: rename the variable",
        ),
        ("x = w(1.0)", "`w` is a value: it can't be called"),
        ("x = (torso_pos)[:, 0](1)", "`torso_pos[:, 0]` can't be called: call functions by their name"),
        ("def f(q):\n    return q\nf = 1.0", "`f` is a function and something else: rename one"),
        ("x = w.__class__", "`.__class__` can't be used"),
        (
            "x = torso_pos.base",
            "`.base` can't be used; arrays have `.T`, `.dtype`, `.ndim`, `.shape`, `.size`",
        ),
        ("x = np.float64.__mro__", "`np.float64.__mro__` can't be used"),
        ("np.pi = 3.0", "`np.pi` can't be set: give the value a name of its own"),
        ("for np.e in (1, 2):\n    x = w", "`np.e` can't be set: give the value a name of its own"),
        ("torso_pos.shape = (3,)", "`torso_pos.shape` can't be set: give the value a name of its own"),
        (
            "x = np.random.normal()",
            "`np.random.normal` can't be used: programs are deterministic: there is no randomness",
        ),
        ("x = np.load('a')", "`np.load` can't be used"),
        ("x = np.sigmoid(w)", "`np.sigmoid` can't be used: write `1 / (1 + np.exp(-x))`"),
        ("x = np.empty(3)", "`np.empty` can't be used: write `np.zeros`"),
        ("x = np.maximun(w, 1)", "`np.maximun` can't be used; did you mean `np.maximum`?"),
        ("x = np.vectorize(w)", "`np.vectorize` can't be used: write array operations on the whole batch"),
        ("x = math.factorial(9)", "`math.factorial` can't be used"),
        ("x = forward_velocity.item()", "`.item()` can't be used: arrays stay arrays: leave it out"),
        (
            "x = '{}'.format(w)",
            "`.format()` can't be used: text can't be built: write the key as a literal string",
        ),
        ("x = torso_pos.tofile('a')", "`.tofile()` can't be used; write an `np` function"),
        (
            "x = torch.exp(-w * forward_velocity)",
            "there is no `torch.exp`: write `np.exp(-w * forward_velocity)`",
        ),
        (
            "x = torch.norm(torso_pos, p=2, dim=-1)",
            "there is no `torch.norm`: write `np.linalg.norm(torso_pos, axis=-1)`",
        ),
        (
            "x = jnp.where(forward_velocity > 0, jnp.pi, jnp.clip(forward_velocity, 0, 1))",
            "there is no `jnp.where`: write `np.where(forward_velocity > 0, np.pi, np.clip(forward_velocity, 0, 1))`",
        ),
        ("x = torso_pos.clamp(0, 1)", "`.clamp()` can't be used: write `np.clip(torso_pos, 0, 1)`"),
        (
            "x = torch.sigmoid(forward_velocity - 1)",
            "there is no `torch.sigmoid`: write `1 / (1 + np.exp(-(forward_velocity - 1)))`",
        ),
        ("x = env.data.qpos[:, 2]", "there is no `env.data.qpos`: name it as a parameter, `qpos`"),
        (
            "x = self.x_velocity",
            "there is no `self.x_velocity`: name the quantity as a parameter (unknown observable 'x_velocity'; "
            "did you mean 'forward_velocity' (N,) m/s?)",
        ),
        (
            "x = np.exp(w, forward_velocity)",
            "`np.exp(w, forward_velocity)`: `np.exp` takes 1 argument without a name",
        ),
        ("x = np.exp(w, out=torso_pos)", "`np.exp(w, out=torso_pos)`: no `out=`; functions give a new array"),
        (
            "x = np.divide(1, w, where=w != 0)",
            "`np.divide(1, w, where=w != 0)`: no `where=`; write `np.where(d != 0, a / np.where(d != 0, d, 1.0), 0.0)`",
        ),
        (
            "x = tolerance(forward_velocity, bound=(0, 1))",
            "`tolerance(forward_velocity, bound=(0, 1))`: no keyword `bound=`; allowed: `bounds=`, `margin=`, "
            "`sigmoid=`, `value_at_margin=`, `x=`",
        ),
        ("x = torso_pos.sum(dim=1)", "`torso_pos.sum(dim=1)`: write `axis=` for `dim=`"),
        ("x = np.zeros(3, dtype='O')", "dtype `'O'`: write `float`, `int` or `bool`"),
        ("x = torso_pos.astype(object)", "dtype `object`: write `float`, `int` or `bool`"),
        ("x = float('inf')", "`float('inf')`: text is no argument of `float`; write `np.inf` or `np.nan`"),
        (
            "import os",
            "`import os`: nothing can be imported; programs have `np`, `math` and the shaping functions",
        ),
        (
            "from math import pi, exp",
            "`from math import pi, exp`: nothing can be imported; write `math.pi`, `math.exp`",
        ),
        (
            "from numpy.linalg import norm",
            "`from numpy.linalg import norm`: nothing can be imported; write `np.linalg.norm`",
        ),
        (
            "import jax.numpy as jnp",
            "`import jax.numpy`: nothing can be imported; arrays are numpy's: write `np` functions",
        ),
        ("import math as m", "`import math`: nothing can be imported; write `import math`, or leave it out"),
    ],
)
def test_a_name_that_cant_be_used(body: Check, statement: str, message: str) -> None:
    found = [problem.partition(": ")[2] for problem in body(statement)]
    assert message in found


@pytest.mark.parametrize(
    "statement",
    [
        "x = torso_up[:, 2]",
        "x = torch.exp(-w * forward_velocity)",
        "x = jnp.where(forward_velocity > 0, jnp.pi, jnp.clip(forward_velocity, 0, 1))",
        "x = '{}'.format(w)",
        "x = torso_pos.astype(object)",
        "x = env.unwrapped.data.qpos[:, 2]",
    ],
)
def test_one_mistake_is_told_once(body: Check, statement: str) -> None:
    assert len(body(statement)) == 1


def test_an_observable_in_a_helper_is_to_be_handed_over(problems: Check) -> None:
    source = """\
def tilt(up):
    return 1.0 - up[:, 2] * torso_pos[:, 2]


def compute_reward(torso_up):
    return {"tilt": tilt(torso_up)}
"""
    assert problems(source) == [
        "Line 2: `torso_pos` is an observable, (N, 3) m: name it as a parameter of `compute_reward`, and of `tilt`"
    ]


@pytest.mark.parametrize(
    "statement",
    ["f = lambda q: f(q)\nx = f(w)", "def f(q):\n    return g(q)\ndef g(q):\n    return f(q)\nx = f(w)"],
)
def test_functions_that_call_themselves_are_refused(body: Check, statement: str) -> None:
    assert any("calls itself, and may never end" in problem for problem in body(statement))


def test_a_helper_may_take_the_name_of_a_shaping_function(problems: Check) -> None:
    source = """\
def tolerance(x, width):
    return np.exp(-np.square(x / width))


def compute_reward(forward_velocity):
    return {"speed": tolerance(forward_velocity - 1.0, 0.5)}
"""
    assert problems(source) == []


def test_a_helper_may_stand_below(problems: Check) -> None:
    source = 'def compute_reward(action):\n    return {"a": f(action)}\n\n\ndef f(x):\n    return x[:, 0]\n'
    assert problems(source) == []


def test_helpers_arguments_are_known(problems: Check) -> None:
    source = 'def f(x, k):\n    return x[:, k]\n\n\ndef compute_reward(action):\n    return {"a": f(action, i=0)}\n'
    assert problems(source) == ["Line 6: `f(action, i=0)`: no keyword `i=`; allowed: `k=`, `x=`"]
