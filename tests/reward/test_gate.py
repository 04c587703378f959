"""What the gate says as a whole: everything at once, in order, and nothing but its own errors."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from eureka_loop.errors import Refused
from eureka_loop.reward.gate import check
from eureka_loop.reward.problems import MAX_PROBLEMS
from eureka_loop.reward.vocabulary import Vocabulary

ACCEPTED = Path(__file__).parent / "accepted"
Check = Callable[..., list[str]]

ISAAC_GYM = '''\
import torch
from typing import Dict, Tuple
from torch import Tensor

@torch.jit.script
def compute_reward(object_pos: Tensor, goal_pos: Tensor, action: Tensor) -> Tuple[Tensor, Dict[str, Tensor]]:
    """Reach."""
    device = object_pos.device
    distance = torch.norm(object_pos - goal_pos, dim=-1)
    reach_temp: float = 10.0
    reach = torch.exp(-reach_temp * distance)
    bonus = torch.where(distance < 0.1, torch.ones_like(distance), torch.zeros_like(distance)).to(device)
    total_reward = reach + bonus - action.pow(2).sum(dim=-1)
    return total_reward, {"reach": reach, "bonus": bonus}
'''

GYM_WRAPPER = """\
import numpy as np

def compute_reward(self, obs, action, info):
    velocity = self.forward_velocity
    if info["x_position"] > 3.0 and obs[2] > 0.5:
        bonus = 1.0
    else:
        bonus = 0.0
    print(f"bonus {bonus}")
    reward = velocity + bonus - 0.1 * np.sum(action**2)
    return reward
"""


def test_torch_code_is_told_what_to_write(problems: Check) -> None:
    assert problems(ISAAC_GYM) == [
        "Line 1: `import torch`: nothing can be imported; arrays are numpy's: write `np` functions",
        "Line 3: `from torch import Tensor`: nothing can be imported; programs have `np`, `math` and the shaping "
        "functions",
        "Line 5: `@torch.jit.script`: leave the decorator out",
        "Line 6: unknown observable 'object_pos'; did you mean 'torso_pos' (N, 3) m or "
        "'back_left_foot_pos' (N, 3) m?",
        "Line 6: unknown observable 'goal_pos'; did you mean 'torso_pos' (N, 3) m?",
        "Line 9: there is no `torch.norm`: write `np.linalg.norm(object_pos - goal_pos, axis=-1)`",
        "Line 11: there is no `torch.exp`: write `np.exp(-reach_temp * distance)`",
        "Line 12: `.to()` can't be used: write "
        "`np.where(distance < 0.1, np.ones_like(distance), np.zeros_like(distance))`",
        "Line 13: `action.pow(2).sum(dim=-1)`: write `axis=` for `dim=`",
        "Line 13: `.pow()` can't be used: write `action ** 2`",
        "Line 14: return the dict alone: `return {'reach': reach, 'bonus': bonus}`; "
        "the reward is the sum of the terms",
    ]


def test_a_gym_wrappers_code_is_told_what_to_write(problems: Check) -> None:
    assert problems(GYM_WRAPPER) == [
        "Line 3: there is no `self`: a program is a plain function; ask for each quantity by its name",
        "Line 3: unknown observable 'info': its numbers are observables: `info_<key>`",
        "Line 4: there is no `self.forward_velocity`: name it as a parameter, `forward_velocity`",
        "Line 5: `obs[2]` takes one row of the batch, not a component: write `obs[:, 2]`",
        'Line 9: f-strings can\'t be used: write every key as a literal string: `"left_foot"`',
        "Line 9: `print` can't be used: nothing is shown; to log a value return it as a term whose name begins "
        "with `_`",
        "Line 10: `np.sum(action ** 2)` mixes the rows of the batch; `action ** 2` is (N, 8): write "
        "`np.sum(action ** 2, axis=1)`",
    ]


def test_problems_come_in_order_of_lines(problems: Check) -> None:
    lines = [int(re.findall(r"Line (\d+)", problem)[0]) for problem in problems(ISAAC_GYM)]
    assert lines == sorted(lines)


def test_a_refusals_text_is_its_problems(vocabularies: Callable[[str], Vocabulary]) -> None:
    with pytest.raises(Refused) as refused:
        check("def compute_reward(a, b):\n    return {}\n", vocabularies("ant"))
    assert str(refused.value) == "\n".join(str(problem) for problem in refused.value.problems)


def test_the_same_words_about_a_line_come_once(body: Check) -> None:
    assert len(body("x = torso_pos.mean() * torso_pos.mean()")) == 1


def test_so_many_problems_that_the_rest_is_counted(body: Check) -> None:
    found = body("\n".join(f"x{i} = missing{i}" for i in range(60)))
    assert len(found) == MAX_PROBLEMS + 1
    assert found[-1] == f"Line {2 + MAX_PROBLEMS}: … and 20 more"


def test_too_much_to_follow_is_refused(problems: Check) -> None:
    loops = "\n".join(f"{'    ' * (i + 1)}for i{i} in range(20):" for i in range(3))
    source = f"""\
def compute_reward(action):
    x = 0.0
{loops}
                x = x + action[:, 0] * i0 + action[:, 1] * i1 + action[:, 2] * i2
    return {{"x": x}}
"""
    assert problems(source) == [
        "Line 1: too much to follow: fewer rounds in loops, fewer helpers that call helpers, smaller lists"
    ]


def test_a_typical_program_takes_milliseconds(vocabularies: Callable[[str], Vocabulary]) -> None:
    source, vocabulary = (ACCEPTED / "gait.txt").read_text(), vocabularies("ant")
    times = []
    for _ in range(20):
        start = time.perf_counter()
        check(source, vocabulary)
        times.append(time.perf_counter() - start)
    assert min(times) < 0.05  # 3 ms on an idle core; the bound is for busy ones


@pytest.mark.parametrize("seed", range(6))
def test_damaged_programs_raise_nothing_but_refusals(
    seed: int, vocabularies: Callable[[str], Vocabulary]
) -> None:
    """Tokens of realistic programs swapped, lost, doubled, spliced: the gate's own errors, or a program."""
    choose = random.Random(seed)
    texts = [path.read_text() for path in sorted(ACCEPTED.glob("*.txt"))]
    tokens = [re.findall(r"\s+|\w+|[^\w\s]", text) for text in texts]
    words = sorted({token for each in tokens for token in each if token.strip()})
    words += [
        "while",
        "lambda",
        "**",
        "...",
        "None",
        "yield",
        "f''",
        "await",
        ":=",
        "@",
        "1e400",
        "class",
        "del",
    ]
    for _ in range(40):
        mine = list(choose.choice(tokens))
        for _ in range(choose.choice((1, 1, 2, 4))):
            place = choose.randrange(len(mine))
            other = choose.choice(tokens)
            splice = other[choose.randrange(len(other)) :][: choose.randrange(10)]
            mine[place : place + choose.randrange(2)] = choose.choice(([choose.choice(words)], [], splice))
        try:
            check("".join(mine), vocabularies("humanoid"), choose.choice(("reward", "fitness")))
        except Refused:
            continue
