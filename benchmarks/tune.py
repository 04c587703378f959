"""Study of the population trainer's hyperparameters for one task, at equal CPU time.

    pip install optuna
    python benchmarks/tune.py halfcheetah-run --trials 20 --seconds 200     # again: the study goes on
    python benchmarks/tune.py halfcheetah-run --show                        # its table, best first

A trial trains one cohort: the hand-written and the sparse reward, and two programs of the templates designer,
with two seeds each (a run's own, apart from all that reports use). Its steps are those that fit the CPU time
by a speed measured first. The score is the mean over programs of final fitness minus half its standard
deviation over seeds. Trials below the median at a quarter, half or three quarters of their steps end there.
Every trial is a line of benchmarks/data/tuning/TASK.jsonl, which is also all that a study goes on from.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from learners import assembled
from settings import cohort

from eureka_loop.config import RunConfig
from eureka_loop.envs.registry import find_domain, find_task
from eureka_loop.propose.designer import Request
from eureka_loop.propose.templates.designer import create
from eureka_loop.records import Task, references
from eureka_loop.results import Failed, Trained
from eureka_loop.seeds import seeds
from eureka_loop.simulate.recorded import survey

DATA = Path(__file__).parent / "data" / "tuning"
RUN_SEED = 990  # its streams of seeds
SEEDS = 2  # trainings of a program
EPISODES = 4  # judged with each final policy
MARKS = (25, 50, 75)  # per cent of the steps at which a trial may end
PROBE_SECONDS = 2.0
COMPOSED = 2  # programs of the templates designer

SPACE: dict[str, optuna.distributions.BaseDistribution] = {
    "n_envs": optuna.distributions.CategoricalDistribution([1, 2, 4, 8, 16]),
    "rollout": optuna.distributions.CategoricalDistribution([512, 1024, 2048, 4096]),
    "batch_size": optuna.distributions.CategoricalDistribution([64, 128, 256, 512]),
    "n_epochs": optuna.distributions.IntDistribution(3, 20),
    "learning_rate": optuna.distributions.FloatDistribution(1e-4, 4e-3, log=True),
    "falls": optuna.distributions.CategoricalDistribution([False, True]),
    "gamma": optuna.distributions.CategoricalDistribution([0.95, 0.97, 0.98, 0.99, 0.995]),
    "gae_lambda": optuna.distributions.CategoricalDistribution([0.9, 0.95, 0.98]),
    "ent_coef": optuna.distributions.CategoricalDistribution([0.0, 1e-4, 1e-3, 5e-3]),
    "clip_range": optuna.distributions.CategoricalDistribution([0.1, 0.2, 0.3]),
    "width": optuna.distributions.CategoricalDistribution([32, 64, 128]),
    "activation": optuna.distributions.CategoricalDistribution(["tanh", "relu"]),
    "log_std_init": optuna.distributions.CategoricalDistribution([-2.0, -1.0, -0.5, 0.0]),
}
"""`rollout` is n_envs * n_steps; `falls`: the learning rate falls linearly to 0."""

_FIRST = {
    "n_envs": 8,
    "rollout": 2048,
    "batch_size": 256,
    "n_epochs": 10,
    "learning_rate": 1e-3,
    "falls": False,
    "gamma": 0.99,
    "gae_lambda": 0.95,
    "ent_coef": 0.0,
    "clip_range": 0.2,
    "width": 64,
    "activation": "tanh",
    "log_std_init": 0.0,
}
START = (
    _FIRST,
    {**_FIRST, "falls": True, "log_std_init": -0.5},
    {**_FIRST, "falls": True, "gamma": 0.98, "gae_lambda": 0.9, "log_std_init": -1.0},
    {**_FIRST, "n_envs": 1, "batch_size": 64, "learning_rate": 3e-4},  # SB3's defaults
    {**_FIRST, "n_envs": 16, "rollout": 4096, "batch_size": 512, "falls": True, "activation": "relu"},
    {**_FIRST, "gamma": 0.95, "log_std_init": -0.5, "n_envs": 8},
)
"""Tried first."""


def settings_of(params: Mapping[str, Any]) -> dict[str, Any]:
    """Hyperparameters as a domain file writes them."""
    rate = float(f"{params['learning_rate']:.3g}")
    return {
        "n_envs": params["n_envs"],
        "n_steps": params["rollout"] // params["n_envs"],
        "batch_size": params["batch_size"],
        "n_epochs": params["n_epochs"],
        "learning_rate": f"lin_{rate}" if params["falls"] else rate,
        **{name: params[name] for name in ("gamma", "gae_lambda", "ent_coef", "clip_range")},
        "policy_kwargs": {
            "net_arch": [params["width"], params["width"]],
            "activation_fn": params["activation"],
            "log_std_init": params["log_std_init"],
        },
    }


def programs_of(task: Task) -> dict[str, str]:
    """The task's references, and programs of the templates designer."""
    vocabulary = survey(task, find_domain(task.env_id)).vocabulary
    config = RunConfig(task=task.name)
    request = Request(task, vocabulary, "ppo", 0.99, 100_000, 0, COMPOSED, RUN_SEED)
    designer = create(config, None)
    composed = [designer.propose(request, sample).source for sample in range(COMPOSED)]
    found = {each.id: each.source for each in references(task)}
    return found | {f"composed-{n}": source for n, source in enumerate(composed) if source}


def speed(task: Task, programs: Sequence[str], settings: dict[str, Any]) -> float:
    """Steps of each learner per second of CPU time."""
    with ExitStack() as stack:
        cohort = assembled(task, programs, settings, stack)
        cohort.advance()
        began, steps = time.process_time(), 0
        while time.process_time() - began < PROBE_SECONDS:
            cohort.advance()
            steps += settings["n_envs"] * settings["n_steps"]
        return steps / (time.process_time() - began)


class Study:
    """Trials of one task."""

    def __init__(self, task: Task, seconds: float) -> None:
        self.task, self.seconds, self.path = task, seconds, DATA / f"{task.name}.jsonl"
        sampler = optuna.samplers.TPESampler(n_startup_trials=8, multivariate=True, seed=len(self.rows()))
        pruner = optuna.pruners.MedianPruner(n_startup_trials=4)
        self.study = optuna.create_study(direction="maximize", sampler=sampler, pruner=pruner)
        for row in self.rows():
            self.study.add_trial(
                optuna.trial.create_trial(
                    params=row["params"],
                    distributions=SPACE,
                    value=row["score"],
                    intermediate_values={int(mark): value for mark, value in row["marks"].items()},
                    state=optuna.trial.TrialState[row["state"]],
                )
            )
        for params in START[len(self.rows()) :]:
            self.study.enqueue_trial(params)

    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.path.read_text().splitlines()] if self.path.exists() else []

    def run(self, trials: int) -> None:
        programs = programs_of(self.task)
        names = [name for name in programs for _ in range(SEEDS)]
        for _ in range(trials):
            trial = self.study.ask(SPACE)
            row = {"params": trial.params, "seconds": self.seconds, "marks": {}, "score": None}
            began = time.process_time()
            state = optuna.trial.TrialState.COMPLETE
            try:
                results = self._train(trial, names, programs, row)
                row["score"] = score(results)
                row["results"] = results
            except optuna.TrialPruned:
                state = optuna.trial.TrialState.PRUNED
                row["score"] = list(row["marks"].values())[-1]
            row |= {"state": state.name, "cpu_s": round(time.process_time() - began, 1)}
            self.study.tell(trial, row["score"] if state.name == "COMPLETE" else None, state)
            DATA.mkdir(parents=True, exist_ok=True)
            with self.path.open("a") as file:
                file.write(json.dumps(row) + "\n")
            print(row["state"], f"{row['score']:.3g}", row["steps"], row["cpu_s"], trial.params, flush=True)

    def _train(
        self, trial: optuna.Trial, names: Sequence[str], programs: Mapping[str, str], row: dict[str, Any]
    ) -> dict[str, list[float | None]]:
        """Program → fitness by seed; None where a training failed.

        Raises:
            TrialPruned: it is below the median of those before.
        """
        settings = settings_of(trial.params)
        sources = [programs[name] for name in names]
        row["steps"] = steps = int(self.seconds * speed(self.task, sources, settings))
        judging = seeds("selection", RUN_SEED, EPISODES)
        training = seeds("training", RUN_SEED, SEEDS) * len(programs)
        seen: dict[int, Mapping[str, float]] = {}

        def report(index: int, progress: Mapping[str, float]) -> None:
            seen[index] = progress
            if index + 1 < len(names) or "fitness" not in progress:
                return
            done = 100 * progress["step"] / steps
            mark = max((each for each in MARKS if each <= done), default=None)
            if mark is None or str(mark) in row["marks"]:
                return
            value = float(np.mean([each.get("fitness", 0.0) for each in seen.values()]))
            row["marks"][str(mark)] = value
            trial.report(value, mark)
            if trial.should_prune():
                raise optuna.TrialPruned

        results = cohort(self.task, sources, training, judging, settings, steps, report)
        return {
            name: [fitness_of(result) for result, own in zip(results, names, strict=True) if own == name]
            for name in programs
        }


def fitness_of(result: Trained | Failed) -> float | None:
    return round(result.fitness, 4) if isinstance(result, Trained) else None


def score(results: Mapping[str, Sequence[float | None]]) -> float:
    """Mean over programs of fitness minus half its spread; programs of which a training failed are left out."""
    scores = [np.mean(each) - 0.5 * np.std(each) for each in results.values() if None not in each]
    return float(np.mean(scores)) if scores else -1e9


def show(path: Path) -> None:
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    complete = [each for each in rows if each["state"] == "COMPLETE"]
    for row in sorted(complete, key=lambda each: -each["score"]):
        results = {name: "/".join(f"{x:.3g}" for x in values) for name, values in row["results"].items()}
        print(f"{row['score']:8.3g} {row['steps']:8,} steps {row['cpu_s']:6.0f} s  {results}")
        print(f"         {row['params']}")
    print(f"{len(rows)} trials, {sum(each['state'] == 'PRUNED' for each in rows)} of them ended early")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("task")
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=200.0, help="CPU time of a trial's training")
    parser.add_argument("--show", action="store_true")
    options = parser.parse_args()
    if options.show:
        show(DATA / f"{options.task}.jsonl")
        return
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    Study(find_task(options.task), options.seconds).run(options.trials)


if __name__ == "__main__":
    main()
