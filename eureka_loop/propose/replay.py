"""The designer that repeats a recorded run, without key or network, whoever wrote it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from itertools import count, takewhile
from pathlib import Path
from typing import Any

from eureka_loop import files
from eureka_loop.config import RunConfig
from eureka_loop.errors import BadInput, DesignerError
from eureka_loop.propose.designer import Inbox, Request, candidate_id
from eureka_loop.records import Reply

Exchange = Mapping[str, Any]
_REPLY = ("source", "problem", "note", "parents")


class ReplayDesigner:
    """Answers from `candidates/<id>/exchange.json` of a run: its first reply, then its repair.

    Replaying costs nothing, so replies carry no usage; what was spent stands in their exchange.

    Args:
        folder: a run's.

    Raises:
        BadInput: there is no recorded run.
    """

    name = "replay"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        if not self._samples(0):
            raise BadInput(f"{folder} is not a recorded run: it has no candidates/g0-00/exchange.json")

    def check(self, config: RunConfig) -> None:
        """Refuse a run that the recorded one can't answer to the end, before anything is made.

        Raises:
            BadInput: another task, or more generations or samples than are recorded.
        """
        recorded = _settings(self._folder / "run.toml")
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

    def _samples(self, generation: int) -> int:
        """How many samples of a generation are recorded without a gap."""
        recorded = set(self._recorded())
        return next(n for n in count() if candidate_id(generation, n) not in recorded)

    def propose(self, request: Request, inbox: Inbox) -> None:
        """The recorded replies of the request's generation, or the recorded repair of its sample.

        Raises:
            DesignerError: that generation, sample or repair isn't recorded.
            RunError: a file of the run is damaged.
        """
        for sample in request.wanted:
            inbox.keep(sample, self._reply(request.id(sample), 1 if request.repair else 0))

    def _reply(self, id: str, turn: int) -> Reply:
        path = self._folder / "candidates" / id
        if not (path / "exchange.json").is_file():
            recorded = ", ".join(self._recorded())
            raise DesignerError(
                f"{self._folder} holds no {id}, only {recorded}; ask for no more generations and samples"
            )
        exchanges = files.read_json(path / "exchange.json", list[dict[str, Any]])
        if turn >= len(exchanges):
            what = "repair" if turn else "reply"
            raise DesignerError(f"{path} holds no {what}: it was recorded with another version or task")
        return _as_reply(exchanges[turn])

    def _recorded(self) -> list[str]:
        """Every recorded sample's id; references ("human") have no exchange."""
        found = sorted(path.parent.name for path in self._folder.glob("candidates/g*/exchange.json"))
        return [id for id in found if "-" in id]


def _settings(path: Path) -> Mapping[str, Any]:
    """A run.toml as it is: that of another version will do. Empty where replies were kept alone.

    Raises:
        BadInput: it is damaged.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    except (OSError, ValueError) as error:
        raise BadInput(f"can't read {path}: {error}") from error


def _as_reply(recorded: Exchange) -> Reply:
    """A recorded exchange as the reply it was: the fields that are not the reply's are the exchange's."""
    exchange = {key: value for key, value in recorded.items() if key not in _REPLY}
    return Reply(
        source=recorded.get("source"),
        parents=tuple(recorded.get("parents", ())),
        note=str(recorded.get("note", "")),
        problem=str(recorded.get("problem", "")),
        exchange=exchange,
    )
