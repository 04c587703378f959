"""Episodes on disk: any parameter of a program can be read back from one column a name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from eureka_loop.errors import Damaged
from eureka_loop.judge import trajectory
from eureka_loop.judge.trajectory import read, save

# A position that starts at 10 and grows by 1, and a vector; as a recorder gives them.
COLUMNS = {
    "x": np.arange(11.0, 15.0),
    "init_x": np.full(4, 10.0),
    "v": np.arange(12.0).reshape(4, 3),
    "init_v": np.full((4, 3), -1.0),
}


@pytest.fixture
def episode(tmp_path: Path) -> Path:
    save(tmp_path / "episode.npz", COLUMNS, ["x", "v"])
    return tmp_path / "episode.npz"


def test_a_name_that_begins_like_a_prefix_is_a_name(tmp_path: Path) -> None:
    recorded = {"prev_x": np.ones(2), "init_prev_x": np.zeros(2), "x": np.zeros(2), "init_x": np.zeros(2)}
    save(tmp_path / "e.npz", recorded, ["prev_x", "x"])
    assert read(tmp_path / "e.npz", ["prev_x"])["prev_x"].tolist() == [1, 1]
    with pytest.raises(Damaged, match="init_y"):
        read(tmp_path / "e.npz", ["x", "init_y"])


def test_an_episode_that_is_too_large_is_not_kept(
    episode: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trajectory, "MOST_BYTES", 79)  # float32, 4 steps and the start: 4 * 5 * (1 + 3)
    save(tmp_path / "e.npz", COLUMNS, ["x", "v"])
    assert list(tmp_path.iterdir()) == [episode]
