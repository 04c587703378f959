from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from eureka_loop.simulate.episodes import EpisodeCollector
from eureka_loop.simulate.step_buffer import Transitions


def transitions(
    envs: list[int],
    values: list[int],
    done: list[int],
    truncated: Sequence[int] = (),
    starts: Sequence[int] = (),
) -> Transitions:
    """`done`, `truncated` and `starts` are indices of rows."""
    marks = [np.isin(np.arange(len(envs)), rows) for rows in (starts, done, truncated)]
    return Transitions({"x": np.array(values, float)}, np.array(envs, int), *marks)


def test_episodes_are_put_together_across_pieces() -> None:
    collector = EpisodeCollector(2)
    first = collector.add(transitions([0, 0, 0, 1, 1], [1, 2, 3, 10, 11], done=[1]))
    second = collector.add(transitions([0, 1, 1], [4, 12, 13], done=[1, 2], truncated=[1]))
    third = collector.add(transitions([0, 0], [5, 6], done=[1]))
    assert [
        (each.env_index, each.columns["x"].tolist(), each.length, each.truncated)
        for each in first + second + third
    ] == [
        (0, [1.0, 2.0], 2, False),
        (1, [10.0, 11.0, 12.0], 3, True),
        (1, [13.0], 1, False),
        (0, [3.0, 4.0, 5.0, 6.0], 4, False),
    ]
    assert collector.add(transitions([], [], done=[])) == []


def test_an_episode_broken_off_by_a_reset_is_dropped() -> None:
    collector = EpisodeCollector(1)
    assert collector.add(transitions([0, 0], [1, 2], done=[], starts=[0])) == []
    (episode,) = collector.add(transitions([0, 0, 0, 0], [3, 4, 5, 6], done=[2], starts=[1, 3]))
    assert episode.columns["x"].tolist() == [4.0, 5.0]
    (episode,) = collector.add(transitions([0], [7], done=[0]))
    assert episode.columns["x"].tolist() == [6.0, 7.0]
