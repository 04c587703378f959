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
    for episode in _episodes(probe, vocabulary):
        try:
            try_out(fork_server, program, episode, shapes)
        except RewardFailure as failure:
            where = f"an episode of {len(episode['time'])} steps under random actions"
            raise BadInput(f"--fitness {expression!r} fails on {where}: {failure}") from failure


def _episodes(probe: Mapping[str, Array], vocabulary: Vocabulary) -> Iterator[dict[str, Array]]:
    """Episodes as long as real ones, from a survey's rows, which are some of all steps.

    The shortest one seen, where episodes end early; then one of the whole horizon.
    """
    time, dt = probe["time"], vocabulary.dt
    rows = np.arange(len(time))
    if probe["terminated"].any():
        pieces = np.split(rows, np.flatnonzero(np.diff(time) <= 0) + 1)
        shortest = min(pieces, key=lambda piece: float(time[piece[-1]]))
        yield _resampled(probe, shortest, max(1, round(time[shortest[-1]] / dt)), dt)
    yield _resampled(probe, rows, vocabulary.horizon or NO_HORIZON, dt)


def _resampled(
    probe: Mapping[str, Array], rows: npt.NDArray[np.intp], steps: int, dt: float
) -> dict[str, Array]:
    """These rows, repeated or left out, as an episode of `steps` steps."""
    chosen = rows[np.linspace(0, len(rows) - 1, steps).round().astype(np.intp)]
    time: Array = dt * np.arange(steps + 1, dtype=np.float64)
    clock: dict[str, Array] = {"time": time[1:], "prev_time": time[:-1], "init_time": np.zeros(steps)}
    return {**{name: column[chosen] for name, column in probe.items()}, **clock}
