"""`eureka fitness`: score a measure on recorded episodes; nothing is trained."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import tyro

from eureka_loop import files
from eureka_loop.config import RunConfig
from eureka_loop.errors import BadInput
from eureka_loop.options import optional, parse, take_env_arguments


@dataclass(frozen=True)
class FitnessOptions:
    """Score a fitness on recorded episodes: standing still, random actions, policies of runs."""

    measure: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="TRY")] = tyro.MISSING
    """An expression over observables, or a file with `def fitness(...)`."""
    env: Annotated[str | None, optional("ID")] = None
    """Gymnasium id of the environment; --env-arg K=V gives it an argument."""
    task: Annotated[str | None, optional("NAME")] = None
    """A task of the catalogue, in place of --env; its own fitness stands beside."""
    use: Annotated[Path | None, tyro.conf.arg(name="with", metavar="RUN", help_behavior_hint="")] = None
    """A run whose policies play, too. Default: all runs in --out that you made in that environment."""
    out: Path = Path("runs")
    """Where run folders are."""
    allow_reduced_sandbox: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Run programs even where the sandbox is weaker than `strict`."""


def fitness(arguments: list[str]) -> int:
    """Show the scores of each episode."""
    # "-forward_velocity" is no option
    negative = [each for each in arguments if re.match(r"-[^-]", each) and each != "-h"]
    default = FitnessOptions(negative[0]) if negative else tyro.MISSING_NONPROP
    arguments, env_kwargs = take_env_arguments(arguments)
    words = [each for each in arguments if each not in negative[:1]]
    options = parse(FitnessOptions, "fitness", words, default)
    from eureka_loop.envs.registry import find_task
    from eureka_loop.execute.local import survey
    from eureka_loop.foreign import require_known_env
    from eureka_loop.report.draft import page
    from eureka_loop.report.layout import LOOKING, show, waiting
    from eureka_loop.reward.sandbox.fork_server import ForkServer
    from eureka_loop.reward.sandbox.status import required
    from eureka_loop.search.describe import task_of
    from eureka_loop.search.recorded_episodes import agreement, record, runs_in, same_env, score
    from eureka_loop.search.task_measure import measured, try_fitness, with_text
    from eureka_loop.store import Run

    if (options.env is None) == (options.task is None):
        raise BadInput("say in which environment: --env ID, or --task NAME of the catalogue")
    text = with_text(RunConfig(fitness=options.measure)).fitness or ""
    known = find_task(options.task) if options.task else None
    own_words = {"task": "try", "env": options.env, "fitness": "0"}
    asked = {"task": options.task} if options.task else own_words
    task = task_of(RunConfig(**asked, env_kwargs=env_kwargs))
    with ForkServer() as fork_server, tempfile.TemporaryDirectory(prefix="eureka-") as made:
        required(fork_server, reduced=options.allow_reduced_sandbox)
        folder = Path(made)
        with waiting(LOOKING):
            files.write_json(folder / "task.json", task)
            vocabulary = survey(folder)
        tried = measured(replace(task, success=None, progress=None, judges=()), text, vocabulary)
        try_fitness(tried, text, vocabulary, files.read_columns(folder / "probe.npz"), fork_server)
        runs = runs_in(options.out, task)
        if options.use:
            runs = [Run.open(options.use)]
            require_known_env(runs[0])
            if not same_env(runs[0].task(), task):
                raise BadInput(f"{options.use} is in another environment, {runs[0].task().env_id}")
        with waiting("recording episodes"):
            episodes = record(task, folder, runs)
        scores = score(tried, vocabulary, fork_server, episodes)
        own = score(replace(known, judges=()), vocabulary, fork_server, episodes) if known else []
    tau = agreement(scores, own) if own else None
    show(page(episodes, scores, vocabulary.dt, own=own, tau=tau))
    return 0
