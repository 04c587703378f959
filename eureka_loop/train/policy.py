"""A trained policy: saved as SB3's files, and as a function from one observation to one action."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
from stable_baselines3 import PPO, SAC
from stable_baselines3.common.vec_env import VecNormalize

from eureka_loop.errors import RunError
from eureka_loop.judge.episodes import Observation, Predict
from eureka_loop.records import Algorithm, Array
from eureka_loop.train.hyperparameters import ALGORITHMS

POLICY = "policy.zip"
NORMALIZATION = "vecnormalize.pkl"


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
