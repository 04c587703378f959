"""Having a worker record episodes of trained policies, since only workers hold environments and policies."""

from __future__ import annotations

from pathlib import Path

from eureka_loop import files
from eureka_loop.execute.processes import require_left, work_through
from eureka_loop.records import Array, Rollout


def recorded(rollout: Rollout, folder: Path) -> dict[str, Array]:
    """The columns asked for, and `policy`, the number of the policy whose episode a row is from.

    Raises:
        RunError: the worker failed.
    """
    files.write_json(folder / "rollout.json", rollout)
    (folder / "transitions.npz").unlink(missing_ok=True)
    work_through(folder)
    return files.read_columns(require_left(folder / "transitions.npz", "recording episodes"))
