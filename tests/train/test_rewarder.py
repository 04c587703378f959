"""Rows rewarded again may be many more than a call's deadline is meant for."""

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import pytest

from eureka_loop.records import Array
from eureka_loop.reward.sandbox.process import Terms
from eureka_loop.train.rewarder import Rewarder


class Calls:
    """A reward process that notes how many rows each call had; a call is what has a deadline."""

    rows = 4

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def evaluate(self, columns: Mapping[str, Array]) -> Terms:
        self.sizes.append(len(columns["x"]))
        return Terms(("double", "_seen"), np.stack([2.0 * columns["x"], columns["y"][:, 0]]))


@pytest.mark.parametrize(("rows", "sizes"), [(10, [4, 4, 2]), (4, [4]), (0, [])])
def test_a_deadline_a_piece(rows: int, sizes: list[int]) -> None:
    process, unused = Calls(), cast(Any, None)
    columns = {"x": np.arange(float(rows)), "y": np.ones((rows, 2))}
    rewards = Rewarder(unused, cast(Any, process), unused, unused).again(columns)
    assert process.sizes == sizes
    assert rewards.tolist() == (2.0 * columns["x"]).tolist()
