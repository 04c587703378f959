"""Having a worker record episodes of trained policies, since only workers hold environments and policies."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from eureka_loop import files
from eureka_loop.errors import RunError
from eureka_loop.execute.processes import Worker, answered, last_words
from eureka_loop.records import Array, Rollout


def recorded(rollout: Rollout, folder: Path) -> dict[str, Array]:
    """The columns asked for, and `policy`, the number of the policy whose episode a row is from.

    Raises:
        RunError: the worker failed.
    """
    files.write_json(folder / "rollout.json", rollout)
    (folder / "transitions.npz").unlink(missing_ok=True)
    worker = Worker()
    try:
        worker.give([folder])
        answered([worker], None)
    finally:
        worker.kill()
    if not (folder / "transitions.npz").exists():
        files.require_space(folder)
        last = last_words(folder).splitlines()[-1:]
        raise RunError(f"recording episodes failed: {' '.join(last) or 'its process was killed'}")
    with np.load(folder / "transitions.npz", allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}
