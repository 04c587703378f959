"""A whole training beside Stable-Baselines3's, with the same chance: noise and permutations drawn by one generator."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from stable_baselines3 import PPO

from eureka_loop.envs.registry import find_domain
from eureka_loop.records import Job
from eureka_loop.results import Trained
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.train.population.cohorts import train_cohort

STEPS, ENVS = 64, 2


class Twin:
    """What a learner of the population draws, handed to SB3 piece by piece."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self._noise: list[torch.Tensor] = []

    def noise(self, shape: torch.Size, **_: Any) -> torch.Tensor:
        """Of one step; a rollout's is drawn at its beginning."""
        if not self._noise:
            rollout = self._random.standard_normal((STEPS, *shape), dtype=np.float32)
            self._noise = list(torch.from_numpy(rollout))
        return self._noise.pop(0)

    def permutation(self, count: int) -> Any:
        return self._random.permutation(count)


@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize(
    ("task", "limit"), [("hopper-hop", None), ("walker2d-walk", 15)], ids=["terminations", "time limits"]
)
def test_it_is_sb3s(
    task: str,
    limit: int | None,
    normalize: bool,
    make_job: Callable[..., Job],
    run: Callable[[Job, Path], Any],
    fork_server: ForkServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Four rollouts and updates, environments and rewards included: what is left is rounding.

    Of bodies that fall soon, or begin anew often: a half-cheetah's tumbling makes of a rounded action another
    course within a second.
    """
    options = {
        "n_steps": STEPS,
        "n_envs": ENVS,
        "normalize_observation": normalize,
        "normalize_reward": normalize,
    }
    job = make_job(task, limit=limit, steps=4 * STEPS * ENVS, hyperparameters=options)
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    for folder in (ours, theirs):
        folder.mkdir()
    (result,) = train_cohort([job], find_domain(job.task.env_id), fork_server, [ours], lambda *_: None)
    assert isinstance(result, Trained)

    twin = Twin(job.seed)
    monkeypatch.setattr("torch.distributions.normal._standard_normal", twin.noise)
    monkeypatch.setattr("numpy.random.permutation", twin.permutation)
    assert isinstance(run(job, theirs), Trained)

    found, wanted = (PPO.load(folder / "policy.zip").policy.state_dict() for folder in (ours, theirs))
    assert wanted["log_std"].abs().max() > 1e-3, "it began at 0, and nothing was learnt"
    for name, parameters in wanted.items():
        assert torch.allclose(found[name], parameters, rtol=0.0, atol=1e-5), name
