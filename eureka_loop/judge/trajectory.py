"""Whole episodes on disk, with every observable at every step, so that any program can be evaluated on them.

A file holds one episode: name → (T + 1, *shape) float32, the first row at the reset. The `prev_` and `init_`
of a name are other rows of the same column.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from eureka_loop.records import Array
from eureka_loop.reward.vocabulary import PREFIXES

MOST_BYTES = 8_000_000  # of one episode before compression: 1,000 steps of the humanoid are half of that
FILE = "episode.npz"

Column = npt.NDArray[np.float32]
Moments = Mapping[str, Column]


def with_starts(names: Iterable[str]) -> list[str]:
    """Names to record for `moments` of these names."""
    names = list(names)
    return [*names, *(f"init_{name}" for name in names)]


def moments(columns: Mapping[str, Array], names: Sequence[str]) -> Moments:
    """One whole episode's columns (T, *shape) of `with_starts(names)` → name → (T + 1, *shape)."""
    return {
        name: np.concatenate([columns[f"init_{name}"][:1], columns[name]]).astype(np.float32)
        for name in names
    }


def save(path: Path, episode: Moments) -> bool:
    """Write the whole file, or nothing where the episode exceeds MOST_BYTES; returns whether it did."""
    if sum(column.nbytes for column in episode.values()) > MOST_BYTES:
        return False
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("wb") as file:
        np.savez_compressed(file, **episode)  # type: ignore[arg-type]
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    return True


def size(path: Path) -> int:
    """Bytes of an episode before compression, from its file's table of contents."""
    with zipfile.ZipFile(path) as archive:
        return sum(entry.file_size for entry in archive.infolist())


class Trajectory:
    """One episode, read from its file as columns are asked for; `len` is in steps."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __len__(self) -> int:
        return self._length

    def columns(self, parameters: Iterable[str]) -> Mapping[str, Array]:
        """Parameter → (T, *shape).

        Raises:
            KeyError: the episode was recorded without one.
        """
        with np.load(self._path, allow_pickle=False) as archive:
            return {name: _column(archive, name).astype(np.float64) for name in parameters}

    @cached_property
    def _length(self) -> int:
        with np.load(self._path, allow_pickle=False) as archive:
            return len(archive[archive.files[0]]) - 1


def joined(
    episodes: Sequence[Trajectory], parameters: Sequence[str]
) -> tuple[Mapping[str, Array], npt.NDArray[np.bool_]]:
    """Episodes one after another: parameter → (N, *shape), and which rows begin one, (N,).

    Raises:
        KeyError: an episode was recorded without one of them.
    """
    parts = [each.columns(parameters) for each in episodes]
    starts = np.zeros(sum(map(len, episodes)), np.bool_)
    starts[np.cumsum([0, *map(len, episodes[:-1])])] = True
    return {name: np.concatenate([part[name] for part in parts]) for name in parameters}, starts


def _column(archive: Moments, parameter: str) -> Column:
    """The column of a parameter; a recorded name wins over a prefix, as in programs."""
    if parameter in archive:
        return archive[parameter][1:]
    for prefix in PREFIXES:
        if parameter.startswith(prefix) and (name := parameter.removeprefix(prefix)) in archive:
            column = archive[name]
            return column[:-1] if prefix == "prev_" else np.broadcast_to(column[0], column[1:].shape)
    raise KeyError(parameter)
