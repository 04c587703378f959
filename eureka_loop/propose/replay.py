"""The designer that repeats a recorded run of any designer, without key or network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from eureka_loop import files
from eureka_loop.config import USUAL, RunConfig, read_table
from eureka_loop.errors import BadInput, DesignerError
from eureka_loop.propose.designer import Request, candidate_id
from eureka_loop.records import Reply
from eureka_loop.store import Run

TASK = ("task", "env", "fitness")
MEASURE = ("fitness", "drafted")
NUMBERS = {"steps": 0, "confirm": 1, **USUAL}  # with the values where none is recorded


class ReplayDesigner:
    """Answers with the replies of a recorded run, repairs included.

    Raises:
        BadInput: the folder holds no recorded run.
    """

    name = "replay"

    def __init__(self, folder: Path) -> None:
        files.require_plain(folder)
        self._recorded = Run(folder)
        if not self._recorded.replies(candidate_id(0, 0)):
            raise BadInput(f"{folder} is not a recorded run: it has no proposals/g0-00.json")

    def check(self, config: RunConfig) -> None:
        """Refuse a run that the recorded one can't answer to the end.

        Raises:
            BadInput: another task, more generations or samples than are recorded, or a damaged file.
        """
        recorded = _settings(self._recorded.folder)
        for name in TASK:
            before, now = recorded.get(name), getattr(config, name)
            if recorded and before != now:
                raise BadInput(
                    f"{self._recorded.folder} was recorded with {name} {before!r}, not {now!r}; give the same"
                )
        for generation in range(config.generations):
            for sample in range(config.samples):
                if not self._recorded.replies(id := candidate_id(generation, sample)):
                    raise BadInput(self._missing(id))

    def propose(self, request: Request, sample: int) -> Reply:
        """The recorded reply of a sample, or its recorded repair.

        Raises:
            DesignerError: that sample or repair isn't recorded.
            RunError: a file of the run is damaged.
        """
        replies = self._recorded.replies(request.id(sample))
        if request.attempt >= len(replies):
            raise DesignerError(self._missing(f"{request.id(sample)}{' repaired' * bool(request.attempt)}"))
        return replies[request.attempt]

    def _missing(self, id: str) -> str:
        found = ", ".join(sorted(path.stem for path in self._recorded.folder.glob("proposals/*.json")))
        advice = "give the same task, and fewer --generations or --samples"
        return f"{self._recorded.folder} holds no {id}, only {found}; {advice}"


def with_recorded_numbers(config: RunConfig) -> RunConfig:
    """The configuration with the numbers and the measure of the run that it replays, where it gives none.

    Raises:
        BadInput: that run's settings are damaged.
    """
    if config.replay is None:
        return config
    recorded = {**NUMBERS, **_settings(config.replay)}
    missing = {name: recorded[name] for name in NUMBERS if config.leaves_open(name)}
    if config.fitness is None:
        missing |= {name: recorded.get(name) for name in MEASURE}
        if missing["fitness"] and not Run(config.replay).made_here:
            missing["drafted"] = "unconfirmed"
    try:
        return replace(config, minutes=0.0, **missing)
    except BadInput as error:
        raise BadInput(f"{config.replay / 'run.toml'}: {error}") from error


def _settings(folder: Path) -> dict[str, Any]:
    """Task and numbers in the run.toml of any version; {} where replies were kept alone."""
    files.require_plain(folder)
    path = folder / "run.toml"
    found = read_table(path) if path.exists() else {}
    types = {**dict.fromkeys((*TASK, *MEASURE), str), **dict.fromkeys(NUMBERS, int)}
    known = {name: value for name, value in found.items() if name in types}
    for name, value in known.items():
        files.validated(value, types[name], f"{path}, {name},")
    return known


def create(config: RunConfig, run: Run | None) -> ReplayDesigner:
    """The designer for a configuration.

    Raises:
        BadInput: no recorded run, or one that can't answer to the end.
    """
    if config.replay is None:
        raise BadInput("the replay designer needs a recorded run: --replay RUN")
    designer = ReplayDesigner(config.replay)
    if run is None:  # checked once, before a run is made
        designer.check(config)
    return designer
