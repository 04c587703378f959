from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from eureka_loop.records import Array
from eureka_loop.reward.sandbox.process import Terms
from eureka_loop.simulate.step_buffer import Transitions
from eureka_loop.train.training_episodes import TrainingEpisodes


class SumJudge:
    """Fitness is the sum of `x`; success where it is above 10."""

    names = ("x",)

    def __init__(self) -> None:
        self.asked = 0

    def measure(self, columns: Mapping[str, Array]) -> tuple[float, float | None]:
        self.asked += 1
        total = float(columns["x"].sum())
        return total, float(total > 10)


def rows(x: Sequence[float], ends: Sequence[int]) -> tuple[Transitions, Terms]:
    """One env's rows; term `twice` is 2x. `ends` are the indices of episodes' last rows."""
    column = np.array(x, dtype=float)
    done = np.isin(np.arange(len(x)), ends)
    nothing = np.zeros(len(x), dtype=bool)
    env_index = np.zeros(len(x), dtype=int)
    transitions = Transitions({"x": column, "other": column}, env_index, nothing, done, nothing)
    return transitions, Terms(("twice",), 2.0 * column[None])


def make() -> tuple[TrainingEpisodes, SumJudge]:
    judge = SumJudge()
    return TrainingEpisodes(judge, 1), judge  # type: ignore[arg-type]


def test_episodes_reach_across_calls() -> None:
    episodes, _ = make()
    episodes.add(*rows([1] * 150, ends=[]))
    assert episodes.take().finished == 0
    episodes.add(*rows([3] * 60, ends=[49]))
    stretch = episodes.take()
    assert (stretch.finished, stretch.length) == (1, 200.0)
    assert (stretch.fitness, stretch.success) == (300.0, 1.0)
    assert episodes.judged[0].terms == {"twice": pytest.approx(600 / 200)}
    assert episodes.take().fitness is None


def test_short_episodes_are_sampled() -> None:
    """Episodes of 10 steps: one in ten is judged, all are counted."""
    episodes, judge = make()
    episodes.add(*rows([1.0] * 1000, ends=range(9, 1000, 10)))
    stretch = episodes.take()
    assert (stretch.finished, stretch.length, stretch.fitness) == (100, 10.0, 10.0)
    assert judge.asked == 10


def test_sampling_does_not_prefer_long_episodes() -> None:
    """Of lengths drawn at random, half 10 and half 30 steps, the judged ones have the same mix."""
    lengths = np.random.default_rng(0).choice([10, 30], size=4000)
    episodes, _ = make()
    episodes.add(*rows([1.0] * lengths.sum(), ends=np.cumsum(lengths) - 1))
    judged = [episode.length for episode in episodes.judged]
    assert len(judged) == pytest.approx(4000 / 5, rel=0.02)
    assert np.mean(judged) == pytest.approx(20.0, abs=1.0)


def test_correlation_with_fitness() -> None:
    """Three episodes of 100 steps with x = 1, 2, 4: the term's mean is 2, 4, 8, fitness 100, 200, 400."""
    episodes, _ = make()
    episodes.add(*rows([1.0] * 100 + [2.0] * 100 + [4.0] * 100, ends=[99, 199, 299]))
    assert episodes.correlations() == {"twice": pytest.approx(1.0)}


def test_correlation_is_undefined_before_three_episodes() -> None:
    episodes, _ = make()
    episodes.add(*rows([1.0] * 100 + [2.0] * 100, ends=[99, 199]))
    assert episodes.correlations() == {"twice": None}
