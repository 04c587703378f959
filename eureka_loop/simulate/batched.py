"""Many envs of one task stepped in one call, exactly as Gymnasium's, with Python per env only at resets.

The env's own Python at a step is replaced by the functions of whole columns that its domain file states.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from gymnasium.spaces import Dict, flatdim
from gymnasium.utils.seeding import np_random

from eureka_loop.envs.domain import Domain, Vectorised
from eureka_loop.errors import BadInput
from eureka_loop.records import Array, Task
from eureka_loop.reward.vocabulary import Observable
from eureka_loop.simulate.definitions import (
    CONTACTS,
    STEPS,
    Columns,
    Definition,
    Definitions,
    Indices,
    Raw,
    element,
    raw_needs,
    split,
)
from eureka_loop.simulate.env import flat_parts, is_goal, make_env
from eureka_loop.simulate.naming import identifier
from eureka_loop.simulate.observables import ObservableRegistry
from eureka_loop.simulate.pool import Pool

TRIED_STEPS = 10
KEPT_ARGUMENTS = frozenset({"max_episode_steps"})  # of gymnasium.make: a domain's functions hold with any
END, APPLIED = "~terminated", "~applied"  # the domain's functions among the definitions: no observables


class Step(NamedTuple):
    """Result of one step of N envs; not to be written into.

    Attributes:
        obs: (N, D); where an episode ended, the next one's first.
        terminated: (N,) the env ended the episode.
        truncated: (N,) the time limit did; both may be true.
        terminal_obs: (N, D) as `obs`, but where an episode ended its last.
    """

    obs: Array
    terminated: npt.NDArray[np.bool_]
    truncated: npt.NDArray[np.bool_]
    terminal_obs: Array


class BatchedEnvs:
    """N envs of a task. Env i draws its starts as the Gymnasium env reset with its seed would.

    Actions are applied as they are: clip them to `action_low` and `action_high` first, as for the env itself.

    Args:
        names: parameters to record (`prev_` and `init_` allowed).
        seeds: one an env.

    Attributes:
        buffer: every reset and step until it is taken.
        vocabulary: of these envs, without ranges.
        observation_size: D; of a goal env that of all parts side by side, in the order of its space.
        action_low: (A,) float64, `action_high` likewise.

    Raises:
        BadInput: the task can't be batched (see `why_not_batched`), or a name doesn't exist.
    """

    def __init__(
        self, task: Task, domain: Domain, names: Iterable[str], seeds: Sequence[int], threads: int = 1
    ) -> None:
        self.n_envs = n_envs = len(seeds)
        vectorised = _vectorised(task, domain)
        self._env = env = make_env(task)  # reset in turn for every copy
        registry, inner = ObservableRegistry(env, domain), env.unwrapped
        self.vocabulary = registry.vocabulary
        recorded, space = registry.definitions, env.observation_space
        self._results = {recorded[name].needs[0]: name for name in ("obs", "action", "terminated")}
        self._definitions = definitions = _definitions(recorded, domain, vectorised, env)
        registry.definitions = {**definitions, "obs": recorded["obs"]}
        self.buffer = registry.buffer(names, n_envs)
        for name in self.buffer.names:
            for raw in raw_needs(registry.definitions, [name]):
                if raw.source in ("step", "info") and raw not in (*self._results, STEPS):
                    raise BadInput(f"only the env itself computes {name!r}")
        keys = list(space.spaces) if isinstance(space, Dict) and is_goal(space) else ["observation"]
        self._parts = ["obs" if key == "observation" else key for key in keys]
        functions = [name for name in (*self._parts, END, APPLIED) if name in definitions]
        needs = [raw for raw in raw_needs(definitions, functions) if raw.source in ("data", "env")]
        self._pool = Pool(inner, vectorised, dict.fromkeys([*self.buffer.raws, *needs]), n_envs, threads)
        self._before = {raw: self._pool.columns[raw].copy() for raw in needs}
        actions: Any = env.action_space
        self.action_low, self.action_high = actions.low.astype(np.float64), actions.high.astype(np.float64)
        self.observation_size = int(flatdim(space))
        self._horizon = self.vocabulary.horizon or np.iinfo(np.intp).max
        self._steps = np.zeros(n_envs, np.intp)
        self._random = [np_random(seed)[0] for seed in seeds]

    def reset(self) -> Array:
        """Start every env anew: (N, D). Episodes under way are broken off."""
        return self._start(np.arange(self.n_envs))

    def step(self, actions: npt.ArrayLike) -> Step:
        """One step with actions (N, A); envs whose episode ends are reset."""
        acted = np.asarray(actions, np.float64)
        for raw, column in self._before.items():
            column[:] = self._pool.columns[raw]
        applied = APPLIED in self._definitions
        self._pool.step(self._moment(action=acted)[APPLIED] if applied else {"ctrl": acted})
        self._steps += 1
        moment = self._moment()
        obs = terminal_obs = self.joined(moment)
        if terminal_obs.shape[1] != self.observation_size:
            raise BadInput("the env's observations aren't what its domain file states: another size")
        terminated = np.zeros(self.n_envs, np.bool_) if END not in self._definitions else moment[END]
        truncated = self._steps >= self._horizon
        done = terminated | truncated
        self._record(slice(None), done, {"obs": moment["obs"], "action": acted, "terminated": terminated})
        if done.any():
            obs = terminal_obs.copy()
            obs[done] = self._start(np.flatnonzero(done))
        return Step(obs, terminated, truncated, terminal_obs)

    def close(self) -> None:
        """End the threads."""
        self._pool.close()
        self._env.close()

    def _moment(self, **results: Array) -> Columns:
        before = Columns(self._definitions, self._before)
        return Columns(self._definitions, {**self._pool.columns, **results}, before)

    def joined(self, parts: Any) -> Array:
        """The policy's input, (N, D) or (D,), in its own memory; a goal env's parts in SB3's order."""
        return np.concatenate([parts[key] for key in self._parts], axis=-1, dtype=np.float64)

    def _start(self, envs: Indices) -> Array:
        """Reset these envs: their observations (len(envs), D)."""
        obs, own = [], []
        inner: Any = self._env.unwrapped
        for index in envs.tolist():
            inner.np_random = self._random[index]
            parts = flat_parts(self._env.observation_space, self._env.reset()[0])
            obs.append(self.joined(parts))
            own.append(parts["obs"])
            self._pool.adopt(index, inner)
        self._steps[envs] = 0
        for raw, column in self._before.items():
            column[envs] = self._pool.columns[raw][envs]
        self._record(envs, False, {"obs": own, "action": 0.0, "terminated": 0.0})
        return np.stack(obs)

    def _record(self, envs: slice | Indices, done: Any, results: Mapping[str, Any]) -> None:
        values: dict[Any, Any] = {raw: column[envs] for raw, column in self._pool.columns.items()}
        values |= {raw: results[name] for raw, name in self._results.items()}
        if self._pool.contacts is not None:
            values[CONTACTS] = self._pool.contacts[envs]
        self.buffer.append(np.arange(self.n_envs)[envs], self._steps[envs], done, values)


def why_not_batched(task: Task, domain: Domain, names: Iterable[str]) -> str:
    """Why `BatchedEnvs` can't stand in for the env and these names, in one line; "" where it can.

    The domain's functions are tried on some steps with random actions, so that another version of the env, or
    an error in its domain file, is noticed.
    """
    random = np.random.default_rng(0)
    try:
        with closing(BatchedEnvs(task, domain, names, [0])) as envs, closing(make_env(task)) as env:
            low, high = np.maximum(envs.action_low, -1.0), np.minimum(envs.action_high, 1.0)
            env.reset(seed=0)
            envs.reset()
            for step in range(1, TRIED_STEPS + 1):
                action = random.uniform(low, high).astype(np.float32)
                obs, _, *ends, _ = env.step(action)
                got, expected = envs.step(action[None]), flat_parts(env.observation_space, obs)
                if not np.allclose(got.terminal_obs[0], envs.joined(expected), rtol=1e-6, atol=1e-6):
                    return f"the env's observations aren't what its domain file states: step {step}"
                if ends != [got.terminated[0], got.truncated[0]]:
                    return f"the env's episodes don't end as its domain file states: step {step}"
                if any(ends):
                    break
    except BadInput as error:
        return str(error)
    return ""


def _vectorised(task: Task, domain: Domain) -> Vectorised:
    """Refuse a task without, or with other settings than the domain file states it for."""
    stated = domain.vectorised
    vectorised = stated(task) if callable(stated) else stated
    if vectorised is None:
        raise BadInput(domain.not_vectorised or f"no domain file states {task.env_id} as functions")
    if others := ", ".join(sorted(set(task.env_kwargs) - KEPT_ARGUMENTS - vectorised.settings)):
        raise BadInput(f"domain {domain.name!r} states the env with its own settings, not with {others}")
    return vectorised


def _definitions(
    definitions: Definitions, domain: Domain, vectorised: Vectorised, env: Any
) -> dict[str, Definition]:
    """The env's definitions, with goals and `info` as the domain's functions, and its other functions."""
    known = dict(definitions)
    at_reset = {f"info_{identifier(key)}" for key in env.reset(seed=0)[1]}
    functions: dict[str, Callable[..., Any] | None] = {
        "obs": vectorised.observation,
        END: vectorised.terminated,
        APPLIED: vectorised.applied,
        "achieved_goal": vectorised.achieved_goal,
        "desired_goal": vectorised.desired_goal,
        **{f"info_{identifier(key)}": each for key, each in vectorised.info.items()},
    }
    for name, function in functions.items():
        if function is None or not (name in known or name.startswith("~")):
            continue
        origin = f"domain {domain.name!r} ({function.__module__})"
        needs: tuple[Raw | str, ...] = tuple(inspect.signature(function).parameters)
        for need in map(str, needs):
            try:
                split(need, known)
            except KeyError:
                raw = _raw(need, env.unwrapped, origin)
                known[need] = Definition(Observable(need, raw.shape), (raw,))
        if name.startswith("info_") and name not in at_reset:
            needs, function = (*needs, STEPS), _zero_at_reset(function)
        observable = known[name].observable if name in known else Observable(name, ())
        known[name] = Definition(observable, needs, function, origin=origin)
    return known


def _zero_at_reset(function: Callable[..., Any]) -> Callable[..., Any]:
    """Of a key that a reset's `info` lacks; the last argument is the steps since the reset."""
    return lambda *columns: (np.asarray(function(*columns[:-1])).T * (columns[-1] > 0.0)).T


def _raw(need: str, env: Any, origin: str) -> Raw:
    """An array of MjData, an orientation ("puck_geom_xmat"), or an attribute of the env."""
    if isinstance(array := getattr(env.data, need, None), np.ndarray):
        return Raw("data", need, array.shape)
    try:
        if match := re.fullmatch(r"(\w+)_((geom|site)_xmat)", need):
            return element(match[2], getattr(env.model, match[3])(match[1]).id, 9)
        key = need.replace("__", ".")
        value = np.asarray(attrgetter(key)(env), np.float64)
        return Raw("env", key, value.shape)
    except (AttributeError, KeyError, TypeError, ValueError):
        message = f"{need!r} is neither an observable nor an array of numbers of MjData or of the env"
        raise BadInput(f"{origin}: {message}") from None
