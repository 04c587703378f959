"""The SB3 trainer: PPO or SAC of Stable-Baselines3, one job after another.

The plain SB3 class, so that a saved policy loads anywhere; only its buffer is ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import torch
from stable_baselines3 import PPO, SAC
from stable_baselines3.common.callbacks import BaseCallback

from eureka_loop.envs.domain import Domain
from eureka_loop.errors import Refused, RewardFailure
from eureka_loop.judge.base import TaskJudge
from eureka_loop.judge.episodes import judge_policy
from eureka_loop.records import Job, Task, Training, rows_of_call
from eureka_loop.results import Failed, Trained
from eureka_loop.reward.gate import check
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.sandbox.recheck import CheckedProcess
from eureka_loop.simulate.hindsight import Hindsight, stated_of
from eureka_loop.simulate.observables import ObservableRegistry
from eureka_loop.simulate.recorded import RecordedVecEnv
from eureka_loop.train.base import Report, diverged, failed
from eureka_loop.train.buffers import (
    BUFFERS,
    HindsightReplayBuffer,
    PendingRewards,
    count,
    fill,
)
from eureka_loop.train.hyperparameters import Settings, make_model, settings
from eureka_loop.train.metrics import Pace, TrainingMetrics, share_of_bounds
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
        BadInput: hyperparameters or an env that don't exist.
        RunError: the folder can't be written.
    """
    torch.set_num_threads(1)
    try:
        return _train(job, settings(job.algorithm, job.hyperparameters), domain, fork_server, folder, report)
    except (RewardFailure, Refused) as error:
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
        model = _untrained(job, options, envs, count(recorded), hindsight)
        normalization: Any = model.get_vec_normalize_env()
        shapes = vocabulary.shapes(program.parameters, hidden=True)
        process = fork_server.start(program, shapes, rows=rows_of_call(job))
        checked = stack.enter_context(CheckedProcess(process, job.seed))
        metrics = TrainingMetrics(job, judge, options.n_envs, folder)
        stack.callback(metrics.logger.close)
        scale = RewardScale(1, options.n_envs, model.gamma, enabled=options.normalize_reward)
        buffer: Any = model.rollout_buffer if isinstance(model, PPO) else model.replay_buffer
        buffer.pending_rewards = PendingRewards(envs.buffer, checked, scale, metrics.add)
        if isinstance(model, SAC) and recorded:
            fill(model, recorded, program.parameters)
        supervision = Supervision(metrics, report)
        learn(model, job.steps, supervision)
        normalization.ret_rms = scale.statistics.of(0)
        save_policy(folder, model)
        seeds = supervision.reporting(job.judge_seeds)
        predict = predictor(model, normalization)
        episodes = judge_policy(predict, job.task, domain, seeds, judge, checked)
        return metrics.trained(model.num_timesteps, episodes, supervision.pace.seconds)


def _untrained(
    job: Job, options: Settings, envs: RecordedVecEnv, recorded: int, hindsight: Hindsight | None
) -> PPO | SAC:
    buffer = "rollout_buffer" if job.algorithm == "ppo" else "replay_buffer"
    goal = isinstance(envs.observation_space, gymnasium.spaces.Dict)
    own: dict[str, Any] = {f"{buffer}_class": BUFFERS[job.algorithm, goal]}
    if job.algorithm == "sac":  # rows that no step will fill cost memory and change nothing
        most = job.steps + SLACK * options.n_envs + recorded
        own["buffer_size"] = min(options.arguments.get("buffer_size", 1_000_000), most)
    if hindsight is not None:
        own["replay_buffer_class"] = HindsightReplayBuffer
        own["replay_buffer_kwargs"] = {"hindsight": hindsight, "n_sampled_goal": options.n_sampled_goal}
    model: PPO | SAC = make_model(job.algorithm, options, envs, job.seed, **own)
    vars(model).update({f"{buffer}_class": None, f"{buffer}_kwargs": {}})  # a saved policy loads anywhere
    return model


def learn(model: PPO | SAC, steps: int, supervision: Supervision) -> None:
    """The whole training.

    Raises:
        RewardFailure: parameters, actions or observations are not finite any more; or the program, or the
            task's fitness, failed.
    """
    model.set_logger(supervision.metrics.logger)
    try:
        model.learn(steps, supervision, log_interval=NEVER)
    except ValueError as error:
        if "to satisfy the constraint" not in str(error):  # torch's distributions, before an action shows it
            raise
        raise diverged("the policy's distribution is", model.num_timesteps) from error
    if not all(bool(torch.isfinite(each).all()) for each in model.policy.parameters()):
        raise diverged("the policy's parameters are", model.num_timesteps)


class Supervision(BaseCallback):
    """SB3's callback of one training: ends it when it diverges, writes checkpoints and curves, reports."""

    def __init__(self, metrics: TrainingMetrics, report: Progress) -> None:
        super().__init__()
        self.metrics, self.pace, self._send = metrics, Pace(), report

    def _on_step(self) -> bool:
        if not (_finite(self.locals["actions"]) and _finite(self.locals["new_obs"])):
            raise diverged("actions or observations are", self.num_timesteps)
        if self.pace.tick(self.num_timesteps):
            self._report()
        return True

    def _on_rollout_end(self) -> None:
        if self.metrics.due(self.num_timesteps):
            if isinstance(self.model, SAC):  # so that a checkpoint holds every row up to its step
                buffer: Any = self.model.replay_buffer
                buffer.compute_pending_rewards()
            noise = None
            space = self.model.action_space
            if isinstance(self.model, PPO) and isinstance(space, gymnasium.spaces.Box):
                std = self.model.policy.log_std.exp().numpy(force=True)
                noise = share_of_bounds(std, space.low, space.high)
            self.metrics.end_rollout(self.num_timesteps, self.pace.speed, noise)

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
