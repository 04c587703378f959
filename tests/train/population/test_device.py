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
        train(jobs_on(device, make_job, more), tmp_path / device, cohort)
    assert_close(tmp_path / "cuda", tmp_path / "cpu")


@cuda
def test_a_gpu_continues_a_training(make_job: Callable[..., Job], cohort: Cohort, tmp_path: Path) -> None:
    jobs = jobs_on("cuda", make_job, {}, steps=256)
    train(jobs, tmp_path / "whole", cohort)
    train([replace(job, until=128) for job in jobs], tmp_path / "first", cohort)
    rest = [replace(job, after=f"../../first/{index}") for index, job in enumerate(jobs)]
    train(rest, tmp_path / "rest", cohort)
    assert_close(tmp_path / "rest", tmp_path / "whole")


def jobs_on(device: str, make_job: Callable[..., Job], more: dict[str, Any], steps: int = 128) -> list[Job]:
    hyperparameters = {"device": device, **more}
    return [make_job(seed=n, limit=40, steps=steps, hyperparameters=hyperparameters) for n in range(3)]


def train(jobs: list[Job], folder: Path, cohort: Cohort) -> None:
    results = cohort(jobs, folder, threads=2)
    assert all(isinstance(result, Trained) for result in results), results


def assert_close(one: Path, other: Path) -> None:
    for index in "012":
        found, wanted = (
            PPO.load(each / index / "policy.zip", device="cpu").policy.state_dict() for each in (one, other)
        )
        for name, value in wanted.items():
            assert found[name].device.type == "cpu"
            assert torch.allclose(found[name], value, rtol=0.0, atol=1e-4), name
