"""Whole episodes put together from what a recorder gives in pieces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from eureka_loop.records import Array
from eureka_loop.simulate.recorder import Transitions


@dataclass(frozen=True, slots=True)
class Episode:
    """One finished episode: columns (length, *shape) in order of time."""

    columns: Mapping[str, Array]
    length: int
    env_index: int
    truncated: bool


class EpisodeCollector:
    """Holds each env's unfinished episode until its last step comes."""

    def __init__(self, n_envs: int) -> None:
        self._open: list[list[Mapping[str, Array]]] = [[] for _ in range(n_envs)]

    def add(self, transitions: Transitions) -> list[Episode]:
        """The episodes that these transitions finish, in order of env and time."""
        cuts = np.flatnonzero(transitions.done | _last_of_env(transitions)) + 1
        finished = []
        for begin, end in pairwise([0, *cuts]):
            env = int(transitions.env_index[begin])
            self._open[env].append({name: column[begin:end] for name, column in transitions.columns.items()})
            if transitions.done[end - 1]:
                finished.append(self._close(env, truncated=bool(transitions.truncated[end - 1])))
        return finished

    def _close(self, env: int, *, truncated: bool) -> Episode:
        parts, self._open[env] = self._open[env], []
        columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        length = sum(len(next(iter(part.values()))) for part in parts) if columns else 0
        return Episode(columns, length, env, truncated)


def _last_of_env(transitions: Transitions) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    envs = transitions.env_index
    return np.append(envs[1:] != envs[:-1], True)[: len(envs)]
