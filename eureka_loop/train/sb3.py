"""The SB3 trainer: PPO or SAC of Stable-Baselines3, one job after another.

The plain SB3 class, so that a saved policy loads anywhere; only its buffer is ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from stable_baselines3 import PPO, SAC
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecNormalize

from eureka_loop.envs.domain import Domain
from eureka_loop.errors import BadInput, Refused, RewardFailure
from eureka_loop.judge.base import TaskJudge
from eureka_loop.judge.episodes import judge_policy
from eureka_loop.records import Job, Task, Training
from eureka_loop.results import Failed, Trained
from eureka_loop.reward.gate import check
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.simulate.hindsight import Hindsight, stated_of
from eureka_loop.simulate.observables import ObservableRegistry
from eureka_loop.simulate.recorded import RecordedVecEnv
from eureka_loop.train.base import Diverged, Report, failed
from eureka_loop.train.buffers import (
    BUFFERS,
    MOST_PENDING,
    HindsightReplayBuffer,
    PendingRewards,
    count,
    fill,
)
from eureka_loop.train.hyperparameters import ALGORITHMS, Settings, settings
from eureka_loop.train.metrics import Pace, TrainingMetrics
from eureka_loop.train.normalization import RewardScale
from eureka_loop.train.saved import predictor, save_policy

Progress = Callable[[Mapping[str, float]], None]

NEVER = 2**62  # rollouts (PPO) or episodes (SAC): SB3's losses are written with the other curves
SLACK = 1_000  # steps by which a training may exceed its budget, to end a rollout


class SB3Trainer:
    """Every algorithm, hyperparameter and environment that SB3 can be given."""

    def supports(self, training: Training, task: Task, domain: Domain, names: Sequence[str]) -> str:
        return ""

    def train(
        self,
        jobs: Sequence[Job],
        domain: Domain,
        fork_server: ForkServer,
        folders: Sequence[Path],
        report: Report,
        *,
        threads: int = 1,
    ) -> list[Trained | Failed]:
        """See `Trainer.train`; the jobs train one after another, in one thread."""
        return [
            train_job(job, domain, fork_server, folder, partial(report, index))
            for index, (job, folder) in enumerate(zip(jobs, folders, strict=True))
        ]


def train_job(
    job: Job, domain: Domain, fork_server: ForkServer, folder: Path, report: Progress
) -> Trained | Failed:
    """Train and judge one job; see `Trainer.train`.

    Raises:
        BadInput: hyperparameters or an env that don't exist; or the job is a part of a training.
        RunError: the folder can't be written.
    """
    if job.until is not None or job.after:
        raise BadInput("only the population trainer can stop a training and continue it")
    torch.set_num_threads(1)
    options = settings(job.algorithm, job.hyperparameters)
    if job.begin_with and (job.algorithm != "sac" or options.her):
        raise BadInput("only SAC without hindsight replay can begin with recorded transitions")
    try:
        return _train(job, options, domain, fork_server, folder, report)
    except (RewardFailure, Refused, Diverged) as error:
        return failed(job, error)


def _train(
    job: Job, options: Settings, domain: Domain, fork_server: ForkServer, folder: Path, report: Progress
) -> Trained:
    observables = ObservableRegistry.of_task(job.task, domain)
    vocabulary = observables.vocabulary
    program = check(job.source, vocabulary, hidden=True)  # references may use hidden names
    hindsight = None
    if options.her:
        hindsight = Hindsight(observables.definitions, stated_of(job.task, domain), program.parameters)
    with ExitStack() as stack:
        judge = stack.enter_context(TaskJudge(fork_server, job.task, vocabulary))
        kept = hindsight.kept if hindsight else ()
        names = dict.fromkeys((*program.parameters, *judge.program_names, *kept))
        envs = RecordedVecEnv(job.task, domain, names, options.n_envs, job.seed)
        stack.callback(envs.close)
        recorded = [folder / path for path in job.begin_with]
        model, normalization = _untrained(job, options, envs, count(recorded), hindsight)
        rows = model.n_steps * options.n_envs if isinstance(model, PPO) else MOST_PENDING
        shapes = vocabulary.shapes(program.parameters, hidden=True)
        process = stack.enter_context(fork_server.start(program, shapes, rows=rows))
        metrics = TrainingMetrics(job, judge, options.n_envs, folder)
        stack.callback(metrics.logger.close)
        scale = RewardScale(1, options.n_envs, model.gamma, enabled=options.normalize_reward)
        buffer: Any = model.rollout_buffer if isinstance(model, PPO) else model.replay_buffer
        buffer.pending_rewards = PendingRewards(envs.buffer, process, scale, metrics.add)
        if isinstance(model, SAC) and recorded:
            fill(model, normalization, recorded, program.parameters)
        supervision = Supervision(metrics, getattr(buffer, "compute_pending_rewards", lambda: None), report)
        learn(model, job.steps, supervision)
        normalization.ret_rms = scale.statistics.of(0)
        save_policy(folder, model, normalization)
        seeds = supervision.reporting(job.judge_seeds)
        episodes = judge_policy(predictor(model, normalization), job.task, domain, seeds, judge)
        return metrics.trained(model.num_timesteps, episodes, supervision.pace.seconds)


def _untrained(
    job: Job, options: Settings, envs: RecordedVecEnv, recorded: int, hindsight: Hindsight | None
) -> tuple[PPO | SAC, VecNormalize]:
    arguments, goal = dict(options.arguments), hasattr(envs.observation_space, "spaces")
    if job.algorithm == "sac":  # rows that no step will fill cost memory and change nothing
        most = job.steps + SLACK * options.n_envs + recorded
        arguments["buffer_size"] = min(arguments.get("buffer_size", 1_000_000), most)
    buffer = "rollout_buffer" if job.algorithm == "ppo" else "replay_buffer"
    arguments[f"{buffer}_class"] = BUFFERS[job.algorithm, goal]
    if hindsight is not None:
        arguments["replay_buffer_class"] = HindsightReplayBuffer
        own = {"hindsight": hindsight, "n_sampled_goal": options.n_sampled_goal}
        arguments["replay_buffer_kwargs"] = own
    normalization = VecNormalize(envs, norm_obs=options.normalize_observation, norm_reward=False)
    policy = "MultiInputPolicy" if goal else "MlpPolicy"
    model = ALGORITHMS[job.algorithm](policy, normalization, seed=job.seed, **arguments)
    vars(model).update({f"{buffer}_class": None, f"{buffer}_kwargs": {}})  # a saved policy loads anywhere
    normalization.gamma = model.gamma  # for later training on it
    return model, normalization


def learn(model: PPO | SAC, steps: int, supervision: Supervision) -> None:
    """The whole training.

    Raises:
        Diverged: parameters, actions or observations are not finite any more.
        RewardFailure: the program, or the task's fitness, failed.
    """
    model.set_logger(supervision.metrics.logger)
    try:
        model.learn(steps, supervision, log_interval=NEVER)
    except ValueError as error:
        if "to satisfy the constraint" not in str(error):  # torch's distributions, before an action shows it
            raise
        raise Diverged(
            f"the policy's distribution is not finite any more at step {model.num_timesteps}"
        ) from error
    if not all(bool(torch.isfinite(each).all()) for each in model.policy.parameters()):
        raise Diverged(f"the policy's parameters are not finite any more at step {model.num_timesteps}")


class Supervision(BaseCallback):
    """SB3's callback of one training: ends it when it diverges, writes checkpoints and curves, reports.

    Args:
        compute_pending: rewards everything pending, so that a checkpoint holds every row up to its step.

    Raises:
        Diverged: out of `learn`.
    """

    def __init__(
        self, metrics: TrainingMetrics, compute_pending: Callable[[], None], report: Progress
    ) -> None:
        super().__init__()
        self.metrics, self.pace = metrics, Pace()
        self._compute_pending, self._send = compute_pending, report

    def _on_training_start(self) -> None:
        self.pace = Pace()

    def _on_step(self) -> bool:
        if not (_finite(self.locals["actions"]) and _finite(self.locals["new_obs"])):
            raise Diverged(f"actions or observations are not finite at step {self.num_timesteps}")
        if self.pace.tick(self.num_timesteps):
            self._report()
        return True

    def _on_rollout_end(self) -> None:
        if self.metrics.due(self.num_timesteps):
            self._compute_pending()
            self.metrics.end_rollout(self.num_timesteps, self.pace.speed)

    def _on_training_end(self) -> None:
        self.pace.tick(self.num_timesteps)

    def reporting(self, seeds: Sequence[int]) -> Iterator[int]:
        """The same seeds; the last line of progress again before each: a silent worker counts as hung."""
        for seed in seeds:
            self._report()
            yield seed

    def _report(self) -> None:
        self._send(self.metrics.progress(self.num_timesteps, self.pace.speed))


def _finite(value: Any) -> bool:
    """Whether all numbers of an array, or a dict of arrays, are finite."""
    parts = value.values() if isinstance(value, dict) else [value]
    return all(bool(np.isfinite(each).all()) for each in parts)
