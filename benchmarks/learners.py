"""A cohort of the population trainer as a worker has it, for benchmarks that watch it train."""

from __future__ import annotations

import resource
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eureka_loop.records import Task
    from eureka_loop.train.population.trainer import Cohort

FOREVER = 10**9  # steps


def assembled(
    task: Task,
    sources: Sequence[str],
    settings: dict[str, Any],
    stack: ExitStack,
    threads: int = 1,
    seed: int = 0,
) -> Cohort:
    """A learner of each program, with a training that doesn't end."""
    from eureka_loop.envs.registry import find_domain
    from eureka_loop.records import Job
    from eureka_loop.reward.sandbox.fork_server import ForkServer
    from eureka_loop.train.population.trainer import Cohort

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # as a worker does
    jobs = [
        Job(f"g0-{i:02d}", 100 * (seed + i), task, source, "ppo", FOREVER, settings, (1,))
        for i, source in enumerate(sources)
    ]
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    fork_server = stack.enter_context(ForkServer())
    folders = [folder / job.candidate for job in jobs]
    domain = find_domain(task.env_id)
    return Cohort(jobs, domain, fork_server, folders, lambda *_: None, stack, threads)
