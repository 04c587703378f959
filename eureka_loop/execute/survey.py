"""Having a worker look at an environment, since only workers hold one."""

from __future__ import annotations

from pathlib import Path

from eureka_loop import files
from eureka_loop.errors import BadInput
from eureka_loop.execute.processes import require_left, work_through
from eureka_loop.reward.vocabulary import Vocabulary

BESIDE = "beside.json"  # sources of programs that are to be trained here, beside what may be written


def survey(folder: Path) -> Vocabulary:
    """Have a worker look at the environment that `folder`/task.json names.

    Where `folder`/training.json says how to train in it, that is checked, too, and trainer.json (`Serving`)
    tells what keeps the population trainer from it, and from the programs in `folder`/beside.json, if there
    are any.

    Raises:
        BadInput: the environment doesn't exist, can't be made, or isn't of a kind that can be trained here.
    """
    work_through(folder)
    refused = folder / "survey_error.json"
    if refused.exists():
        raise BadInput(files.read_json(refused, dict[str, str])["message"])
    return files.read_json(require_left(folder / "vocabulary.json", "looking at the environment"), Vocabulary)
