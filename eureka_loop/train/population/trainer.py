"""The population trainer: a cohort's learners train together, by one stacked PPO on one batch of envs.

A cohort keeps its shape from start to end, since the rounding of batched products changes with it: a learner
that fails leaves an idle slot. The results have the form of the SB3 trainer's. The numbers differ, since
noise and permutations come from other generators; the algorithm is the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import DummyVecEnv

from eureka_loop.envs.domain import Domain
from eureka_loop.errors import Refused, RewardFailure
from eureka_loop.judge.base import TaskJudge
from eureka_loop.records import Array, Job, Task, Training, rows_of_call
from eureka_loop.results import Failed, Trained
from eureka_loop.reward.gate import check
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.sandbox.recheck import CheckedProcess
from eureka_loop.seeds import env_seeds
from eureka_loop.simulate.batched import BatchedEnvs, why_not_batched
from eureka_loop.simulate.env import make_env
from eureka_loop.simulate.observables import ObservableRegistry
from eureka_loop.simulate.step_buffer import Transitions
from eureka_loop.train.base import Report, diverged, failed
from eureka_loop.train.hyperparameters import Settings, SpacesOnly, make_model, settings
from eureka_loop.train.metrics import Pace, TrainingMetrics
from eureka_loop.train.population.judging import judge_policies
from eureka_loop.train.population.ppo import PopulationPPO, Rollout
from eureka_loop.train.saved import save_policy

POLICY_KWARGS = {"net_arch", "activation_fn", "ortho_init", "log_std_init"}
POLICY_KWARGS |= {"share_features_extractor", "optimizer_kwargs"}
OPTIMIZER_KWARGS = {"betas", "eps", "weight_decay"}


class PopulationTrainer:
    """PPO for tasks whose environments can be stepped as one batch."""

    def supports(self, training: Training, task: Task, domain: Domain, names: Sequence[str]) -> str:
        if training.algorithm != "ppo":
            return f"the population trainer has no {training.algorithm.upper()}"
        options = settings(training.algorithm, training.hyperparameters)
        return unsupported(options) or why_not_batched(task, domain, names)

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
        """See `Trainer.train`.

        Args:
            threads: that step the envs; learning takes one.
        """
        with ExitStack() as stack:
            try:
                cohort = Cohort(jobs, domain, fork_server, folders, report, stack, threads)
            except (RewardFailure, Refused) as error:  # of the task's fitness
                return [failed(job, error) for job in jobs]
            return cohort.run()


def unsupported(options: Settings) -> str:
    """Hyperparameters of SB3's PPO that the population trainer lacks, in one line; "" without any."""
    policy = options.arguments.get("policy_kwargs") or {}
    optimizer = policy.get("optimizer_kwargs") or {}
    beyond = [f"policy_kwargs.{key}" for key in policy if key not in POLICY_KWARGS]
    beyond += [f"optimizer_kwargs.{key}" for key in optimizer if key not in OPTIMIZER_KWARGS]
    beyond += ["use_sde"] if options.arguments.get("use_sde") else []
    return f"the population trainer has no {', '.join(beyond)}" if beyond else ""


@dataclass(slots=True)
class Learner:
    """One job with SB3's objects, which hold the result in the end, and its statistics."""

    job: Job
    folder: Path
    model: PPO
    metrics: TrainingMetrics


class Cohort:
    """Learners that train together, a slot each; `stack` closes what they hold."""

    def __init__(
        self,
        jobs: Sequence[Job],
        domain: Domain,
        fork_server: ForkServer,
        folders: Sequence[Path],
        report: Report,
        stack: ExitStack,
        threads: int = 1,
    ) -> None:
        """
        Raises:
            RewardFailure: the task's fitness can't begin; Refused: nor may it.
        """
        torch.set_num_threads(1)
        self._job, self._domain, self._threads, self._send = jobs[0], domain, threads, report
        task, options = jobs[0].task, settings("ppo", jobs[0].hyperparameters)
        self._learners: list[Learner] = []
        self._processes: dict[int, CheckedProcess] = {}
        self._results: dict[int, Trained | Failed] = {}
        self._step, self._n = 0, options.n_envs
        vocabulary = ObservableRegistry.of_task(task, domain).vocabulary
        self._judge = stack.enter_context(TaskJudge(fork_server, task, vocabulary))
        spaces, names = _spaces(task, self._n), [*self._judge.program_names]
        refused: dict[int, RewardFailure | Refused] = {}
        for place, (job, folder) in enumerate(zip(jobs, folders, strict=True)):
            model = make_model("ppo", options, spaces, job.seed, device="cpu")  # learning may be elsewhere
            metrics = TrainingMetrics(job, self._judge, self._n, folder)
            stack.callback(metrics.logger.close)
            self._learners.append(Learner(job, folder, model, metrics))
            try:
                program = check(job.source, vocabulary, hidden=True)  # references may use hidden names
                shapes = vocabulary.shapes(program.parameters, hidden=True)
                process = fork_server.start(program, shapes, rows=rows_of_call(job))
                self._processes[place] = stack.enter_context(CheckedProcess(process, job.seed))
                names += program.parameters
            except (RewardFailure, Refused) as error:
                refused[place] = error
        seeds = [seed for job in jobs for seed in env_seeds(job.seed, self._n)]
        self.envs = BatchedEnvs(task, domain, names, seeds, threads)
        stack.callback(self.envs.close)
        self.ppo = PopulationPPO([each.model for each in self._learners], options, self.envs)
        for place, reason in refused.items():
            self._fail(place, reason)
        self._pace = Pace()

    def run(self) -> list[Trained | Failed]:
        """The whole training, and its judging."""
        while self.advance():
            pass
        self._pace.tick(self._step)
        self._report()
        if self.ppo.active:
            self._finish()
        return [self._results[place] for place in range(len(self._learners))]

    def advance(self) -> bool:
        """One rollout and update of every learner; False once there is nothing left to do."""
        job = self._job
        if self._step >= job.steps or not self.ppo.active:
            return False
        rollout = self.ppo.collect()
        self._step += rollout.dones[:, 0].size
        self._fail_diverged()
        rewards, due = self._rewards(rollout), self._pace.tick(self._step)
        for place in self.ppo.active:
            if (metrics := self._learners[place].metrics).due(self._step):
                metrics.end_rollout(self._step, self._pace.speed, self.ppo.action_noise(place))
        if self.ppo.active:
            losses = self.ppo.update(rewards, rollout, 1.0 - self._step / job.steps)
            for place, each in losses.items():
                self._learners[place].model._n_updates += int(each["epochs"])
                for name, value in each.items():
                    self._learners[place].metrics.logger.record(f"train/{name}", value)
            self._fail_diverged()
        if due:
            self._report()
        return True

    def _rewards(self, rollout: Rollout) -> Array:
        """(T, K, n); learners whose program or fitness fails are stopped."""
        steps, learners, n = rollout.dones.shape
        rewards: Array = np.zeros((learners, n, steps))
        taken = self.envs.buffer.take()
        for place in list(self.ppo.active):
            try:
                own = _own(taken, place, n, steps)
                terms = self._processes[place].evaluate(own.columns)
                self._learners[place].metrics.add(own, terms)
                rewards[place] = terms.total.reshape(n, steps)
            except RewardFailure as failure:
                self._fail(place, failure)
        return rewards.transpose(2, 0, 1)

    def _fail_diverged(self) -> None:
        for place in self.ppo.diverged():
            self._fail(place, diverged("the policy's parameters or the observations are", self._step))

    def _fail(self, place: int, error: RewardFailure | Refused) -> None:
        self._results[place] = failed(self._learners[place].job, error)
        self.ppo.stop(place)

    def _finish(self) -> None:
        """Save and judge the policies that are left."""
        for place in self.ppo.active:
            self._save(place)
        seeds = [each.job.judge_seeds for each in self._learners]
        task, threads = self._job.task, self._threads
        judged = judge_policies(
            self.ppo, task, self._domain, seeds, self._judge, self._processes, threads, self._report
        )
        for place, episodes in judged.items():
            learner, seconds = self._learners[place], self._pace.seconds
            if isinstance(episodes, RewardFailure):
                self._results[place] = failed(learner.job, episodes)
            else:
                self._results[place] = learner.metrics.trained(self._step, episodes, seconds)

    def _save(self, place: int) -> None:
        """Write the policy's files."""
        learner, ppo = self._learners[place], self.ppo
        ppo.export(place, learner.model)
        learner.model.num_timesteps = self._step
        normalization: Any = learner.model.get_vec_normalize_env()
        if ppo.observation_scale.enabled:
            _set_statistics(normalization, ppo.observation_scale.statistics.of(place))
        normalization.ret_rms = ppo.reward_scale.statistics.of(place)
        save_policy(learner.folder, learner.model)

    def _report(self) -> None:
        for place in self.ppo.active:
            progress = self._learners[place].metrics.progress(self._step, self._pace.speed)
            self._send(place, progress)


def _spaces(task: Task, n_envs: int) -> DummyVecEnv:
    env = make_env(task)
    spaces = (env.observation_space, env.action_space)
    env.close()
    return DummyVecEnv([lambda: SpacesOnly(*spaces)] * n_envs)


def _own(transitions: Transitions, place: int, n: int, steps: int) -> Transitions:
    """The rows of one learner's envs, of a batch in which each env took the same number of steps."""
    own = slice(place * n * steps, (place + 1) * n * steps)
    return Transitions(
        {name: column[own] for name, column in transitions.columns.items()},
        transitions.env_index[own] - place * n,
        transitions.episode_start[own],
        transitions.done[own],
    )


def _set_statistics(normalization: Any, statistics: Any) -> None:
    """Have SB3's normalisation scale observations by these statistics; those of a goal env part by part."""
    space = normalization.observation_space
    if not isinstance(space, gymnasium.spaces.Dict):
        normalization.obs_rms = statistics
        return
    start = 0
    for key, part in space.spaces.items():
        own = slice(start, start + int(gymnasium.spaces.flatdim(part)))
        kept = normalization.obs_rms[key]
        kept.mean, kept.var, kept.count = statistics.mean[own], statistics.var[own], statistics.count
        start = own.stop
