"""A run from its configuration: its folder, and the parts that a search passes through."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from eureka_loop import files
from eureka_loop.config import RunConfig, amend, as_table
from eureka_loop.config import write as write_config
from eureka_loop.errors import (
    AnswersAwaited,
    BadInput,
    Damaged,
    DesignerError,
    Refused,
    RewardFailure,
    UnknownName,
)
from eureka_loop.execute import machine
from eureka_loop.execute.budget import run_within, start, time_worked
from eureka_loop.execute.evaluate import Evaluation, Plan, Stage
from eureka_loop.execute.executor import EXECUTORS
from eureka_loop.execute.machine import Machine, Share
from eureka_loop.foreign import require_known_env
from eureka_loop.propose.designer import Choice, Request, choose_designer
from eureka_loop.propose.write import CMA_ES, Gate, Writer, failure_of
from eureka_loop.records import Candidate, references, rows_of_call
from eureka_loop.results import Evaluated, Failed, Trained
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.sandbox.status import required
from eureka_loop.search import lessons, loop, planning
from eureka_loop.search.allocation import Allocation
from eureka_loop.search.bank import TrajectoryBank
from eureka_loop.search.describe import keep_task, look, read_program, task_of
from eureka_loop.search.drafting import Ask, with_measure
from eureka_loop.search.feedback import feedback
from eureka_loop.search.planning import Schedule
from eureka_loop.search.strategy import STRATEGIES, ProposalRequest, search_plan
from eureka_loop.search.task_measure import try_fitness
from eureka_loop.search.tuning import TunedStrategy, require_movable
from eureka_loop.seeds import seeds
from eureka_loop.store import Run
from eureka_loop.versions import made_by

NOTHING_TRAINED = "no candidate could be trained"  # why a run without a winner stopped


def create(
    config: RunConfig,
    *,
    program: Path | None = None,
    human: Path | None = None,
    tune: bool = False,
    ask: Ask | None = None,
) -> Run:
    """A new run's folder, ready for `assembled`; nothing is left of it if that fails.

    Args:
        program: a reward program to train, instead of having some written.
        human: a hand-written reward for a task that has none.
        tune: whether the program's weights are tuned; it is the only reference then.
        ask: shows a drafted measure to a person, where the configuration has none; see `search.drafting`.

    Raises:
        BadInput: something is unknown, refused, or fails on recorded transitions.
        SandboxError: the sandbox is not strict here, and the configuration doesn't allow less.
    """
    began, task = time.monotonic(), task_of(config, drafts=ask is not None)
    for path in filter(None, (program, human)):
        files.read_text(path, BadInput)  # before the survey of the environment takes its time
    STRATEGIES.load(config.strategy_name)
    EXECUTORS.load(config.executor)
    with ForkServer() as fork_server:
        status = required(fork_server, reduced=config.allow_reduced_sandbox)
        run = Run.create(config.out, task.name)
        try:
            task, vocabulary = look(task, config, run.task_folder)
            probe = run.probe()
            gate = Gate(vocabulary, probe, fork_server, rows_of_call(run.training()))
            if config.fitness is not None:
                try_fitness(task, config.fitness, vocabulary, probe, fork_server)
            elif ask is not None and not task.fitness:
                config, task, waited = with_measure(run, config, task, vocabulary, fork_server, ask)
                began += waited
            if human is not None:
                task = replace(task, human=read_program(human, gate), human_source=str(human))
            if program is not None and tune:
                original = read_program(program, gate)
                require_movable(original, program)
                task = replace(task, original=original, human=None, native=(), sparse=None)
            elif program is not None:
                files.write_text(run.folder / "given.py", read_program(program, gate))
            keep_task(run.task_folder, task)
            if program is None and (given := lessons.choose(config, task, vocabulary)):
                lessons.write(run.folder, given)
            config = planning.planned(config, run, time.monotonic() - began)
            records = {"made_by": made_by(), "sandbox": status.as_table()}
            write_config(run.folder / "run.toml", {**as_table(config), **records})
        except BaseException:
            run.discard()
            raise
    return run


class Search:
    """A run with the parts that its search passes through, built from its files: the stages of `loop.search`.

    Args:
        jobs: workers, if other than the run's configuration says. Cohorts stay as they were planned.
    """

    def __init__(self, run: Run, fork_server: ForkServer, jobs: int | None = None) -> None:
        self.run, self.config = run, run.config
        self.task, self.vocabulary = run.task(), run.vocabulary()
        self.lessons = tuple(map(str, lessons.read(run.folder)))
        self.plan = Plan(self.task, run.training(), self.config.steps)
        self.machine = machine.look()
        asked = jobs or self.config.jobs
        training, steps = self.plan.training, self.plan.steps
        self.share = machine.share(self.machine, asked, self.task, training, steps, self.vocabulary)
        planned = planned_share(run) or self.share
        plan, strategy = search_plan(self.config, planned), STRATEGIES.load(self.config.strategy_name)
        share, original = self.config.tune_share, self.task.original
        self.strategy = TunedStrategy(plan, share, strategy, original) if share else strategy(plan)
        self.gate = Gate(self.vocabulary, run.probe(), fork_server, rows_of_call(training))
        self.writer = Writer(run, choose_designer(run, self.config), self.gate)
        self.bank = TrajectoryBank(run, fork_server, self.task, self.vocabulary, self.plan.training)
        self.executor = EXECUTORS.load(self.config.executor)(self.share)  # last: it is to be closed
        self.evaluation = Evaluation(run, self.executor, self.plan, planned, self.bank.begin_with)
        self.schedule = Schedule.of(run)

    @property
    def problem(self) -> DesignerError | None:
        return self.writer.problem

    def goes_on(self) -> bool:
        """Records why a planned search ends early; run.toml then has the generations that it made."""
        events = list(self.run.events())
        done = sum(event["event"] == "ranked" for event in events)
        if self.schedule is None or done >= self.config.generations:
            return True
        reason = self.schedule.reason_to_end(events)
        if reason and done:
            self.run.event("writing_ended", reason=reason)
            amend(self.run.folder / "run.toml", {"generations": done})
        return not reason

    def begin(self, asked: ProposalRequest, history: Sequence[Evaluated]) -> list[loop.Ended]:
        written = self.writer.write(self.request(asked, history), asked.samples)
        if self.plan.training.bank:
            written = [start(self.bank.screened(each)) for each in written]
        return Allocation(self.run, self.evaluation, self.config).train(asked, written, history)

    def request(self, asked: ProposalRequest, history: Sequence[Evaluated]) -> Request:
        """A strategy's request, and the results so far → the request to a designer."""
        which = "of this generation" if asked.barrier else "that ended last"

        def told(each: Choice) -> Choice:
            parts = (each.parents, each.recent or asked.recent, which, self.run.floors(), history)
            return replace(each, feedback=feedback(*parts, each.operator))

        return Request(
            task=replace(self.task, human=None, human_source="", native=(), sparse=None),  # never shown
            vocabulary=self.vocabulary,
            algorithm=self.plan.training.algorithm,
            discount=self.plan.training.discount,
            steps=self.plan.steps,
            generation=asked.generation,
            samples=asked.of,
            seed=self.config.seed,
            parents=asked.parents,
            operator=asked.operator,
            instructions=asked.instructions,
            replies=asked.replies,
            feedback=told(Choice(asked.parents, asked.operator)).feedback,
            history=history,
            lessons=self.lessons,
            choices=dict(zip(asked.samples, map(told, asked.choices), strict=False)),
        )

    async def retrain(self, winner: Candidate) -> None:
        """Train and judge the winner and the references on fresh seeds, if any are wanted."""
        if winner.source == self.task.original:
            return  # there is nothing to compare
        if amount := self._report_seeds():
            others = self._references()
            training = seeds("report_training", self.config.seed, amount)
            ids = [each.id for each in others]
            self.run.event("reporting", winner=winner.id, references=ids, seeds=list(training))
            await self.evaluation.train_all(
                [winner, *others], Stage(training, self.run.judging_seeds, report=True)
            )

    def _report_seeds(self) -> int:
        """Those of a plan are decided by the time that is left, once; run.toml then says so."""
        events = list(self.run.events())
        reports = [event for event in events if event["event"] == "reporting"]
        if reports or self.schedule is None or "report_seeds" not in self.schedule.plan.decides:
            return len(reports[-1]["seeds"]) if reports else self.config.report_seeds or 0
        amount = self.schedule.report_seeds(events)
        amend(self.run.folder / "run.toml", {"report_seeds": amount})
        return amount

    def _references(self) -> list[Candidate]:
        """Those that pass the gate; all are candidates in the run's folder."""
        admitted = []
        for reference in references(self.task):
            self.run.write_candidate(reference)
            try:
                self.gate.admit(reference.source, hidden=True)
                admitted.append(reference)
            except (Refused, UnknownName, RewardFailure) as problem:
                self.run.fail(failure_of(reference.id, problem))
        return admitted


@contextlib.contextmanager
def assembled(run: Run, jobs: int | None = None) -> Iterator[Search]:
    """See `Search`; its processes end with it."""
    with ForkServer() as fork_server:
        if any(run.events()):  # resumed, perhaps on another machine
            required(fork_server, reduced=run.config.allow_reduced_sandbox)
        require_known_env(run)
        search = Search(run, fork_server, jobs)
        try:
            yield search
        finally:
            search.executor.close()


def follow(search: Search, *, wait: bool = True) -> None:
    """Search from wherever the run stands, then train its winner and the references for the report.

    Args:
        wait: whether a person's answers are waited for.

    Raises:
        AnswersAwaited: they are lacking, and nothing else can be done.
    """
    run = search.run
    announce(run, search.machine, search.share)

    async def work() -> None:
        await search.evaluation.judge_floors()
        if (best := await loop.search(run, search.strategy, search)) is None:
            run.event("stopped", reason=NOTHING_TRAINED)
        else:
            await search.retrain(best.candidate)
            run.event("finished", winner=best.candidate.id)

    def mark(state: str) -> None:
        run.event(state)
        if state == "idle" and not wait:
            raise AnswersAwaited("answers are awaited")

    def idle() -> bool:
        return search.writer.idle and not search.evaluation.busy

    run_within(work(), search.config.max_hours, time_worked(run.events()), mark=mark, idle=idle)


def planned_share(run: Run) -> Share | None:
    """The share of a machine that the run was begun with, which decides cohorts; None for a new run.

    Raises:
        Damaged: the event doesn't say.
    """
    begun = next((each for each in run.events() if each["event"] == "started"), None)
    if begun is None:
        return None
    if not (begun.get("jobs") and begun.get("learners")):
        path = run.folder / "events.jsonl"
        raise Damaged(f"{path} is damaged: the event 'started' names no jobs or no learners")
    return Share(begun["jobs"], begun["learners"])


@contextlib.contextmanager
def stops_recorded(run: Run) -> Iterator[None]:
    """Record why a run stops on its way; one that hasn't really begun is removed."""
    try:
        yield
    except (KeyboardInterrupt, BrokenPipeError):  # also a closed pipe behind the screen
        run.event("interrupted")
        raise
    except (DesignerError, BadInput) as error:
        if isinstance(error, BadInput) and run.blank:
            run.discard()  # a model that doesn't exist: nothing to go on with
        else:
            run.event("stopped", reason=str(error))
        raise


def announce(run: Run, here: Machine, share: Share) -> None:
    """The first event, once: what the run is going to do; afterwards a new share of the machine."""
    used = {"cores": here.cores, "jobs": share.workers, "learners": share.learners, "memory": share.memory}
    recorded = [event for event in run.events() if event["event"] in ("started", "shared")]
    if recorded:
        if any(recorded[-1].get(name) != value for name, value in used.items()):
            run.event("shared", **used)
        return
    config, task, training = run.config, run.task(), run.training()
    given = (run.folder / "given.py").exists()
    same = ("generations", "samples", "seeds", "confirm", "steps", "report_seeds")
    run.event(
        "started",
        task=task.name,
        designer=CMA_ES if task.original else "given" if given else config.designer,
        algorithm=config.algo,
        trainer=training.trainer,
        why_trainer=training.why,
        steady=config.strategy_name == "steady",
        references=[each.id for each in references(task)] if config.report_seeds else [],
        **{name: getattr(config, name) for name in same},
        **used,
    )


def ended(run: Run) -> bool:
    """Whether a run has its report, or nothing of it could be trained."""
    last = [event for event in run.events() if event["event"] in ("finished", "stopped", "resumed")][-1:]
    return any(event["event"] == "finished" or event.get("reason") == NOTHING_TRAINED for event in last)


def settled(run: Run) -> bool:
    """Whether a run has ended and no crashed training of its is to be tried again.

    Those are trainings of the report; where nothing could be trained, any.
    """
    results: Iterable[Trained | Failed | None]
    if reports := [event for event in run.events() if event["event"] == "reporting"]:
        ids = (reports[-1]["winner"], *reports[-1]["references"])
        results = (run.result(id, seed) for id in ids for seed in reports[-1]["seeds"])
    else:
        results = (each for id in run.candidate_ids() for each in run.evaluated(id).results)
    missing = any(each is None or (isinstance(each, Failed) and each.passing) for each in results)
    return ended(run) and not missing
