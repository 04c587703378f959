"""How fast this machine trains just now: short trainings in each environment, as many at once as in a search.

What is measured is what a search does: its hyperparameters, its number of learners, its judging. What else
the machine is doing counts, too, and is the main reason why an estimate is rough.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from eureka_loop import seeds
from eureka_loop.config import RunConfig
from eureka_loop.errors import RunError
from eureka_loop.execute import machine
from eureka_loop.execute.budget import Deadline
from eureka_loop.execute.evaluate import Evaluation, Plan
from eureka_loop.execute.local import LocalEngine
from eureka_loop.execute.machine import Share
from eureka_loop.propose.designer import Request
from eureka_loop.propose.llm.prompts import messages
from eureka_loop.records import Candidate, Task, Training
from eureka_loop.references import references
from eureka_loop.report.bench.estimate import Pace
from eureka_loop.results import Failed
from eureka_loop.reward.vocabulary import Vocabulary
from eureka_loop.search.describe import prepare
from eureka_loop.store import Run

LEAST = 1_024  # steps of PPO: whole rollouts
UPDATES = 400  # steps of SAC, after it has begun to learn
COLLECTED = 1_000  # at most, before: they cost little and are the same for all
BYTES = 3.5  # a token of English and code
PLAIN = 'def compute_reward(time):\n    """Nothing to gain."""\n    return {"nothing": 0.0 * time}\n'


def measure(
    tasks: Iterable[Task], config: RunConfig, say: Callable[[str], object] = lambda _: None
) -> dict[str, Pace]:
    """Environment id → pace, one short training each; nothing is left on disk.

    Args:
        config: of a search, whatever its task.
        say: told the environment whose turn it is.

    Raises:
        BadInput: an environment or a hyperparameter can't be used.
        RunError: nothing could be trained in one.
    """
    first = {task.env_id: task for task in reversed(list(tasks))}
    share, found = machine.share(machine.look(), config.jobs), {}
    if config.trainer != "sb3" and config.hyperparameters.get("device", "cpu") != "cpu":
        share = share.together  # as a search does on a GPU
    with tempfile.TemporaryDirectory(prefix="eureka-") as folder, LocalEngine(share) as engine:
        starting: float | None = None
        for number, (env_id, task) in enumerate(first.items()):
            say(env_id)
            trial = _Trial(
                Run(Path(folder) / f"{number}"), task, replace(config, task=task.name), engine, share
            )
            looked = trial.look()
            if starting is None:  # the first training waits for the workers, the second doesn't
                once, again = trial.train("first"), trial.train("again")
                starting = max(0.0, once.round - again.round)
            else:
                again = trial.train("again")
            found[env_id] = replace(again, startup=looked + starting)
    return {task.env_id: found[task.env_id] for task in first.values()}


class _Trial:
    """A short training in one environment."""

    def __init__(self, run: Run, task: Task, config: RunConfig, engine: LocalEngine, share: Share) -> None:
        self._run, self._task, self._config, self._engine, self._share = run, task, config, engine, share
        self._prompt = 0

    def look(self) -> float:
        """Seconds that looking at the environment takes."""
        began = time.monotonic()
        self._run.folder.mkdir()
        vocabulary = prepare(self._task, self._config, self._run.task_folder)
        if self._config.designer == "llm":
            self._prompt = prompt_tokens(self._task, vocabulary, self._run.training(), self._config)
        return time.monotonic() - began

    def train(self, name: str) -> Pace:
        """Candidates by that name, trained and judged."""
        training, config = shortened(self._run.training()), self._config
        steps, together = enough(training, config.steps), learners(training, config, self._share)
        evaluation = Evaluation(self._run, self._engine, Plan(self._task, training, steps), Deadline(None))
        judging = seeds.seeds("selection", config.seed, config.judge_episodes)
        began = time.monotonic()
        evaluated = evaluation.evaluate(self._candidates(name, together), (0,), judging)
        elapsed = time.monotonic() - began
        trained = [result for each in evaluated for result in each.trained]
        if not trained:
            failures = [result for each in evaluated for result in each.results if isinstance(result, Failed)]
            raise RunError(f"nothing can be trained on {self._task.env_id}: {failures[0].message}")
        learning = max(result.seconds for result in trained)
        return Pace(
            startup=0.0,
            round=max(0.0, elapsed - learning),
            together=at_once(training, self._share),
            steps_per_second=sum(result.steps for result in trained) / max(learning, 1e-3),
            prompt=self._prompt,
        )

    def _candidates(self, name: str, count: int) -> list[Candidate]:
        source = next((each.source for each in references(self._task)), PLAIN)
        found = [Candidate(f"{name}-{index}", 0, source, "calibration") for index in range(count)]
        for each in found:
            self._run.write_candidate(each)
        return found


def enough(training: Training, most: int) -> int:
    """Steps after which a speed can be told: whole rollouts of PPO, some updates of SAC."""
    given = training.hyperparameters
    if training.algorithm == "sac":
        return min(most, int(given.get("learning_starts", 100)) + UPDATES)
    rollout = int(given.get("n_steps", 2048)) * int(given.get("n_envs", 1))
    return min(most, rollout * -(-LEAST // rollout))


def shortened(training: Training) -> Training:
    """The same, but that SAC begins to learn soon."""
    starts = int(training.hyperparameters.get("learning_starts", 100))
    if training.algorithm != "sac" or starts <= COLLECTED:
        return training
    return replace(training, hyperparameters={**training.hyperparameters, "learning_starts": COLLECTED})


def at_once(training: Training, share: Share) -> int:
    """Trainings that the machine has under way at a time."""
    return share.workers * (share.learners if training.trainer == "population" else 1)


def learners(training: Training, config: RunConfig, share: Share) -> int:
    """Trainings of a generation that run at a time."""
    return min(config.samples * config.seeds, at_once(training, share))


def prompt_tokens(task: Task, vocabulary: Vocabulary, training: Training, config: RunConfig) -> int:
    """Of the first prompt, by its length."""
    request = Request(
        task=task,
        vocabulary=vocabulary,
        algorithm=training.algorithm,
        discount=training.discount,
        steps=config.steps,
        generation=0,
        samples=config.samples,
        seed=config.seed,
    )
    return round(sum(len(each["content"].encode()) for each in messages(request)) / BYTES)
