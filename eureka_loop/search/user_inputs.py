"""User inputs, a fitness or reward programs: read and tried before anything is trained."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from eureka_loop import files
from eureka_loop.errors import BadInput, Refused, RewardFailure
from eureka_loop.propose.write import Gate
from eureka_loop.records import Array, Task
from eureka_loop.reward.gate import check
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.sandbox.trial import try_out
from eureka_loop.reward.vocabulary import Vocabulary

NO_HORIZON = 1_000  # steps of an episode that nothing cuts off


def read_program(path: Path, gate: Gate) -> str:
    """The text of a reward program in a file, once the gate has admitted it.

    Raises:
        BadInput: no such file, not text, refused (with every reason), or it fails on recorded transitions.
    """
    source = files.read_text(path, BadInput)
    try:
        gate.admit(source)
    except Refused as refused:
        gap = "\n" if len(refused.problems) > 1 else " "
        raise BadInput(f"{path} is not a reward program:{gap}{refused}") from refused
    except RewardFailure as failure:
        text = str(failure).replace("\n", "; ")
        raise BadInput(f"{path} fails on transitions under random actions: {text}") from failure
    return source


def take_human(folder: Path, task: Task, path: Path, gate: Gate) -> None:
    """Make a file's program the task's hand-written reward, in a run's task folder.

    Raises:
        BadInput: as `read_program`.
    """
    source = read_program(path, gate)
    files.write_json(folder / "task.json", replace(task, human=source, human_source=str(path)))
    files.write_text(folder / "human.py", source)


def try_fitness(
    task: Task, expression: str, vocabulary: Vocabulary, probe: Mapping[str, Array], fork_server: ForkServer
) -> None:
    """Measure a few episodes, each twice.

    Args:
        expression: the fitness as the user gave it.
        probe: rows recorded by a survey; see `simulate.survey`.

    Raises:
        BadInput: it fails on one of them, or isn't the same both times.
    """
    program = check(task.fitness, vocabulary, "fitness", hidden=True)
    shapes = {name: vocabulary.resolve(name, hidden=True).shape for name in program.parameters}
    for episode in episodes(probe, vocabulary):
        try:
            try_out(fork_server, program, episode, shapes)
        except RewardFailure as failure:
            length = f"{len(episode['time'])} steps under random actions"
            raise BadInput(
                f"--fitness {expression!r} fails on an episode of {length}: {failure}"
            ) from failure


def episodes(probe: Mapping[str, Array], vocabulary: Vocabulary) -> Iterator[dict[str, Array]]:
    """Episodes as long as real ones, from a survey's rows, which are some of all steps.

    One as long as episodes may be; before it, where episodes end early, the shortest and the longest seen.
    """
    if probe["terminated"].any():
        for piece in _shortest_and_longest(probe["time"]):
            yield _stretched(
                probe, piece, max(1, round(probe["time"][piece[-1]] / vocabulary.dt)), vocabulary
            )
    rows = np.arange(len(probe["time"]))
    yield _stretched(probe, rows, vocabulary.horizon or NO_HORIZON, vocabulary)


def _shortest_and_longest(time: Array) -> list[npt.NDArray[np.intp]]:
    """Rows of two episodes; where the time falls, another has begun."""
    pieces = np.split(np.arange(len(time)), np.flatnonzero(np.diff(time) <= 0) + 1)
    pieces.sort(key=lambda rows: float(time[rows[-1]]))
    return [pieces[0], pieces[-1]]


def _stretched(
    probe: Mapping[str, Array], rows: npt.NDArray[np.intp], steps: int, vocabulary: Vocabulary
) -> dict[str, Array]:
    """These rows as an episode of so many steps: rows are repeated, or left out, and the time goes on."""
    chosen = rows[np.linspace(0, len(rows) - 1, steps).round().astype(np.intp)]
    passed: Array = vocabulary.dt * np.arange(steps + 1, dtype=np.float64)
    clock: dict[str, Array] = {"time": passed[1:], "prev_time": passed[:-1], "init_time": np.zeros(steps)}
    return {**{name: column[chosen] for name, column in probe.items()}, **clock}
