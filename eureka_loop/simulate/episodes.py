"""Whole episodes put together from transitions that are taken in pieces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from eureka_loop.records import Array
from eureka_loop.simulate.step_buffer import Transitions


@dataclass(frozen=True, slots=True)
class Episode:
    """One finished episode: columns (length, *shape) in order of time."""

    columns: Mapping[str, Array]
    length: int
    env_index: int
    truncated: bool


class EpisodeCollector:
    """Keeps each env's episode under way until its last step; one broken off by a reset is dropped."""

    def __init__(self, n_envs: int) -> None:
        self._open: list[list[Mapping[str, Array]]] = [[] for _ in range(n_envs)]
        self._lengths = [0] * n_envs

    def snapshot(self) -> dict[str, Any]:
        """The episodes under way."""
        return {"open": self._open, "lengths": self._lengths}

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        self._open, self._lengths = snapshot["open"], snapshot["lengths"]

    def add(self, transitions: Transitions) -> list[Episode]:
        """The episodes that these transitions finish, in order of env and time."""
        finished = []
        envs, begins = transitions.env_index, transitions.episode_start.copy()
        begins[1:] |= transitions.done[:-1] | (envs[1:] != envs[:-1])
        for begin, end in pairwise(sorted({0, *np.flatnonzero(begins).tolist(), len(transitions)})):
            env = int(envs[begin])
            if transitions.episode_start[begin]:
                self._open[env], self._lengths[env] = [], 0
            self._lengths[env] += end - begin
            self._open[env].append({name: column[begin:end] for name, column in transitions.columns.items()})
            if transitions.done[end - 1]:
                parts, length = self._open[env], self._lengths[env]
                columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
                finished.append(Episode(columns, length, env, bool(transitions.truncated[end - 1])))
                self._open[env], self._lengths[env] = [], 0
        return finished
