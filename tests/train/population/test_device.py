"""Learners on another device than the CPU: no operation mixes devices, and results agree with the CPU's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from stable_baselines3 import PPO
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from eureka_loop.records import Job
from eureka_loop.results import Failed, Trained
from eureka_loop.train.hyperparameters import settings
from eureka_loop.train.population.ppo import PopulationPPO
from tests.train.population.test_ppo import ACTIONS, BASE, ENVS, INPUTS, OPTIONS, Walks, sb3

Cohort = Callable[..., list[Trained | Failed]]
cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")


class OneDevice(TorchDispatchMode):
    """Refuses operations with a tensor on another device: on a GPU most raise, some are slow."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        tensors = [each for each in tree_leaves((args, kwargs)) if isinstance(each, torch.Tensor)]
        devices = {each.device.type for each in tensors}
        assert devices <= {"meta"}, f"{func} runs on {devices}"
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("option", ["plain", "separate networks", "value clipping", "gelu", "entropy"])
def test_an_update_stays_on_its_device(option: str) -> None:
    """On torch's device without memory."""
    options = settings("ppo", {**BASE, **OPTIONS[option], "n_envs": ENVS})
    options = replace(options, arguments={**options.arguments, "device": "meta"})
    models = [sb3(OPTIONS[option], seed) for seed in (1, 2)]
    ppo = PopulationPPO(models, options, cast(Any, Walks(2)))
    batch = torch.zeros(2, 16, INPUTS + ACTIONS + 4, device="meta")
    with OneDevice():
        ppo._derive(batch).logged(models[0])
        ppo._adam([0, 1])


@cuda
@pytest.mark.parametrize("more", [{}, {"target_kl": 1e-3, "clip_range_vf": 0.2}], ids=["plain", "stops"])
def test_a_gpu_learns_as_the_cpu_does(
    more: dict[str, Any], make_job: Callable[..., Job], cohort: Cohort, tmp_path: Path
) -> None:
    """One rollout and its update; the file loads where there is no GPU."""
    for device in ("cpu", "cuda"):
        hyperparameters = {"device": device, **more}
        jobs = [make_job(seed=n, hyperparameters=hyperparameters, limit=40, steps=128) for n in range(3)]
        assert all(isinstance(each, Trained) for each in cohort(jobs, tmp_path / device, threads=2))
    for index in "012":
        paths = (tmp_path / device / index / "policy.zip" for device in ("cuda", "cpu"))
        found, wanted = (PPO.load(path, device="cpu").policy.state_dict() for path in paths)
        assert all(torch.allclose(found[name], wanted[name], rtol=0.0, atol=1e-4) for name in wanted)
