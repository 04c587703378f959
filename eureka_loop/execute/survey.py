"""Having a worker look at an environment, since only workers hold one."""

from __future__ import annotations

from pathlib import Path

from eureka_loop import files
from eureka_loop.errors import BadInput, RunError
from eureka_loop.execute.processes import Worker, answered, last_words
from eureka_loop.program.vocabulary import Vocabulary


def survey(folder: Path) -> Vocabulary:
    """Have a worker look at the environment that `folder`/task.json names.

    Where `folder`/training.json says how to train in it, that is checked, too, and trainer.json tells what
    keeps the population trainer from it.

    Raises:
        BadInput: the environment doesn't exist, can't be made, or isn't of a kind that can be trained here.
    """
    worker = Worker()
    try:
        worker.give([folder])
        answered([worker], None)
    finally:
        worker.kill()
    refused = folder / "survey_error.json"
    if refused.exists():
        raise BadInput(files.read_json(refused, dict[str, str])["message"])
    if not (folder / "vocabulary.json").exists():
        files.require_space(folder)
        last = last_words(folder).splitlines()[-1:]
        raise RunError(f"looking at the environment failed: {' '.join(last) or 'its process was killed'}")
    return files.read_json(folder / "vocabulary.json", Vocabulary)
