"""The user's words → a task, with the vocabulary that its environment offers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from eureka_loop import files
from eureka_loop.config import RunConfig
from eureka_loop.envs.registry import find_domain, find_task, tasks
from eureka_loop.errors import BadInput, Refused
from eureka_loop.execute.requests import BESIDE, survey
from eureka_loop.records import Serving, Task, Training
from eureka_loop.reward.expression import as_reward, episode_mean
from eureka_loop.reward.vocabulary import Vocabulary
from eureka_loop.run_folder import slug


def task_of(config: RunConfig) -> Task:
    """The task that a configuration names, or describes; its fitness may still be an expression.

    Raises:
        BadInput: nothing described, or a description without --env or --fitness.
        UnknownName: a name that is not in the catalogue.
    """
    words = config.task.strip()
    if not words:
        raise BadInput(
            'say what is wanted: `eureka run halfcheetah-run`, or `eureka run "walk back" --env …`'
        )
    if config.env is None and config.fitness is None:
        if " " in words:
            raise BadInput(
                "a task in your own words needs --env (a Gymnasium id) and --fitness (what counts, as an "
                "observable or an expression); `eureka tasks` lists those that need neither"
            )
        return find_task(words)
    if words in tasks():
        raise BadInput(
            f"{words!r} is in the catalogue, with env and fitness: leave those out, on the command line and "
            "in a --config file, or describe the task in other words"
        )
    if config.env is None or config.fitness is None:
        missing = "--env" if config.env is None else "--fitness"
        raise BadInput(f"a task in your own words needs {missing}, too")
    return Task(name=slug(words), env_id=config.env, text=words, fitness=config.fitness)


def of_its_own(config: RunConfig, base: RunConfig) -> RunConfig:
    """The configuration; a catalogue's task over a file's other one doesn't take over env and fitness."""
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
    """Survey the environment into `folder`: task.json, vocabulary.json, probe.npz.

    How policies will be trained is checked, and written beside it (training.json): the same for all the run.

    Args:
        beside: sources of programs that are to be trained, too: the trainer has to serve them all.

    Raises:
        BadInput: the environment can't be used, or a hyperparameter doesn't exist.
    """
    tuned = hyperparameters(task, config)
    require_relabelling(config, tuned)
    files.write_json(folder / "task.json", task)
    training = Training(config.algo, tuned, bank=config.bank, relabel=config.relabel)
    files.write_json(folder / "training.json", training)
    if beside:
        files.write_json(folder / BESIDE, list(beside))
    vocabulary = survey(folder)
    training = with_trainer(training, config, folder)
    files.write_json(folder / "training.json", training)
    return vocabulary


def require_relabelling(config: RunConfig, hyperparameters: Mapping[str, object]) -> None:
    """
    Raises:
        BadInput: --relabel without transitions, or for a learner that can't begin with any.
    """
    if not config.relabel:
        return
    lacking = ""
    if config.algo != "sac":
        lacking = f"SAC, since {config.algo.upper()} learns from its own transitions alone: give --algo sac"
    elif not config.bank:
        lacking = "--bank, which keeps the transitions: give it, too"
    elif hyperparameters.get("her"):
        lacking = "whole observations, not goals of hindsight: set the hyperparameter her = false"
    if lacking:
        raise BadInput(f"--relabel {config.relabel} needs {lacking}, or leave --relabel out")


def with_trainer(training: Training, config: RunConfig, folder: Path) -> Training:
    """The same by the trainer that was asked for, or by the fastest that can, after a survey.

    Raises:
        BadInput: the population trainer was asked for, and lacks something.
    """
    found = files.read_json(folder / "trainer.json", Serving)
    lacking = found.lacking
    if config.trainer == "population" and lacking:
        raise BadInput(f"--trainer population can't be had: {lacking}; leave it out, or give --trainer sb3")
    if config.halving > 1 and (config.trainer == "sb3" or lacking):
        raise BadInput(
            f"--halving {config.halving} needs the population trainer, which alone goes on with a training "
            f"that it stopped ({lacking or '--trainer sb3 was given'}); leave --halving out"
        )
    if config.trainer == "sb3" or lacking:
        return replace(training, trainer="sb3", why="" if config.trainer else lacking)
    return replace(training, trainer="population")


def _completed(task: Task, vocabulary: Vocabulary) -> Task:
    """A described task's fitness as a program, and the same expression as its sparse reward."""
    expression = task.fitness
    try:
        fitness = episode_mean(expression, vocabulary)
    except Refused as refused:
        raise BadInput(f"--fitness {expression!r}: {refused.problems[0].message}") from refused
    return replace(task, fitness=fitness, sparse=as_reward(expression, vocabulary))


def hyperparameters(task: Task, config: RunConfig) -> dict[str, object]:
    """The domain's for the algorithm, with the configuration's overrides."""
    tuned = find_domain(task.env_id).hyperparameters.get(config.algo, {})
    return {**tuned, **config.hyperparameters}
