"""Builds a run from its configuration and sends it down the line; the one place where the pieces meet."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import tomli_w

from eureka_loop import files
from eureka_loop.config import RunConfig, as_table
from eureka_loop.errors import BadInput, DesignerError, Refused, RewardFailure, UnknownName
from eureka_loop.execute import machine
from eureka_loop.execute.budget import Deadline, time_worked
from eureka_loop.execute.evaluate import Evaluation, Plan
from eureka_loop.execute.footprint import footprint
from eureka_loop.execute.group import Stretch
from eureka_loop.execute.local import LocalEngine
from eureka_loop.propose.choose import choose_designer
from eureka_loop.propose.designer import Request
from eureka_loop.propose.write import Gate, Writer, failure_of
from eureka_loop.records import Candidate, Later, Rung, Task, on_gpu
from eureka_loop.references import references
from eureka_loop.results import Evaluated
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.sandbox.status import required
from eureka_loop.reward.vocabulary import Vocabulary
from eureka_loop.search import loop, steady_loop
from eureka_loop.search.bank import Known
from eureka_loop.search.describe import look, task_of
from eureka_loop.search.eureka import EurekaStrategy
from eureka_loop.search.feedback import words
from eureka_loop.search.halving import Halving, ladder
from eureka_loop.search.loop import Stages
from eureka_loop.search.relabelling import Relabelling
from eureka_loop.search.screening import Screening
from eureka_loop.search.steady import SteadyStrategy
from eureka_loop.search.strategy import Ask
from eureka_loop.search.user_inputs import read_program, take_human, try_fitness
from eureka_loop.seeds import seeds
from eureka_loop.store import NOTHING_TRAINED, Run
from eureka_loop.versions import made_by


def create(config: RunConfig, *, program: Path | None = None, human: Path | None = None) -> Run:
    """A new run's folder, ready for `stages`; nothing is left of it if that fails.

    Args:
        program: a reward program to train, instead of having some written.
        human: a hand-written reward for a task that has none.

    Raises:
        BadInput: something is unknown, refused, or fails on recorded transitions.
        SandboxError: the sandbox is not strict here, and the configuration doesn't allow less.
    """
    task = task_of(config)
    for path in filter(None, (program, human)):
        files.read_text(path, BadInput)  # told at once, not after the environment was looked at
    with ForkServer() as fork_server:
        standing = required(fork_server, reduced=config.allow_reduced_sandbox)
        run = Run.create(config.out, task.name)
        try:
            task, vocabulary = look(task, config, run.task_folder)
            probe = run.probe()
            gate = Gate(vocabulary, probe, fork_server)
            if config.fitness is not None:
                try_fitness(task, config.fitness, vocabulary, probe, fork_server)
            if human is not None:
                take_human(run.task_folder, task, human, gate)
            if program is not None:
                files.write_text(run.folder / "given.py", read_program(program, gate))
            records = {"made_by": made_by(), "sandbox": standing.as_table()}
            files.write_text(run.folder / "run.toml", tomli_w.dumps({**as_table(config), **records}))
        except BaseException:
            run.discard()
            raise
    return run


@contextlib.contextmanager
def stages(run: Run, jobs: int | None = None) -> Iterator[Stages]:
    """Everything that a run passes through, built from what its folder says.

    Args:
        jobs: trainings at once, if other than the run's configuration says.
    """
    config, task, vocabulary = run.config, run.task(), run.vocabulary()
    plan = Plan(task, run.training(), config.steps)
    designer = choose_designer(run, config)
    deadline = Deadline(config.max_hours, time_worked(run.events()), beat=lambda: run.event("working"))
    here = machine.look()
    shared = machine.share(here, jobs or config.jobs, footprint(plan, vocabulary))
    if on_gpu(plan.training):
        shared = shared.together  # also where some begin before the others are written
    with ForkServer() as fork_server, LocalEngine(shared) as engine:
        if any(run.events()):  # it goes on, perhaps on another machine
            required(fork_server, reduced=config.allow_reduced_sandbox)
        gate = Gate(vocabulary, run.probe(), fork_server)
        known = Known()
        relabelling = Relabelling(run, fork_server, task, vocabulary, plan.training.relabel, known)
        evaluation = Evaluation(run, engine, plan, deadline, relabelling.episodes)
        screening = Screening(run, fork_server, task, vocabulary, plan.training.discount, known)
        screen = screening.screen if plan.training.bank else iter
        with Writer(run, designer, gate, deadline) as writer:
            yield Stages(
                brief=Brief(task, vocabulary, plan, config.seed).request,
                write=lambda requests: screen(writer.write(requests)),
                train=Halving(rungs(config), Climb(config.seed, evaluation).train, evaluation.halt).train,
                retrain=Retraining(run, task, config, gate, evaluation).retrain,
                announce=lambda: announce(run, here, shared),
            )


def follow(run: Run, stages: Stages) -> None:
    """Send a run down the line, from wherever it stands to its end."""
    stages.announce()
    best = _searched(run, stages)
    if best is None:
        run.event("stopped", reason=NOTHING_TRAINED)
    else:
        loop.report(run, best, stages)


def _searched(run: Run, stages: Stages) -> Evaluated | None:
    """The best that the configured strategy finds."""
    size = run.config.generations, run.config.samples
    if run.config.steady:
        return steady_loop.search_steadily(run, SteadyStrategy(*size), stages)
    return loop.search(run, EurekaStrategy(*size), stages)


@contextlib.contextmanager
def stops_recorded(run: Run) -> Iterator[None]:
    """Have a run keep why it stops on its way; one that hasn't really begun is removed."""
    try:
        yield
    except KeyboardInterrupt:
        run.event("interrupted")
        raise
    except DesignerError as error:
        run.event("stopped", reason=str(error))
        raise
    except BadInput as error:
        if run.blank:
            run.discard()  # a model that doesn't exist: nothing to go on with
        else:
            run.event("stopped", reason=str(error))
        raise


@dataclass(frozen=True, slots=True)
class Brief:
    """What is wanted and what was learnt → a request."""

    task: Task
    vocabulary: Vocabulary
    plan: Plan
    seed: int

    def request(self, ask: Ask, history: Sequence[Evaluated]) -> Request:
        return Request(
            task=replace(self.task, human=None, human_source="", native=(), sparse=None),  # not for its eyes
            vocabulary=self.vocabulary,
            algorithm=self.plan.training.algorithm,
            discount=self.plan.training.discount,
            steps=self.plan.steps,
            generation=ask.generation,
            samples=ask.samples,
            seed=self.seed,
            parents=() if ask.best is None else (ask.best,),
            feedback=self._words(ask) if ask.generation else "",
            history=history,
            only=ask.only,
        )

    def _words(self, ask: Ask) -> str:
        """What happened; in a steady search there is no generation to speak of."""
        which = "of this generation" if ask.only is None else "that ended last"
        return words(ask.best, ask.generation_before, which=which)


@dataclass(frozen=True, slots=True)
class Climb:
    """Candidates → trained to a rung, on the search's seeds."""

    seed: int
    evaluation: Evaluation

    def train(self, candidates: Iterable[Candidate | Later], rung: Rung) -> Iterator[Evaluated]:
        training = seeds("training", self.seed, rung.seeds)
        judging = seeds("selection", self.seed, rung.episodes)
        return self.evaluation.stream(candidates, Stretch(training, judging, rung=rung))


@dataclass(frozen=True, slots=True)
class Retraining:
    """The winner and the references, which are in the run's folder like any candidate, on fresh seeds."""

    run: Run
    task: Task
    config: RunConfig
    gate: Gate
    evaluation: Evaluation

    def retrain(self, winner: Candidate) -> list[Evaluated]:
        """All of them trained and judged as the search's candidates were; none where no seeds are wanted."""
        if not self.config.report_seeds:
            return []
        others = self._admitted()
        training = seeds("report_training", self.config.seed, self.config.report_seeds)
        judging = seeds("report", self.config.seed, self.config.judge_episodes)
        self.run.event(
            "reporting", winner=winner.id, references=[each.id for each in others], seeds=list(training)
        )
        return self.evaluation.evaluate([winner, *others], training, judging, report=True)

    def _admitted(self) -> list[Candidate]:
        """The references that pass the gate; the failure of one that doesn't is recorded."""
        admitted = []
        for reference in references(self.task):
            self.run.write_candidate(reference)
            try:
                self.gate.admit(reference.source, hidden=True)
            except (Refused, UnknownName, RewardFailure) as problem:
                self.run.fail(failure_of(reference.id, problem))
                continue
            admitted.append(reference)
        return admitted


def announce(run: Run, here: machine.Machine, shared: machine.Share) -> None:
    """The run's first event, once: what it is going to do. Later: its share of the machine, where new."""
    used = {
        "cores": here.cores,
        "jobs": shared.workers,
        "learners": shared.learners,
        "memory": shared.memory,
    }
    told = [event for event in run.events() if event["event"] in ("started", "shared")]
    if told:
        if any(told[-1].get(name) != value for name, value in used.items()):
            run.event("shared", **used)
        return
    config, task, training = run.config, run.task(), run.training()
    run.event(
        "started",
        task=task.name,
        designer="given" if (run.folder / "given.py").exists() else config.designer,
        algorithm=config.algo,
        trainer=training.trainer,
        why_trainer=training.why,
        generations=config.generations,
        samples=config.samples,
        seeds=config.seeds,
        steps=config.steps,
        halving=config.halving,
        steady=config.steady,
        **used,
        report_seeds=config.report_seeds,
        references=[each.id for each in references(task)] if config.report_seeds else [],
    )


def rungs(config: RunConfig) -> tuple[Rung, ...]:
    """The stages of a generation's trainings: one, unless the worse candidates are to stop early."""
    whole = Rung(0, config.steps, config.seeds, config.judge_episodes, config.samples)
    return ladder(config.halving, whole)
