"""Hyperparameters of a domain file or a run's configuration → keyword arguments of SB3's class.

JSON holds no classes, tuples or functions, so these are written otherwise: activation functions by name
("relu"), schedules that fall linearly to zero as in RL Baselines3 Zoo ("lin_3e-4"), `train_freq` as
[1, "episode"].
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gymnasium
import torch
from stable_baselines3 import PPO, SAC
from stable_baselines3.common.utils import LinearSchedule
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv, VecNormalize
from torch import nn
from torch.optim import Optimizer

from eureka_loop.errors import BadInput, UnknownName
from eureka_loop.records import Algorithm

ALGORITHMS: Mapping[Algorithm, type[PPO] | type[SAC]] = {"ppo": PPO, "sac": SAC}

ACTIVATIONS: Mapping[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "elu": nn.ELU,
    "leaky_relu": nn.LeakyReLU,
    "silu": nn.SiLU,
    "gelu": nn.GELU,
}

AnySpace = gymnasium.spaces.Space[Any]
BOX = gymnasium.spaces.Box(-1.0, 1.0, (2,))
SCHEDULED = ("learning_rate", "clip_range", "clip_range_vf")
DEVICES = r"cpu|cuda(:\d+)?"
LEAST = {"n_envs": 1, "n_sampled_goal": 0}

# Left out: arguments that training sets itself, or that JSON can't hold, and n-step returns for SAC: these
# samples reach over rows that may not have been rewarded yet.
_OURS = {"self", "policy", "env", "seed", "verbose", "tensorboard_log", "_init_setup_model", "action_noise"}
_OURS |= {f"{buffer}_buffer_{part}" for buffer in ("rollout", "replay") for part in ("class", "kwargs")}
_KINDS: Mapping[type, tuple[Any, str]] = {
    bool: (bool, "true or false"),
    int: (int, "a whole number"),
    float: ((int, float), "a number"),
}


@dataclass(frozen=True, slots=True)
class Settings:
    """How a policy is trained.

    Attributes:
        arguments: keyword arguments of SB3's class, as it takes them.
        n_envs: environments stepped in turn.
        normalize_observation, normalize_reward: see `normalization`.
        her: SAC only: hindsight experience replay.
        n_sampled_goal: how many transitions with another goal a sample holds for each with its own.
    """

    arguments: Mapping[str, Any]
    n_envs: int = 1
    normalize_observation: bool = True
    normalize_reward: bool = True
    her: bool = False
    n_sampled_goal: int = 4


def settings(algorithm: Algorithm, hyperparameters: Mapping[str, Any]) -> Settings:
    """Read a job's hyperparameters.

    Raises:
        UnknownName: a key that neither SB3's class nor this module has.
        BadInput: a value that can't be read, or is of the wrong kind; a device that isn't here.
    """
    own: dict[str, Any] = {"n_envs": 1, "normalize_observation": True, "normalize_reward": True}
    if algorithm == "sac":
        own |= {"her": False, "n_sampled_goal": 4}
    known = {**_arguments(algorithm), **own}
    arguments: dict[str, Any] = {"device": "cpu"}
    for key, value in hyperparameters.items():
        if key not in known:
            raise UnknownName(f"{algorithm} hyperparameter", key, known, f"it takes {', '.join(known)}")
        (own if key in own else arguments)[key] = _value(key, value, known[key])
    require_device(arguments["device"])
    return Settings(arguments, **own)


def require_device(name: Any) -> None:
    """
    Raises:
        BadInput: no such device here; SB3 would train on the CPU. "auto" isn't allowed: a run must mean the
            same wherever it is resumed.
    """
    if not re.fullmatch(DEVICES, str(name)):
        raise BadInput(f'device = {name!r}: give "cpu", "cuda", or "cuda:1" for the second GPU')
    count = torch.cuda.device_count()
    if name != "cpu" and (torch.device(name).index or 0) >= count:
        found = f"torch {torch.__version__} finds {count or 'no'} GPU{'s' if count > 1 else ''} here"
        raise BadInput(f'device = {name!r}: {found}; give "cpu", or see `eureka doctor`')


def make_model(algorithm: Algorithm, options: Settings, envs: VecEnv, seed: int, **more: Any) -> Any:
    """SB3's untrained model, PPO or SAC; the normalisation of observations is `get_vec_normalize_env()`.

    Args:
        more: keyword arguments of SB3's class, before those of the options.
    """
    normalization = VecNormalize(envs, norm_obs=options.normalize_observation, norm_reward=False)
    policy = "MultiInputPolicy" if isinstance(envs.observation_space, gymnasium.spaces.Dict) else "MlpPolicy"
    model = ALGORITHMS[algorithm](policy, normalization, seed=seed, **{**options.arguments, **more})
    normalization.gamma = model.gamma  # for later training on it
    return model


def try_out(algorithm: Algorithm, options: Settings, seen: AnySpace = BOX, acted: AnySpace = BOX) -> None:
    """Make SB3's model once, for these observations and actions, without an env that does anything.

    Raises:
        BadInput: SB3 refuses a space, a value, or values that don't go together.
    """
    if algorithm == "sac" and not isinstance(acted, gymnasium.spaces.Box):
        raise BadInput(f"sac has no actions {acted}, which are chosen from a list: give --algo ppo")
    sizes = {key: min(value, 1_000) for key, value in options.arguments.items() if key == "buffer_size"}
    try:
        envs = DummyVecEnv([lambda: SpacesOnly(seen, acted)] * options.n_envs)
        make_model(algorithm, options, envs, 0, **sizes)
    except Exception as error:  # whatever SB3 and torch raise at a value that they can't use
        words = " ".join(str(error).split())
        raise BadInput(f"{algorithm} can't be had with these hyperparameters: {words}") from error


class SpacesOnly(gymnasium.Env[Any, Any]):
    """An env without a simulation: all that SB3 needs to make a model."""

    def __init__(self, observation: gymnasium.spaces.Space[Any], action: gymnasium.spaces.Space[Any]) -> None:
        self.observation_space, self.action_space = observation, action


def _arguments(algorithm: Algorithm) -> dict[str, Any]:
    """Keyword arguments of SB3's class, with their defaults."""
    names = inspect.signature(ALGORITHMS[algorithm].__init__).parameters
    dropped = {*_OURS, "n_steps"} if algorithm == "sac" else _OURS
    return {name: each.default for name, each in names.items() if name not in dropped}


def _value(key: str, value: Any, default: Any) -> Any:
    """A value as SB3 takes it, of the same kind as its default: a number, a flag."""
    if key in SCHEDULED and isinstance(value, str):
        return _schedule(key, value)
    if key == "train_freq" and isinstance(value, list):
        return tuple(value)
    if key == "policy_kwargs":
        return _policy_kwargs(value)
    kind, wanted = _KINDS.get(type(default), (object, ""))
    if not isinstance(value, kind) or (wanted and isinstance(value, bool) != (kind is bool)):
        raise BadInput(f"{key} = {value!r}: give {wanted}")
    if key in LEAST and value < LEAST[key]:
        raise BadInput(f"{key} = {value}: give {LEAST[key]} or more")
    return value


def _policy_kwargs(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise BadInput(f"policy_kwargs = {value!r}: give a table, such as {{ net_arch = [64, 64] }}")
    activation = value.get("activation_fn")
    if activation is None:
        return dict(value)
    if activation not in ACTIVATIONS:
        hint = f"it may be {', '.join(ACTIVATIONS)}"
        raise UnknownName("activation function", str(activation), ACTIVATIONS, hint)
    return {**value, "activation_fn": ACTIVATIONS[activation]}


def _schedule(key: str, text: str) -> LinearSchedule:
    """ "lin_3e-4": from 3e-4 at the start to 0 at the end of training."""
    start = re.fullmatch(r"lin_(\d+\.?\d*(e-?\d+)?)", text)
    if not start:
        raise BadInput(f"{key} = {text!r}: write a number, or 'lin_3e-4' for one that falls to zero")
    return LinearSchedule(float(start[1]), 0.0, 1.0)


def _leave_compiler_out() -> None:
    """Keep a process's first optimizer from importing torch's compiler, a third of a worker's start.

    torch imports it only to mark a few methods as not to be compiled; they are marked here.
    """
    for method in vars(Optimizer).values():
        plain = getattr(method, "__wrapped__", None)
        if plain is not None and getattr(plain, "__dynamo_disable", None) is None:
            setattr(plain, "__dynamo_disable", plain)


_leave_compiler_out()
