"""Files of policies: as SB3's, snapshots from which trainings continue, recorded episodes."""

from __future__ import annotations

import pickle
import shutil
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy._core.multiarray import _reconstruct, scalar
from stable_baselines3 import PPO, SAC
from stable_baselines3.common.running_mean_std import RunningMeanStd
from stable_baselines3.common.vec_env import VecNormalize

from eureka_loop import files
from eureka_loop.envs.domain import Domain
from eureka_loop.errors import RunError
from eureka_loop.judge.episodes import Observation, Predict, play
from eureka_loop.judge.trajectory import FILE, save
from eureka_loop.records import SNAPSHOT, Algorithm, Array, Job, Rollout, Task
from eureka_loop.results import Checkpoint, TermStats
from eureka_loop.simulate import play as standalone
from eureka_loop.simulate.env import Env, make_env
from eureka_loop.simulate.observables import ObservableRegistry
from eureka_loop.train.hyperparameters import ALGORITHMS
from eureka_loop.train.metrics import TermSums, TrainingEpisode

POLICY = "policy.zip"
NORMALIZATION = "vecnormalize.pkl"
RANDOM_EPISODES = 3
FIRST_SEED = 2_000_000_000  # of random episodes: far from all seeds of training and judging
INDEX = "policy"  # column with the index of the policy that a row is from; no observable has that name

# All that a snapshot may hold beside tensors and plain data; torch refuses a file with anything else.
_DTYPES = [type(np.dtype(each)) for each in (np.float64, np.float32, np.int64, np.uint8, np.bool_)]
_ARRAYS: list[Any] = [np.ndarray, np.dtype, *_DTYPES, _reconstruct, scalar]
_IN_SNAPSHOTS: list[Any] = [*_ARRAYS, RunningMeanStd, Checkpoint, TermStats, TermSums, TrainingEpisode]


def predictor(model: PPO | SAC, normalization: VecNormalize) -> Predict:
    """The policy's mean action within the action space's bounds, (action,), without exploration."""

    def predict(observation: Observation) -> Array:
        action, _ = model.predict(normalization.normalize_obs(observation), deterministic=True)
        return np.asarray(action)

    return predict


def save_policy(folder: Path, model: PPO | SAC) -> None:
    """Write two files that SB3 loads by itself, `PPO.load`, `VecNormalize.load`, and a program that does it.

    Raises:
        RunError: the folder can't be written.
    """
    try:
        model.save(folder / POLICY)
        cast(VecNormalize, model.get_vec_normalize_env()).save(str(folder / NORMALIZATION))
        shutil.copyfile(standalone.__file__, folder / "play.py")
    except OSError as error:
        raise RunError(f"can't write to {folder}: {error.strerror}; free some space") from error


def load_policy(folder: Path, algorithm: Algorithm) -> Predict:
    """Load what `save_policy` wrote. Both files hold pickles: load only what this machine has written."""
    model = ALGORITHMS[algorithm].load(folder / POLICY, device="cpu")
    with (folder / NORMALIZATION).open("rb") as file:
        return predictor(model, pickle.load(file))


def write_snapshot(folder: Path, state: Any) -> None:
    """Write tensors, arrays and plain data, the whole file or nothing.

    Raises:
        RunError: the folder can't be written.
    """
    content = BytesIO()
    torch.save(state, content)
    files.write_bytes(folder / SNAPSHOT, content.getvalue())


def read_snapshot(folder: Path) -> Any:
    """The state as it was written; no code of the file runs.

    Raises:
        RunError: it is missing or damaged.
    """
    try:
        with torch.serialization.safe_globals(_IN_SNAPSHOTS):
            return torch.load(folder / SNAPSHOT, weights_only=True)
    except Exception as error:  # whatever torch raises at a damaged file
        message = f"{folder / SNAPSHOT} is missing or damaged ({error}): remove {folder}, and resume"
        raise RunError(message) from error


def record(env: Env, domain: Domain, predict: Predict, seed: int, path: Path) -> None:
    """Play an episode, and write it with every observable."""
    registry = ObservableRegistry(env, domain)
    names = registry.vocabulary.names(hidden=True)
    buffer = registry.buffer([*names, *(f"init_{name}" for name in names)], 1)
    save(path, play(predict, env, buffer, seed), names)


def record_random(task: Task, domain: Domain, folder: Path) -> None:
    """Write whole episodes of random actions: random-0.npz, ...; none where no time limit ends them."""
    with closing(make_env(task)) as env:
        if ObservableRegistry(env, domain).vocabulary.horizon is None:
            return
        for number in range(RANDOM_EPISODES):
            env.action_space.seed(number)
            path = folder / f"random-{number}.npz"
            record(env, domain, lambda _: env.action_space.sample(), FIRST_SEED + number, path)


def record_trained(job: Job, domain: Domain, folder: Path) -> None:
    """Write one episode of a finished training's policy, from the first start that it was judged from.

    It is played again, since judging records only the names that fitness and success need.
    """
    with closing(make_env(job.task)) as env:
        record(env, domain, load_policy(folder, job.algorithm), job.judge_seeds[0], folder / FILE)


def record_rollout(rollout: Rollout, domain: Domain) -> dict[str, Array]:
    """One episode of each policy, all from the same start: name → (rows, *shape).

    Raises:
        BadInput: the env can't be made, or a name doesn't exist.
    """
    with closing(make_env(rollout.task)) as env:
        buffer = ObservableRegistry(env, domain).buffer(rollout.names, 1)
        policies = [load_policy(Path(folder), rollout.algorithm) for folder in rollout.policies]
        episodes = [play(predict, env, buffer, rollout.seed) for predict in policies]
    columns = {name: np.concatenate([each[name] for each in episodes]) for name in rollout.names}
    lengths = [len(each[rollout.names[0]]) for each in episodes]
    return {**columns, INDEX: np.repeat(np.arange(float(len(episodes))), lengths)}
