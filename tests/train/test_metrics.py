"""Statistics of a training, of scripted rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from eureka_loop.records import Array, Job
from eureka_loop.results import TermStats
from eureka_loop.reward.sandbox.process import Terms
from eureka_loop.simulate.step_buffer import Transitions
from eureka_loop.train.metrics import TermSums, TrainingMetrics, share_of_bounds


class SumJudge:
    """Fitness is the sum of `x`; success where it is above 10."""

    program_names = ("x",)

    def measure(self, columns: Mapping[str, Array]) -> tuple[float, float | None]:
        total = float(columns["x"].sum())
        return total, float(total > 10)


def rows(x: Sequence[float], ends: Sequence[int]) -> tuple[Transitions, Terms]:
    """One env's rows; term `twice` is 2x. `ends` are the indices of episodes' last rows."""
    column = np.array(x, dtype=float)
    done = np.isin(np.arange(len(x)), ends)
    nothing = np.zeros(len(x), dtype=bool)
    env_index = np.zeros(len(x), dtype=int)
    transitions = Transitions({"x": column, "other": column}, env_index, nothing, done)
    return transitions, Terms(("twice",), 2.0 * column[None])


@pytest.fixture
def metrics_of(make_job: Callable[..., Job], tmp_path: Path) -> Callable[..., TrainingMetrics]:
    """Statistics of a training of 100 steps with so many checkpoints."""

    def make(checkpoints: int = 1) -> TrainingMetrics:
        job = make_job(steps=100, checkpoints=checkpoints)
        return TrainingMetrics(job, cast(Any, SumJudge()), 1, tmp_path)

    return make


def test_episodes_reach_across_calls(metrics_of: Callable[..., TrainingMetrics]) -> None:
    metrics = metrics_of(2)
    metrics.add(*rows([1] * 150, ends=[]))
    metrics.end_rollout(50, 1.0)
    metrics.add(*rows([3] * 60, ends=[49]))
    metrics.end_rollout(100, 1.0)
    none, one = metrics.checkpoints
    assert (none.episodes, none.fitness, none.episode_length) == (0, None, None)
    assert (one.episodes, one.episode_length, one.fitness, one.success) == (1, 200.0, 300.0, 1.0)
    assert metrics._judged[0].terms == {"twice": pytest.approx(600 / 200)}


def test_short_episodes_are_sampled(metrics_of: Callable[..., TrainingMetrics]) -> None:
    """All are counted, one in 100 steps is judged; of lengths 10 and 30 the judged ones have the same mix."""
    lengths = np.random.default_rng(0).choice([10, 30], size=4000)
    metrics = metrics_of()
    metrics.add(*rows([1.0] * lengths.sum(), ends=np.cumsum(lengths) - 1))
    metrics.end_rollout(100, 1.0)
    assert metrics.checkpoints[0].episodes == 4000
    assert metrics.checkpoints[0].episode_length == lengths.mean()
    judged = [episode.length for episode in metrics._judged]
    assert len(judged) == pytest.approx(4000 / 5, rel=0.02)
    assert np.mean(judged) == pytest.approx(20.0, abs=1.0)


def test_correlation_with_fitness(metrics_of: Callable[..., TrainingMetrics]) -> None:
    """Three episodes of 100 steps with x = 1, 2, 4: the term's mean is 2, 4, 8, fitness 100, 200, 400."""
    metrics = metrics_of()
    metrics.add(*rows([1.0] * 100 + [2.0] * 100 + [4.0] * 100, ends=[99, 199, 299]))
    assert metrics.trained(300, (), 1.0).correlations == {"twice": pytest.approx(1.0)}


def test_statistics_of_two_calls() -> None:
    """Shares: |speed| sums to 12, |effort| to 4; a diagnostic has no share, and takes none."""
    sums = TermSums(("speed", "effort", "_held"))
    sums.add(np.array([[1.0, -5.0], [-1.0, -1.0], [1.0, 0.0]]))
    sums.add(np.array([[6.0], [-2.0], [0.5]]))
    assert sums.stats() == {
        "speed": TermStats(pytest.approx(2 / 3), -5.0, 6.0, 0.75),
        "effort": TermStats(pytest.approx(-4 / 3), -2.0, -1.0, 0.25),
        "_held": TermStats(0.5, 0.0, 1.0, 0.0),
    }


@pytest.mark.parametrize(
    ("checkpoints", "ends", "taken"),
    [(4, (30, 60, 90, 120), [30, 60, 90, 120]), (10, (64, 128, 192), [64, 128]), (1, (50, 100), [100])],
    ids=["a rollout inside each", "rollouts longer than a stage", "only the end"],
)
def test_checkpoints_end_with_a_rollout(
    checkpoints: int, ends: Sequence[int], taken: list[int], metrics_of: Callable[[int], TrainingMetrics]
) -> None:
    metrics = metrics_of(checkpoints)
    for end in ends:
        metrics.add(*rows([1.0] * 30, ends=[29]))
        assert metrics.due(end)
        metrics.end_rollout(end, 1.0)
    assert [each.step for each in metrics.checkpoints] == taken
    assert all(each.terms["twice"] == TermStats(2.0, 2.0, 2.0, 1.0) for each in metrics.checkpoints)
    assert sum(each.episodes for each in metrics.checkpoints) == len(ends) - (ends[-1] > 150)
    metrics.logger.close()


def test_action_noise_is_a_share_of_the_bounds_where_there_are_any() -> None:
    std, ones = np.array([0.3, 1.0]), np.ones(2)
    assert share_of_bounds(std, np.array([-3.0, -1.0]), np.array([3.0, 0.5])) == pytest.approx(0.55)
    assert share_of_bounds(std, -np.inf * ones, np.inf * ones) is None
    assert share_of_bounds(std, 0.0 * ones, 0.0 * ones) is None
