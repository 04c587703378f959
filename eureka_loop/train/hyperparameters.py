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
from stable_baselines3.common.vec_env import DummyVecEnv
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

SCHEDULED = ("learning_rate", "clip_range", "clip_range_vf")
LINEAR = "lin_"
DEVICES = r"cpu|cuda(:\d+)?"

# Left out: arguments that training sets itself, or that JSON can't hold, and n-step returns for SAC: these
# samples reach over rows that may not have been rewarded yet.
_OURS = ("self", "policy", "env", "seed", "verbose", "tensorboard_log", "_init_setup_model", "action_noise")
_BUFFERS = ("rollout_buffer_class", "rollout_buffer_kwargs", "replay_buffer_class", "replay_buffer_kwargs")


@dataclass(frozen=True, slots=True)
class Settings:
    """How a policy is trained.

    Attributes:
        arguments: keyword arguments of SB3's class, as it takes them.
        n_envs: environments stepped in turn.
        normalize_observation: running mean and standard deviation, clipped to ±10.
        normalize_reward: divided by the running standard deviation of discounted returns, clipped to ±10.
        her: SAC only: hindsight experience replay.
        n_sampled_goal: how many transitions with another goal a sample holds for each with its own.
    """

    arguments: Mapping[str, Any]
    n_envs: int = 1
    normalize_observation: bool = True
    normalize_reward: bool = True
    her: bool = False
    n_sampled_goal: int = 4

    @property
    def device(self) -> torch.device:
        """Where networks learn."""
        return torch.device(self.arguments["device"])


def settings(algorithm: Algorithm, hyperparameters: Mapping[str, Any]) -> Settings:
    """Read a job's hyperparameters.

    Raises:
        UnknownName: a key that neither SB3's class nor this module knows.
        BadInput: a value that can't be read, or is of the wrong kind; a device that isn't here.
    """
    own = {"n_envs": 1, "normalize_observation": True, "normalize_reward": True}
    if algorithm == "sac":
        own |= {"her": False, "n_sampled_goal": 4}
    known = _arguments(algorithm)
    for key in hyperparameters:
        if key not in known and key not in own:
            hint = f"it takes {', '.join([*known, *own])}"
            raise UnknownName(f"{algorithm} hyperparameter", key, [*known, *own], hint)
    for key, value in hyperparameters.items():
        _check_kind(key, value, {**known, **own}[key])
    own.update({key: hyperparameters[key] for key in own if key in hyperparameters})
    arguments = {key: _value(key, value) for key, value in hyperparameters.items() if key in known}
    require_device(arguments.setdefault("device", "cpu"))
    return Settings(arguments, **own)  # type: ignore[arg-type]


def require_device(name: Any) -> None:
    """
    Raises:
        BadInput: there is no such device here, where SB3 would go to the CPU without a word. "auto" is none:
            a run must mean the same wherever it is resumed.
    """
    if not re.fullmatch(DEVICES, str(name)):
        raise BadInput(f'device = {name!r}: give "cpu", "cuda", or "cuda:1" for the second GPU')
    count = torch.cuda.device_count()
    if name != "cpu" and (torch.device(name).index or 0) >= count:
        found = f"torch {torch.__version__} finds {count or 'no'} GPU{'s' if count > 1 else ''} here"
        raise BadInput(f'device = {name!r}: {found}; give "cpu", or see `eureka doctor`')


def try_out(algorithm: Algorithm, options: Settings) -> None:
    """Make SB3's model once, without an env that does anything.

    Raises:
        BadInput: SB3 refuses a value, or values that don't go together.
    """
    arguments = dict(options.arguments)
    if "buffer_size" in arguments:
        arguments["buffer_size"] = min(arguments["buffer_size"], 1_000)
    try:
        box = gymnasium.spaces.Box(-1.0, 1.0, (2,))
        envs = DummyVecEnv([lambda: SpacesOnly(box, box)] * options.n_envs)
        ALGORITHMS[algorithm]("MlpPolicy", envs, **arguments)
    except Exception as error:  # whatever SB3 and torch raise at a value that they can't use
        words = " ".join(str(error).split())
        raise BadInput(f"{algorithm} can't be had with these hyperparameters: {words}") from error


class SpacesOnly(gymnasium.Env[Any, Any]):
    """An env without a simulation: all that SB3 needs to make a model."""

    def __init__(self, observation: gymnasium.spaces.Space[Any], action: gymnasium.spaces.Space[Any]) -> None:
        self.observation_space, self.action_space = observation, action


def _check_kind(key: str, value: Any, default: Any) -> None:
    """Refuse a value of another kind than SB3's default: a number, a flag."""
    if (key in SCHEDULED and isinstance(value, str)) or (key == "train_freq" and isinstance(value, list)):
        return
    wanted = _KINDS.get(type(default))
    if wanted and (not isinstance(value, wanted[1]) or isinstance(value, bool) != (wanted[1] is bool)):
        raise BadInput(f"{key} = {value!r}: give {wanted[0]}")
    if key == "n_envs" and value < 1:
        raise BadInput(f"n_envs = {value}: give 1 or more")
    if key == "n_sampled_goal" and value < 0:
        raise BadInput(f"n_sampled_goal = {value}: give 0 or more")
    if key == "policy_kwargs" and not isinstance(value, Mapping):
        raise BadInput(f"policy_kwargs = {value!r}: give a table, such as {{ net_arch = [64, 64] }}")


_KINDS: Mapping[type, tuple[str, Any]] = {
    bool: ("true or false", bool),
    int: ("a whole number", int),
    float: ("a number", (int, float)),
}


def _arguments(algorithm: Algorithm) -> dict[str, Any]:
    """Keyword arguments of SB3's class, with their defaults."""
    names = inspect.signature(ALGORITHMS[algorithm].__init__).parameters
    dropped = {*_OURS, *_BUFFERS, *(("n_steps",) if algorithm == "sac" else ())}
    return {name: each.default for name, each in names.items() if name not in dropped}


def _value(key: str, value: Any) -> Any:
    if key == "policy_kwargs":
        return {name: _policy_value(name, each) for name, each in value.items()}
    if key in SCHEDULED and isinstance(value, str):
        return _schedule(key, value)
    if key == "train_freq" and isinstance(value, list):
        return tuple(value)
    return value


def _policy_value(name: str, value: Any) -> Any:
    if name != "activation_fn":
        return value
    if value not in ACTIVATIONS:
        hint = f"it may be {', '.join(ACTIVATIONS)}"
        raise UnknownName("activation function", str(value), ACTIVATIONS, hint)
    return ACTIVATIONS[value]


def _schedule(key: str, text: str) -> LinearSchedule:
    """ "lin_3e-4": from 3e-4 at the start to 0 at the end of training."""
    try:
        if text.startswith(LINEAR):
            return LinearSchedule(float(text.removeprefix(LINEAR)), 0.0, 1.0)
    except ValueError:
        pass
    raise BadInput(f"{key} = {text!r}: write a number, or 'lin_3e-4' for one that falls to zero")


def _leave_compiler_out() -> None:
    """Keep the first optimizer of a process from importing torch's compiler, a third of a worker's start.

    torch imports it (in `torch._compile._disable_dynamo`) only to mark a few methods as not to be compiled;
    they are marked here. Where torch does this otherwise, nothing changes.
    """
    for method in vars(Optimizer).values():
        plain = getattr(method, "__wrapped__", None)
        if plain is not None and getattr(plain, "__dynamo_disable", None) is None:
            setattr(plain, "__dynamo_disable", plain)


_leave_compiler_out()
