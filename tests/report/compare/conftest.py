"""A comparison's folder with made-up trainings: three rewards that differ by a known amount."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
import tomli_w

from eureka_loop import files
from eureka_loop.config import RunConfig, as_table
from eureka_loop.judge.agreement import agreement
from eureka_loop.records import Algorithm, Training
from eureka_loop.report.compare.setup import SETUP, Entry, Setup
from eureka_loop.report.compare.train import Shared
from eureka_loop.results import Checkpoint, Failed, TermStats, Trained, judged_episode
from eureka_loop.reward.sandbox.lock import ALL_LAYERS
from eureka_loop.reward.sandbox.process import Terms
from eureka_loop.reward.sandbox.status import SandboxStatus
from eureka_loop.store import Run
from tests.report.conftest import HUMAN, SPARSE, TASK

STEPS = 200_000
SANDBOX = SandboxStatus(ALL_LAYERS, 6, {"read_file": True}).as_table()
OURS = '''\
def compute_reward(forward_velocity, torso_upright, action, *, speed=1.2, upright=0.4, effort=0.02):
    """Run forward fast, stay level, waste no torque."""
    fast = np.minimum(forward_velocity, 12.0)
    return {
        "speed": speed * fast,
        "upright": upright * torso_upright,
        "effort": -effort * np.square(action).sum(axis=1),
    }
'''
TERMS: dict[str, Mapping[str, float]] = {
    OURS: {"speed": 1.2, "upright": 0.3, "effort": -0.1},
    HUMAN: {"forward": 1.0, "control": -0.4},
    SPARSE: {"speed": 1.0},
}
ENTRIES = (
    Entry("g1-03", "winner g1-03", OURS, "winner of runs/20261121-halfcheetah-run"),
    Entry("human", "hand-written", HUMAN, "Gymnasium 1.x, half_cheetah_v5.py"),
    Entry("sparse", "sparse", SPARSE, "pays only for the task itself"),
)

Fitness = Mapping[str, Sequence[float | None]]  # id → a number a seed; None: that training failed


def made(
    folder: Path,
    fitness: Fitness,
    *,
    entries: Sequence[Entry] = ENTRIES,
    algorithms: Sequence[Algorithm] = ("ppo",),
    looks: tuple[int, ...] = (),
) -> Path:
    """Write a comparison of which every training is finished; ids without fitness have none yet."""
    seeds = max(map(len, fitness.values()))
    config = RunConfig(task=TASK.name, steps=STEPS)
    command = f"eureka compare RUN --seeds {seeds}"
    setup = Setup(TASK, tuple(entries), tuple(algorithms), config, seeds, command, looks)
    files.write_json(folder / SETUP, setup)
    for algorithm in algorithms:
        _algorithm(folder / algorithm, algorithm, setup, fitness)
    return folder


def _algorithm(folder: Path, algorithm: Algorithm, setup: Setup, fitness: Fitness) -> None:
    run = Run(folder)
    made_by = {"python": "3.11.7", "torch": "2.13.0", "git_commit": "b80e0ab", "cpu": "Some CPU", "cores": 8}
    records = {"made_by": {**made_by, "memory_gb": 32.0}, "sandbox": SANDBOX}
    files.write_text(folder / "run.toml", tomli_w.dumps({**as_table(RunConfig(task=TASK.name)), **records}))
    files.write_json(run.task_folder / "task.json", TASK)
    files.write_json(run.task_folder / "training.json", Training(algorithm, {"gamma": 0.98}, "population"))
    run.event("started")
    for entry in setup.entries:
        run.write_candidate(entry.candidate)
        for seed, value in zip(setup.training_seeds, fitness.get(entry.id, ()), strict=False):
            result: Trained | Failed = (
                Failed(entry.id, "not_finite", "term 'speed' is NaN in 3 of 2,048 rows", "", seed)
                if value is None
                else trained(entry, seed, value)
            )
            files.write_json(run.job_folder(entry.id, seed) / "result.json", result)
    rng = np.random.default_rng(0)
    fast, lean, effort = rng.normal(2, 1.5, 1200), rng.normal(0.8, 0.1, 1200), rng.uniform(0, 6, 1200)
    ours = Terms(("speed", "upright", "effort"), np.array([1.2 * fast, 0.4 * lean, -0.02 * effort]))
    theirs = {"human": Terms(("forward", "control"), np.array([fast, -0.1 * effort]))}
    theirs["sparse"] = Terms(("speed",), np.array([fast]))
    source = np.repeat([0.0, 1.0, 2.0], 400)
    sources = ["random actions", "policy of winner g1-03", "policy of hand-written"]
    known = {each.id for each in setup.entries}
    found = (agreement(id, ours, terms, source, sources) for id, terms in theirs.items() if id in known)
    files.write_json(folder / "shared" / "shared.json", Shared(tuple(found)))


def trained(entry: Entry, seed: int, fitness: float) -> Trained:
    """A training whose fitness grew towards `fitness`, with some noise; the first checkpoint saw no episode."""
    rng = np.random.default_rng(seed + len(entry.source))
    rise = fitness * (1 - np.exp(-np.linspace(0.1, 4, 10) * rng.uniform(0.7, 1.3)))
    points = []
    for index, value in enumerate(rise + rng.normal(0, 0.08, 10)):
        terms = {
            name: TermStats(weight * float(value), -1.0, 2.0 * abs(weight), abs(weight))
            for name, weight in TERMS.get(entry.source, {}).items()
        }
        known = None if index == 0 else float(value)
        points.append(Checkpoint((index + 1) * STEPS // 10, 5, known, None, 1000.0, terms))
    scores = tuple(
        judged_episode(n, fitness + d, float(fitness > 3), 1000) for n, d in enumerate((-0.1, 0.1))
    )
    return Trained(entry.id, seed, STEPS, scores, tuple(points), {}, 60.0)


def numbers(middle: float, spread: float, seeds: int, stream: int) -> list[float]:
    return [float(value) for value in np.random.default_rng(stream).normal(middle, spread, seeds)]


BETTER = {
    "g1-03": numbers(4.2, 0.5, 10, 1),
    "human": numbers(3.1, 0.6, 10, 2),
    "sparse": numbers(1.0, 0.5, 10, 3),
}


@pytest.fixture(scope="session")
def better(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten seeds, of which the winner's are plainly higher; to read, not to change."""
    return made(tmp_path_factory.mktemp("better"), BETTER)
