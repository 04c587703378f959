"""Requests to a worker beside trainings: surveys of environments and recorded episodes."""

from __future__ import annotations

from pathlib import Path

from eureka_loop import files
from eureka_loop.errors import BadInput, RunError
from eureka_loop.execute.local import work_through
from eureka_loop.records import Array, Rollout
from eureka_loop.reward.vocabulary import Vocabulary

BESIDE = "beside.json"  # sources of programs that are to be trained here, beside what may be written
TRANSITIONS = "transitions.npz"


def survey(folder: Path) -> Vocabulary:
    """The vocabulary of the environment that `folder`/task.json names.

    Where `folder`/training.json says how to train in it, that is checked, too, and trainer.json says what
    keeps the population trainer from it, and from the programs in `folder`/beside.json, if there are any.

    Raises:
        BadInput: the environment doesn't exist, can't be made, or isn't of a kind that can be trained here.
    """
    work_through(folder)
    refused = folder / "survey_error.json"
    if refused.exists():
        raise BadInput(files.read_json(refused, dict[str, str])["message"])
    return files.read_json(_required(folder / "vocabulary.json", "looking at the environment"), Vocabulary)


def record(rollout: Rollout, folder: Path) -> None:
    """Record episodes of trained policies into a folder, for `read`.

    Raises:
        RunError: the worker failed.
    """
    (folder / TRANSITIONS).unlink(missing_ok=True)  # first: it belongs to another rollout.json
    files.write_json(folder / "rollout.json", rollout)
    work_through(folder)
    _required(folder / TRANSITIONS, "recording episodes")


def is_recorded(rollout: Rollout, folder: Path) -> bool:
    """Whether exactly this was recorded there before."""
    asked = folder / "rollout.json"
    return (folder / TRANSITIONS).exists() and asked.exists() and files.read_json(asked, Rollout) == rollout


def read(folder: Path) -> dict[str, Array]:
    """The columns recorded, and `policy`, the index of the policy that a row's episode is from."""
    return files.read_columns(folder / TRANSITIONS)


def log_tail(folder: Path) -> str:
    """The end of what a worker printed while it was busy with a folder."""
    log = folder / "worker.log"
    return log.read_text(errors="replace")[-2000:].strip() if log.exists() else ""


def _required(path: Path, task: str) -> Path:
    """The file that a worker was to leave.

    Raises:
        RunError: it isn't there.
    """
    if not path.exists():
        files.require_space(path.parent)
        last = log_tail(path.parent).splitlines()[-1:]
        raise RunError(f"{task} failed: {' '.join(last) or 'its process was killed'}")
    return path
