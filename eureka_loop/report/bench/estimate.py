"""How long searches take and what they cost, before they are begun. Rough, and said so."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from eureka_loop.config import RunConfig
from eureka_loop.propose.llm.prices import Prices
from eureka_loop.records import Rung, Task
from eureka_loop.references import references
from eureka_loop.search.halving import ladder, steps_of

REPLY = 1_500  # tokens of a model's reply: a program and some words; one that thinks aloud takes more
FEEDBACK = 800  # tokens that a prompt grows by after the first generation: the best program, and how it did


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast one environment trains on this machine, as measured.

    Attributes:
        startup: seconds until a search's first training begins: looking at the environment, workers.
        round: seconds that trainings begun together take besides training: to begin, to be judged.
        together: trainings at once.
        steps_per_second: environment steps of all of them.
        prompt: tokens of the first prompt to a model; 0 where none is asked.
    """

    startup: float
    round: float
    together: int
    steps_per_second: float
    prompt: int = 0


@dataclass(frozen=True, slots=True)
class Estimate:
    """
    Attributes:
        tokens: prompts and replies of a model.
        usd: None where the model's price is unknown.
    """

    trainings: int = 0
    steps: int = 0
    seconds: float = 0.0
    tokens: int = 0
    usd: float | None = 0.0

    def __add__(self, other: Estimate) -> Estimate:
        return Estimate(
            self.trainings + other.trainings,
            self.steps + other.steps,
            self.seconds + other.seconds,
            self.tokens + other.tokens,
            None if self.usd is None or other.usd is None else self.usd + other.usd,
        )


def of_search(task: Task, config: RunConfig, pace: Pace, prices: Prices) -> Estimate:
    """What one search takes, report included, if nothing fails."""
    rungs = ladder(config.halving, Rung(0, config.steps, config.seeds, 1, config.samples))
    reports = (1 + len(list(references(task)))) * config.report_seeds
    steps = config.generations * steps_of(rungs) + reports * config.steps
    together = [rung.places * rung.seeds for rung in rungs] * config.generations
    rounds = sum(-(-trainings // pace.together) for trainings in (*together, reports))
    tokens, usd = _asked(config, pace, prices)
    return Estimate(
        trainings=config.generations * config.samples * config.seeds + reports,
        steps=steps,
        seconds=pace.startup + rounds * pace.round + steps / pace.steps_per_second,
        tokens=tokens,
        usd=usd,
    )


def total(estimates: Iterable[Estimate]) -> Estimate:
    """All together."""
    return sum(estimates, Estimate())


def _asked(config: RunConfig, pace: Pace, prices: Prices) -> tuple[int, float | None]:
    """Tokens of a search's calls, without repairs, and what they cost."""
    if config.designer != "llm":
        return 0, 0.0
    calls = config.generations * config.samples
    prompts = calls * pace.prompt + (config.generations - 1) * config.samples * FEEDBACK
    replies = calls * min(REPLY, config.max_completion_tokens)
    price = prices.of(config.model or "")
    return prompts + replies, None if price is None else price.usd(prompts, replies)
