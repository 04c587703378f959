"""A trained policy as a function: one observation, as the env gives it → one action, without exploration."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
from stable_baselines3 import PPO, SAC
from stable_baselines3.common.vec_env import VecNormalize

from eureka_loop.judge.episodes import Observation, Predict
from eureka_loop.records import Algorithm, Array
from eureka_loop.train.hyperparameters import ALGORITHMS

POLICY = "policy.zip"
NORMALIZATION = "vecnormalize.pkl"


def predictor(model: PPO | SAC, normalization: VecNormalize) -> Predict:
    """The policy's mean action within the action space's bounds, (action,)."""

    def predict(observation: Observation) -> Array:
        action, _ = model.predict(normalization.normalize_obs(observation), deterministic=True)
        return np.asarray(action)

    return predict


def save_policy(folder: Path, model: PPO | SAC, normalization: VecNormalize) -> None:
    """Two files that SB3 loads by itself: `PPO.load`, `VecNormalize.load`."""
    model.save(folder / POLICY)
    normalization.save(str(folder / NORMALIZATION))


def load_policy(folder: Path, algorithm: Algorithm) -> Predict:
    """What `save_policy` left there. Both files hold pickles: load only what this machine has written."""
    model = ALGORITHMS[algorithm].load(folder / POLICY, device="cpu")
    with (folder / NORMALIZATION).open("rb") as file:
        return predictor(model, pickle.load(file))
