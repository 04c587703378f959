"""The user's task → a task with programs, the vocabulary of its environment, and the trainer of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from eureka_loop import files
from eureka_loop.config import RunConfig
from eureka_loop.envs.registry import find_domain, find_task, tasks
from eureka_loop.errors import BadInput, Refused
from eureka_loop.execute.requests import BESIDE, survey
from eureka_loop.records import Support, Task, Training
from eureka_loop.reward.expression import as_reward, episode_mean
from eureka_loop.reward.vocabulary import Vocabulary
from eureka_loop.store import slug


def task_of(config: RunConfig) -> Task:
    """The task that a configuration names or describes; its fitness may still be an expression.

    Raises:
        BadInput: no task, or a description without --env or --fitness.
        UnknownName: a name that is not in the catalogue.
    """
    text = config.task.strip()
    if not text:
        raise BadInput(
            'say what is wanted: `eureka run halfcheetah-run`, or `eureka run "walk back" --env …`'
        )
    if config.env is None and config.fitness is None:
        if " " in text:
            raise BadInput(
                "a task in your own words needs --env (a Gymnasium id) and --fitness (what counts, as an "
                "observable or an expression); `eureka tasks` lists those that need neither"
            )
        return find_task(text)
    if text in tasks():
        raise BadInput(
            f"{text!r} is in the catalogue, with env and fitness: leave those out, on the command line and "
            "in a --config file, or describe the task in other words"
        )
    if config.env is None or config.fitness is None:
        missing = "--env" if config.env is None else "--fitness"
        raise BadInput(f"a task in your own words needs {missing}, too")
    return Task(name=slug(text), env_id=config.env, text=text, fitness=config.fitness)


def of_its_own(config: RunConfig, base: RunConfig) -> RunConfig:
    """The configuration without the env and fitness of a file's task, where another one is named."""
    if config.task == base.task or config.task.strip() not in tasks():
        return config
    return replace(
        config,
        env=None if config.env == base.env else config.env,
        fitness=None if config.fitness == base.fitness else config.fitness,
    )


def look(task: Task, config: RunConfig, folder: Path) -> tuple[Task, Vocabulary]:
    """Survey the environment into `folder` as `prepare` does, and complete the task.

    Raises:
        BadInput: as `prepare`; or the fitness can't be understood.
    """
    vocabulary = prepare(task, config, folder)
    if task != tasks().get(task.name):
        task = _completed(task, vocabulary)
        files.write_json(folder / "task.json", task)
    programs = {"fitness": task.fitness, "success": task.success, "sparse": task.sparse, "human": task.human}
    for name, source in programs.items():
        if source is not None:
            files.write_text(folder / f"{name}.py", source)
    return task, vocabulary


def prepare(task: Task, config: RunConfig, folder: Path, beside: Sequence[str] = ()) -> Vocabulary:
    """Survey the environment into `folder`: task.json, vocabulary.json, probe.npz, training.json.

    Args:
        beside: sources of programs that are to be trained, too: one trainer has to support them all.

    Raises:
        BadInput: the environment, a hyperparameter, or the trainer can't be used.
    """
    tuned = {**find_domain(task.env_id).hyperparameters.get(config.algo, {}), **config.hyperparameters}
    require_relabelling(config, tuned)
    files.write_json(folder / "task.json", task)
    wanted = config.trainer or "population"
    training = Training(config.algo, tuned, wanted, bank=config.bank, relabel=config.relabel)
    files.write_json(folder / "training.json", training)
    if beside:
        files.write_json(folder / BESIDE, list(beside))
    vocabulary = survey(folder)
    files.write_json(folder / "training.json", with_trainer(training, config, folder))
    return vocabulary


def require_relabelling(config: RunConfig, hyperparameters: Mapping[str, object]) -> None:
    """
    Raises:
        BadInput: --relabel without transitions, or for a learner that can't begin with any.
    """
    if not config.relabel:
        return
    missing = ""
    if config.algo != "sac":
        missing = f"SAC, since {config.algo.upper()} learns from its own transitions alone: give --algo sac"
    elif not config.bank:
        missing = "--bank, which keeps the transitions: give it, too"
    elif hyperparameters.get("her"):
        missing = "whole observations, not goals of hindsight: set the hyperparameter her = false"
    if missing:
        raise BadInput(f"--relabel {config.relabel} needs {missing}, or leave --relabel out")


def with_trainer(training: Training, config: RunConfig, folder: Path) -> Training:
    """The same with the trainer that was asked for, or with the fastest that supports it, after a survey.

    Raises:
        BadInput: the trainer can't train what is asked for.
    """
    reason = files.read_json(folder / "trainer.json", Support).reason
    if config.trainer is not None and reason:
        raise BadInput(
            f"--trainer {config.trainer} can't be used: {reason}; leave it out, or give --trainer sb3"
        )
    trainer = config.trainer or ("sb3" if reason else "population")
    if config.halving > 1 and trainer != "population":
        raise BadInput(
            f"--halving {config.halving} needs the population trainer, which alone continues a training "
            f"that it stopped ({reason or f'--trainer {trainer} was given'}); leave --halving out"
        )
    return replace(training, trainer=trainer, why="" if config.trainer else reason)


def _completed(task: Task, vocabulary: Vocabulary) -> Task:
    """A described task's fitness as a program, and the same expression as its sparse reward."""
    expression = task.fitness
    try:
        fitness = episode_mean(expression, vocabulary)
    except Refused as refused:
        raise BadInput(f"--fitness {expression!r}: {refused.problems[0].message}") from refused
    return replace(task, fitness=fitness, sparse=as_reward(expression, vocabulary))
