"""Policies as files, without code and as SB3's; recorded episodes."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import numpy as np
from gymnasium.spaces import Box, Dict, MultiDiscrete
from stable_baselines3 import PPO, SAC
from stable_baselines3.common.vec_env import VecNormalize
from torch import nn

from eureka_loop.envs.domain import Domain
from eureka_loop.errors import RunError
from eureka_loop.judge.episodes import Observation, Predict, play
from eureka_loop.judge.trajectory import FILE, save
from eureka_loop.records import POLICY, Array, Job, Recording, Rollout, Task
from eureka_loop.seeds import RECORDED
from eureka_loop.simulate import play as standalone
from eureka_loop.simulate.env import Env, make_env
from eureka_loop.simulate.observables import ObservableRegistry
from eureka_loop.train.floors import scripted

SB3_POLICY, SB3_NORMALIZATION = "policy.zip", "vecnormalize.pkl"  # pickles: written, and never read
RANDOM_EPISODES = 3
INDEX = "policy"  # column with the index of the policy that a row is from; no observable has that name


def predictor(model: PPO | SAC, normalization: VecNormalize) -> Predict:
    """The policy's mean action within the action space's bounds, (action,), without exploration."""

    def predict(observation: Observation) -> Array:
        action, _ = model.predict(normalization.normalize_obs(observation), deterministic=True)
        return np.asarray(action)

    return predict


def save_policy(folder: Path, model: PPO | SAC) -> None:
    """Write policy.npz, a program that plays it, and files for SB3's `PPO.load` and `VecNormalize.load`.

    Raises:
        RunError: the folder can't be written.
    """
    try:
        model.save(folder / SB3_POLICY)
        cast(VecNormalize, model.get_vec_normalize_env()).save(str(folder / SB3_NORMALIZATION))
        shutil.copyfile(standalone.__file__, folder / "play.py")
        np.savez(folder / POLICY, **_policy(model))
    except OSError as error:
        raise RunError(f"can't write to {folder}: {error.strerror}; free some space") from error


def _policy(model: PPO | SAC) -> dict[str, Any]:
    """All that makes an action of an observation, without exploration; see `play.load`.

    Raises:
        RunError: a network that `play.load` doesn't know, of another package's trainer.
    """
    policy: Any = model.policy
    if isinstance(model, PPO):
        parts = [policy.mlp_extractor.policy_net, policy.action_net]
    else:
        parts = [policy.actor.latent_pi, policy.actor.mu]
    network = nn.Sequential(*parts, *([nn.Tanh()] if policy.squash_output else []))
    found: dict[str, Any] = {"layers": []}
    for place, layer in enumerate(each for each in network.modules() if not isinstance(each, nn.Sequential)):
        name = type(layer).__name__
        if name not in standalone.LAYERS:
            raise RunError(f"a policy with a layer {name} can't be saved; {', '.join(standalone.LAYERS)} can")
        limits = f" {layer.min_val} {layer.max_val}" if isinstance(layer, nn.Hardtanh) else ""
        found["layers"].append(name + limits)
        found |= {f"{place}.{part}": value.numpy(force=True) for part, value in layer.state_dict().items()}
    space, observed = model.action_space, model.observation_space
    keys = [*observed.spaces] if isinstance(observed, Dict) else []
    normalization: Any = model.get_vec_normalize_env()
    if normalization.norm_obs:
        kept = [normalization.obs_rms[key] for key in keys] if keys else [normalization.obs_rms]
        found["mean"] = np.concatenate([each.mean.ravel() for each in kept])
        found["var"] = np.concatenate([each.var.ravel() for each in kept])
    if not isinstance(space, Box):
        found["choices"] = np.ravel(space.nvec if isinstance(space, MultiDiscrete) else cast("Any", space).n)
    low, high = (np.asarray(getattr(space, name, np.zeros(space.shape or ()))) for name in ("low", "high"))
    return {**found, "keys": keys, "low": low, "high": high, "squashed": policy.squash_output}


def record(env: Env, registry: ObservableRegistry, predict: Predict, seed: int, path: Path) -> None:
    """Play an episode, and write it with every observable."""
    names = registry.vocabulary.names(hidden=True)
    buffer = registry.buffer([*names, *(f"init_{name}" for name in names)], 1)
    save(path, play(predict, env, buffer, seed), names)


def record_random(task: Task, domain: Domain, folder: Path) -> None:
    """Write whole episodes of random actions: random-0.npz, ...; none where no time limit ends them."""
    if ObservableRegistry.of_task(task, domain).vocabulary.horizon is not None:
        seeds = tuple(range(RECORDED, RECORDED + RANDOM_EPISODES))
        recording = Recording(task, ("random",) * RANDOM_EPISODES, seeds)
        record_episodes(recording, domain, folder, prefix="random-")


def record_episodes(recording: Recording, domain: Domain, folder: Path, *, prefix: str = "") -> None:
    """Write an episode of each policy: 0.npz, ...; none of one that is larger than a bank's may be."""
    with closing(make_env(recording.task)) as env:
        registry = ObservableRegistry(env, domain)
        for number, (policy, seed) in enumerate(zip(recording.policies, recording.seeds, strict=True)):
            if (place := Path(policy) / POLICY).exists():
                predict = standalone.load(place.parent)
            else:
                predict = scripted(policy, env.action_space, seed, registry.vocabulary.dt)
            record(env, registry, predict, seed, folder / f"{prefix}{number}.npz")


def record_trained(job: Job, domain: Domain, folder: Path) -> None:
    """Write one episode of a finished training's policy, from the first start that it was judged from.

    It is played again, since judging records only the names that fitness and success need.
    """
    with closing(make_env(job.task)) as env:
        registry = ObservableRegistry(env, domain)
        record(env, registry, standalone.load(folder), job.judge_seeds[0], folder / FILE)


def record_rollout(rollout: Rollout, domain: Domain) -> dict[str, Array]:
    """One episode of each policy, all from the same start: name → (rows, *shape).

    Raises:
        BadInput: the env can't be made, or a name doesn't exist.
    """
    with closing(make_env(rollout.task)) as env:
        buffer = ObservableRegistry(env, domain).buffer(rollout.names, 1)
        policies = [standalone.load(Path(folder)) for folder in rollout.policies]
        episodes = [play(predict, env, buffer, rollout.seed) for predict in policies]
    columns = {name: np.concatenate([each[name] for each in episodes]) for name in rollout.names}
    lengths = [len(each[rollout.names[0]]) for each in episodes]
    return {**columns, INDEX: np.repeat(np.arange(float(len(episodes))), lengths)}
