"""PPO's hyperparameters for trainings of minutes on few cores.

Found by `benchmarks/tune.py` and `benchmarks/settings.py`, with hand-written rewards on seeds apart from any
run's; the trials are in benchmarks/data/tuning.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SOURCE = "benchmarks/data/tuning"


def short_ppo(
    *,
    n_envs: int = 8,
    n_steps: int = 256,
    batch_size: int = 128,
    learning_rate: str = "lin_6e-4",
    gamma: float = 0.99,
    gae_lambda: float = 0.95,
    log_std_init: float = -0.5,
) -> Mapping[str, Any]:
    """Ten epochs, two layers of 64, a learning rate that falls to 0; the rest by domain."""
    return {
        "n_envs": n_envs,
        "n_steps": n_steps,
        "batch_size": batch_size,
        "n_epochs": 10,
        "learning_rate": learning_rate,
        "gamma": gamma,
        "gae_lambda": gae_lambda,
        "policy_kwargs": {"net_arch": [64, 64], "log_std_init": log_std_init},
    }
