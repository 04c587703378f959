"""Many envs of one kind in one call: no Python per env but where an episode ends.

What an env's own Python would compute (observation, end, first state) its domain file states as functions of
whole columns; the physics runs without it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple

import gymnasium
import numpy as np
import numpy.typing as npt
from gymnasium.utils.seeding import np_random

from eureka_loop.envs.domain import Domain
from eureka_loop.records import Array, Task
from eureka_loop.simulate.env import make_env
from eureka_loop.simulate.instruments import Instruments
from eureka_loop.simulate.memory import Indices
from eureka_loop.simulate.pool import Pool
from eureka_loop.simulate.quantities import FromContacts, Given, Noted, Raw
from eureka_loop.simulate.recorder import Transitions, transitions
from eureka_loop.simulate.starts import Drawn, OwnResets, Starts
from eureka_loop.simulate.stated import Before, Stated, vectorised_of
from eureka_loop.simulate.tape import Tape
from eureka_loop.simulate.timeline import TERMINATED, TRUNCATED


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

    Actions are taken as they are: clip them to `action_low` and `action_high` first, as for the env itself.

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
        """`names` are the parameters to record (`prev_` and `init_` allowed); for `seed` see there.

        Raises:
            BadInput: it can't be had; `serves` says why beforehand. Or a name doesn't exist.
        """
        self.names, self.n_envs = tuple(dict.fromkeys(names)), n_envs
        vectorised = vectorised_of(task, domain)
        env = make_env(task)
        with ExitStack() as stack:
            stack.callback(env.close)
            instruments = Instruments(env, domain)
            self.vocabulary = instruments.vocabulary
            for name in self.names:
                self.vocabulary.resolve(name, hidden=True)
            self._stated = Stated.of(domain, vectorised, instruments, env)
            self._equip(env, threads)
            if vectorised.start is None:
                stack.pop_all()  # the env is kept for resets
        space: Any = env.action_space
        self.action_low, self.action_high = space.low.astype(np.float64), space.high.astype(np.float64)
        self.observation_size = int(gymnasium.spaces.flatdim(env.observation_space))
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
        self._advance(acted)
        self._steps += 1
        columns = self._moment
        terminal_obs = self._stated.observe(columns)
        terminated = self._stated.ended(columns)
        truncated = self._steps >= self._horizon
        self._record(acted, terminal_obs[:, self._stated.own], terminated, truncated)
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
            "seen": {str(raw): self._moment[raw][envs].copy() for raw in self._seen},
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
            self._physics.restore(index, state)
            self._random[index].bit_generator.state = random
        self._tape.carry(np.concatenate([part["tape"] for part in parts]))
        for raw in self._seen:
            self._moment[raw][:] = np.concatenate([part["seen"][str(raw)] for part in parts])
        self._saved = _joined([part["saved"] for part in parts], [2 * len(part["steps"]) for part in parts])

    def close(self) -> None:
        """End the threads."""
        self._physics.close()
        self._starts.close()

    def _equip(self, env: gymnasium.Env[Any, Any], threads: int) -> None:
        """Physics that gives what is needed, starts, and a tape for what is asked."""
        inner: Any = env.unwrapped
        recorded = self._stated.recorded(self.names)
        needed = dict.fromkeys([*recorded, *self._stated.raws])
        moving = self._stated.moving(self.names)
        self._physics = Pool(inner, self._stated.vectorised, moving, self.n_envs, threads)
        self._starts = self._starts_of(env, [raw for raw in needed if isinstance(raw, Noted)])
        self._moment: dict[Any, Array] = {**self._physics.columns, **self._starts.columns}
        self._moment |= {Before(raw): self._moment[raw].copy() for raw in self._stated.remembered}
        summed = [raw for raw in recorded if isinstance(raw, FromContacts)]
        kept = [raw for raw in recorded if raw not in summed]
        self._given = [raw for raw in kept if isinstance(raw, Given)]
        self._tape = Tape(kept, self.n_envs, self._physics.tapes, summed)

    def _starts_of(self, env: gymnasium.Env[Any, Any], noted: list[Noted]) -> Starts:
        drawn = self._stated.vectorised.start
        if drawn is None:
            return OwnResets(env, noted, self.n_envs)
        inner: Any = env.unwrapped
        return Drawn(drawn, (inner.init_qpos.copy(), inner.init_qvel.copy()))

    @property
    def _seen(self) -> Iterable[Raw]:
        """What the next step looks at of the last one, and what resets noted down."""
        return dict.fromkeys([*self._stated.acted_on, *self._stated.remembered, *self._starts.columns])

    def _advance(self, actions: Array) -> None:
        """Move the physics."""
        for raw in self._stated.remembered:
            self._moment[Before(raw)][:] = self._moment[raw]
        if self._stated.applied is None:
            self._physics.step({"ctrl": actions})
        else:
            self._physics.step(self._stated.applied(self._moment, actions))

    def _start(self, envs: Indices) -> Array:
        """Reset these envs: their observations (len(envs), D)."""
        for index in envs.tolist():
            self._starts.begin(index, self._random[index], self._physics)
        self._steps[envs] = 0
        for raw in self._stated.remembered:
            self._moment[Before(raw)][envs] = self._moment[raw][envs]
        columns: dict[Any, Array] = {raw: column[envs] for raw, column in self._moment.items()}
        observed = self._starts.observed(envs)
        obs = self._stated.observe(columns) if observed is None else observed
        for given in self._given:
            of_obs = given.key == "obs"
            columns[given] = obs[:, self._stated.own] if of_obs else np.zeros((len(envs), *given.shape))
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
        self._tape.step({**self._moment, **columns}, ended.astype(np.uint8))


def _joined(parts: Sequence[Mapping[str, Array]], lengths: Sequence[int]) -> dict[str, Array]:
    """Columns one below the other; zeros where a part has none, which nobody there asks for."""
    shapes = {name: column.shape[1:] for part in parts for name, column in part.items()}
    return {
        name: np.concatenate(
            [part.get(name, np.zeros((n, *shape))) for part, n in zip(parts, lengths, strict=True)]
        )
        for name, shape in shapes.items()
    }
