import numpy as np
import pytest

from eureka_loop.results import TermStats
from eureka_loop.train.checkpoints import Checkpoints, TermSums
from eureka_loop.train.training_episodes import Stretch


class NoEpisodes:
    """Nothing finished."""

    def take(self) -> Stretch:
        return Stretch(0, None, None, None)


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


def test_shares_of_a_reward_that_is_always_zero() -> None:
    sums = TermSums(("sparse",))
    sums.add(np.zeros((1, 5)))
    assert sums.stats()["sparse"].share == 0.0


def test_stretches_end_where_they_should() -> None:
    """Asked for 4 in 100 steps, with rollouts of 30: 25 falls into the first, 50 and 75 into later ones."""
    checkpoints = Checkpoints(100, 4, NoEpisodes())  # type: ignore[arg-type]
    for step in (30, 60, 90, 120):
        if checkpoints.due(step):
            checkpoints.take(step)
    assert [each.step for each in checkpoints.taken] == [30, 60, 90, 120]


def test_a_rollout_longer_than_a_stretch_ends_several() -> None:
    checkpoints = Checkpoints(100, 10, NoEpisodes())  # type: ignore[arg-type]
    for step in (64, 128):
        assert checkpoints.due(step)
        checkpoints.take(step)
    assert [each.step for each in checkpoints.taken] == [64, 128]
    assert not checkpoints.due(192)
