"""Cost of searches, estimated before they begin from a measured speed."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from eureka_loop import files
from eureka_loop.config import RunConfig
from eureka_loop.envs.registry import find_domain
from eureka_loop.propose.llm.ledger import Price, price_of
from eureka_loop.propose.llm.prompts import messages
from eureka_loop.records import Task, Training, references
from eureka_loop.report.layout import terminal, waiting
from eureka_loop.report.run_data import Cost
from eureka_loop.search import assemble
from eureka_loop.search.planning import LAST, PLAN, TimePlan, confirmations, generation_steps, with_numbers
from eureka_loop.search.strategy import ProposalRequest

REPLY = 1_500  # tokens of a model's reply; one that reasons at length takes more
FEEDBACK = 800  # tokens that a prompt grows by after the first generation
BYTES = 3.5  # per token of English and code


@dataclass(frozen=True, slots=True)
class Pace:
    """Speed of one environment's trainings on this machine, as measured.

    Attributes:
        overhead: seconds of a search that aren't training: examining the environment, workers, films.
        steps_per_second: environment steps of all trainings together.
        prompt: tokens of the first prompt to a model; 0 where none is asked.
    """

    overhead: float
    steps_per_second: float
    prompt: int = 0


def of_search(task: Task, config: RunConfig, pace: Pace, prices: Sequence[Price]) -> Cost:
    """Expected cost of one search, report included, if nothing fails or is repaired."""
    domain = find_domain(task.env_id)
    settings = {**domain.settings(config.algo, config.settings), **config.hyperparameters}
    config = with_numbers(config, Training(config.algo, settings, config.trainer or "population"), domain)
    reports = (1 + len(list(references(task)))) * (config.report_seeds or 0)
    steps = round(config.generations * generation_steps(config)) + reports * config.steps
    confirmed = round(config.generations * confirmations(config.seeds, config.confirm))
    tokens: int = 0
    usd: float | None = 0.0
    if "llm" in config.designers:
        calls = config.generations * config.samples
        prompts = calls * pace.prompt + (calls - config.samples) * FEEDBACK
        replies = calls * min(REPLY, config.max_completion_tokens)
        price, tokens = price_of(config.model or "", prices), prompts + replies
        usd = price.usd(prompts, replies) if price else None
    return Cost(
        trainings=config.generations * config.samples * config.seeds + confirmed + reports,
        steps=steps,
        seconds=pace.overhead + steps / pace.steps_per_second,
        tokens=tokens,
        usd=usd,
    )


def measure(tasks: Iterable[Task], config: RunConfig, known: Mapping[str, Pace]) -> dict[str, Pace]:
    """Environment id → speed, as a plan measures it, of each that isn't known yet; nothing is left on disk.

    Other load of the machine counts, too, and is the main reason why an estimate is rough.

    Args:
        config: of a search, for any task.

    Raises:
        BadInput: an environment or a hyperparameter can't be used.
        RunError: nothing could be trained in one.
    """
    first = {task.env_id: task for task in reversed(list(tasks)) if task.env_id not in known}
    with tempfile.TemporaryDirectory(prefix="eureka-") as folder:
        return {env_id: _measured(task, config, Path(folder)) for env_id, task in first.items()}


def _measured(task: Task, config: RunConfig, folder: Path) -> Pace:
    prompt, planned = 0, replace(config, task=task.name, steps=0, minutes=1.0, out=folder)
    waited = waiting(f"measuring how fast this machine trains on {task.env_id}", log=terminal())
    with waited, assemble.create(planned) as run:
        plan = files.read_json(run.folder / PLAN, TimePlan)
        if "llm" in config.designers:
            with assemble.assembled(run) as search:
                first = search.request(ProposalRequest(0, (0,), config.samples), [])
            prompt = round(sum(len(each["content"].encode()) for each in messages(first)) / BYTES)
    return Pace(plan.spent + LAST, plan.speed, prompt)
