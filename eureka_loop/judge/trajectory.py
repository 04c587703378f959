"""Whole episodes on disk, with every observable at every step, so that any program can be evaluated on them.

A file holds one episode: name → (T + 1, *shape) float32, the first row at the reset.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from eureka_loop import files
from eureka_loop.errors import Damaged
from eureka_loop.records import Array
from eureka_loop.reward.vocabulary import PREFIXES

MOST_BYTES = 8_000_000  # of one episode before compression: 1,000 steps of the humanoid are half of that
FILE = "episode.npz"


def save(path: Path, columns: Mapping[str, Array], names: Sequence[str]) -> None:
    """Write one whole episode, unless it exceeds MOST_BYTES: (T, *shape) of the names, and of init_<name>."""
    episode = {
        name: np.concatenate([columns[f"init_{name}"][:1], columns[name]]).astype(np.float32)
        for name in names
    }
    if sum(column.nbytes for column in episode.values()) <= MOST_BYTES:
        files.write_columns(path, episode)


def length(path: Path) -> int:
    """Steps of an episode."""
    with files.columns(path) as found:
        return len(next(iter(found.values()))) - 1


def read(path: Path, parameters: Iterable[str]) -> dict[str, Array]:
    """One episode: parameter → (T, *shape).

    Raises:
        Damaged: it was recorded without one.
    """
    with files.columns(path) as found:
        return {name: _column(found, name).astype(np.float64) for name in parameters}


def joined(paths: Sequence[Path], parameters: Sequence[str]) -> tuple[dict[str, Array], list[int]]:
    """Episodes one after another: parameter → (N, *shape), and the length of each.

    Raises:
        Damaged: an episode was recorded without one of them, or not alike.
    """
    parts, lengths = [read(path, parameters) for path in paths], [length(path) for path in paths]
    for path, part, steps in zip(paths, parts, lengths, strict=True):
        for name, column in part.items():
            if column.shape != (steps, *parts[0][name].shape[1:]):
                raise Damaged(f"{path} is damaged: {name!r} has shape {column.shape}")
    return {name: np.concatenate([part[name] for part in parts]) for name in parameters}, lengths


def _column(archive: Mapping[str, Array], parameter: str) -> Array:
    """The column of a parameter; a recorded name wins over a prefix, as in programs."""
    if parameter in archive:
        return archive[parameter][1:]
    for prefix in PREFIXES:
        if parameter.startswith(prefix) and (name := parameter.removeprefix(prefix)) in archive:
            column = archive[name]
            return column[:-1] if prefix == "prev_" else np.broadcast_to(column[0], column[1:].shape)
    raise KeyError(f"it holds no {parameter!r}")
