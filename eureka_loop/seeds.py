"""Disjoint seed streams: a candidate selected on some seeds is never reported on them."""

from __future__ import annotations

from typing import Literal

Stream = Literal["training", "selection", "report_training", "report"]

_STREAMS: tuple[Stream, ...] = ("training", "selection", "report_training", "report")
_RUN = 10_000  # seeds a run has in each stream
_STREAM = 1_000 * _RUN  # runs are numbered 0 to 999
_STRIDE = 100  # a training seeds its first environments with seed, seed + 1, ...
_OVERFLOW = 2**32  # added for every further hundred environments; above every other seed

RECORDED = 2_000_000_000
"""First seed of episodes that are recorded beside training and judging; far above theirs."""


def seeds(stream: Stream, run_seed: int, count: int) -> tuple[int, ...]:
    """`count` (≤ 100) seeds of a stream; no two streams, runs or trainings share an environment's seed."""
    first = _STREAMS.index(stream) * _STREAM + run_seed * _RUN
    stride = _STRIDE if stream.endswith("training") else 1
    return tuple(first + stride * index for index in range(count))


def env_seeds(training: int, count: int) -> tuple[int, ...]:
    """The seeds of a training's environments, however many; no two trainings share one.

    Beyond the first hundred they are more than 32 bits wide, which Gymnasium's generators take.
    """
    return tuple(training + n % _STRIDE + n // _STRIDE * _OVERFLOW for n in range(count))


def is_report(seed: int) -> bool:
    """Whether a training seed belongs to the report, not to the search."""
    return seed >= _STREAMS.index("report_training") * _STREAM
