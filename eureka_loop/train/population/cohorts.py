"""Many jobs at once: as many independent learners, trained by one stacked PPO, and judged.

What comes out, and what is left in each job's folder, has the form of `trainer.train`. The numbers are not
the same, since noise and permutations come from other generators; the algorithm is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from eureka_loop.envs.domain import Domain
from eureka_loop.errors import Refused, RewardFailure
from eureka_loop.judge.base import TaskJudge
from eureka_loop.judge.programs import start
from eureka_loop.records import Job
from eureka_loop.results import Failed, Trained
from eureka_loop.reward.gate import check
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.train.hyperparameters import settings
from eureka_loop.train.population.cohort import Cohort, Report
from eureka_loop.train.population.layout import CPU
from eureka_loop.train.population.member import Member
from eureka_loop.train.population.models import Spaces, fresh
from eureka_loop.train.trainer import failed, vocabulary_of


def train_cohort(
    jobs: Sequence[Job],
    domain: Domain,
    fork_server: ForkServer,
    folders: Sequence[Path],
    report: Report,
    *,
    threads: int = 1,
) -> list[Trained | Failed]:
    """Train and judge all; leaves policy.zip, vecnormalize.pkl and TensorBoard's events in each job's folder.

    Where a job ends before its training does, what going on takes is there, too: a job that goes on ends as
    one that was never broken off, bit for bit.

    A job's result depends neither on the others nor on the number of threads, bit for bit, on a given CPU,
    but for its `seconds`: they are the whole cohort's. On a GPU it does to rounding, since its products are
    cut up by how many there are.

    Args:
        jobs: of one task, for PPO, alike in hyperparameters, steps and the number of judged seeds; all begin,
            or all go on from the same step. `serves` has nothing against the task,
            `models.trains` nothing against the hyperparameters.
        report: told of one job at a time, at the end of rollouts, at most twice a second; by any thread.
        threads: each trains a share of the jobs; where a GPU learns, they step all envs together instead.

    Returns:
        In the order of the jobs; Failed, where a program, the task's fitness or the learning itself failed.

    Raises:
        BadInput: hyperparameters or an env that don't exist or that can't be had here.
        RunError: a folder can't be written.
    """
    with ExitStack() as stack:
        assembly = assemble(jobs, domain, fork_server, folders, stack, threads=threads)
        results: dict[int, Trained | Failed] = dict(assembly.failures)
        for places, found in zip(assembly.places, _side_by_side(assembly, report), strict=True):
            results |= dict(zip(places, found, strict=True))
        return [results[place] for place in range(len(jobs))]


@dataclass(frozen=True, slots=True)
class Assembly:
    """Jobs ready to be trained.

    Attributes:
        threads: how many cohorts are trained side by side.
        cohorts: the jobs' shares.
        places: of the members of each cohort among the jobs.
        failures: of the others, by place: those that can't begin.
    """

    threads: int
    cohorts: Sequence[Cohort]
    places: Sequence[Sequence[int]]
    failures: Mapping[int, Failed]


def assemble(
    jobs: Sequence[Job],
    domain: Domain,
    fork_server: ForkServer,
    folders: Sequence[Path],
    stack: ExitStack,
    *,
    threads: int = 1,
) -> Assembly:
    """What `train_cohort` trains; closed with the stack."""
    torch.set_num_threads(1)
    options = settings("ppo", jobs[0].hyperparameters)
    task, vocabulary = jobs[0].task, vocabulary_of(jobs[0].task, domain)
    try:
        judge = stack.enter_context(TaskJudge(fork_server, task, vocabulary))
    except (RewardFailure, Refused) as error:
        return Assembly(1, (), (), {place: failed(job, error) for place, job in enumerate(jobs)})
    spaces = Spaces(task, options.n_envs)
    members: dict[int, Member] = {}
    failures: dict[int, Failed] = {}
    for place, (job, folder) in enumerate(zip(jobs, folders, strict=True)):
        model, normalization = fresh(job, options, spaces)
        try:
            program = check(job.source, vocabulary, hidden=True)  # references may use hidden names
            process = start(fork_server, program, vocabulary, rows=model.n_steps * model.n_envs)
        except (RewardFailure, Refused) as error:
            failures[place] = failed(job, error)
            continue
        stack.enter_context(process)
        members[place] = Member(job, model, normalization, process, judge.programs, folder)
        stack.callback(members[place].close)
    shares, stepping = (threads, 1) if options.device == CPU else (1, threads)
    places = [share.tolist() for share in np.array_split(list(members), shares) if len(share)]
    cohorts = [
        Cohort([members[place] for place in share], options, domain, judge, threads=stepping)
        for share in places
    ]
    for cohort, share in zip(cohorts, places, strict=True):
        stack.callback(cohort.close)
        if jobs[0].after:
            cohort.restore([folders[place] / jobs[place].after for place in share])
    return Assembly(shares, cohorts, places, failures)


def _side_by_side(assembly: Assembly, report: Report) -> list[list[Trained | Failed]]:
    """Every cohort; as many at a time as there are threads."""

    def run(cohort: Cohort, places: Sequence[int]) -> list[Trained | Failed]:
        torch.set_num_threads(1)  # holds for a thread
        return cohort.run(lambda place, line: report(places[place], line))

    if min(len(assembly.cohorts), assembly.threads) < 2:
        return list(map(run, assembly.cohorts, assembly.places))
    with ThreadPoolExecutor(assembly.threads) as executor:
        return list(executor.map(run, assembly.cohorts, assembly.places))
