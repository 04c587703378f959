"""Having a worker record episodes of trained policies, since only workers hold environments and policies."""

from __future__ import annotations

from pathlib import Path

from eureka_loop import files
from eureka_loop.execute.processes import require_left, work_through
from eureka_loop.records import Array, Rollout

TRANSITIONS = "transitions.npz"


def record(rollout: Rollout, folder: Path) -> None:
    """Have the columns asked for recorded, for `read`.

    Raises:
        RunError: the worker failed.
    """
    (folder / TRANSITIONS).unlink(missing_ok=True)  # first: it belongs to another rollout.json
    files.write_json(folder / "rollout.json", rollout)
    work_through(folder)
    require_left(folder / TRANSITIONS, "recording episodes")


def is_recorded(rollout: Rollout, folder: Path) -> bool:
    """Whether just this was recorded there before."""
    asked = folder / "rollout.json"
    return (folder / TRANSITIONS).exists() and asked.exists() and files.read_json(asked, Rollout) == rollout


def read(folder: Path) -> dict[str, Array]:
    """The columns recorded, and `policy`, the number of the policy whose episode a row is from."""
    return files.read_columns(folder / TRANSITIONS)
