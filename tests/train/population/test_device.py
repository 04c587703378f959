"""Learners on another device than the CPU: nothing of them is left behind, and what comes back is the same."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from stable_baselines3 import PPO
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from eureka_loop.envs.registry import find_domain
from eureka_loop.records import Job
from eureka_loop.results import Trained
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.train.population.cohorts import train_cohort
from eureka_loop.train.population.group import Group, LearnerState, Rules
from eureka_loop.train.population.minibatches import Fields, Rows, Shuffler
from tests.train.population.test_update import (
    ACTIONS,
    ENVS,
    INPUTS,
    OPTIONS,
    STEPS,
    orders_of,
    rates_of,
    rows_of,
    sb3,
)

COPIES = {torch.ops.aten.copy_.default, torch.ops.aten._to_copy.default}

cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")


class Apart(TorchDispatchMode):
    """Refuses an operation, but for copies, with tensors of two devices: on a GPU most raise, some are slow."""

    def __init__(self, allowed: set[str]) -> None:
        super().__init__()
        self._allowed = allowed

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = [each for each in tree_leaves((args, kwargs)) if isinstance(each, torch.Tensor)]
        devices = {each.device.type for each in given}
        if func not in COPIES:
            assert len(devices) < 2, f"{func} mixes {devices}"
            assert devices <= self._allowed, f"{func} runs on {devices}"
        return func(*args, **(kwargs or {}))


@pytest.mark.filterwarnings("ignore:You have specified a mini-batch size")
@pytest.mark.parametrize("option", OPTIONS)
def test_nothing_is_left_behind(option: str) -> None:
    """On torch's device without memory: an update's operations are all there, and of one device each."""
    meta, model = torch.device("meta"), sb3(OPTIONS[option], seed=1)
    rates, there = rates_of(model), rows_of(model).repeat(2, 1, 1).to(meta)
    state = LearnerState.fresh(Rules.of(model).layout.pack(model.policy.state_dict()))
    shuffler = Shuffler(
        Fields(INPUTS, ACTIONS),
        STEPS,
        ENVS,
        model.batch_size,
        normalize_advantage=model.normalize_advantage,
        device=meta,
    )
    group = Group(Rules.of(model, meta), shuffler, np.arange(2), [state, state])
    with Apart({"meta", "cpu"}):
        group.evaluate(there)
        assert group.values(0, torch.zeros(3, INPUTS)).device == meta
        batches = list(shuffler.epoch(there, group.members, orders_of([7, 8], 1)[0]))
    with Apart({"meta"}):
        for batch in batches:
            group._networks.forward(batch.features)
            group._loss.derive(batch, rates)
            group._loss.losses(rates)
            group._networks.backward(batch.inputs)
            group._adam.step(rates.learning_rate)


def test_rows_on_the_cpu_are_not_copied() -> None:
    rows = Rows(2, ENVS, STEPS, Fields(INPUTS, ACTIONS))
    assert rows.there.data_ptr() == rows.here.ctypes.data
    rows.here[1, 0, 0, 0] = 5.0
    assert rows.there[1, 0, 0] == 5.0


@cuda
def test_rows_go_and_come() -> None:
    fields = Fields(INPUTS, ACTIONS)
    rows = Rows(2, ENVS, STEPS, fields, torch.device("cuda"))
    rows.here[:] = np.random.default_rng(0).random(rows.here.shape)
    wanted = rows.here.copy()
    rows.send(slice(None))
    rows.here[:] = 0.0
    rows.fetch(slice(2, 4))
    assert (rows.here[..., 2:4] == wanted[..., 2:4]).all()
    assert not rows.here[..., 4:].any()


@cuda
@pytest.mark.parametrize("more", [{}, {"target_kl": 1e-3, "clip_range_vf": 0.2}], ids=["plain", "stops"])
def test_a_gpu_learns_what_the_cpu_does(
    more: dict[str, Any], make_job: Callable[..., Job], fork_server: ForkServer, tmp_path: Path
) -> None:
    """One rollout and its update; the file loads where there is no GPU."""
    learned = [
        policy(train(jobs_on(device, make_job, more), tmp_path / device, fork_server)[0])
        for device in ("cpu", "cuda")
    ]
    for name, value in learned[0].items():
        assert value.device.type == "cpu"
        assert torch.allclose(learned[1][name], value, rtol=0.0, atol=1e-4), name


@cuda
def test_a_gpu_goes_on_where_it_stopped(
    make_job: Callable[..., Job], fork_server: ForkServer, tmp_path: Path
) -> None:
    jobs = jobs_on("cuda", make_job, {}, steps=256)
    whole = policy(train(jobs, tmp_path / "whole", fork_server)[0])
    train([replace(job, until=128) for job in jobs], tmp_path / "first", fork_server)
    rest = [replace(job, after=f"../../first/{place}") for place, job in enumerate(jobs)]
    for name, value in policy(train(rest, tmp_path / "rest", fork_server)[0]).items():
        assert torch.allclose(value, whole[name], rtol=0.0, atol=1e-4), name


def jobs_on(device: str, make_job: Callable[..., Job], more: dict[str, Any], steps: int = 128) -> list[Job]:
    hyperparameters = {"device": device, **more}
    return [make_job(seed=n, limit=40, steps=steps, hyperparameters=hyperparameters) for n in range(3)]


def train(jobs: list[Job], folder: Path, fork_server: ForkServer) -> list[Path]:
    """Their folders."""
    folders = [folder / str(place) for place in range(len(jobs))]
    domain = find_domain(jobs[0].task.env_id)
    results = train_cohort(jobs, domain, fork_server, folders, lambda place, line: None, threads=2)
    assert all(isinstance(result, Trained) for result in results), results
    return folders


def policy(folder: Path) -> dict[str, torch.Tensor]:
    return PPO.load(folder / "policy.zip", device="cpu").policy.state_dict()
