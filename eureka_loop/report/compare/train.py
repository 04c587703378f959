"""Trains the entries of a comparison side by side.

DIR/comparison.json     what is compared, and how; the same command continues it
DIR/<algorithm>/        a run's folder (see `eureka_loop.store`) whose candidates are the entries
   shared/              transitions of trained policies, videos
   agreement.json       the rewards' values on these transitions
   films.json           policies on video, or why there are none
   figures/             as in the reports, SVG
DIR/report.html, report.md
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import tomli_w

from eureka_loop import files
from eureka_loop.config import as_table
from eureka_loop.errors import BadInput, Refused, RewardFailure
from eureka_loop.execute import machine
from eureka_loop.execute.evaluate import Evaluation, Plan, Stage
from eureka_loop.execute.footprint import footprint
from eureka_loop.execute.local import LocalExecutor
from eureka_loop.propose.write import Gate
from eureka_loop.records import Algorithm, Training
from eureka_loop.report.compare.setup import SETUP, Setup
from eureka_loop.report.compare.transitions import relate
from eureka_loop.report.live import Live
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.sandbox.status import required
from eureka_loop.search.describe import prepare
from eureka_loop.store import Run
from eureka_loop.versions import hardware, made_by


@contextlib.contextmanager
def prepared(setup: Setup, folder: Path) -> Iterator[list[Run]]:
    """The run's folder of each algorithm, locked: all are checked before the first training.

    Raises:
        BadInput: the environment can't be used, an entry isn't a reward program for it, or a new entry can't
            be trained as the others were.
        SandboxError: the sandbox is weaker than the configuration allows.
    """
    with contextlib.ExitStack() as stack:
        runs = []
        for algorithm in setup.algorithms:
            run = Run(folder / algorithm)
            run.folder.mkdir(parents=True, exist_ok=True)
            stack.enter_context(run.lock())
            _survey(setup, algorithm, run)
            runs.append(run)
        yield runs


def _survey(setup: Setup, algorithm: Algorithm, run: Run) -> None:
    """Examine the environment, try all entries in it, choose the trainer that serves them, and record it."""
    path = run.folder.parent / SETUP
    begun = path.exists() and (run.folder / "run.toml").exists()
    if begun and {*setup.entries} <= {*files.read_json(path, Setup).entries}:
        return
    config = setup.config_of(algorithm)
    with tempfile.TemporaryDirectory(prefix="eureka-") as place, ForkServer() as fork_server:
        sandbox = required(fork_server, reduced=config.allow_reduced_sandbox)
        vocabulary = prepare(setup.task, config, Path(place), [each.source for each in setup.entries])
        probe = files.read_columns(Path(place) / "probe.npz")
        _require_sound(setup, Gate(vocabulary, probe, fork_server))
        if not begun:
            shutil.copytree(place, run.task_folder, dirs_exist_ok=True)
            about = {"made_by": {**made_by(), **hardware()}, "sandbox": sandbox.as_table()}
            files.write_text(run.folder / "run.toml", tomli_w.dumps({**as_table(config), **about}))
        needed = files.read_json(Path(place) / "training.json", Training)
    if run.training().trainer == "population" and needed.trainer != "population":
        raise BadInput(
            f"{run.folder.parent} was begun with the population trainer, which can't train all of these "
            f"({needed.why}), and trainers aren't mixed; choose another --out"
        )


def _require_sound(setup: Setup, gate: Gate) -> None:
    for each in setup.entries:
        try:
            gate.admit(each.source, hidden=True)
        except (Refused, RewardFailure) as problem:
            line = f"{problem}".splitlines()[0]
            raise BadInput(f"{each.label} can't be used for {setup.task.name!r}: {line}") from problem


def train(setup: Setup, run: Run, jobs: int, live: Live) -> None:
    """Train and judge what has no result yet, then evaluate the rewards on shared transitions.

    Args:
        jobs: trainings at once; 0: one a core.
        live: display of the run.

    Raises:
        SandboxError: the sandbox is weaker than the configuration allows.
    """
    training, candidates = run.training(), [each.candidate for each in setup.entries]
    plan = Plan(setup.task, training, setup.config.steps)
    share = machine.share(machine.look(), jobs, footprint(plan, run.vocabulary()))
    with ForkServer() as fork_server, LocalExecutor(share) as executor:
        required(fork_server, reduced=run.config.allow_reduced_sandbox)
        files.write_json(run.folder.parent / SETUP, setup)  # the folder is this comparison's from here on
        for candidate in candidates:
            run.write_candidate(candidate)
        run.listen(live)
        first, *others = [each.id for each in setup.entries]
        if any(run.events()):
            run.event("resumed")
        run.event(
            "started",
            task=f"{setup.task.name} · {training.algorithm.upper()}",
            algorithm=training.algorithm,
            trainer=training.trainer,
            why_trainer=training.why,
            steps=plan.steps,
            jobs=share.workers,
            report_seeds=setup.seeds,
            references=others,
            labels={each.id: each.label for each in setup.entries},
            then=[
                each.upper() for each in setup.algorithms[setup.algorithms.index(training.algorithm) + 1 :]
            ],
        )
        run.event("reporting", winner=first, references=others, seeds=list(setup.training_seeds))
        stage = Stage(setup.training_seeds, setup.judging_seeds, report=True)
        Evaluation(run, executor, plan, share).evaluate(candidates, stage)
        run.event("finished", winner=first)
        relate(setup, run, fork_server)
