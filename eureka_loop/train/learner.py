"""SB3's PPO or SAC on envs that emit reward 0, with the rewards coming late."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from stable_baselines3 import PPO, SAC
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.vec_env import VecEnv, VecNormalize

from eureka_loop.records import Job
from eureka_loop.simulate.hindsight import Hindsight
from eureka_loop.train import her, ppo, sac
from eureka_loop.train.hyperparameters import ALGORITHMS, Settings
from eureka_loop.train.relabel import Past
from eureka_loop.train.rewarder import Rewarder
from eureka_loop.train.supervision import Diverged, finite_parameters

NEVER = 2**62  # rollouts (PPO) or episodes (SAC): what SB3 logs is written with the other curves
SLACK = 1_000  # steps by which a training may pass its budget, to end a rollout


class Learner:
    """The plain SB3 class, so that what it saves loads anywhere; only its buffer is ours.

    Attributes:
        model: SB3's algorithm.
        normalization: SB3's `VecNormalize` around the envs; rewards are scaled elsewhere.
        rows: how many rows a call to the reward process holds at most.
    """

    def __init__(
        self, job: Job, options: Settings, envs: VecEnv, past: Past, hindsight: Hindsight | None = None
    ) -> None:
        arguments = dict(options.arguments)
        if job.algorithm == "sac":  # rows that no step will fill cost memory and change nothing
            most = job.steps + SLACK * options.n_envs + len(past)
            arguments["buffer_size"] = min(arguments.get("buffer_size", 1_000_000), most)
        self._steps, self._past = job.steps, past
        self._reward_late = sac.reward_late
        if hindsight:
            self._reward_late = partial(
                her.reward_late, hindsight=hindsight, n_sampled_goal=options.n_sampled_goal, seed=job.seed
            )
        self._settle: Callable[[], None] = lambda: None
        self.normalization = VecNormalize(envs, norm_obs=options.normalize_observation, norm_reward=False)
        policy = "MultiInputPolicy" if hasattr(envs.observation_space, "spaces") else "MlpPolicy"
        self.model: PPO | SAC = ALGORITHMS[job.algorithm](
            policy, self.normalization, seed=job.seed, **arguments
        )
        self.normalization.gamma = self.model.gamma  # for those who load it to train on
        self.rows = self.model.n_steps * options.n_envs if isinstance(self.model, PPO) else sac.MOST_PENDING

    def learn(self, rewarder: Rewarder, callback: BaseCallback, logger: Logger) -> None:
        """The whole training.

        Raises:
            Diverged: parameters, actions or observations are not finite any more.
            RewardFailure: the program, or the task's fitness, failed.
        """
        if isinstance(self.model, PPO):
            ppo.reward_late(self.model, rewarder)
        else:
            self._settle = self._reward_late(self.model, rewarder)
            self._past.fill(self.model, self.normalization, rewarder)
        self.model.set_logger(logger)
        try:
            self.model.learn(self._steps, callback, log_interval=NEVER)
        except ValueError as error:
            if not _from_distribution(error):
                raise
            raise self._diverged("the policy's distribution of actions is") from error
        if not finite_parameters(self.model.policy):
            raise self._diverged("the policy's parameters are")
        self.normalization.ret_rms = rewarder.scale.statistics

    def settle(self) -> None:
        """Reward every transition that is still pending; PPO leaves none between rollouts."""
        self._settle()

    def _diverged(self, what: str) -> Diverged:
        return Diverged(f"{what} not finite any more at step {self.model.num_timesteps}")


def _from_distribution(error: ValueError) -> bool:
    """Whether torch's distributions refused their parameters, which they do before an action shows it."""
    frame = error.__traceback__
    while frame and frame.tb_next:
        frame = frame.tb_next
    module = frame.tb_frame.f_globals.get("__name__", "") if frame else ""
    return str(module).startswith("torch.distributions")
