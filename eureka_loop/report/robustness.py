"""`eureka robustness`: a candidate's policies under other conditions than those of training."""

from __future__ import annotations

import numpy as np
from rich.console import Group, RenderableType
from rich.text import Text

from eureka_loop import numbers, text
from eureka_loop.envs.registry import find_domain
from eureka_loop.errors import BadInput
from eureka_loop.execute.films import policies
from eureka_loop.foreign import read_job
from eureka_loop.judge.episodes import load_policy
from eureka_loop.judge.robustness import robustness
from eureka_loop.report import layout, sections
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.sandbox.status import required
from eureka_loop.store import Run

USUAL = 5  # episodes
HEADS = ("", "fitness", "lowest … highest", "difference", "success")


def page(run: Run, id: str, episodes: int | None) -> RenderableType:
    """Scores under each condition, from the seeds that the report's policies are judged with.

    Raises:
        BadInput: no policy of it is there, or too many episodes are asked for.
        Damaged: a policy isn't one.
    """
    seeds = run.judging_seeds[: USUAL if episodes is None else episodes]
    if episodes is not None and not 0 < episodes <= len(run.judging_seeds):
        raise BadInput(f"--episodes takes 1 to {len(run.judging_seeds)}, not {episodes}")
    evaluated, folders = policies(run, id)
    task = run.task()
    for folder in folders.values():
        if (folder / "job.json").exists():
            read_job(folder, task)
    acting = [load_policy(folder) for folder in folders.values()]
    with ForkServer() as fork_server, layout.waiting("playing"):
        required(fork_server, reduced=False)
        found = list(robustness(task, find_domain(task.env_id), acting, seeds, fork_server))
    rows, usual = [], found[0].fitness
    for each in found:
        means = each.fitness.mean(axis=1)
        success = "–" if each.success is None else f"{each.success.mean():.0%}"
        ends = " … ".join(numbers.column([means.min(), means.max()]))
        change = "" if each is found[0] else f"{np.mean(each.fitness - usual):+.3g}"
        rows.append((each.condition.label, numbers.number(float(means.mean())), ends, change, success))
    head = f"{text.label(id)}, {numbers.plural(len(acting), 'training')}, each policy in "
    head += f"{numbers.plural(len(seeds), 'episode')} a line; mean, and lowest and highest policy"
    warning = sections.origin(len(evaluated.elsewhere), len(evaluated.results))
    notes = [Text(warning, style="yellow")] if warning else []
    return Group(Text(head, style="bold"), *notes, Text(), layout.table(HEADS, rows))
