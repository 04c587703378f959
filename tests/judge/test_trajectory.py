"""Episodes on disk: any parameter of a program can be read back from one column a name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from eureka_loop.judge import trajectory
from eureka_loop.judge.trajectory import Trajectory, joined, moments, save, size


def columns(steps: int = 4) -> dict[str, np.ndarray]:
    """A position that starts at 10 and grows by 1, and a vector; as a recorder gives them."""
    x = 11.0 + np.arange(steps)
    return {
        "x": x,
        "init_x": np.full(steps, 10.0),
        "v": np.arange(3.0 * steps).reshape(steps, 3),
        "init_v": np.full((steps, 3), -1.0),
    }


@pytest.fixture
def episode(tmp_path: Path) -> Trajectory:
    assert save(tmp_path / "episode.npz", moments(columns(), ["x", "v"]))
    return Trajectory(tmp_path / "episode.npz")


def test_now_before_and_at_the_start(episode: Trajectory) -> None:
    found = episode.columns(["x", "prev_x", "init_x"])
    assert found["x"].tolist() == [11, 12, 13, 14]
    assert found["prev_x"].tolist() == [10, 11, 12, 13]
    assert found["init_x"].tolist() == [10] * 4
    assert all(column.dtype == np.float64 for column in found.values())


def test_a_name_that_begins_like_a_prefix_is_a_name(tmp_path: Path) -> None:
    recorded = {"prev_x": np.ones(2), "init_prev_x": np.zeros(2), "x": np.zeros(2), "init_x": np.zeros(2)}
    save(tmp_path / "e.npz", moments(recorded, ["prev_x", "x"]))
    assert Trajectory(tmp_path / "e.npz").columns(["prev_x"])["prev_x"].tolist() == [1, 1]


def test_a_name_that_was_not_recorded(episode: Trajectory) -> None:
    with pytest.raises(KeyError, match="init_y"):
        episode.columns(["x", "init_y"])


def test_the_size_is_known_without_reading(episode: Trajectory, tmp_path: Path) -> None:
    values = 4 * 5 * (1 + 3)  # bytes: float32, 4 steps and the start
    assert values < size(tmp_path / "episode.npz") < values + 2 * 256  # and each array's header


def test_an_episode_that_is_too_large_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trajectory, "MOST_BYTES", 79)
    assert not save(tmp_path / "e.npz", moments(columns(), ["x", "v"]))
    assert not list(tmp_path.iterdir())


def test_episodes_one_after_another(episode: Trajectory) -> None:
    found, starts = joined([episode, episode], ["x", "prev_v"])
    assert found["x"].tolist() == [11, 12, 13, 14] * 2
    assert starts.tolist() == [True, False, False, False] * 2
    assert len(episode) == 4
