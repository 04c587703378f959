"""Whole trainings beside Stable-Baselines3's, with noise and permutations drawn by one generator.

Environments, rewards, normalisation and statistics included: the rest is rounding. Of bodies that fall soon, or
begin anew often: a half-cheetah's tumbling turns a rounded action into another course within a second.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from stable_baselines3 import PPO

from eureka_loop.envs.registry import installed
from eureka_loop.records import Job
from eureka_loop.results import Trained
from tests.train.conftest import RUN

STEPS, ENVS = 64, 2
REACH = '''
def compute_reward(goal_distance, action, *, effort=0.1):
    """Reach the goal, move little."""
    return {"near": -goal_distance, "effort": -effort * np.square(action).sum(axis=1)}
'''
NEEDS_ROBOTICS = pytest.mark.skipif(not installed("robotics"), reason="needs the extra 'robotics'")
UNSCALED = {"normalize_observation": False, "normalize_reward": False}


class SharedGenerator:
    """The numbers that a learner of the population draws, handed to SB3 piece by piece."""

    def __init__(self, seed: int, n_envs: int) -> None:
        self._random, self._n_envs = np.random.default_rng(seed), n_envs
        self._noise: list[torch.Tensor] = []

    def noise(self, shape: torch.Size, **_: Any) -> torch.Tensor:
        """Of one step; a rollout's is drawn at its beginning."""
        if not self._noise:
            rollout = self._random.standard_normal((STEPS, *shape), dtype=np.float32)
            self._noise = list(torch.from_numpy(rollout))
        return self._noise.pop(0)

    def permutation(self, count: int) -> Any:
        return self._random.permutation(count)


def statistics(folder: Path) -> list[Any]:
    """Means, variances and counts of the saved normalisation; of a goal env part by part."""
    saved: Any = pickle.loads((folder / "vecnormalize.pkl").read_bytes())
    scales = saved.obs_rms if saved.norm_obs else {}
    parts = [*(scales.values() if isinstance(scales, dict) else [scales]), saved.ret_rms]
    return [value for part in parts for value in (part.mean, part.var, part.count)]


@pytest.mark.parametrize(
    ("task", "source", "limit", "more"),
    [
        ("hopper-hop", RUN, None, {}),
        ("hopper-hop", RUN, None, UNSCALED),
        ("walker2d-walk", RUN, 15, {"clip_range_vf": 0.2, "ent_coef": 0.01, "learning_rate": "lin_1e-3"}),
        ("swimmer-swim", RUN, 50, {"n_envs": 1, "normalize_reward": False, "gamma": 0.97}),
        pytest.param("fetch-reach", REACH, 20, {}, marks=NEEDS_ROBOTICS),
    ],
    ids=["terminations", "unscaled", "time limits", "one env", "goals"],
)
def test_it_is_sb3s(
    task: str,
    source: str,
    limit: int | None,
    more: dict[str, Any],
    make_job: Callable[..., Job],
    run: Any,
    cohort: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Four rollouts and updates."""
    options = {"n_steps": STEPS, "n_envs": ENVS, **more}
    steps = 4 * STEPS * options["n_envs"]
    job = make_job(task, source=source, limit=limit, steps=steps, hyperparameters=options)
    (ours,) = cohort([job])
    generator = SharedGenerator(job.seed, options["n_envs"])
    monkeypatch.setattr("torch.distributions.normal._standard_normal", generator.noise)
    monkeypatch.setattr("numpy.random.permutation", generator.permutation)
    theirs = run(job, tmp_path / "sb3")
    assert isinstance(ours, Trained)
    assert isinstance(theirs, Trained)

    found, wanted = (PPO.load(tmp_path / each / "policy.zip").policy.state_dict() for each in ("0", "sb3"))
    assert wanted["log_std"].abs().max() > 1e-3, "it began at 0, and nothing was learnt"
    for name, parameters in wanted.items():
        assert torch.allclose(found[name], parameters, rtol=0.0, atol=1e-5), name
    for mine, other in zip(statistics(tmp_path / "0"), statistics(tmp_path / "sb3"), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-3, atol=1e-4)
    for mine, other in zip(ours.episodes, theirs.episodes, strict=True):
        assert mine.behaviour
        assert other.behaviour
        assert mine.behaviour.terms == pytest.approx(other.behaviour.terms, rel=1e-2, abs=1e-3)
        assert mine.behaviour.pieces == pytest.approx(other.behaviour.pieces, rel=1e-2, abs=1e-3)
        assert mine.behaviour.courses.keys() == other.behaviour.courses.keys() != set()
    assert ours.correlations == pytest.approx(theirs.correlations, abs=1e-2)
    for mine, other in zip(ours.checkpoints, theirs.checkpoints, strict=True):
        assert (mine.step, mine.episodes) == (other.step, other.episodes)
        assert mine.action_noise == pytest.approx(other.action_noise, rel=1e-3)
        assert mine.fitness == (other.fitness and pytest.approx(other.fitness, rel=1e-2))
        for term, stats in mine.terms.items():
            assert stats.mean == pytest.approx(other.terms[term].mean, rel=1e-2, abs=1e-3)
