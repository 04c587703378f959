"""Programs as models write them pass, and compute what the contract asks for: terms (N,), row by row."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from eureka_loop.records import Array
from eureka_loop.reward.contract import Program
from eureka_loop.reward.functions import namespace, warm_up
from eureka_loop.reward.gate import check
from eureka_loop.reward.parsing import compile_ready
from eureka_loop.reward.vocabulary import Vocabulary

Columns = Callable[..., dict[str, Array]]


def run(program: Program, columns: dict[str, Array]) -> dict[str, Array]:
    """The program's terms, computed here as the reward process computes them."""
    warm_up()
    scope = namespace()
    exec(compile(compile_ready(program.source), "<program>", "exec"), scope)
    entry = scope[program.entry_point]
    assert callable(entry)
    for column in columns.values():
        column.setflags(write=False)
    with np.errstate(all="ignore"):
        return {name: np.asarray(term, float) for name, term in entry(**columns).items()}


def test_a_realistic_program_passes(accepted: tuple[str, Vocabulary]) -> None:
    source, vocabulary = accepted
    assert check(source, vocabulary).source == source


def test_its_terms_are_one_number_a_row(accepted: tuple[str, Vocabulary], columns: Columns) -> None:
    source, vocabulary = accepted
    program = check(source, vocabulary)
    terms = run(program, columns(vocabulary, program.parameters, rows=11))
    assert {term.shape for term in terms.values()} == {(11,)}


def test_its_rows_are_independent(accepted: tuple[str, Vocabulary], columns: Columns) -> None:
    source, vocabulary = accepted
    program = check(source, vocabulary)
    rows = columns(vocabulary, program.parameters)
    together = run(program, rows)
    alone = [run(program, {name: column[i : i + 1] for name, column in rows.items()}) for i in range(7)]
    for name, term in together.items():
        np.testing.assert_allclose(term, np.concatenate([each[name] for each in alone]), rtol=1e-9)


def test_what_a_program_says_of_itself(vocabularies: Callable[[str], Vocabulary]) -> None:
    source = '''\
def compute_reward(prev_torso_pos, torso_pos, action, *, go=-2, bend=np.pi / 2, effort=1e-3):
    """Go.

    Not shown.
    """
    return {"go": go * (torso_pos - prev_torso_pos)[:, 0], "effort": -effort * np.square(action).sum(axis=1)}
'''
    program = check(source, vocabularies("ant"))
    assert program.parameters == ("prev_torso_pos", "torso_pos", "action")
    assert dict(program.weights) == {"go": -2.0, "bend": np.pi / 2, "effort": 1e-3}
    assert (program.kind, program.doc, program.entry_point) == ("reward", "Go.", "compute_reward")


def test_fitness_may_reduce_over_the_episode(problems: Callable[..., list[str]]) -> None:
    source = """\
def fitness(torso_pos, init_torso_pos, time, forward_velocity):
    far = norm(torso_pos - init_torso_pos).max()
    if far > 3.0 and time[-1] > 10.0:
        return 2.0
    return far / np.cumsum(forward_velocity)[-1] + float(np.mean(np.diff(time)))
"""
    assert problems(source, kind="fitness") == []


def test_success_is_one_number(problems: Callable[..., list[str]]) -> None:
    source = "def success(torso_pos):\n    return np.all(torso_pos[-20:, 2] > 0.5)\n"
    assert problems(source, kind="success") == []


def test_hidden_observables_are_for_references(problems: Callable[..., list[str]]) -> None:
    source = 'def compute_reward(native_reward):\n    return {"native": native_reward}\n'
    assert problems(source, hidden=True) == []
    assert problems(source) == [
        "Line 1: 'native_reward' is the env's own reward or part of it; a program can't ask for it"
    ]
