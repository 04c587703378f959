"""Many envs of one kind in one call: no Python per env but where an episode ends.

What an env's own Python would compute (observation, end, first state) its domain file states as functions of
whole columns; the physics runs without it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import gymnasium
import numpy as np
import numpy.typing as npt
from gymnasium.utils.seeding import np_random

from eureka_loop.envs.domain import Domain, Vectorised
from eureka_loop.errors import BadInput
from eureka_loop.records import Array, Task
from eureka_loop.simulate import timeline
from eureka_loop.simulate.env import make_env
from eureka_loop.simulate.instruments import Instruments
from eureka_loop.simulate.memory import Indices
from eureka_loop.simulate.momentary import OBSERVATION, TERMINATED, momentary, with_functions
from eureka_loop.simulate.physics import Physics
from eureka_loop.simulate.pool import Pool
from eureka_loop.simulate.quantities import FromContacts, FromInfo, Given, Quantity, Raw
from eureka_loop.simulate.recorder import Transitions, raw_columns, transitions
from eureka_loop.simulate.tape import Tape

KEPT_ARGUMENTS = frozenset({"max_episode_steps"})  # of gymnasium.make: those a domain's functions hold with
TRIED_STEPS = 10
SERVED = frozenset({"obs", "action", "terminated", "steps"})  # of what an env returns


class Step(NamedTuple):
    """What one step of N envs gave.

    Attributes:
        obs: (N, D); where an episode ended, the next one's first.
        terminated: (N,) the env ended the episode.
        truncated: (N,) the time limit did; both may be true.
        terminal_obs: (N, D) what the step itself led to: valid everywhere, different where an episode ended.
    """

    obs: Array
    terminated: npt.NDArray[np.bool_]
    truncated: npt.NDArray[np.bool_]
    terminal_obs: Array


class BatchedEnvs:
    """N envs of a task. Env i draws its starts as the Gymnasium env reset with `seed + i` would.

    Actions go to the actuators as they are: clip them to `action_low` and `action_high` first, as one would
    for the env.

    Attributes:
        vocabulary: of these envs, without ranges.
        observation_size: D.
        action_low: (A,) float64, `action_high` likewise.
    """

    def __init__(
        self, task: Task, domain: Domain, names: Iterable[str], n_envs: int, seed: int, threads: int = 1
    ) -> None:
        """`names` are the parameters to record (`prev_` and `init_` allowed).

        Raises:
            BadInput: it can't be had; `serves` says why beforehand. Or a name doesn't exist.
        """
        self.names, self.n_envs = tuple(dict.fromkeys(names)), n_envs
        env = make_env(task)
        try:
            instruments = Instruments(env, domain)
            for name in self.names:
                instruments.vocabulary.resolve(name, hidden=True)
            self._prepare(env, task, domain, instruments, threads)
        finally:
            env.close()
        self._random = [np_random(seed + index)[0] for index in range(n_envs)]
        self._steps = np.zeros(n_envs, np.intp)
        self._saved: dict[str, Array] = {}

    def reset(self) -> Array:
        """Start every env anew: (N, D). Episodes under way are broken off."""
        return self._start(np.arange(self.n_envs))

    def step(self, actions: npt.ArrayLike) -> Step:
        """One step with actions (N, A); envs whose episode ends are reset."""
        acted = np.asarray(actions, np.float64)
        self._physics.step(acted)
        self._steps += 1
        columns = self._physics.columns
        terminal_obs = self._observe(columns)
        terminated = np.asarray(self._ended(columns), bool)
        truncated = self._steps >= self._horizon
        self._record(acted, terminal_obs, terminated, truncated)
        done = terminated | truncated
        obs = terminal_obs
        if done.any():
            obs = terminal_obs.copy()
            ended = np.flatnonzero(done)
            obs[ended] = self._start(ended)
        return Step(obs, terminated, truncated, terminal_obs)

    def take(self) -> Transitions:
        """All steps since the last take, with every name's column; the episodes go on.

        Raises:
            BadInput: an observable of a domain file doesn't return what it declares.
        """
        rows = self._tape.rows()
        taken, self._saved = transitions(self._quantities, self.names, rows, self._saved)
        self._tape.keep(rows)
        return taken

    def close(self) -> None:
        """End the threads."""
        self._physics.close()

    def _prepare(
        self, env: gymnasium.Env[Any, Any], task: Task, domain: Domain, instruments: Instruments, threads: int
    ) -> None:
        inner: Any = env.unwrapped
        vectorised = _stated(task, domain)
        self.vocabulary = instruments.vocabulary
        space: Any = env.action_space
        self.action_low, self.action_high = space.low.astype(np.float64), space.high.astype(np.float64)
        quantities = with_functions(instruments.quantities, domain, vectorised, inner.data)
        self._quantities = quantities
        self.observation_size = int(quantities[OBSERVATION].observable.shape[0])
        self._observe = _array(momentary(OBSERVATION, quantities))
        self._ended = _never(self.n_envs)
        own = [OBSERVATION]
        if TERMINATED in quantities:
            self._ended = momentary(TERMINATED, quantities)
            own.append(TERMINATED)
        self._draw = vectorised.start
        self._origin = inner.init_qpos.copy(), inner.init_qvel.copy()
        self._horizon = self.vocabulary.horizon or np.iinfo(np.intp).max
        recorded = _recorded(quantities, self.names)
        self._physics: Physics = Pool(
            inner.model,
            dict.fromkeys([*recorded, *raw_columns(quantities, own)]),
            self.n_envs,
            inner.frame_skip,
            threads,
        )
        columns = self._physics.columns
        summed = [raw for raw in recorded if isinstance(raw, FromContacts) and raw not in columns]
        kept = [raw for raw in recorded if raw not in summed]
        self._given = [raw for raw in kept if isinstance(raw, Given)]
        self._tape = Tape(kept, self.n_envs, self._physics.tapes, summed)

    def _start(self, envs: Indices) -> Array:
        """Reset these envs: their observations (len(envs), D)."""
        for index in envs.tolist():
            self._physics.reset(index, *self._draw(self._random[index], *self._origin))
        self._steps[envs] = 0
        columns = {raw: column[envs] for raw, column in self._physics.columns.items()}
        obs: Array = self._observe(columns)
        for raw in self._given:
            columns[raw] = obs if raw.key == "obs" else np.zeros((len(envs), *raw.shape))
        self._tape.reset(envs, columns)
        return obs

    def _record(
        self,
        actions: Array,
        obs: Array,
        terminated: npt.NDArray[np.bool_],
        truncated: npt.NDArray[np.bool_],
    ) -> None:
        given = {"obs": obs, "action": actions, "terminated": terminated, "steps": self._steps}
        columns: dict[Raw, Any] = {raw: given[raw.key] for raw in self._given}
        ended = timeline.TERMINATED * terminated + timeline.TRUNCATED * truncated
        self._tape.step({**self._physics.columns, **columns}, ended.astype(np.uint8))


def serves(task: Task, domain: Domain, names: Iterable[str]) -> str:
    """ "" where `BatchedEnvs` can stand in for the env; else why not, in one line.

    The domain's functions are tried: a start and some steps with random actions have to come out as the env's
    own, so that another version of the env, or of its file, is noticed.
    """
    try:
        envs = BatchedEnvs(task, domain, names, n_envs=1, seed=0)
    except BadInput as error:
        return str(error)
    return differs(make_env(task), envs)


def differs(env: gymnasium.Env[Any, Any], envs: BatchedEnvs) -> str:
    """Where the first of the batched envs comes apart from a Gymnasium env of the same seed; "" nowhere."""
    random = np.random.default_rng(0)
    low, high = np.maximum(envs.action_low, -1.0), np.minimum(envs.action_high, 1.0)
    expected, _ = env.reset(seed=0)
    got = envs.reset()[0]
    try:
        for step in range(TRIED_STEPS):
            if got.shape != expected.shape or not np.allclose(got, expected, rtol=1e-6, atol=1e-6):
                return f"the env's observations are not what its domain file states, from step {step} on"
            action = random.uniform(low, high)
            expected, _, terminated, truncated, _ = env.step(action.astype(np.float32))
            result = envs.step(np.tile(action.astype(np.float32), (envs.n_envs, 1)))
            got = result.terminal_obs[0]
            if (terminated, truncated) != (result.terminated[0], result.truncated[0]):
                return f"the env's episodes don't end as its domain file states: step {step + 1}"
            if terminated or truncated:
                break
    finally:
        env.close()
        envs.close()
    return ""


def _stated(task: Task, domain: Domain) -> Vectorised:
    if domain.vectorised is None:
        raise BadInput(f"no domain file states {task.env_id} as vectorised functions")
    if others := sorted(set(task.env_kwargs) - KEPT_ARGUMENTS):
        raise BadInput(
            f"the functions of domain {domain.name!r} hold for the env's own settings, not with "
            + ", ".join(others)
        )
    return domain.vectorised


def _recorded(quantities: Mapping[str, Quantity], names: Iterable[str]) -> tuple[Raw, ...]:
    for name in names:
        for raw in raw_columns(quantities, [name]):
            if isinstance(raw, FromInfo) or (isinstance(raw, Given) and raw.key not in SERVED):
                raise BadInput(f"only the env itself knows {name!r}")
    return raw_columns(quantities, names)


def _array(function: Any) -> Any:
    """Its result as float64 of its own memory."""
    return lambda columns: np.array(function(columns), np.float64)


def _never(n_envs: int) -> Any:
    nothing = np.zeros(n_envs, bool)
    return lambda columns: nothing
