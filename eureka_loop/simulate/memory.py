"""What a quantity remembers within an episode: sums of what each step adds, counts since an event.

Rows are timelines one after the other. At `starts` a row's value is given (0 at a reset, the value it had for
a row carried over from the last take), so that taking often or seldom gives the same numbers.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from eureka_loop.records import Array

Indices = npt.NDArray[np.intp]


def running_sum(added: Array, starts: Indices, values: Array) -> Array:
    """(R, ...) sums of `added` (R, ...) from each start on, where they are `values` (len(starts), ...).

    A loop over episodes: subtracting one long cumulative sum from itself would lose digits, and would depend
    on what else is in the batch.
    """
    total = np.array(added)
    total[starts] = values
    for begin, end in pairwise([*starts, len(total)]):
        np.cumsum(total[begin:end], axis=0, out=total[begin:end])
    return total


def count_since(event: npt.NDArray[np.bool_], starts: Indices, values: Array) -> Array:
    """(R,) steps since the last row where `event` (R,) was true, itself 0; at the starts it is `values`."""
    base = np.zeros(len(event))
    base[starts] = values
    zero = event.copy()
    zero[starts] = True
    rows = np.arange(len(event))
    last = np.maximum.accumulate(np.where(zero, rows, 0))
    return np.asarray(rows - last + base[last], np.float64)
