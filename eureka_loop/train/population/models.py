"""From SB3's own objects to a learner's numbers and back, so that what is saved is an ordinary SB3 policy."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.running_mean_std import RunningMeanStd
from stable_baselines3.common.vec_env import VecEnv, VecNormalize

from eureka_loop.records import Job, Task
from eureka_loop.simulate.env import make_env
from eureka_loop.train.hyperparameters import Settings
from eureka_loop.train.population.group import LearnerState
from eureka_loop.train.population.layout import Layout
from eureka_loop.train.population.networks import ACTIVATIONS

POLICY_KWARGS = frozenset(
    {
        "net_arch",
        "activation_fn",
        "ortho_init",
        "log_std_init",
        "share_features_extractor",
        "optimizer_kwargs",
    }
)
OPTIMIZER_KWARGS = frozenset({"betas", "eps", "weight_decay"})


def trains(options: Settings) -> str:
    """ "" where the population trainer offers all that hyperparameters of PPO ask for; else what it lacks."""
    arguments = options.arguments
    policy = arguments.get("policy_kwargs") or {}
    beyond = [f"policy_kwargs.{key}" for key in policy if key not in POLICY_KWARGS]
    optimizer = policy.get("optimizer_kwargs") or {}
    beyond += [f"optimizer_kwargs.{key}" for key in optimizer if key not in OPTIMIZER_KWARGS]
    if "eps" in optimizer and not np.float32(optimizer["eps"]):
        beyond.append("optimizer_kwargs.eps = 0")  # what only fills vectors up would be 0 / 0
    beyond += ["use_sde"] if arguments.get("use_sde") else []
    if policy.get("activation_fn") not in (None, *ACTIVATIONS):
        beyond.append("policy_kwargs.activation_fn")
    return f"the population trainer has no {', '.join(beyond)}" if beyond else ""


class Spaces(VecEnv):
    """The spaces of a task's envs without the envs: what SB3 needs to make a policy, and to save it."""

    def __init__(self, task: Task, n_envs: int) -> None:
        env = make_env(task)
        super().__init__(n_envs, env.observation_space, env.action_space)
        env.close()

    def reset(self) -> Any:
        raise NotImplementedError("there is no world behind these spaces")

    def step_async(self, actions: Any) -> None:
        self.reset()

    def step_wait(self) -> Any:
        self.reset()

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        return [None] * self.num_envs  # SB3 asks for the render mode

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        self.reset()

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any) -> list[Any]:
        return [self.reset()]

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        return [False] * self.num_envs

    def close(self) -> None:
        pass


def fresh(job: Job, options: Settings, spaces: Spaces) -> tuple[PPO, VecNormalize]:
    """The policy that SB3 begins with for this job's seed, with the normalisation around its envs."""
    normalization = VecNormalize(spaces, norm_obs=options.normalize_observation, norm_reward=False)
    goal = isinstance(spaces.observation_space, gymnasium.spaces.Dict)
    arguments = {**options.arguments, "device": "cpu"}  # it begins and ends there, wherever learning is done
    model = PPO("MultiInputPolicy" if goal else "MlpPolicy", normalization, seed=job.seed, **arguments)
    normalization.gamma = model.gamma  # for those who load it to train on
    return model, normalization


def remember(normalization: Any, statistics: RunningMeanStd) -> None:
    """Have SB3's normalisation scale observations by these statistics, of a goal env part by part."""
    space = normalization.observation_space
    if not isinstance(space, gymnasium.spaces.Dict):
        normalization.obs_rms = statistics
        return
    start = 0
    for key, part in space.spaces.items():
        own = slice(start, start + int(gymnasium.spaces.flatdim(part)))
        kept = normalization.obs_rms[key]
        kept.mean, kept.var, kept.count = statistics.mean[own], statistics.var[own], statistics.count
        start = own.stop


def first_state(model: PPO, layout: Layout) -> LearnerState:
    return LearnerState.fresh(layout.pack(model.policy.state_dict()))


def bring_back(model: PPO, layout: Layout, state: LearnerState, *, steps: int, epochs: int) -> None:
    """Make SB3's model the one that was trained, its optimizer included.

    Args:
        steps: taken in the env.
        epochs: of updates.
    """
    model.policy.load_state_dict(layout.unpack(state.parameters))
    first, second = (layout.unpack(moment) for moment in state.moments)
    names = [name for name, _ in model.policy.named_parameters()]
    moments = {
        at: {
            "step": torch.tensor(float(state.steps)),
            "exp_avg": first[name],
            "exp_avg_sq": second[name],
        }
        for at, name in enumerate(names)
    }
    optimizer = model.policy.optimizer
    optimizer.load_state_dict({**optimizer.state_dict(), "state": moments})
    model.num_timesteps, model._n_updates = steps, epochs
