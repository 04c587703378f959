"""Hyperparameters from RL Baselines3 Zoo that domain files share, and how they are cited.

Left out of every entry: `policy`, `n_timesteps` (the run's budget) and `normalize` (training here always
normalises observations and rewards; the Zoo does so for PPO on all of these envs, for SAC on none).
The Zoo tuned on the v2 to v4 envs; it has no v5 entries yet.
"""

from __future__ import annotations

from typing import Any

COMMIT = "208b6fdf3a9aa24de44b2e068c6e5f6a07d97fcc"
"""Of github.com/DLR-RM/rl-baselines3-zoo."""

WIDE_NETWORK: dict[str, Any] = {
    "log_std_init": -2,
    "ortho_init": False,
    "activation_fn": "relu",
    "net_arch": {"pi": [256, 256], "vf": [256, 256]},
}
"""`policy_kwargs` of the PPO entries that name any, as JSON-able data."""

FUSED: dict[str, Any] = {"policy_kwargs": {"optimizer_kwargs": {"fused": True}}}
"""Ours: Adam's step as one kernel. An update takes 1.05 to 1.13 times less CPU time with batches of 256, and
leaves the same weights but for rounding, 3e-8 after 20 updates (`benchmarks/sac_updates.py`)."""

SAC_MUJOCO: dict[str, Any] = {"n_envs": 1, "learning_starts": 10_000, **FUSED}
"""sac.yml's entry for the MuJoCo envs (`&mujoco-defaults`): SB3's defaults but for the later start."""


def cite(ppo: str, sac: str) -> str:
    """The source in one line; the arguments name the entries in ppo.yml and sac.yml, stand-ins as such."""
    return f"RL Baselines3 Zoo, commit {COMMIT[:8]}: hyperparams/ppo.yml {ppo}; hyperparams/sac.yml {sac}"


HER: dict[str, Any] = {"her": True, "n_sampled_goal": 4}
"""sac.yml's `replay_buffer_kwargs` of FetchReach-v1; there is no goal_selection_strategy but its 'future'."""

GOALS: dict[str, Any] = {"n_envs": 1, "gamma": 0.95, "learning_starts": 1_000, **HER, **FUSED}
"""The common part of sac.yml's entry for FetchReach-v1 and the older her.yml's for the other Fetch envs.
Networks and rates are SB3's defaults."""

FROM_REACH = "discount, start and hindsight"  # what GOALS takes of that entry, as text
