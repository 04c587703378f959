"""Many envs of one task stepped in one call, exactly as Gymnasium's, with Python per env only at resets.

The env's own Python (observation, end of the episode, first state) is replaced by the functions of whole
columns that its domain file states.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from gymnasium.spaces import flatdim
from gymnasium.utils.seeding import np_random

from eureka_loop.envs.domain import Domain
from eureka_loop.errors import BadInput
from eureka_loop.records import Array, Task
from eureka_loop.simulate.batched_spec import APPLIED, TERMINATED, BatchedSpec, Moment, vectorised_of
from eureka_loop.simulate.definitions import CONTACTS, Indices, Raw, StepValue
from eureka_loop.simulate.env import flat_observation, make_env
from eureka_loop.simulate.observables import ObservableRegistry
from eureka_loop.simulate.pool import Pool
from eureka_loop.simulate.step_buffer import RESET, STEP, TRUNCATED, StepBuffer, Transitions
from eureka_loop.simulate.step_buffer import TERMINATED as ENDED

TRIED_STEPS = 10


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

    Attributes:
        vocabulary: of these envs, without ranges.
        observation_size: D; of a goal env that of all parts side by side, in the order of its space.
        action_low: (A,) float64, `action_high` likewise.
    """

    def __init__(
        self,
        task: Task,
        domain: Domain,
        names: Iterable[str],
        n_envs: int,
        seed: int | Sequence[int],
        threads: int = 1,
    ) -> None:
        """
        Args:
            names: parameters to record (`prev_` and `init_` allowed).
            seed: see `seed`.

        Raises:
            BadInput: the task can't be batched (see `why_not_batched`), or a name doesn't exist.
        """
        self.names, self.n_envs = tuple(dict.fromkeys(names)), n_envs
        vectorised = vectorised_of(task, domain)
        self._env = env = make_env(task)  # reset in turn for every copy, where no function draws the start
        registry = ObservableRegistry(env, domain)
        self.vocabulary = registry.vocabulary
        for name in self.names:
            self.vocabulary.resolve(name, hidden=True)
        inner: Any = env.unwrapped
        self._spec = spec = BatchedSpec(domain, vectorised, registry.definitions, env)
        self._pool = Pool(inner, vectorised, [*spec.recorded(self.names), *spec.needs], n_envs, threads)
        self._buffer = StepBuffer(spec.definitions, self.names, n_envs, inner.model)
        self._now = [raw for raw in self._pool.columns if raw != CONTACTS]
        self._before = {raw: self._pool.columns[raw].copy() for raw in spec.needs}
        self._values = [raw for raw in self._buffer.raws if isinstance(raw, StepValue) and raw != CONTACTS]
        self._action = next(iter(registry.definitions["action"].needs))
        space: Any = env.action_space
        self.action_low, self.action_high = space.low.astype(np.float64), space.high.astype(np.float64)
        self.observation_size = int(flatdim(env.observation_space))
        self._draw = vectorised.start
        self._origin = (inner.init_qpos.copy(), inner.init_qvel.copy()) if self._draw else ()
        self._horizon = self.vocabulary.horizon or np.iinfo(np.intp).max
        self._steps = np.zeros(n_envs, np.intp)
        self.seed(seed)

    def seed(self, seed: int | Sequence[int]) -> None:
        """Draw the starts from now on by seeds `seed`, `seed + 1`, ..., or by one seed an env."""
        seeds = seed if isinstance(seed, Sequence) else range(seed, seed + self.n_envs)
        if len(seeds) != self.n_envs:
            raise ValueError(f"{len(seeds)} seeds for {self.n_envs} envs")
        self._random = [np_random(each)[0] for each in seeds]

    def reset(self) -> Array:
        """Start every env anew: (N, D). Episodes under way are broken off."""
        return self._start(np.arange(self.n_envs))

    def step(self, actions: npt.ArrayLike) -> Step:
        """One step with actions (N, A); envs whose episode ends are reset."""
        acted = np.asarray(actions, np.float64)
        self._advance(acted)
        self._steps += 1
        moment = self._moment()
        terminal_obs = self._spec.observe(moment)
        terminated = np.zeros(self.n_envs, np.bool_)
        if TERMINATED in self._spec.definitions:
            terminated = np.asarray(moment.value(TERMINATED))
        truncated = self._steps >= self._horizon
        flags = STEP | (ENDED * terminated) | (TRUNCATED * truncated)
        results = {"action": acted, "terminated": terminated, "steps": self._steps}
        self._record(slice(None), flags.astype(np.uint8), terminal_obs, results)
        obs = terminal_obs
        ended = np.flatnonzero(terminated | truncated)
        if len(ended):
            obs = terminal_obs.copy()
            obs[ended] = self._start(ended)
        return Step(obs, terminated, truncated, terminal_obs)

    def take(self) -> Transitions:
        """All steps since the last take, with every name's column; the episodes go on.

        Raises:
            BadInput: an observable of a domain file doesn't return what it declares.
        """
        return self._buffer.take()

    def snapshot(self, envs: slice) -> dict[str, Any]:
        """All that these envs need to go on elsewhere, right after a `take`."""
        indices = range(self.n_envs)[envs]
        return {
            "steps": self._steps[envs].copy(),
            "physics": [self._pool.state(index) for index in indices],
            "random": [self._random[index].bit_generator.state for index in indices],
            "columns": {str(raw): self._pool.columns[raw][envs].copy() for raw in self._now},
            "buffer": self._buffer.snapshot(envs),
        }

    def restore(self, parts: Sequence[Mapping[str, Any]]) -> None:
        """Go on from snapshots of all envs here, in order, of the same task."""
        self._steps[:] = np.concatenate([part["steps"] for part in parts])
        states = [state for part in parts for state in part["physics"]]
        randoms = [state for part in parts for state in part["random"]]
        for index, (state, random) in enumerate(zip(states, randoms, strict=True)):
            self._pool.restore(index, state)
            self._random[index].bit_generator.state = random
        for raw in self._now:
            self._pool.columns[raw][:] = np.concatenate([part["columns"][str(raw)] for part in parts])
        self._buffer.restore([part["buffer"] for part in parts])

    def close(self) -> None:
        """End the threads."""
        self._pool.close()
        self._env.close()

    def _moment(self, envs: slice | Indices = slice(None)) -> Moment:
        definitions = self._spec.definitions
        before = Moment(definitions, {raw: column[envs] for raw, column in self._before.items()})
        now: dict[Raw | str, Any] = {raw: column[envs] for raw, column in self._pool.columns.items()}
        return Moment(definitions, now, before)

    def _advance(self, actions: Array) -> None:
        for raw, column in self._before.items():
            column[:] = self._pool.columns[raw]
        written: Mapping[str, Array] = {"ctrl": actions}
        if APPLIED in self._spec.definitions:
            moment = self._moment()
            moment.values[self._action] = actions
            written = moment.value(APPLIED)
        self._pool.step(written)

    def _start(self, envs: Indices) -> Array:
        """Reset these envs: their observations (len(envs), D)."""
        observed = [self._begin(index) for index in envs.tolist()]
        self._steps[envs] = 0
        for raw, column in self._before.items():
            column[envs] = self._pool.columns[raw][envs]
        obs = self._spec.observe(self._moment(envs)) if self._draw else np.stack(observed)
        results = {"action": 0.0, "terminated": 0.0, "steps": 0.0}
        self._record(envs, np.full(len(envs), RESET, np.uint8), obs, results)
        return obs

    def _begin(self, index: int) -> Any:
        """Draw one env's first state; its observation, where the env itself is reset for it."""
        random = self._random[index]
        if self._draw:
            self._pool.reset(index, *self._draw(random, *self._origin))
            return None
        inner: Any = self._env.unwrapped
        inner.np_random = random
        obs, _ = self._env.reset()
        self._pool.adopt(index, inner)
        return flat_observation(self._env, obs)

    def _record(
        self, envs: slice | Indices, flags: npt.NDArray[np.uint8], obs: Array, results: Mapping[str, Any]
    ) -> None:
        values: dict[Raw, Any] = {raw: column[envs] for raw, column in self._pool.columns.items()}
        for raw in self._values:
            values[raw] = obs[:, self._spec.own] if raw.key == "obs" else results[raw.key]
        self._buffer.append(np.arange(self.n_envs)[envs], flags, values)


def why_not_batched(task: Task, domain: Domain, names: Iterable[str]) -> str:
    """Why `BatchedEnvs` can't stand in for the env and these names, in one line; "" where it can.

    The domain's functions are tried: a start and some steps with random actions have to come out as the env's
    own, so that another version of the env, or an error in its domain file, is noticed.
    """
    try:
        envs = BatchedEnvs(task, domain, names, n_envs=1, seed=0)
    except BadInput as error:
        return str(error)
    env = make_env(task)
    random = np.random.default_rng(0)
    low, high = np.maximum(envs.action_low, -1.0), np.minimum(envs.action_high, 1.0)
    try:
        expected, got = flat_observation(env, env.reset(seed=0)[0]), envs.reset()[0]
        for step in range(TRIED_STEPS):
            if expected.shape != got.shape or not np.allclose(got, expected, rtol=1e-6, atol=1e-6):
                return f"the env's observations aren't what its domain file states: step {step}"
            action = random.uniform(low, high).astype(np.float32)
            obs, _, terminated, truncated, _ = env.step(action)
            result = envs.step(action[None])
            expected, got = flat_observation(env, obs), result.terminal_obs[0]
            if (terminated, truncated) != (result.terminated[0], result.truncated[0]):
                return f"the env's episodes don't end as its domain file states: step {step + 1}"
            if terminated or truncated:
                break
        return ""
    finally:
        env.close()
        envs.close()
