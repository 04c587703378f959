from __future__ import annotations

import time

import numpy as np
import pytest

from eureka_loop.envs.registry import find_domain
from eureka_loop.records import Task
from eureka_loop.simulate.survey import survey


def task(env_id: str) -> Task:
    return Task("toy", env_id, "", "")


def test_ranges_and_probe() -> None:
    seen = survey(task("HalfCheetah-v5"), find_domain("HalfCheetah-v5"))
    vocabulary, probe = seen.vocabulary, seen.probe
    names = vocabulary.names(hidden=True)
    assert set(probe) == {prefix + name for prefix in ("", "prev_", "init_") for name in names}
    rows = {len(column) for column in probe.values()}
    assert rows == {len(probe["time"])}
    assert len(probe["time"]) >= 200
    assert len(np.unique(probe["init_qpos"], axis=0)) >= 10  # several episodes
    for observable in vocabulary:
        size = int(np.prod(observable.shape))
        assert len(observable.low) == len(observable.high) == len(observable.start) == size
        assert probe[observable.name].shape == (len(probe["time"]), *observable.shape)
        assert np.isfinite(probe[observable.name]).all()
        flat = probe[observable.name].reshape(len(probe["time"]), -1)
        assert (flat >= observable.low).all(), observable.name
        assert (flat <= observable.high).all(), observable.name
        assert (np.array(observable.low) <= observable.start).all()
    assert vocabulary.resolve("torso_pos").start[2] == pytest.approx(0.7, abs=0.1)
    assert vocabulary.resolve("action").low[0] == pytest.approx(-1.0, abs=0.02)


def test_equal_seeds_give_equal_surveys() -> None:
    env_id = "InvertedPendulum-v5"
    one, two, other = (survey(task(env_id), find_domain(env_id), seed=seed, steps=300) for seed in (1, 1, 2))
    assert one.vocabulary == two.vocabulary
    for name, column in one.probe.items():
        np.testing.assert_array_equal(column, two.probe[name])
    assert one.vocabulary != other.vocabulary


def test_a_humanoid_takes_under_three_seconds() -> None:
    start = time.process_time()
    survey(task("Humanoid-v5"), find_domain("Humanoid-v5"))
    assert time.process_time() - start < 3.0


@pytest.mark.parametrize(
    ("env_id", "said"), [("Hopper-v5", "def _get_rew("), ("InvertedPendulum-v5", "def step(")]
)
def test_the_envs_own_reward_can_be_read_though_no_task_says_where(env_id: str, said: str) -> None:
    native = survey(task(env_id), find_domain(env_id), steps=30).native
    assert native.startswith(said)
    assert native.count("def ") == 1
    assert "reward" in native
