"""The designer that repeats a recorded run of any designer, without key or network."""

from __future__ import annotations

import tomllib
from itertools import count, takewhile
from pathlib import Path
from typing import Any

from eureka_loop import files
from eureka_loop.config import RunConfig
from eureka_loop.errors import BadInput, DesignerError
from eureka_loop.propose.designer import Request, candidate_id
from eureka_loop.records import Reply
from eureka_loop.store import Run

_REPLY = ("source", "problem", "note", "parents")  # keys of an exchange that are fields of the reply


class ReplayDesigner:
    """Answers from `candidates/<id>/exchange.json` of a run: its first reply, then its repairs.

    Raises:
        BadInput: the folder holds no recorded run.
    """

    name = "replay"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        if not self._samples(0):
            raise BadInput(f"{folder} is not a recorded run: it has no candidates/g0-00/exchange.json")

    def check(self, config: RunConfig) -> None:
        """Refuse a run that the recorded one can't answer to the end.

        Raises:
            BadInput: another task, more generations or samples than are recorded, or a damaged file.
        """
        path = self._folder / "run.toml"  # of any version; missing where the replies were kept alone
        try:
            recorded = tomllib.loads(files.read_text(path, BadInput)) if path.exists() else {}
        except ValueError as error:
            raise BadInput(f"can't read {path}: {error}") from error
        for name in ("task", "env", "fitness"):
            before, now = recorded.get(name), getattr(config, name)
            if recorded and before != now:
                raise BadInput(
                    f"{self._folder} was recorded with {name} {before!r}, not {now!r}; give the same"
                )
        samples = min(config.samples, self._samples(0))
        enough = takewhile(lambda each: self._samples(each) >= samples, range(config.generations))
        generations = sum(1 for _ in enough)
        if (generations, samples) != (config.generations, config.samples):
            raise BadInput(
                f"{self._folder} holds too little for {config.generations} generations of {config.samples} "
                f"samples; give --generations {generations} --samples {samples}"
            )

    def propose(self, request: Request, sample: int) -> Reply:
        """The recorded reply of a sample, or its recorded repair.

        Raises:
            DesignerError: that sample or repair isn't recorded.
            RunError: a file of the run is damaged.
        """
        id = request.id(sample)
        path = self._folder / "candidates" / id
        if not (path / "exchange.json").is_file():
            recorded = ", ".join(self._recorded())
            raise DesignerError(
                f"{self._folder} holds no {id}, only {recorded}; give fewer --generations or --samples"
            )
        exchanges = files.read_json(path / "exchange.json", list[dict[str, Any]])
        if request.attempt >= len(exchanges):
            name = "repair" if request.attempt else "reply"
            raise DesignerError(f"{path} holds no {name}: it was recorded with another version or task")
        reply = exchanges[request.attempt]
        return Reply(
            source=reply.get("source"),
            parents=tuple(reply.get("parents", ())),
            note=str(reply.get("note", "")),
            problem=str(reply.get("problem", "")),
            exchange={key: value for key, value in reply.items() if key not in _REPLY},
        )

    def _samples(self, generation: int) -> int:
        """Number of samples of a generation that are recorded without a gap."""
        recorded = set(self._recorded())
        return next(n for n in count() if candidate_id(generation, n) not in recorded)

    def _recorded(self) -> list[str]:
        """Ids of the recorded samples; references ("human") have no exchange."""
        found = sorted(path.parent.name for path in self._folder.glob("candidates/g*/exchange.json"))
        return [id for id in found if "-" in id]


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
