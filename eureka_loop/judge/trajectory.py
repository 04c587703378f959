"""Whole episodes on disk, with every observable at every step, so that any program can be evaluated on them.

A file holds one episode: name → (T + 1, *shape) float32, the first row at the reset. The `prev_` and `init_`
of a name are other rows of the same column.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterable, Mapping, Sequence
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
    """One episode; columns are read from its file on first use, and kept. `len` is in steps."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._columns: dict[str, Column] = {}
        self._length: int | None = None

    def __len__(self) -> int:
        if self._length is None:
            with np.load(self._path, allow_pickle=False) as archive:
                self._length = len(archive[archive.files[0]]) - 1
        return self._length

    @property
    def kept(self) -> int:
        """Bytes of the columns read so far."""
        return sum(column.nbytes for column in self._columns.values())

    def forget(self) -> None:
        """Keep no column; later uses read the file again."""
        self._columns.clear()

    def columns(self, parameters: Iterable[str]) -> Mapping[str, Array]:
        """Parameter → (T, *shape).

        Raises:
            KeyError: the episode was recorded without one.
        """
        return {name: column.astype(np.float64) for name, column in self.read(tuple(parameters)).items()}

    def read(self, parameters: Sequence[str]) -> Moments:
        """The same in float32, as it is kept.

        Raises:
            KeyError: as `columns`.
        """
        if missing := [each for each in parameters if each not in self._columns]:
            with np.load(self._path, allow_pickle=False) as archive:
                self._columns.update((each, _column(archive, each)) for each in missing)
            self._length = len(self._columns[missing[0]])
        return {each: self._columns[each] for each in parameters}


def joined(
    episodes: Sequence[Trajectory], parameters: Sequence[str]
) -> tuple[Mapping[str, Array], npt.NDArray[np.bool_]]:
    """Episodes one after another: parameter → (N, *shape), and which rows begin one, (N,).

    Raises:
        KeyError: an episode was recorded without one of them.
    """
    parts = [each.read(parameters) for each in episodes]
    starts = np.zeros(sum(map(len, episodes)), np.bool_)
    starts[np.cumsum([0, *map(len, episodes[:-1])])] = True
    columns = {name: np.concatenate([part[name] for part in parts], dtype=np.float64) for name in parameters}
    return columns, starts


def _column(archive: Moments, parameter: str) -> Column:
    """The column of a parameter; a recorded name wins over a prefix, as in programs."""
    if parameter in archive:
        return archive[parameter][1:]
    for prefix in PREFIXES:
        if parameter.startswith(prefix) and (name := parameter.removeprefix(prefix)) in archive:
            column = archive[name]
            return column[:-1] if prefix == "prev_" else np.broadcast_to(column[0], column[1:].shape)
    raise KeyError(parameter)
