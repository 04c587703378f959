"""The user's task → a task with programs, the vocabulary of its environment, and the trainer of a run.

Programs of the user are read here and tried before anything is trained.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from eureka_loop import files
from eureka_loop.config import RunConfig, slug
from eureka_loop.envs.registry import SCENE, find_domain, find_task, full_id, given_id, tasks
from eureka_loop.errors import BadInput, Refused, RewardFailure, UnknownName
from eureka_loop.execute.local import BESIDE, survey
from eureka_loop.propose.write import Gate
from eureka_loop.records import ID, Task, Training
from eureka_loop.reward.vocabulary import Vocabulary
from eureka_loop.search.task_measure import measured

SCENE_FILES = (".xml", ".mjb")


def task_of(config: RunConfig, *, drafts: bool = False) -> Task:
    """The task that a configuration names or describes; its fitness may still be an expression, or lacking.

    Args:
        drafts: whether a fitness that isn't given is going to be drafted.

    Raises:
        BadInput: no task, or a description without --env or --fitness.
        UnknownName: a name that is not in the catalogue.
    """
    text = config.task.strip()
    if not text:
        raise BadInput(
            'say what is wanted: `eureka run halfcheetah-run`, or `eureka run "walk back" --env …`'
        )
    given = {
        "--env (a Gymnasium id)": config.env,
        "--fitness (what counts: an observable, an expression, or FILE.py)": config.fitness,
    }
    missing = [flag for flag, value in given.items() if value is None]
    arguments = {key: _found(value) for key, value in config.env_kwargs.items()}
    if len(missing) == 2 and ID.fullmatch(text):
        task = find_task(text)
        return replace(task, env_kwargs={**task.env_kwargs, **arguments})
    if text in tasks():
        raise BadInput(
            f"{text!r} is in the catalogue, with env and fitness: leave those out, on the command line and "
            "in a --config file, or describe the task in other words"
        )
    if missing and not (drafts and config.env is not None):
        missing = missing[:1] if drafts else missing
        needs = " and ".join(missing)
        raise BadInput(
            f"a task in your own words needs {needs}; `eureka tasks` lists those that need neither"
        )
    env_id, fitness = full_id(config.env or ""), config.fitness or ""
    if env_id.endswith(SCENE_FILES):
        env_id, arguments = SCENE, {"xml_file": _found(env_id), **arguments}
    return Task(name=slug(text), env_id=env_id, text=text, fitness=fitness, env_kwargs=arguments)


def _found(value: Any) -> Any:
    """An argument of an environment; of a file that is there, its whole path: workers may be elsewhere."""
    path = Path(value) if isinstance(value, str) and Path(value).suffix else None
    return str(path.resolve()) if path is not None and path.is_file() else value


def of_its_own(config: RunConfig, base: RunConfig) -> RunConfig:
    """The configuration without a file's env, its arguments and its fitness, where another task is named."""
    if config.fitness != base.fitness:
        config = replace(config, drafted=None)
    if config.task == base.task or config.task.strip() not in tasks():
        return config
    return replace(
        config,
        env=None if config.env == base.env else config.env,
        fitness=None if config.fitness == base.fitness else config.fitness,
        env_kwargs={},
    )


def look(task: Task, config: RunConfig, folder: Path) -> tuple[Task, Vocabulary]:
    """Survey the environment into `folder` as `prepare` does, and complete the task: fitness → programs.

    Raises:
        BadInput: as `prepare`; or the fitness can't be understood.
    """
    vocabulary = prepare(task, config, folder)
    if config.fitness is None:
        return task, vocabulary
    try:
        return measured(task, task.fitness, vocabulary), vocabulary
    except UnknownName as unknown:
        raise BadInput(f"{unknown}; `eureka look --env {given_id(task)}` lists all names") from unknown


def keep_task(folder: Path, task: Task) -> None:
    """Write a complete task, and its programs as files to read."""
    files.write_json(folder / "task.json", task)
    for name in ("fitness", "success", "progress", "sparse", "human", "original"):
        if (source := getattr(task, name)) is not None:
            files.write_text(folder / f"{name}.py", source)


def prepare(task: Task, config: RunConfig, folder: Path, beside: Sequence[str] = ()) -> Vocabulary:
    """Survey the environment into `folder`: task.json, vocabulary.json, probe.npz, training.json.

    Args:
        beside: sources of programs that are to be trained, too: one trainer has to support them all.

    Raises:
        BadInput: the environment, a hyperparameter, or the trainer can't be used.
    """
    own = find_domain(task.env_id).settings(config.algo, config.settings)
    hyperparameters = {**own, **config.hyperparameters}
    require_relabelling(config, hyperparameters)
    files.write_json(folder / "task.json", task)
    wanted = config.trainer or "population"
    training = Training(config.algo, hyperparameters, wanted, bank=config.bank, relabel=config.relabel)
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
    missing = ""
    if config.algo != "sac":
        missing = f"SAC, since {config.algo.upper()} learns from its own transitions alone: give --algo sac"
    elif not config.bank:
        missing = "--bank, which keeps the transitions: give it, too"
    elif hyperparameters.get("her"):
        missing = "whole observations, not goals of hindsight: set the hyperparameter her = false"
    if config.relabel and missing:
        raise BadInput(f"--relabel {config.relabel} needs {missing}, or leave --relabel out")


def with_trainer(training: Training, config: RunConfig, folder: Path) -> Training:
    """The same with the trainer that is wanted, or with the fastest that supports it, after a survey.

    Raises:
        BadInput: the trainer can't train that.
    """
    reason = files.read_json(folder / "trainer.json", str)
    if config.trainer is not None and reason:
        raise BadInput(
            f"--trainer {config.trainer} can't be used: {reason}; leave it out, or give --trainer sb3"
        )
    trainer = config.trainer or ("sb3" if reason else "population")
    return replace(training, trainer=trainer, why="" if config.trainer else reason)


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
