"""Records what programs ask for: raw slices at every step, everything derived at the take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from eureka_loop.records import Array
from eureka_loop.simulate.evaluation import Evaluation, Rows, split
from eureka_loop.simulate.quantities import Quantity, Raw
from eureka_loop.simulate.timeline import STEP, TERMINATED, TRUNCATED, Timeline


@dataclass(frozen=True, slots=True)
class Transitions:
    """Steps of some envs: env 0's in order of time, then env 1's, and so on.

    Attributes:
        columns: parameter → (N, *shape), float64.
        env_index: (N,).
        episode_start: (N,) the episode's first step.
        done: (N,) the episode's last step, terminated or truncated.
        truncated: (N,) cut off by a time limit without being terminated.
    """

    columns: Mapping[str, Array]
    env_index: npt.NDArray[np.intp]
    episode_start: npt.NDArray[np.bool_]
    done: npt.NDArray[np.bool_]
    truncated: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.env_index)


class Recorder:
    """One timeline an env; the owner of the envs tells it of every reset and step.

    After an env's last step of an episode call `step` before the env is reset, then `reset`.
    """

    def __init__(self, quantities: Mapping[str, Quantity], names: Iterable[str], n_envs: int) -> None:
        """`names` are parameters of programs, all known to `quantities`."""
        self.names = tuple(dict.fromkeys(names))
        self._quantities = quantities
        raws = raw_columns(quantities, self.names)
        self._lines = [Timeline(raws) for _ in range(n_envs)]
        self._saved: dict[str, Array] = {}

    def reset(self, i: int, env: Any, obs: Any, info: Mapping[str, Any]) -> None:
        """Env `i` was reset and returned (obs, info)."""
        self._lines[i].reset(env, obs, info)

    def step(
        self,
        i: int,
        env: Any,
        obs: Any,
        action: Any,
        reward: Any,
        terminated: bool,
        truncated: bool,
        info: Mapping[str, Any],
    ) -> None:
        """Env `i` took a step with `action` and returned the rest; its simulation has not moved since."""
        ended = (TERMINATED if terminated else 0) | (TRUNCATED if truncated else 0)
        self._lines[i].step(obs, action, reward, ended, info)

    def take(self) -> Transitions:
        """All steps since the last take, with every name's column; the episodes go on.

        Raises:
            BadInput: an observable of a domain file doesn't return what it declares.
        """
        rows = Rows.of(self._lines)
        taken, self._saved = transitions(self._quantities, self.names, rows, self._saved)
        self._carry_on(rows)
        return taken

    def _carry_on(self, rows: Rows) -> None:
        offset, pairs = 0, iter(rows.kept.reshape(-1, 2))
        for line in self._lines:
            if line.length:
                length = line.length
                line.keep(next(pairs) - offset)
                offset += length


def transitions(
    quantities: Mapping[str, Quantity], names: Iterable[str], rows: Rows, saved: Mapping[str, Array]
) -> tuple[Transitions, dict[str, Array]]:
    """The steps among the rows that no take has seen, and what the next take needs to know of the kept rows.

    Raises:
        BadInput: an observable of a domain file doesn't return what it declares.
    """
    evaluation = Evaluation(quantities, rows, saved)
    chosen = (rows.flags & STEP).astype(bool)
    chosen[rows.carried] = False
    columns = {name: evaluation.column(name)[chosen] for name in names}
    flags = rows.flags[chosen]
    taken = Transitions(
        columns=columns,
        env_index=rows.env_index[chosen],
        episode_start=(rows.previous == rows.first)[chosen],
        done=(flags & (TERMINATED | TRUNCATED)).astype(bool),
        truncated=(flags & (TERMINATED | TRUNCATED)) == TRUNCATED,
    )
    return taken, {name: column[rows.kept] for name, column in evaluation.computed.items()}


def raw_columns(quantities: Mapping[str, Quantity], names: Iterable[str]) -> tuple[Raw, ...]:
    """The raw columns that parameters come down to, each once."""
    raws: dict[Raw, None] = {}
    seen: set[str] = set()

    def visit(need: Raw | str) -> None:
        if not isinstance(need, str):
            raws[need] = None
            return
        base = split(need, quantities)[1]
        if base not in seen:
            seen.add(base)
            for part in quantities[base].needs:
                visit(part)

    for name in names:
        visit(name)
    return tuple(raws)
