"""Fitness, success and progress in one text."""

from __future__ import annotations

import pytest

from eureka_loop.errors import Refused
from eureka_loop.reward.measure import Criterion, criteria, is_program, lacking, programs, weaknesses
from eureka_loop.reward.vocabulary import Observable, Vocabulary

VOCABULARY = Vocabulary("E-v0", (Observable("height", ()), Observable("turn", (3,))))
SOURCE = '''"""Rise, and turn."""
import numpy as np

# m
BAR = 0.3
TURNS: float = 2 * np.pi
UNUSED = 7.0

def above(height):
    return np.maximum(height - BAR, 0.0)

def fitness(height, turn):
    """How far above the bar."""
    return above(height).mean()

# once around
def success(turn):
    return turn[-1, 2] > TURNS

def progress(height):
    return above(height).max()
'''


def test_each_program_stands_alone_with_what_it_uses() -> None:
    found = programs(SOURCE, VOCABULARY)
    above = "# m\nBAR = 0.3\n\ndef above(height):\n    return np.maximum(height - BAR, 0.0)\n"
    fitness = (
        '\ndef fitness(height, turn):\n    """How far above the bar."""\n    return above(height).mean()\n'
    )
    assert list(found) == ["fitness", "success", "progress"]
    assert found["fitness"] == above + fitness
    assert found["success"] == (
        "TURNS: float = 2 * np.pi\n\n# once around\ndef success(turn):\n    return turn[-1, 2] > TURNS\n"
    )
    assert found["progress"].startswith(above)


def test_every_mistake_of_all_programs_has_the_line_of_the_text() -> None:
    source = "def fitness(hight):\n    return hight.mean()\n\ndef success(turn):\n    return open(turn)\n"
    with pytest.raises(Refused) as caught:
        programs(source, VOCABULARY)
    assert [each.line for each in caught.value.problems] == [1, 5]


def test_progress_needs_success_and_a_text_needs_fitness() -> None:
    with pytest.raises(Refused, match="define `success`, too"):
        programs("def fitness(turn):\n    return 1.0\n\ndef progress(turn):\n    return 1.0\n", VOCABULARY)
    with pytest.raises(Refused, match="there is no function `fitness`"):
        programs("def success(turn):\n    return 1.0\n", VOCABULARY)


def test_an_expression_is_no_program() -> None:
    assert is_program(SOURCE)
    assert not is_program("height - 0.1 * norm(turn)")


STATED = '''
def fitness(height, turn):
    """Rise, and turn.

    Criteria:
    - rises (0.7): gets high;
      height, 2 m
    - `turns` (0.3): once around; turn[:, 2], 2 pi rad

    What could fool it:
    - jumping: it counts
    """
    rises = height.max() / 2.0
    turns = (turn[:, 2] > 6.28).any()
    return 0.7 * rises + 0.3 * turns
'''


def test_criteria_are_read_from_the_docstring() -> None:
    assert criteria(STATED) == (
        Criterion("rises", 0.7, "gets high; height, 2 m"),
        Criterion("turns", 0.3, "once around; turn[:, 2], 2 pi rad"),
    )
    assert weaknesses(STATED) == ["jumping: it counts"]
    assert lacking(STATED) == []


def test_a_measure_that_nobody_could_judge_lacks_something() -> None:
    (unstated,) = lacking(SOURCE)
    assert unstated.message.startswith("state the criteria in the docstring of `fitness`")
    (unknown,) = lacking(STATED.replace("turns =", "spins =").replace("* turns", "* spins"))
    assert unknown.message == "criterion `turns` is no variable of `fitness`: compute it there"
