"""Trainers: cohorts of reward programs in, trained and judged policies out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Protocol, cast

from eureka_loop.envs.domain import Domain
from eureka_loop.errors import Refused, RewardFailure
from eureka_loop.records import Job, Task, Training, references
from eureka_loop.registry import Registry
from eureka_loop.results import Failed, FailureKind, Trained, judged_episode
from eureka_loop.reward.gate import check
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.simulate.env import make_env
from eureka_loop.simulate.hindsight import stated_of
from eureka_loop.simulate.observables import ObservableRegistry
from eureka_loop.train.hyperparameters import settings, try_out

Report = Callable[[int, Mapping[str, float]], None]
"""Index of the job, and its progress: "step", "steps_per_s", and "fitness" once an episode is judged."""


class Trainer(Protocol):
    """Trains one policy per job and judges it; made without arguments, in the worker process."""

    def supports(self, training: Training, task: Task, domain: Domain, names: Sequence[str]) -> str:
        """Reason in one line why it can't train for the task with these settings; "" where it can.

        Args:
            names: observables that the reward programs may use.

        Raises:
            BadInput: the environment can't be made.
        """

    def train(
        self,
        jobs: Sequence[Job],
        domain: Domain,
        fork_server: ForkServer,
        folders: Sequence[Path],
        report: Report,
        *,
        threads: int = 1,
    ) -> list[Trained | Failed]:
        """Train and judge a cohort: jobs of one task that differ in program and seed alone.

        Leaves the files of `saved.save_policy` and TensorBoard's event files in each job's folder.
        The same cohort gives the same results on the same machine.

        Returns:
            In the order of the jobs; Failed where a program, the task's fitness or the learning failed.

        Raises:
            BadInput: hyperparameters or an environment that don't exist or can't be used.
            RunError: a folder can't be written.
        """


TRAINERS: Registry[Callable[[], Trainer]] = Registry(
    "trainer",
    "eureka_loop.trainers",
    {
        "population": "eureka_loop.train.population.trainer:PopulationTrainer",
        "sb3": "eureka_loop.train.sb3:SB3Trainer",
    },
)


def diverged(what: str, step: int) -> RewardFailure:
    """Training produced numbers that are not finite."""
    return RewardFailure("diverged", f"{what} not finite any more at step {step}")


def failed(job: Job, error: RewardFailure | Refused) -> Failed:
    """The result of a training that an error ended."""
    kind, detail = ("refused", "") if isinstance(error, Refused) else (error.kind, error.detail)
    return Failed(job.candidate, cast(FailureKind, kind), str(error), detail, job.seed)


def support(training: Training, task: Task, domain: Domain, beside: Sequence[str] = ()) -> str:
    """Reason why the training's trainer can't train all that may be written for a task; "" where it can.

    Args:
        beside: sources of programs that are compared with them, and so need the same trainer.

    Raises:
        UnknownName: no such trainer.
        BadInput: a hyperparameter that doesn't exist or can't be used, or an env that can't be made.
    """
    options = settings(training.algorithm, training.hyperparameters)
    if options.her:
        stated_of(task, domain)
    with closing(make_env(task)) as env:
        vocabulary = ObservableRegistry(env, domain).vocabulary
        try_out(training.algorithm, options, env.observation_space, env.action_space)
    names = [each.name for each in vocabulary.observables if not each.hidden]
    for source in (*(each.source for each in references(task)), *beside):
        with suppress(Refused):  # reported where the program is used
            names += check(source, vocabulary, hidden=True).parameters
    return TRAINERS.load(training.trainer)().supports(training, task, domain, names)


class ScriptedTrainer:
    """A trainer for tests that trains nothing; `fitness`: job → that of each episode, None where it fails."""

    def __init__(self, fitness: Callable[[Job], float | None] = lambda job: float(job.seed)) -> None:
        self._fitness = fitness

    def supports(self, training: Training, task: Task, domain: Domain, names: Sequence[str]) -> str:
        return "" if training.algorithm == "ppo" else f"scripted trainer: no {training.algorithm.upper()}"

    def train(
        self,
        jobs: Sequence[Job],
        domain: Domain,
        fork_server: ForkServer,
        folders: Sequence[Path],
        report: Report,
        *,
        threads: int = 1,
    ) -> list[Trained | Failed]:
        results: list[Trained | Failed] = []
        for index, job in enumerate(jobs):
            fitness = self._fitness(job)
            if fitness is None:
                results.append(failed(job, RewardFailure("diverged", "scripted")))
                continue
            report(index, {"step": float(job.steps), "steps_per_s": 1.0, "fitness": fitness})
            episodes = tuple(judged_episode(seed, fitness, None, 1) for seed in job.judge_seeds)
            results.append(Trained(job.candidate, job.seed, job.steps, episodes, (), {}, 0.0))
        return results
