"""Where one algorithm's trainings of a comparison take place: surveyed, with one trainer for all of them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import tomli_w

from eureka_loop import files
from eureka_loop.config import RunConfig, as_table
from eureka_loop.errors import BadInput, Refused
from eureka_loop.execute.survey import BESIDE
from eureka_loop.records import Algorithm, Training
from eureka_loop.references import references
from eureka_loop.report.compare.contenders import Contender, readable
from eureka_loop.report.compare.contest import SETUP, Draft
from eureka_loop.reward.gate import check
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.sandbox.status import required
from eureka_loop.reward.vocabulary import Vocabulary
from eureka_loop.search.describe import prepare
from eureka_loop.store import Run
from eureka_loop.versions import hardware, made_by


def arena(draft: Draft, folder: Path, algorithm: Algorithm) -> Run:
    """The run's folder in which one algorithm's trainings are kept, surveyed and locked for this process.

    Raises:
        BadInput: the environment can't be used, a contender isn't a reward program for it, or one that comes
            later can't be trained as the others were.
        SandboxError: the sandbox is weaker than the configuration allows.
    """
    config = config_of(draft.config, algorithm)
    run = Run(folder / algorithm)
    run.folder.mkdir(parents=True, exist_ok=True)
    run.lock()
    try:
        if (run.folder / "run.toml").exists() and (folder / SETUP).exists():
            readable(draft.contest.contenders, draft.task, run.vocabulary())
            _take_in(draft, config, run)
        else:
            _lay_out(draft, config, run)
    except BaseException:
        run.close()
        raise
    return run


def config_of(config: RunConfig, algorithm: Algorithm) -> RunConfig:
    """How one algorithm's trainings are made: all to the end, from scratch, by whichever trainer serves.

    What was chosen for another algorithm says nothing about this one: its hyperparameters are the domain's.
    """
    plain = replace(config, algo=algorithm, halving=1, steady=False, bank=False, relabel=0)
    if algorithm != config.algo:
        return replace(plain, hyperparameters={}, trainer=None)
    return replace(plain, trainer="sb3" if config.trainer == "sb3" else None)


def _lay_out(draft: Draft, config: RunConfig, run: Run) -> None:
    """Survey, and keep how it is done."""
    vocabulary = _survey(draft, config, run)
    with ForkServer() as fork_server:
        standing = required(fork_server, reduced=config.allow_reduced_sandbox)
    readable(draft.contest.contenders, draft.task, vocabulary)
    records = {"made_by": {**made_by(), **hardware()}, "sandbox": standing.as_table()}
    files.write_text(run.folder / "run.toml", tomli_w.dumps({**as_table(config), **records}))


def _survey(draft: Draft, config: RunConfig, run: Run) -> Vocabulary:
    """As the run whose winner is compared was surveyed, where it would come out the same; else afresh."""
    origin = draft.run
    if origin is not None and origin.training().algorithm == config.algo:
        readable(draft.contest.contenders, draft.task, origin.vocabulary())
        if not _beyond(draft.contest.contenders, origin):
            shutil.copytree(origin.task_folder, run.task_folder, dirs_exist_ok=True)
            return run.vocabulary()
    return prepare(draft.task, config, run.task_folder, [each.source for each in draft.contest.contenders])


def _take_in(draft: Draft, config: RunConfig, run: Run) -> None:
    """Contenders that are new in a comparison.

    Raises:
        BadInput: one can't be trained by the trainer of the others.
    """
    contenders = draft.contest.contenders
    if run.training().trainer != "population" or not _beyond(contenders, run):
        return
    with tempfile.TemporaryDirectory(prefix="eureka-") as place:
        prepare(draft.task, config, Path(place), [each.source for each in contenders])
        found = files.read_json(Path(place) / "training.json", Training)
    if found.trainer != "population":
        raise BadInput(
            f"{run.folder.parent} was begun with the population trainer, which can't train all of these "
            f"({found.why}), and trainers aren't mixed; choose another --out"
        )


def _beyond(contenders: Iterable[Contender], run: Run) -> bool:
    """Whether a contender asks for hidden names that a run's survey didn't look into."""
    vocabulary, beside = run.vocabulary(), run.task_folder / BESIDE
    known = [each.source for each in references(run.task())]
    known += files.read_json(beside, list[str]) if beside.exists() else []
    seen = {name for source in known for name in _hidden(source, vocabulary)}
    return any(name not in seen for each in contenders for name in _hidden(each.source, vocabulary))


def _hidden(source: str, vocabulary: Vocabulary) -> Iterator[str]:
    """The hidden names among a program's parameters: not every simulator has them."""
    try:
        parameters = check(source, vocabulary, hidden=True).parameters
    except Refused:
        return  # told where the program is used
    found = (vocabulary.resolve(name, hidden=True) for name in parameters)
    yield from (each.name for each in found if each.hidden)
