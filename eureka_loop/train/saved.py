"""Files that a training leaves: the policy as SB3's, and a snapshot from which the training can continue."""

from __future__ import annotations

import pickle
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy._core.multiarray import _reconstruct, scalar
from stable_baselines3 import PPO, SAC
from stable_baselines3.common.running_mean_std import RunningMeanStd
from stable_baselines3.common.vec_env import VecNormalize

from eureka_loop import files
from eureka_loop.errors import RunError
from eureka_loop.judge.episodes import Observation, Predict
from eureka_loop.records import SNAPSHOT, Algorithm, Array
from eureka_loop.results import Checkpoint, TermStats
from eureka_loop.train.hyperparameters import ALGORITHMS
from eureka_loop.train.metrics import TermSums, TrainingEpisode

POLICY = "policy.zip"
NORMALIZATION = "vecnormalize.pkl"

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


def save_policy(folder: Path, model: PPO | SAC, normalization: VecNormalize) -> None:
    """Write two files that SB3 loads by itself: `PPO.load`, `VecNormalize.load`.

    Raises:
        RunError: the folder can't be written.
    """
    try:
        model.save(folder / POLICY)
        normalization.save(str(folder / NORMALIZATION))
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
