"""One job: a reward program trains a policy, and the policy is judged."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import cast

import torch
from stable_baselines3 import PPO, SAC
from stable_baselines3.common.vec_env import VecNormalize

from eureka_loop.envs.domain import Domain
from eureka_loop.errors import BadInput, Refused, RewardFailure, RunError
from eureka_loop.judge.base import TaskJudge
from eureka_loop.judge.episodes import Observation, judge_policy
from eureka_loop.judge.programs import start
from eureka_loop.records import Array, Job, Task
from eureka_loop.results import Failed, FailureKind, Trained
from eureka_loop.reward.gate import check
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.sandbox.process import Terms
from eureka_loop.reward.vocabulary import Vocabulary
from eureka_loop.simulate.env import make_env
from eureka_loop.simulate.hindsight import Hindsight
from eureka_loop.simulate.observables import ObservableRegistry
from eureka_loop.simulate.recorded import RecordedVecEnv
from eureka_loop.simulate.step_buffer import Transitions
from eureka_loop.train.checkpoints import Checkpoints
from eureka_loop.train.curves import Curves
from eureka_loop.train.hyperparameters import Settings, settings
from eureka_loop.train.learner import Learner
from eureka_loop.train.policy import predictor, save_policy
from eureka_loop.train.relabel import Past
from eureka_loop.train.reward_scale import RewardScale
from eureka_loop.train.rewarder import Rewarder
from eureka_loop.train.supervision import Diverged, Report, Supervision
from eureka_loop.train.training_episodes import TrainingEpisodes


def train(
    job: Job, domain: Domain, fork_server: ForkServer, folder: Path, report: Report
) -> Trained | Failed:
    """Train and judge; leaves policy.zip, vecnormalize.pkl and TensorBoard's events in the folder.

    The same job gives the same policy and the same scores, bit for bit, on the same kind of CPU: one thread,
    every generator seeded.

    Returns:
        Failed, where the program, the task's fitness or the learning itself failed.

    Raises:
        BadInput: hyperparameters or an env that don't exist; or the job is a part of a training.
        RunError: the folder can't be written.
    """
    if job.until is not None or job.after:
        raise BadInput("only the population trainer stops a training, and goes on with it")
    torch.set_num_threads(1)
    options = settings(job.algorithm, job.hyperparameters)
    if job.begin_with and (job.algorithm != "sac" or options.her):
        raise BadInput("only SAC without hindsight replay can begin with recorded transitions")
    try:
        return _train(job, options, domain, fork_server, folder, report)
    except (RewardFailure, Refused, Diverged) as error:
        return failed(job, error)


def _train(
    job: Job, options: Settings, domain: Domain, fork_server: ForkServer, folder: Path, report: Report
) -> Trained:
    instruments = instruments_of(job.task, domain)
    vocabulary = instruments.vocabulary
    program = check(job.source, vocabulary, hidden=True)  # references may use hidden names
    hindsight = None
    if options.her:
        hindsight = Hindsight.of(job.task, domain, instruments.definitions, program.parameters)
    with ExitStack() as stack:
        judge = stack.enter_context(TaskJudge(fork_server, job.task, vocabulary))
        kept = hindsight.kept if hindsight else ()
        names = dict.fromkeys((*program.parameters, *judge.programs.names, *kept))
        envs = RecordedVecEnv(job.task, domain, names, options.n_envs, job.seed)
        stack.callback(envs.close)
        past = Past([folder / path for path in job.begin_with], program.parameters)
        learner = Learner(job, options, envs, past, hindsight)
        process = stack.enter_context(start(fork_server, program, vocabulary, rows=learner.rows))
        episodes = TrainingEpisodes(judge.programs, options.n_envs)
        checkpoints = Checkpoints(job.steps, job.checkpoints, episodes)
        curves = Curves(folder, job.steps, episodes)
        stack.callback(curves.close)

        def witness(transitions: Transitions, terms: Terms) -> None:
            episodes.add(transitions, terms)
            checkpoints.add(terms)
            curves.add(terms)

        scale = RewardScale(options.n_envs, learner.model.gamma, enabled=options.normalize_reward)
        rewarder = Rewarder(envs.buffer, process, scale, witness)
        supervision = Supervision(episodes, checkpoints, curves, learner.settle, report)
        learner.learn(rewarder, supervision, curves.logger)
        save(folder, learner.model, learner.normalization)
        policy = predictor(learner.model, learner.normalization)

        def predict(observation: Observation) -> Array:
            supervision.beat()
            return policy(observation)

        return Trained(
            candidate=job.candidate,
            seed=job.seed,
            steps=learner.model.num_timesteps,
            episodes=judge_policy(predict, job.task, domain, job.judge_seeds, judge),
            checkpoints=tuple(checkpoints.taken),
            correlations=episodes.correlations(),
            seconds=supervision.seconds,
        )


def vocabulary_of(task: Task, domain: Domain) -> Vocabulary:
    """What can be measured in a task's env, without ranges."""
    return instruments_of(task, domain).vocabulary


def instruments_of(task: Task, domain: Domain) -> ObservableRegistry:
    """How it is measured."""
    env = make_env(task)
    try:
        return ObservableRegistry(env, domain)
    finally:
        env.close()


def save(folder: Path, model: PPO | SAC, normalization: VecNormalize) -> None:
    """
    Raises:
        RunError: the folder can't be written.
    """
    try:
        save_policy(folder, model, normalization)
    except OSError as error:
        raise RunError(f"can't write to {folder}: {error.strerror}; free some space") from error


def failed(job: Job, error: RewardFailure | Refused | Diverged) -> Failed:
    """What ended a training, as its result."""
    kind, detail = "refused" if isinstance(error, Refused) else "diverged", ""
    if isinstance(error, RewardFailure):
        kind, detail = error.kind, error.detail
    return Failed(job.candidate, cast(FailureKind, kind), str(error), detail, job.seed)
