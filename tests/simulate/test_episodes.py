from __future__ import annotations

import numpy as np

from eureka_loop.simulate.episodes import EpisodeCollector
from eureka_loop.simulate.recorder import Transitions


def transitions(
    envs: list[int], values: list[int], done: list[int], truncated: list[int] = ()
) -> Transitions:  # type: ignore[assignment]
    mark = np.zeros(len(envs), bool)
    mark[done] = True
    cut = np.zeros(len(envs), bool)
    cut[list(truncated)] = True
    return Transitions({"x": np.array(values, float)}, np.array(envs), np.zeros(len(envs), bool), mark, cut)


def test_episodes_are_put_together_across_pieces() -> None:
    collector = EpisodeCollector(2)
    first = collector.add(transitions([0, 0, 0, 1, 1], [1, 2, 3, 10, 11], done=[1]))
    second = collector.add(transitions([0, 1, 1], [4, 12, 13], done=[1, 2], truncated=[1]))
    third = collector.add(transitions([0, 0], [5, 6], done=[1]))
    got = [
        (each.env_index, each.columns["x"].tolist(), each.length, each.truncated)
        for each in first + second + third
    ]
    assert got == [
        (0, [1.0, 2.0], 2, False),
        (1, [10.0, 11.0, 12.0], 3, True),
        (1, [13.0], 1, False),
        (0, [3.0, 4.0, 5.0, 6.0], 4, False),
    ]


def test_nothing_finished_is_nothing_given() -> None:
    collector = EpisodeCollector(1)
    assert collector.add(transitions([0, 0], [1, 2], done=[])) == []
    assert collector.add(transitions([], [], done=[])) == []
