"""A trained policy as a function: one observation, as the env gives it → one action, without exploration."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3 import PPO, SAC
from stable_baselines3.common.vec_env import VecNormalize

from eureka_loop.judge.episodes import Observation, Predict
from eureka_loop.records import Algorithm, Array
from eureka_loop.train.hyperparameters import ALGORITHMS

POLICY = "policy.zip"
NORMALIZATION = "vecnormalize.pkl"


def predictor(model: PPO | SAC, normalization: VecNormalize) -> Predict:
    """The policy's mean action within the action space's bounds, (action,).

    What `model.predict(..., deterministic=True)` gives in half the time: that visits every module each time.
    """
    policy, space = model.policy, model.action_space
    assert isinstance(space, spaces.Box)
    policy.set_training_mode(False)

    def predict(observation: Observation) -> Array:
        tensor, _ = policy.obs_to_tensor(normalization.normalize_obs(observation))
        with torch.inference_mode():
            action = policy._predict(tensor, deterministic=True).cpu().numpy()[0]
        return (
            policy.unscale_action(action) if policy.squash_output else np.clip(action, space.low, space.high)
        )

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
