"""Generated against hand-written: trained from scratch side by side, on seeds that no search has seen.

DIR/comparison.json     what is compared, and how; the same call again goes on
DIR/<algorithm>/        a run's folder (see `eureka_loop.store`) whose candidates are the contenders
   shared/              transitions of trained policies
   agreement.json       the rewards' values on them
   films.json           whose episodes could be drawn, or why none
DIR/report.html, report.md
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from eureka_loop import files
from eureka_loop.errors import BadInput, Refused, RewardFailure
from eureka_loop.execute import machine
from eureka_loop.execute.budget import Deadline, time_worked
from eureka_loop.execute.evaluate import Evaluation, Plan
from eureka_loop.execute.footprint import footprint
from eureka_loop.execute.local import LocalEngine
from eureka_loop.propose.write import Gate
from eureka_loop.records import Algorithm
from eureka_loop.report.compare.contenders import Contender
from eureka_loop.report.compare.contest import (
    SETUP,
    Contest,
    Draft,
    require_same,
    require_unseen,
)
from eureka_loop.report.compare.relating import relate
from eureka_loop.results import stands
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.sandbox.status import required
from eureka_loop.run_folder import Event
from eureka_loop.store import Run


def begin(draft: Draft, folder: Path) -> Contest:
    """The contest, with what the folder knows of it from before; nothing is written yet.

    Raises:
        BadInput: it holds another comparison, or a search has seen the seeds.
    """
    contest = draft.contest
    for run in draft.searched:
        require_unseen(contest, run)
    path = folder / SETUP
    if path.exists():
        before = files.read_json(path, Contest)
        require_same(before, contest, folder)
        contest = replace(contest, looks=before.looks)
    return contest


class Onlooker(Protocol):
    """Who is told what happens: `report.live.Live`."""

    def __call__(self, event: Event) -> None:
        """Take one event."""
        ...

    def remember(self, events: Iterable[Event]) -> None:
        """Take what happened before."""
        ...


def train(contest: Contest, run: Run, jobs: int, look_on: Onlooker) -> None:
    """Train and judge what isn't yet, then relate the rewards; what is on disk is not done again.

    Args:
        jobs: trainings at once; 0: one a core.
        look_on: told everything that happens, and what had happened before.

    Raises:
        BadInput: a contender fails on recorded transitions.
        SandboxError: the sandbox is weaker than the configuration allows.
    """
    plan = Plan(run.task(), run.training(), contest.steps)
    deadline = Deadline(None, time_worked(run.events()))
    share = machine.share(machine.look(), jobs, footprint(plan, run.vocabulary()))
    with ForkServer() as fork_server, LocalEngine(share) as engine:
        required(fork_server, reduced=run.config.allow_reduced_sandbox)
        _require_sound(contest.contenders, Gate(run.vocabulary(), run.probe(), fork_server))
        files.write_json(run.folder.parent / SETUP, contest)  # from here on it is this question's folder
        for contender in contest.contenders:
            run.write_candidate(contender.candidate)
        _announce(contest, run, share.workers, look_on)
        candidates = [each.candidate for each in contest.contenders]
        evaluation = Evaluation(run, engine, plan, deadline)
        evaluation.evaluate(candidates, contest.training_seeds, contest.judging_seeds, report=True)
        run.event("finished", winner=contest.contenders[0].id)
        relate(contest, run, fork_server)


def looked(contest: Contest, folder: Path) -> Contest:
    """The contest with its looks, this one included, once a report is written."""
    seen = replace(contest, looks=tuple(dict.fromkeys((*contest.looks, contest.seeds))))
    files.write_json(folder / SETUP, seen)
    return seen


def _announce(contest: Contest, run: Run, jobs: int, look_on: Onlooker) -> None:
    """What is going to happen, then what of it an earlier life has done."""
    before, training = list(run.events()), run.training()
    first, *others = [each.id for each in contest.contenders]
    if before:
        run.event("resumed")
    run.listen(look_on)
    run.event(
        "started",
        task=f"{contest.task} · {training.algorithm.upper()}",
        algorithm=training.algorithm,
        trainer=training.trainer,
        why_trainer=training.why,
        steps=contest.steps,
        jobs=jobs,
        report_seeds=contest.seeds,
        references=others,
        labels={each.id: each.label for each in contest.contenders},
        then=[each.upper() for each in _following(contest, training.algorithm)],
    )
    run.event("reporting", winner=first, references=others, seeds=list(contest.training_seeds))
    look_on.remember(_still_true(before, contest, run))


def _following(contest: Contest, algorithm: Algorithm) -> Sequence[Algorithm]:
    """The algorithms whose turn comes after this one's."""
    return contest.algorithms[contest.algorithms.index(algorithm) + 1 :]


def _still_true(events: Iterable[Event], contest: Contest, run: Run) -> Iterator[Event]:
    """The trainings that need not be done again, as they were told."""
    wanted = {(each.id, seed) for each in contest.contenders for seed in contest.training_seeds}
    done = {pair for pair in wanted if stands(run.result(*pair))}
    begun: dict[tuple[object, object], Event] = {}
    for event in events:
        pair = (event.get("id"), event.get("seed"))
        if pair in done and event["event"] == "training":
            begun[pair] = event
        elif pair in done and event["event"] in ("trained", "failed"):
            yield from ([begun[pair]] if pair in begun else [])
            yield event


def _require_sound(contenders: Sequence[Contender], gate: Gate) -> None:
    for each in contenders:
        try:
            gate.admit(each.source, hidden=True)
        except (Refused, RewardFailure) as problem:
            line = f"{problem}".splitlines()[0]
            raise BadInput(f"{each.label} fails on recorded transitions: {line}") from problem
