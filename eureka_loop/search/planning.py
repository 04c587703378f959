"""Steps, candidates and seeds that fit a time, from a measured speed; and the numbers nobody has given.

A plan is made before anything is written. The run's own speed corrects it: another generation begins where it
and the report still fit, and the report takes as many seeds as the rest of the time has room for.
"""

from __future__ import annotations

import itertools
import math
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from eureka_loop import files
from eureka_loop.config import USUAL, RunConfig
from eureka_loop.envs.domain import Domain
from eureka_loop.envs.registry import find_domain
from eureka_loop.errors import RunError
from eureka_loop.execute import machine
from eureka_loop.execute.budget import WorkClock, time_worked
from eureka_loop.execute.executor import EXECUTORS
from eureka_loop.execute.machine import Share
from eureka_loop.numbers import compact, count, plural
from eureka_loop.records import Job, Task, Training, in_cohorts, references, rows_of_call
from eureka_loop.results import Trained
from eureka_loop.seeds import is_report, seeds
from eureka_loop.store import Event, Run, read_result

PLAN = "plan.json"  # in a run's folder
LEAST = {"generations": 2, "samples": 8, "report_seeds": 5}  # of a plan
MOST_REPORT = 20
GROWTH = (
    ("report_seeds", range(6, 9)),
    ("generations", range(3, 11)),
    ("samples", range(9, 17)),
    ("report_seeds", range(9, MOST_REPORT + 1)),
)
"""Spent on in this order, as long as the time allows."""
PLATEAU = 3  # generations without a better candidate after which a planned search ends; one at the ceiling
CEILING = 3  # trainings that must succeed in every episode
CONFIRM = 5  # trainings of a generation's best
ROLLOUTS = 20  # a training of fewer can't tell rewards apart
CONFIRMED = 0.75  # of a candidate's confirmation, expected a generation: see benchmarks/choice.py
LEAST_ROLLOUTS = 3  # of a training
RESERVE, LAST = 0.03, 20.0  # share of the time, and seconds, kept for all but training: films take 10 to 16
WRITING = 45.0  # s, assumed: a generation's replies from a model
SAC_STEPS, SAC_STARTS = 400, 100  # of a measurement

NOTHING = '''def compute_reward(action):
    """Nothing: the program of a measurement."""
    return {"nothing": 0.0 * action[:, 0]}
'''


@dataclass(frozen=True, slots=True)
class TimePlan:
    """Numbers of a run that were chosen to fit a time; plan.json in its folder.

    Attributes:
        spent: seconds that the run took before its first event.
        speed: environment steps a second, all trainings together, as measured.
        decides: numbers that time may still change while the run works: "generations", "report_seeds".
        text: the plan in words, and whether the time is too little.
    """

    minutes: float
    spent: float
    speed: float
    decides: tuple[str, ...]
    text: str


def too_short(config: RunConfig, training: Training) -> str:
    """Warning where a training ends before its policy has learned anything; "" elsewhere."""
    rollout = rows_of_call(training)
    if config.algo != "ppo" or config.steps > rollout:
        return ""
    return (
        f"{config.steps:,} steps are one rollout at most ({rollout:,} steps): policies are updated once, "
        "with a falling learning rate not at all, so rewards can't be told apart. "
        f"Give --steps {10 * rollout} or more"
    )


def is_open(config: RunConfig) -> bool:
    """Whether a plan has anything to decide."""
    return bool(config.minutes) and not (config.steps and config.generations and config.samples)


def with_numbers(config: RunConfig, training: Training, domain: Domain) -> RunConfig:
    """The configuration with every number: those given, else the domain's steps and the usual ones."""
    steps = domain.training_steps(config.algo, config.steps)
    tells = config.algo == "ppo" and steps >= ROLLOUTS * rows_of_call(training) and not config.steady
    confirm = config.confirm or max(config.seeds, CONFIRM if tells else 1)
    return _with(replace(config, steps=steps, confirm=confirm), USUAL)


def _with(config: RunConfig, numbers: Mapping[str, int]) -> RunConfig:
    """The configuration with these numbers where it leaves them open."""
    missing: dict[str, Any] = {name: number for name, number in numbers.items() if config.leaves_open(name)}
    return replace(config, **missing)


def make_plan(
    config: RunConfig, training: Training, domain: Domain, rewards: int, speed: float, spent: float
) -> tuple[RunConfig, TimePlan]:
    """The configuration with numbers that fit its time.

    Args:
        rewards: trained for the report: the winner and the references.
        speed: see `TimePlan`.
        spent: seconds since the run began.
    """
    least = with_numbers(_with(config, LEAST), training, domain)
    writing = WRITING if "llm" in config.designers else 0.0

    def took(whole: RunConfig) -> float:
        """Seconds in all."""
        reported = rewards * (whole.report_seeds or 0) * whole.steps
        trained = (whole.generations * generation_steps(whole) + reported) / speed
        return (trained + whole.generations * writing + spent + LAST) / (1 - RESERVE)

    found, limit = least, 60 * config.minutes
    if not config.steps and took(least) > limit:
        without = took(replace(least, steps=0))
        share = max(0.0, limit - without) / (took(least) - without)
        cut = max(LEAST_ROLLOUTS * rows_of_call(training), int(share * least.steps))
        found = with_numbers(_with(replace(config, steps=min(cut, least.steps)), LEAST), training, domain)
    for name, values in GROWTH:
        for value in values:
            change: dict[str, Any] = {name: value}
            larger = replace(found, **change)
            if config.leaves_open(name) and took(larger) <= limit:
                found = larger
    text = f"Plan for {compact(config.minutes)} min: {in_words(vars(found))}"
    if found.report_seeds:
        fresh = plural(found.report_seeds, "fresh seed")
        text += f"; then {plural(rewards, 'reward')} on about {fresh}"
    text += f" ({count(speed)} steps a second)"
    if took(least) > 1.1 * limit:
        why = f" Trainings of {count(least.steps)} steps, as the task needs, were cut."
        why = why if found.steps < least.steps else ""
        text += f"\nThat is too little time.{why} Give --minutes {math.ceil(took(least) / 60)}"
    decides = tuple(name for name in ("generations", "report_seeds") if config.leaves_open(name))
    return found, TimePlan(config.minutes, spent, speed, decides, text)


def generation_steps(config: RunConfig) -> float:
    """Environment steps that a generation is expected to take."""
    trainings = config.samples * config.seeds + confirmations(config.seeds, config.confirm)
    return trainings * config.steps


def confirmations(seeds: int, confirm: int) -> float:
    """Trainings that confirm a generation's best, expected."""
    return CONFIRMED * max(0, confirm - seeds)


def in_words(given: Mapping[str, Any]) -> str:
    """ "3 generations × 8 candidates (steady), ppo 300k steps × 1 seed, 3 for the best", from settings."""
    more = f", {given['confirm']} for the best" if given["confirm"] > given["seeds"] else ""
    size = f"{plural(given['generations'], 'generation')} × {plural(given['samples'], 'candidate')}"
    steps = f"{count(given['steps'])} steps" if given["steps"] else "the steps that each domain advises"
    search = f"{size}{' (steady)' * bool(given['steady'])}, {given['algo']} {steps}"
    return f"{search} × {plural(given['seeds'], 'seed')}{more}"


def planned(config: RunConfig, run: Run, spent: float) -> RunConfig:
    """The configuration with all numbers, planned where it leaves some open; the plan goes into the run.

    Args:
        spent: seconds since the command began.
    """
    task, training, domain = run.task(), run.training(), find_domain(run.task().env_id)
    if not is_open(config):
        return with_numbers(config, training, domain)
    began, steps = time.monotonic(), domain.training_steps(config.algo, config.steps)
    share = machine.share(machine.look(), config.jobs, task, training, steps, run.vocabulary())
    speed = measure_speed(task, training, config, share)
    spent += time.monotonic() - began
    found, plan = make_plan(config, training, domain, 1 + len(list(references(task))), speed, spent)
    files.write_json(run.folder / PLAN, plan)
    return found


def measure_speed(task: Task, training: Training, config: RunConfig, share: Share) -> float:
    """Environment steps a second of as many trainings at once as a generation has, from a few rollouts each.

    Raises:
        RunError: nothing could be trained.
    """
    settings, steps = dict(training.hyperparameters), 2 * rows_of_call(training)
    if training.algorithm == "sac":
        settings["learning_starts"], steps = SAC_STARTS, SAC_STEPS
    at_once = (config.samples or LEAST["samples"]) * config.seeds
    amount = min(at_once, share.workers * (share.learners if in_cohorts(training.trainer) else 1))
    source, judging = task.sparse or task.human or NOTHING, seeds("selection", config.seed, 1)
    with tempfile.TemporaryDirectory(prefix="eureka-") as place:
        executor = EXECUTORS.load(config.executor)(share)
        try:
            folders = []
            for seed in seeds("training", config.seed, amount):
                rest = (source, training.algorithm, steps, settings, judging, training.trainer)
                folders.append(Path(place) / f"seed-{seed}")
                files.write_json(folders[-1] / "job.json", Job("speed", seed, task, *rest))
            for ended in [executor.submit(cohort) for cohort in share.cohorts(folders)]:
                ended.result()
        finally:
            executor.close()
        results = [result for each in folders if isinstance(result := read_result(each), Trained)]
    if not results:
        raise RunError(f"nothing can be trained on {task.env_id}: `eureka train` of a reward says why")
    return sum(each.steps for each in results) / max(1e-3, *(each.seconds for each in results))


def speed_of(events: Iterable[Event]) -> float | None:
    """Environment steps a second while anything was training, judging included; None before a result."""
    running: set[tuple[Any, ...]] = set()
    steps: dict[tuple[Any, ...], int] = {}
    seconds, whole, clock = 0.0, 0, WorkClock()
    for event in events:
        passed = clock.passed(event)
        seconds += passed if running else 0.0
        training = event.get("id"), event.get("seed")
        match event["event"]:
            case "started":
                whole = int(event["steps"])
            case "training":
                running.add(training)
            case "resumed":
                running.clear()
            case "trained":
                steps[training] = whole
                running.discard(training)
            case "failed":
                running.discard(training)
    return sum(steps.values()) / seconds if steps and seconds > 0 else None


@dataclass(frozen=True, slots=True)
class Schedule:
    """Decides, by what a run has done so far, what still fits the time of its plan.

    Attributes:
        rewards: trained for the report.
    """

    plan: TimePlan
    config: RunConfig
    rewards: int

    @classmethod
    def of(cls, run: Run) -> Schedule | None:
        """None for a run without a plan."""
        if not (run.folder / PLAN).exists():
            return None
        rewards = 1 + len(list(references(run.task())))
        return cls(files.read_json(run.folder / PLAN, TimePlan), run.config, rewards)

    def reason_to_end(self, events: Sequence[Event]) -> str:
        """Reason against another generation; "" where there is none.

        One is taken to last as long as those before, and the report to have the fewest seeds.
        """
        if "generations" not in self.plan.decides:
            return ""
        best = [event["best"] for event in events if event["event"] == "ranked"]
        if best and best[-1] and (reason := _nothing_better(best, events)):
            return reason
        search = itertools.dropwhile(lambda event: event["event"] != "asked", events)
        steady = sum(event["event"] == "told" for event in events) / self.config.samples
        given = "report_seeds" not in self.plan.decides
        seeds = (self.config.report_seeds or 0) if given else LEAST["report_seeds"]
        done = len(best) or steady
        if done >= 1 and time_worked(search) / done + self._report(events, seeds) > self._left(events):
            return f"another generation and the report don't fit into {compact(self.plan.minutes)} min"
        return ""

    def report_seeds(self, events: Sequence[Event]) -> int:
        """As many as the time that is left has room for, within the limits of a plan."""
        fit = range(LEAST["report_seeds"], MOST_REPORT + 1)
        return max((n for n in fit if self._report(events, n) <= self._left(events)), default=fit.start)

    def _report(self, events: Sequence[Event], seeds: int) -> float:
        return self.rewards * seeds * self.config.steps / (speed_of(events) or self.plan.speed)

    def _left(self, events: Sequence[Event]) -> float:
        return 60 * self.plan.minutes * (1 - RESERVE) - LAST - self.plan.spent - time_worked(events)


def _nothing_better(best: Sequence[str], events: Iterable[Event]) -> str:
    """Reason to end a search: it has reached a plateau or its task's ceiling; "" where it hasn't.

    The ceiling is success in every judged episode of a confirmed candidate. Fitness may still rise then, so
    another generation has to have found none that is better. A task without success has no ceiling.
    """
    now, held = best[-1], sum(1 for _ in itertools.takewhile(best[-1].__eq__, best[-2::-1]))
    ended = [event for event in events if event["event"] == "trained" and event["id"] == now]
    success = [event.get("success") for event in ended if not is_report(event["seed"])]
    if held and len(success) >= CEILING and {*success} == {1.0}:
        solved = f"{now} succeeds in every episode of its {len(success)} trainings"
        return f"{solved}, and the next generation has found nothing better"
    return f"{PLATEAU} generations have found nothing better than {now}" if held >= PLATEAU else ""
