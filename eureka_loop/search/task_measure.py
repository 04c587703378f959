"""The measure that a user gives, an expression or a program: completed to a task, and tried on episodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from eureka_loop import files
from eureka_loop.config import RunConfig
from eureka_loop.errors import BadInput, Refused, RewardFailure
from eureka_loop.records import Array, Task
from eureka_loop.reward.expression import as_reward, episode_mean
from eureka_loop.reward.gate import check
from eureka_loop.reward.measure import is_program, kinds_of, programs
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.sandbox.trial import try_out
from eureka_loop.reward.vocabulary import Vocabulary

NO_HORIZON = 1_000  # steps of an episode that nothing cuts off


def with_text(config: RunConfig) -> RunConfig:
    """The configuration with a program's text where --fitness names a file.

    Raises:
        BadInput: the file can't be read, or defines no fitness.
    """
    if config.fitness is None or not config.fitness.endswith(".py"):
        return config
    text = files.read_text(Path(config.fitness), BadInput)
    if not is_program(text):
        raise BadInput(f"{config.fitness} defines no function: write `def fitness(...):` there")
    return replace(config, fitness=text)


def measured(task: Task, text: str, vocabulary: Vocabulary) -> Task:
    """The task with the programs of an expression, or of a program's text.

    Raises:
        BadInput: it can't be understood, or the gate refuses it; with every reason.
    """
    try:
        if not is_program(text):
            return replace(task, fitness=episode_mean(text, vocabulary), sparse=as_reward(text, vocabulary))
        found = programs(text, vocabulary)
    except Refused as refused:
        if not is_program(text):
            raise BadInput(f"{_named(text)}: {refused.problems[0].message}") from refused
        gap = "\n" if len(refused.problems) > 1 else " "
        raise BadInput(f"{_named(text)}:{gap}{refused}") from refused
    success, progress = found.get("success"), found.get("progress")
    return replace(task, fitness=found["fitness"], success=success, progress=progress)


def _named(text: str) -> str:
    return "the fitness program" if is_program(text) else f"--fitness {text!r}"


def try_fitness(
    task: Task, text: str, vocabulary: Vocabulary, probe: Mapping[str, Array], fork_server: ForkServer
) -> None:
    """Measure an episode of the whole horizon, and one as short as the shortest that ended by itself.

    Args:
        text: the fitness as the user gave it.
        probe: rows recorded by a survey, repeated or left out to make the episodes; see `simulate.recorded`.

    Raises:
        BadInput: it fails on one of them, or isn't the same when measured twice.
    """
    source = text if is_program(text) else task.fitness  # lines of errors are the user's
    for kind in kinds_of(source):
        program = check(source, vocabulary, kind, hidden=True)
        shapes = vocabulary.shapes(program.parameters, hidden=True)
        for episode in _episodes(vocabulary, probe):
            try:
                try_out(fork_server, program, episode, shapes)
            except RewardFailure as failure:
                where = f"an episode of {len(episode['time'])} steps under random actions"
                raise BadInput(f"{_named(text)} fails on {where}: {failure}") from failure


def _episodes(vocabulary: Vocabulary, probe: Mapping[str, Array]) -> list[dict[str, Array]]:
    """Columns of the episodes that a fitness is tried on, the shorter one first."""
    lengths, time = [vocabulary.horizon or NO_HORIZON], probe["time"]
    if probe["terminated"].any():
        ends = time[np.append(np.diff(time) <= 0, True)]
        lengths.insert(0, max(1, round(float(ends.min()) / vocabulary.dt)))
    episodes = []
    for steps in lengths:
        episode = {name: np.resize(rows, (steps, *rows.shape[1:])) for name, rows in probe.items()}
        clock = vocabulary.dt * np.arange(steps + 1)
        episode |= {"time": clock[1:], "prev_time": clock[:-1], "init_time": np.zeros(steps)}
        episodes.append(episode)
    return episodes
