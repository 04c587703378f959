"""What an entry point may give back."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Check = Callable[..., list[str]]
SUM = "the reward is the sum of the terms"


def returning(lines: str) -> str:
    body = "\n".join(f"    {line}" for line in lines.splitlines())
    return f"def compute_reward(torso_pos, action, *, w=1.0):\n    x = torso_pos[:, 0]\n{body}\n"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ('terms = {"a": x}\nreturn x, terms', f"return the dict alone: `return terms`; {SUM}"),
        ('return x, {"a": x}', f"return the dict alone: `return {{'a': x}}`; {SUM}"),
        ("return x", f'return a dict of terms: `return {{"x": x}}`; {SUM}'),
        ("reward = x * w\nreturn reward", f'return a dict of terms: `return {{"reward": reward}}`; {SUM}'),
        ("return w", f'return a dict of terms: `return {{"w": w}}`; {SUM}'),
        ("return", f'return a dict of terms: `return {{"reward": ...}}`; {SUM}'),
        ("return {}", 'no terms are returned: `return {"name": term}`'),
        ("y = x", '`compute_reward` can end without a `return`: end it with `return {"name": term}`'),
        (
            'if w > 0:\n    return {"a": x}',
            '`compute_reward` can end without a `return`: end it with `return {"name": term}`',
        ),
        (
            'return {"a": x, "total": x}',
            f"term 'total' would count the other terms twice: leave it out; {SUM}",
        ),
        (
            'return {"a": x, "reward": x}',
            f"term 'reward' would count the other terms twice: leave it out; {SUM}",
        ),
        (
            'terms = {"a": x, "b": x}\nterms["total_reward"] = sum(terms.values())\nreturn terms',
            f"term 'total_reward' would count the other terms twice: leave it out; {SUM}",
        ),
        ('return {"_a": x}', f"every term's name begins with `_`, so nothing is rewarded; {SUM} without `_`"),
        (
            'return {"a": torso_pos}',
            "term 'a' has shape (N, 3), expected (N,): write `torso_pos.sum(axis=1)`",
        ),
        (
            'return {"a": torso_pos - 1.0}',
            "term 'a' has shape (N, 3), expected (N,): write `(torso_pos - 1.0).sum(axis=1)`",
        ),
        (
            'return {"a": torso_pos[:, 2:]}',
            "term 'a' has shape (N, 1), expected (N,): write `torso_pos[:, 2:][:, 0]`",
        ),
        ('return {"a": w}', "term 'a' has shape (), expected (N,): write `w * np.ones(len(torso_pos))`"),
        (
            'return {"a": np.array([1.0, 2.0])}',
            "term 'a' has no batch axis, expected (N,): it must follow from the observables",
        ),
        ('return {"a": {"b": x}}', "term 'a' is not an array (N,): one key, one array"),
        ('return {"a": "x"}', "term 'a' is not an array (N,): one key, one array"),
        ('return {"a\\n": x}', "term 'a\\n': a name has 1 to 64 letters, digits, `_`, `-`, `.`, `/`"),
        ('return {"": x}', "term '': a name has 1 to 64 letters, digits, `_`, `-`, `.`, `/`"),
        ("return {1: x}", "every key of the returned dict must be a literal string: it names a term"),
        (
            "terms = {}\nfor i in range(100):\n    terms[i] = x\nreturn terms",
            "every key of the returned dict must be a literal string: it names a term",
        ),
        ("return {" + ", ".join(f'"t{i}": x' for i in range(33)) + "}", "33 terms; 32 are allowed"),
        (
            "return np.where(w > 0, x, x).missing",
            "`.missing` can't be used; arrays have `.T`, `.dtype`, `.ndim`, `.shape`, `.size`",
        ),
    ],
)
def test_what_a_reward_may_not_return(problems: Check, lines: str, message: str) -> None:
    assert message in [problem.partition(": ")[2] for problem in problems(returning(lines))]


@pytest.mark.parametrize(
    "lines",
    [
        'return {"a": x}',
        'return {"reward": x}',
        'return {"reward": x, "_height": x}',
        'terms = {}\nterms["a"] = x\nterms["b"] = w * x\nreturn terms',
        'terms = {"a": x}\nterms["a"] += x\nreturn terms',
        'terms = {"a": x}\nterms["_total"] = sum(terms.values())\nreturn terms',
        'if w > 0:\n    return {"a": x}\nelse:\n    return {"a": -x}',
        'terms = {"a": x}\nif w > 0:\n    terms["b"] = x\nreturn terms',
        "terms = dict(a=x, b=x)\nreturn terms",
        'terms = {"a": x}\nreturn {**terms, "b": x}',
        'terms = {"a": x}\nreturn {name: w * term for name, term in terms.items()}',
        'terms = {}\nfor name, i in (("hip", 0), ("knee", 1)):\n    terms[name] = action[:, i]\nreturn terms',
        'return {"a": x > 0.5}',
        'return {"left foot": x, "a.b/c-d": x}',
    ],
)
def test_what_a_reward_may_return(problems: Check, lines: str) -> None:
    assert problems(returning(lines)) == []


def test_a_term_is_told_at_the_line_where_it_is_made(problems: Check) -> None:
    source = returning('terms = {\n    "a": x,\n    "b": torso_pos,\n}\nterms["c"] = w\nreturn terms')
    assert [problem.split(":")[0] for problem in problems(source)] == ["Line 5", "Line 7"]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            "torso_pos[:, 0]",
            "`fitness` gives one number an episode, not (N,): write `return torso_pos[:, 0].mean()`",
        ),
        (
            "torso_pos[-1] - torso_pos[0]",
            "`fitness` gives one number an episode, not (3,): write `return (torso_pos[-1] - torso_pos[0]).mean()`",
        ),
        ('{"a": 1.0}', "`fitness` gives one number an episode: write `return number`"),
        ("1.0, 2.0", "`fitness` gives one number an episode: write `return number`"),
        ("None", "`fitness` gives one number an episode: write `return number`"),
    ],
)
def test_what_fitness_may_not_return(problems: Check, value: str, message: str) -> None:
    assert problems(f"def fitness(torso_pos):\n    return {value}\n", kind="fitness") == [
        f"Line 2: {message}"
    ]
