from __future__ import annotations

import numpy as np
import pytest

from eureka_loop.envs.registry import find_domain
from eureka_loop.records import Task
from eureka_loop.simulate.survey import Survey, survey


def surveyed(env_id: str, seed: int = 0, steps: int = 1000) -> Survey:
    return survey(Task("toy", env_id, "", ""), find_domain(env_id), seed=seed, steps=steps)


def test_ranges_and_probe() -> None:
    seen = surveyed("HalfCheetah-v5")
    vocabulary, probe = seen.vocabulary, seen.probe
    names = vocabulary.names(hidden=True)
    assert set(probe) == {prefix + name for prefix in ("", "prev_", "init_") for name in names}
    rows = len(probe["time"])
    assert rows >= 200
    assert len(np.unique(probe["init_qpos"], axis=0)) >= 10  # several episodes
    for observable in vocabulary:
        assert probe[observable.name].shape == (rows, *observable.shape)
        assert np.isfinite(probe[observable.name]).all()
        flat = probe[observable.name].reshape(rows, -1)
        assert observable.start is not None
        assert len(observable.start) == flat.shape[1]
        assert (flat >= observable.low).all(), observable.name
        assert (flat <= observable.high).all(), observable.name
        assert (np.array(observable.low) <= observable.start).all()
    assert vocabulary.resolve("torso_pos").start[2] == pytest.approx(0.7, abs=0.1)
    assert vocabulary.resolve("action").low[0] == pytest.approx(-1.0, abs=0.02)


def test_equal_seeds_give_equal_surveys() -> None:
    one, two, other = (surveyed("InvertedPendulum-v5", seed, 300) for seed in (1, 1, 2))
    assert one.vocabulary == two.vocabulary
    for name, column in one.probe.items():
        np.testing.assert_array_equal(column, two.probe[name])
    assert one.vocabulary != other.vocabulary


@pytest.mark.parametrize(
    ("env_id", "method"), [("Hopper-v5", "def _get_rew("), ("InvertedPendulum-v5", "def step(")]
)
def test_the_envs_own_reward_is_shown_as_source(env_id: str, method: str) -> None:
    """Of the usual method, where the task names none."""
    native = surveyed(env_id, steps=30).native
    assert native.startswith(method)
    assert native.count("def ") == 1
    assert "reward" in native
