"""A cohort of one trains as SB3 does: the same policy from the same noise and permutations, over whole trainings.

The other side is `trainer.train`: SB3's PPO on Gymnasium's envs, one step at a time. Both draw from the same
generator. Rounding differs from the first product on, and the second rollout multiplies the difference a
thousandfold (legs hit the floor); weights move by 3e-3 and more meanwhile. The update alone is held to 1e-5
elsewhere.
"""

import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from stable_baselines3 import PPO

from eureka_loop.envs.extras import installed
from eureka_loop.envs.registry import find_domain
from eureka_loop.records import Job
from eureka_loop.results import Trained
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.train.population.cohorts import train_cohort
from eureka_loop.train.trainer import train

RUN = '''
def compute_reward(forward_velocity, action, terminated, *, effort=0.1):
    """Run forward, waste no torque, don't fall."""
    return {
        "speed": forward_velocity,
        "effort": -effort * np.square(action).sum(axis=1),
        "fall": -3.0 * terminated,
    }
'''


REACH = '''
def compute_reward(goal_distance, action, *, effort=0.1):
    """Reach the goal, move little."""
    return {"near": -goal_distance, "effort": -effort * np.square(action).sum(axis=1)}
'''
NEEDS_ROBOTICS = pytest.mark.skipif(not installed("robotics"), reason="needs the extra 'robotics'")


def noise_of(random: np.random.Generator, shape: tuple[int, int, int]) -> Iterator[torch.Tensor]:
    """Rollout after rollout what the population's learner of this generator draws, step by step."""
    while True:
        yield from torch.from_numpy(random.standard_normal(shape, dtype=np.float32))


def statistics(kept: bytes) -> list[Any]:
    """Means and variances of observations, of a goal env part by part, and how many there were."""
    scales: Any = pickle.loads(kept).obs_rms if pickle.loads(kept).norm_obs else {}
    parts = scales.values() if isinstance(scales, dict) else [scales]
    return [value for part in parts for value in (part.mean, part.var, part.count)]


@pytest.mark.parametrize(
    ("task", "source", "limit", "more"),
    [
        ("hopper-hop", RUN, None, {}),
        ("swimmer-swim", RUN, 50, {"n_envs": 1, "normalize_observation": False, "learning_rate": "lin_1e-3"}),
        ("walker2d-walk", RUN, 25, {"normalize_reward": False, "clip_range_vf": 0.2, "ent_coef": 0.01}),
        pytest.param("fetch-reach", REACH, 20, {}, marks=NEEDS_ROBOTICS),
    ],
    ids=[
        "falls",
        "time limits, one env, no normalisation of observations",
        "both, no scaling of rewards",
        "goals",
    ],
)
def test_as_sb3(
    task: str,
    source: str,
    limit: int | None,
    more: dict[str, Any],
    make_job: Callable[..., Job],
    fork_server: ForkServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two rollouts and updates."""
    small = {"n_steps": 64, "batch_size": 32, "n_epochs": 3, "n_envs": 2, "gamma": 0.97, **more}
    steps = 2 * 64 * small["n_envs"]
    job = make_job(task, limit=limit, source=source, steps=steps, hyperparameters=small)
    domain = find_domain(job.task.env_id)
    (ours,) = train_cohort([job], domain, fork_server, [tmp_path / "ours"], lambda place, line: None)
    assert isinstance(ours, Trained)

    random = np.random.default_rng(job.seed)
    actions = PPO.load(tmp_path / "ours" / "policy.zip").action_space.shape or ()
    noise = noise_of(random, (64, small["n_envs"], *actions))
    monkeypatch.setattr("torch.distributions.normal._standard_normal", lambda *_, **__: next(noise))
    monkeypatch.setattr("numpy.random.permutation", random.permutation)
    theirs = train(job, domain, fork_server, tmp_path / "theirs", lambda line: None)
    assert isinstance(theirs, Trained)

    kept = [(tmp_path / side / "vecnormalize.pkl").read_bytes() for side in ("ours", "theirs")]
    for mine, other in zip(*map(statistics, kept), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-3, atol=1e-4)
    one, two = (PPO.load(tmp_path / side / "policy.zip").policy.state_dict() for side in ("ours", "theirs"))
    for name in one:
        assert torch.allclose(one[name], two[name], rtol=0.0, atol=3e-4), name
    assert ours.correlations.keys() == theirs.correlations.keys()
    for term, correlation in theirs.correlations.items():
        assert ours.correlations[term] == (correlation and pytest.approx(correlation, abs=1e-2))
    for mine, other in zip(ours.checkpoints, theirs.checkpoints, strict=True):
        assert (mine.step, mine.episodes) == (other.step, other.episodes)
        assert mine.fitness == (other.fitness and pytest.approx(other.fitness, rel=1e-2))
        for term, stats in mine.terms.items():
            assert stats.mean == pytest.approx(other.terms[term].mean, rel=1e-2, abs=1e-3)
