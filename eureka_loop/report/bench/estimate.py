"""Cost of searches: estimated before they begin, from a small measured run, and counted afterwards."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from eureka_loop.config import RunConfig
from eureka_loop.envs.registry import find_domain
from eureka_loop.errors import RunError
from eureka_loop.execute.budget import time_worked
from eureka_loop.numbers import UNKNOWN, count, duration, money, plural
from eureka_loop.propose.designer import Request
from eureka_loop.propose.llm.prices import Prices
from eureka_loop.propose.llm.prompts import messages
from eureka_loop.records import Rung, Task
from eureka_loop.references import references
from eureka_loop.results import Trained
from eureka_loop.search import assemble
from eureka_loop.search.halving import ladder, steps_of
from eureka_loop.store import Run

STEPS = 2_048  # of PPO in a measurement
COLLECTED, UPDATES = 1_000, 400  # of SAC: steps before and after it begins to learn
REPLY = 1_500  # tokens of a model's reply: a program and some words; one that thinks aloud takes more
FEEDBACK = 800  # tokens that a prompt grows by after the first generation
BYTES = 3.5  # per token of English and code
PLAIN = 'def compute_reward(time):\n    """A constant."""\n    return {"nothing": 0.0 * time}\n'


@dataclass(frozen=True, slots=True)
class Cost:
    """Cost of one or several searches.

    Attributes:
        steps: environment steps of all finished trainings, of the search and of the report.
        seconds: interruptions left out.
        tokens: prompts and replies of a model.
        usd: None where a price isn't known.
    """

    trainings: int = 0
    steps: int = 0
    seconds: float = 0.0
    tokens: int = 0
    usd: float | None = 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.trainings + other.trainings,
            self.steps + other.steps,
            self.seconds + other.seconds,
            self.tokens + other.tokens,
            None if self.usd is None or other.usd is None else self.usd + other.usd,
        )

    @property
    def cells(self) -> list[str]:
        """Steps, time, tokens, money."""
        usd = UNKNOWN if self.usd is None else money(self.usd)
        return [count(self.steps), duration(self.seconds), count(self.tokens), usd]

    def __str__(self) -> str:
        tokens = "no model was asked"
        if self.tokens:
            usd = "price unknown" if self.usd is None else money(self.usd)
            tokens = f"{count(self.tokens)} tokens, {usd}"
        hours = f"{self.seconds / 3600:.2f} h"
        trainings = plural(self.trainings, "finished training")
        return f"{trainings}, {self.steps:,} steps, {duration(self.seconds)} ({hours}), {tokens}"


@dataclass(frozen=True, slots=True)
class Pace:
    """Speed of one environment's trainings on this machine, as measured.

    Attributes:
        overhead: seconds of a search that aren't training: examining the environment, workers, judging.
        steps_per_second: environment steps of all trainings together.
        prompt: tokens of the first prompt to a model; 0 where none is asked.
    """

    overhead: float
    steps_per_second: float
    prompt: int = 0


def spent(run: Run) -> Cost:
    """Time, tokens and money of a search so far, from its events."""
    usage = run.spent()
    return Cost(seconds=time_worked(run.events()), tokens=usage.tokens, usd=usage.usd)


def of_search(task: Task, config: RunConfig, pace: Pace, prices: Prices) -> Cost:
    """Expected cost of one search, report included, if nothing fails."""
    rungs = ladder(config.halving, Rung(0, config.steps, config.seeds, 1, config.samples))
    reports = (1 + len(list(references(task)))) * config.report_seeds
    steps = config.generations * steps_of(rungs) + reports * config.steps
    tokens, usd = _model(config, pace, prices)
    return Cost(
        trainings=config.generations * config.samples * config.seeds + reports,
        steps=steps,
        seconds=pace.overhead + steps / pace.steps_per_second,
        tokens=tokens,
        usd=usd,
    )


def _model(config: RunConfig, pace: Pace, prices: Prices) -> tuple[int, float | None]:
    """Tokens of a search's model calls, without repairs, and their price."""
    if config.designer != "llm":
        return 0, 0.0
    calls = config.generations * config.samples
    prompts = calls * pace.prompt + (config.generations - 1) * config.samples * FEEDBACK
    replies = calls * min(REPLY, config.max_completion_tokens)
    price = prices.of(config.model or "")
    return prompts + replies, None if price is None else price.usd(prompts, replies)


def measure(tasks: Iterable[Task], config: RunConfig) -> dict[str, Pace]:
    """Environment id → speed, from a small run in each environment; nothing is left on disk.

    A run trains as many policies at once as a generation of a search, then reports. Other load of the machine
    counts, too, and is the main reason why an estimate is rough.

    Args:
        config: of a search, for any task.

    Raises:
        BadInput: an environment or a hyperparameter can't be used.
        RunError: nothing could be trained in one.
    """
    first = {task.env_id: task for task in reversed(list(tasks))}
    with tempfile.TemporaryDirectory(prefix="eureka-") as place:
        return {env_id: _measured(task, config, Path(place)) for env_id, task in first.items()}


def _measured(task: Task, config: RunConfig, place: Path) -> Pace:
    program = place / "reward.py"
    program.write_text(next((each.source for each in references(task)), PLAIN), encoding="utf-8")
    began = time.monotonic()
    run = assemble.create(_small(task, config, place), program=program)
    with run, assemble.assembled(run) as assembly:
        assemble.follow(assembly)
    stages = [_trained(run, report=report) for report in (False, True)]
    if not all(stages):
        raise RunError(f"nothing can be trained on {task.env_id}: `eureka train` of its reward says why")
    seconds = sum(_learning(run, trained) for trained in stages)
    steps = sum(result.steps for trained in stages for result in trained)
    return Pace(
        overhead=max(0.0, time.monotonic() - began - seconds),
        steps_per_second=steps / max(seconds, 1e-3),
        prompt=_prompt_tokens(run, config) if config.designer == "llm" else 0,
    )


def _small(task: Task, config: RunConfig, place: Path) -> RunConfig:
    """A run of one given reward with few steps, otherwise like a search."""
    steps, hyperparameters = STEPS, dict(config.hyperparameters)
    if config.algo == "sac":
        tuned = {**find_domain(task.env_id).hyperparameters.get("sac", {}), **hyperparameters}
        starts = min(COLLECTED, int(tuned.get("learning_starts", 100)))
        steps, hyperparameters = starts + UPDATES, {**hyperparameters, "learning_starts": starts}
    return replace(
        config,
        task=task.name,
        designer=None,
        generations=1,
        samples=1,
        seeds=min(100, config.samples * config.seeds),
        steps=min(config.steps, steps),
        halving=1,
        hyperparameters=hyperparameters,
        out=place,
        max_usd=None,
        max_tokens=None,
        max_hours=None,
    )


def _trained(run: Run, *, report: bool) -> list[Trained]:
    return [result for id in run.candidate_ids() for result in run.evaluated(id, report=report).trained]


def _learning(run: Run, trained: list[Trained]) -> float:
    """Seconds in which some of these trainings ran: as many at once as the run announced."""
    started = next(event for event in run.events() if event["event"] == "started")
    learners = int(started["learners"]) if started["trainer"] == "population" else 1
    together = min(len(trained), max(1, int(started["jobs"]) * learners))
    return sum(each.seconds for each in trained) / together


def _prompt_tokens(run: Run, config: RunConfig) -> int:
    """Length of the first prompt."""
    request = Request(
        task=run.task(),
        vocabulary=run.vocabulary(),
        algorithm=config.algo,
        discount=run.training().discount,
        steps=config.steps,
        generation=0,
        samples=config.samples,
        seed=config.seed,
    )
    return round(sum(len(each["content"].encode()) for each in messages(request)) / BYTES)
