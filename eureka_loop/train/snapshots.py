"""The whole state of a training in one file, for another process to continue from.

A .npz archive of arrays, with the tree whose leaves they are as JSON: it holds no code, so that reading one
runs none. A node of the tree is a number, text, None, or a list that begins with its kind.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from eureka_loop.errors import RunError
from eureka_loop.records import SNAPSHOT
from eureka_loop.results import Checkpoint, TermStats
from eureka_loop.train.metrics import TrainingEpisode

RECORDS = {kind.__name__: kind for kind in (Checkpoint, TermStats, TrainingEpisode)}
TREE = "tree"


def write_snapshot(folder: Path, tree: Any) -> None:
    """Write the whole file or nothing; tuples are read back as lists.

    Raises:
        RunError: the folder can't be written.
    """
    arrays: dict[str, Any] = {}
    text = json.dumps(_packed(tree, arrays))
    partial = folder / f".{SNAPSHOT}.{os.getpid()}.partial"
    try:
        with partial.open("wb") as file:
            np.savez(file, **{TREE: np.array(text), **arrays})
            file.flush()
            os.fsync(file.fileno())
        partial.replace(folder / SNAPSHOT)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise RunError(f"can't write to {folder}: {error.strerror}; free some space") from error


def read_snapshot(folder: Path) -> Any:
    """
    Raises:
        RunError: it is missing or damaged.
    """
    try:
        with (folder / SNAPSHOT).open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return _unpacked(json.loads(str(archive[TREE])), archive)
    except (OSError, EOFError, ValueError, KeyError, BadZipFile) as error:
        raise RunError(
            f"{folder / SNAPSHOT} is missing or damaged ({error}): remove {folder}, and resume"
        ) from error


def _packed(value: Any, arrays: dict[str, Any]) -> Any:
    if isinstance(value, np.ndarray):
        name = str(len(arrays))
        arrays[name] = value
        return ["array", name]
    if isinstance(value, Mapping):
        return ["map", [[key, _packed(each, arrays)] for key, each in value.items()]]
    if isinstance(value, list | tuple):
        return ["list", [_packed(each, arrays) for each in value]]
    if is_dataclass(value):
        parts = [_packed(getattr(value, each.name), arrays) for each in fields(value)]
        return [type(value).__name__, parts]
    return value.item() if isinstance(value, np.generic) else value


def _unpacked(node: Any, arrays: Mapping[str, Any]) -> Any:
    if not isinstance(node, list):
        return node
    kind, content = node
    if kind == "array":
        return arrays[content]
    if kind == "map":
        return {key: _unpacked(each, arrays) for key, each in content}
    parts = [_unpacked(each, arrays) for each in content]
    return parts if kind == "list" else RECORDS[kind](*parts)
