"""Many envs of one kind in one call: no Python per env but where an episode ends.

What an env's own Python would compute (observation, end, first state) its domain file states as functions of
whole columns; the physics runs without it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import gymnasium
import numpy as np
import numpy.typing as npt
from gymnasium.utils.seeding import np_random

from eureka_loop.envs.domain import Domain
from eureka_loop.errors import BadInput
from eureka_loop.records import Array, Task
from eureka_loop.simulate.choice import PhysicsFactory, fastest
from eureka_loop.simulate.env import make_env
from eureka_loop.simulate.instruments import Instruments
from eureka_loop.simulate.memory import Indices
from eureka_loop.simulate.physics import Physics
from eureka_loop.simulate.quantities import FromContacts, Given, Raw, Slice
from eureka_loop.simulate.recorder import Transitions, transitions
from eureka_loop.simulate.stated import Stated, vectorised_of
from eureka_loop.simulate.tape import Tape
from eureka_loop.simulate.timeline import TERMINATED, TRUNCATED

TRIED_STEPS = 10


class Step(NamedTuple):
    """What one step of N envs gave; read it, don't write into it.

    Attributes:
        obs: (N, D); where an episode ended, the next one's first.
        terminated: (N,) the env ended the episode.
        truncated: (N,) the time limit did; both may be true.
        terminal_obs: (N, D) what the step itself led to: as `obs`, but where an episode ended.
    """

    obs: Array
    terminated: npt.NDArray[np.bool_]
    truncated: npt.NDArray[np.bool_]
    terminal_obs: Array


class BatchedEnvs:
    """N envs of a task. Env i draws its starts as the Gymnasium env reset with its seed would.

    Actions go to the actuators as they are: clip them to `action_low` and `action_high` first, as one would
    for the env.

    Attributes:
        vocabulary: of these envs, without ranges.
        observation_size: D.
        action_low: (A,) float64, `action_high` likewise.
        physics: "rollouts" or "pool", what carries them.
    """

    def __init__(
        self,
        task: Task,
        domain: Domain,
        names: Iterable[str],
        n_envs: int,
        seed: int | Sequence[int],
        threads: int = 1,
        *,
        physics: PhysicsFactory = fastest,
    ) -> None:
        """`names` are the parameters to record (`prev_` and `init_` allowed); for `seed` see there.

        Raises:
            BadInput: it can't be had; `serves` says why beforehand. Or a name doesn't exist.
        """
        self.names, self.n_envs = tuple(dict.fromkeys(names)), n_envs
        vectorised = vectorised_of(task, domain)
        env = make_env(task)
        try:
            instruments = Instruments(env, domain)
            self.vocabulary = instruments.vocabulary
            for name in self.names:
                self.vocabulary.resolve(name, hidden=True)
            inner: Any = env.unwrapped
            self._stated = Stated.of(domain, vectorised, instruments, inner.data)
            self._origin = inner.init_qpos.copy(), inner.init_qvel.copy()
            self._equip(inner, threads, physics)
        finally:
            env.close()
        space: Any = env.action_space
        self.action_low, self.action_high = space.low.astype(np.float64), space.high.astype(np.float64)
        self.observation_size = self._stated.observation_size
        self._horizon = self.vocabulary.horizon or np.iinfo(np.intp).max
        self._steps = np.zeros(n_envs, np.intp)
        self._saved: dict[str, Array] = {}
        self.seed(seed)

    def seed(self, seed: int | Sequence[int]) -> None:
        """How the starts from now on are drawn: by seeds `seed`, `seed + 1`, ..., or by one seed an env."""
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
        self._physics.step(acted)
        self._steps += 1
        columns = self._physics.columns
        terminal_obs = self._stated.observe(columns)
        terminated = self._stated.ended(columns)
        truncated = self._steps >= self._horizon
        self._record(acted, terminal_obs, terminated, truncated)
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
        rows = self._tape.rows()
        taken, self._saved = transitions(self._stated.quantities, self.names, rows, self._saved)
        self._tape.keep(rows)
        return taken

    def snapshot(self, envs: slice) -> dict[str, Any]:
        """All that these envs need to go on elsewhere as if nothing had been, right after a `take`."""
        indices = range(self.n_envs)[envs]
        pairs = slice(2 * envs.start, 2 * envs.stop)  # two rows of each are carried over
        return {
            "steps": self._steps[envs].copy(),
            "physics": [self._physics.state(index) for index in indices],
            "random": [self._random[index].bit_generator.state for index in indices],
            "tape": self._tape.carried(envs),
            "saved": {name: column[pairs] for name, column in self._saved.items()},
        }

    def restore(self, parts: Sequence[Mapping[str, Any]]) -> None:
        """Go on, right after a reset, where others stood.

        Args:
            parts: of all envs here, in order; of envs of the same task that recorded at least what is asked
                for each part's rows.
        """
        self._steps[:] = np.concatenate([part["steps"] for part in parts])
        states = [state for part in parts for state in part["physics"]]
        randoms = [state for part in parts for state in part["random"]]
        for index, (state, random) in enumerate(zip(states, randoms, strict=True)):
            self._physics.restore(index, *state)
            self._random[index].bit_generator.state = random
        self._tape.carry(np.concatenate([part["tape"] for part in parts]))
        self._saved = _joined([part["saved"] for part in parts], [2 * len(part["steps"]) for part in parts])

    def close(self) -> None:
        """End the threads."""
        self._physics.close()

    def _equip(self, inner: Any, threads: int, physics: PhysicsFactory) -> None:
        """Physics that gives what is needed, and a tape for what is asked."""
        recorded = self._stated.recorded(self.names)
        needed = dict.fromkeys([*recorded, *self._stated.raws])
        moving = [raw for raw in needed if isinstance(raw, (Slice, FromContacts))]
        made = physics(inner, moving, self.n_envs, threads)
        if made is None:
            raise BadInput(f"this physics can't give what {self.vocabulary.env_id} and the names ask for")
        self._physics: Physics = made
        self.physics = type(made).__name__.lower()
        summed = [raw for raw in recorded if isinstance(raw, FromContacts) and raw not in made.columns]
        kept = [raw for raw in recorded if raw not in summed]
        self._given = [raw for raw in kept if isinstance(raw, Given)]
        self._tape = Tape(kept, self.n_envs, made.tapes, summed)

    def _start(self, envs: Indices) -> Array:
        """Reset these envs: their observations (len(envs), D)."""
        for index in envs.tolist():
            self._physics.reset(index, *self._stated.start(self._random[index], *self._origin))
        self._steps[envs] = 0
        columns = {raw: column[envs] for raw, column in self._physics.columns.items()}
        obs = self._stated.observe(columns)
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
        ended = TERMINATED * terminated + TRUNCATED * truncated
        self._tape.step({**self._physics.columns, **columns}, ended.astype(np.uint8))


def _joined(parts: Sequence[Mapping[str, Array]], lengths: Sequence[int]) -> dict[str, Array]:
    """Columns one below the other; zeros where a part has none, which nobody there asks for."""
    shapes = {name: column.shape[1:] for part in parts for name, column in part.items()}
    return {
        name: np.concatenate(
            [part.get(name, np.zeros((n, *shape))) for part, n in zip(parts, lengths, strict=True)]
        )
        for name, shape in shapes.items()
    }


def serves(task: Task, domain: Domain, names: Iterable[str]) -> str:
    """ "" where `BatchedEnvs` can stand in for the env; else why not, in one line.

    The domain's functions are tried: a start and some steps with random actions have to come out as the env's
    own, so that another version of the env, or of its file, is noticed.
    """
    try:
        envs = BatchedEnvs(task, domain, names, n_envs=1, seed=0)
    except BadInput as error:
        return str(error)
    env = make_env(task)
    try:
        return _difference(env, envs)
    finally:
        env.close()
        envs.close()


def _difference(env: gymnasium.Env[Any, Any], envs: BatchedEnvs) -> str:
    random = np.random.default_rng(0)
    low, high = np.maximum(envs.action_low, -1.0), np.minimum(envs.action_high, 1.0)
    expected, got = env.reset(seed=0)[0], envs.reset()[0]
    for step in range(TRIED_STEPS):
        if expected.shape != got.shape or not np.allclose(got, expected, rtol=1e-6, atol=1e-6):
            return f"the env's observations aren't what its domain file states: step {step}"
        action = random.uniform(low, high).astype(np.float32)
        expected, _, terminated, truncated, _ = env.step(action)
        result = envs.step(action[None])
        got = result.terminal_obs[0]
        if (terminated, truncated) != (result.terminated[0], result.truncated[0]):
            return f"the env's episodes don't end as its domain file states: step {step + 1}"
        if terminated or truncated:
            break
    return ""
