"""Trains the entries of a comparison side by side, then evaluates all on the same transitions.

DIR/comparison.json     what is compared, and how; the same command continues it
DIR/<algorithm>/        a run's folder (see `eureka_loop.store`) whose candidates are the entries
   shared/              transitions of trained policies, the rewards' agreement on them, videos
   figures/             as in the reports, SVG
DIR/report.html, report.md
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from eureka_loop import files
from eureka_loop.config import as_table
from eureka_loop.config import write as write_config
from eureka_loop.errors import BadInput, Refused, RewardFailure
from eureka_loop.execute.evaluate import Stage
from eureka_loop.execute.local import TRANSITIONS, filmed, record
from eureka_loop.foreign import require_begun_for
from eureka_loop.judge.agreement import Agreement, agreement
from eureka_loop.propose.write import Gate
from eureka_loop.records import POLICY, Algorithm, Rollout, Training, rows_of_call
from eureka_loop.report.compare.setup import SETUP, Setup
from eureka_loop.report.live import Live
from eureka_loop.results import Trained
from eureka_loop.reward.contract import Program
from eureka_loop.reward.gate import check
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.sandbox.process import Terms
from eureka_loop.reward.sandbox.status import required
from eureka_loop.search.assemble import assembled
from eureka_loop.search.describe import prepare
from eureka_loop.store import Run
from eureka_loop.versions import made_by

SHARED = "shared"


@dataclass(frozen=True, slots=True)
class Shared:
    """The contents of shared/shared.json.

    Attributes:
        agreements: of the first reward with each other one whose program, like its own, has not failed.
        films: labels of the policies on video: shared/film-0.mp4 is the first one's, and so on.
        why_no_films: in a line; "" where there are some.
    """

    agreements: tuple[Agreement, ...] = ()
    films: tuple[str, ...] = ()
    why_no_films: str = "none were made"

    @classmethod
    def of(cls, run: Run) -> Shared:
        """As recorded; empty before that."""
        path = run.folder / SHARED / "shared.json"
        return files.read_json(path, Shared) if path.exists() else cls()


@contextlib.contextmanager
def prepared(setup: Setup, folder: Path) -> Iterator[list[Run]]:
    """The run's folder of each algorithm, locked: all are checked before anything is written.

    Raises:
        BadInput: the environment can't be used, an entry isn't a reward program for it, or a new entry can't
            be trained as the others were.
        SandboxError: the sandbox is weaker than the configuration allows.
    """
    runs = [Run(folder / algorithm) for algorithm in setup.algorithms]
    with contextlib.ExitStack() as stack, tempfile.TemporaryDirectory(prefix="eureka-") as place:
        records = [
            _examined(setup, algorithm, run, Path(place) / algorithm)
            for algorithm, run in zip(setup.algorithms, runs, strict=True)
        ]
        for run, record in zip(runs, records, strict=True):
            run.folder.mkdir(parents=True, exist_ok=True)
            stack.enter_context(run.lock())
            if record:
                shutil.copytree(Path(place) / run.folder.name, run.task_folder, dirs_exist_ok=True)
                write_config(run.folder / "run.toml", record)
        yield runs


def _examined(setup: Setup, algorithm: Algorithm, run: Run, place: Path) -> dict[str, Any]:
    """Survey the environment into `place`, try all entries in it, choose the trainer that serves them.

    Returns:
        The run.toml of trainings that haven't begun; {} else.
    """
    recorded, begun = run.folder.parent / SETUP, (run.folder / "run.toml").exists()
    if begun:
        require_begun_for(run, setup.task, setup.config.steps)
    if begun and recorded.exists() and {*setup.entries} <= {*files.read_json(recorded, Setup).entries}:
        return {}
    config = setup.config_of(algorithm)
    with ForkServer() as fork_server:
        sandbox = required(fork_server, reduced=config.allow_reduced_sandbox)
        vocabulary = prepare(setup.task, config, place, [each.source for each in setup.entries])
        rows = rows_of_call(files.read_json(place / "training.json", Training))
        gate = Gate(vocabulary, files.read_columns(place / "probe.npz"), fork_server, rows)
        for each in setup.entries:
            try:
                gate.admit(each.source, hidden=True)
            except (Refused, RewardFailure) as problem:
                line = f"{problem}".splitlines()[0]
                raise BadInput(f"{each.label} can't be used for {setup.task.name!r}: {line}") from problem
    if not begun:
        about = {"made_by": made_by(), "sandbox": sandbox.as_table()}
        return {**as_table(config), **about}
    needed = files.read_json(place / "training.json", Training)
    if run.training().trainer == "population" and needed.trainer != "population":
        raise BadInput(
            f"{run.folder.parent} was begun with the population trainer, which can't train all of these "
            f"({needed.why}), and trainers aren't mixed; choose another --out"
        )
    return {}


def train(setup: Setup, run: Run, jobs: int, live: Live) -> None:
    """Train and judge what has no result yet, then evaluate the rewards on shared transitions.

    Args:
        jobs: trainings at once; 0: one a core.
        live: display of the run.

    Raises:
        SandboxError: the sandbox is weaker than the configuration allows.
    """
    training, candidates = run.training(), [each.candidate for each in setup.entries]
    first, *others = [each.id for each in candidates]
    later = setup.algorithms[setup.algorithms.index(training.algorithm) + 1 :]
    with assembled(run, jobs) as search:
        files.write_json(run.folder.parent / SETUP, setup)  # the folder is this comparison's from here on
        for candidate in candidates:
            run.write_candidate(candidate)
        run.listen(live)
        if any(run.events()):
            run.event("resumed")
        run.event(
            "started",
            task=f"{setup.task.name} · {training.algorithm.upper()}",
            algorithm=training.algorithm,
            trainer=training.trainer,
            why_trainer=training.why,
            steps=setup.config.steps,
            jobs=search.share.workers,
            learners=search.share.learners,
            report_seeds=setup.seeds,
            references=others,
            labels={each.id: each.label for each in setup.entries},
            then=[each.upper() for each in later],
        )
        run.event("reporting", winner=first, references=others, seeds=list(setup.training_seeds))
        stage = Stage(setup.training_seeds, setup.judging_seeds, report=True)
        asyncio.run(search.evaluation.judge_floors())
        asyncio.run(search.evaluation.train_all(candidates, stage))
        run.event("finished", winner=first)
        relate(setup, run)


def relate(setup: Setup, run: Run) -> None:
    """Evaluate all rewards on the same transitions, each in its locked process; have the policies filmed.

    What was recorded for the same policies is kept; a video that could not be made is tried again.
    """
    vocabulary, shared = run.vocabulary(), run.folder / SHARED
    programs = {each.id: check(each.source, vocabulary, hidden=True) for each in setup.entries}
    parameters = {name for program in programs.values() for name in program.parameters}
    policies = {each.label: path for each in setup.entries if (path := _policy(setup, run, each.id))}
    folders = tuple(str(path.resolve()) for path in policies.values())
    names = tuple(sorted({*parameters, "time"}))
    rollout = Rollout(run.task(), folders, setup.judging_seeds[0], names)
    new = not policies or record(rollout, shared)
    for path in shared.glob("film-*") if new else ():
        path.unlink()
    films = {shared / f"film-{n}.mp4": (folder, rollout.seed) for n, folder in enumerate(policies.values())}
    why = filmed(films) if films else "no policy was trained here"
    labels = tuple(policies)
    found = _agreements(run, programs, labels)
    files.write_json(shared / "shared.json", Shared(found, () if why else labels, why))


def _agreements(run: Run, programs: Mapping[str, Program], labels: Sequence[str]) -> tuple[Agreement, ...]:
    """Of the first program with each other one, on random actions and an episode of each policy."""
    vocabulary, rows = run.vocabulary(), run.probe()
    source = np.zeros(len(rows["time"]))
    if labels:
        episodes = files.read_columns(run.folder / SHARED / TRANSITIONS)
        source = np.concatenate([source, 1 + episodes.pop("policy")])
        rows = {name: np.concatenate([rows[name], column]) for name, column in episodes.items()}
    terms: dict[str, Terms] = {}
    with ForkServer() as fork_server:
        for id, program in programs.items():
            shapes = vocabulary.shapes(program.parameters, hidden=True)
            with (
                contextlib.suppress(RewardFailure),  # its failed trainings show it
                fork_server.start(program, shapes, rows=len(source)) as process,
            ):
                terms[id] = process.evaluate({name: rows[name] for name in program.parameters})
    first, *others = programs
    sources = ["random actions", *(f"policy of {label}" for label in labels)]
    return tuple(
        agreement(other, terms[first], terms[other], source, sources)
        for other in others
        if terms.keys() >= {first, other}
    )


def _policy(setup: Setup, run: Run, id: str) -> Path | None:
    """Folder of the first finished training of an entry."""
    for seed in setup.training_seeds:
        folder = run.job_folder(id, seed)
        if isinstance(run.result(id, seed), Trained) and (folder / POLICY).exists():
            return folder
    return None
