"""All that is one learner's own beside its policy: program, seed, statistics, files."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import VecNormalize

from eureka_loop.judge.programs import ProgramJudge
from eureka_loop.records import Array, Job
from eureka_loop.results import JudgedEpisode, Trained
from eureka_loop.reward.sandbox.process import RewardProcess
from eureka_loop.simulate.step_buffer import Transitions
from eureka_loop.train.checkpoints import Checkpoints
from eureka_loop.train.curves import Curves
from eureka_loop.train.population.group import Losses
from eureka_loop.train.training_episodes import TrainingEpisodes


class Member:
    """
    Attributes:
        model, normalization: SB3's, which what is learned goes back into at the end.
    """

    def __init__(
        self,
        job: Job,
        model: PPO,
        normalization: VecNormalize,
        process: RewardProcess,
        judge: ProgramJudge,
        folder: Path,
    ) -> None:
        self.job, self.model, self.normalization = job, model, normalization
        self._process, self.folder = process, folder
        self._episodes = TrainingEpisodes(judge, model.n_envs)
        self._checkpoints = Checkpoints(job.steps, job.checkpoints, self._episodes)
        self._curves = Curves(folder, job.steps, self._episodes)

    @property
    def parameters(self) -> tuple[str, ...]:
        """What the program asks for."""
        return self._process.program.parameters

    def reward(self, transitions: Transitions) -> Array:
        """Rewards of the learner's own rows, (N,), which enter its statistics.

        Raises:
            RewardFailure: the program, or the task's fitness, failed.
        """
        terms = self._process.evaluate(transitions.columns)
        self._episodes.add(transitions, terms)
        self._checkpoints.add(terms)
        self._curves.add(terms)
        return terms.total

    def end_rollout(self, step: int, steps_per_s: float) -> None:
        """What is due at the end of a rollout: a point of the curves, a checkpoint."""
        if self._curves.due(step):
            self._curves.write(step, steps_per_s)
        if self._checkpoints.due(step):
            self._checkpoints.take(step)

    def log(self, losses: Losses) -> None:
        for name, value in losses.items():
            self._curves.logger.record(f"train/{name}", value)

    def progress(self, step: int, steps_per_s: float) -> dict[str, float]:
        """A line of progress."""
        fitness = {name: x for name, x in self._episodes.recent().items() if name == "fitness"}
        return {"step": float(step), "steps_per_s": steps_per_s, **fitness}

    def snapshot(self) -> dict[str, Any]:
        """What was seen so far."""
        return {
            "episodes": self._episodes.snapshot(),
            "checkpoints": self._checkpoints.snapshot(),
            "curves": self._curves.snapshot(),
        }

    def restore(self, snapshot: Mapping[str, Any], before: Path) -> None:
        """Go on from a snapshot; what was plotted and told in the folder `before` stands in this one, too."""
        for pattern in ("events.out.tfevents.*", "progress.jsonl"):
            for path in before.glob(pattern):
                shutil.copy2(path, self.folder)
        self._episodes.restore(snapshot["episodes"])
        self._checkpoints.restore(snapshot["checkpoints"])
        self._curves.restore(snapshot["curves"])

    def close(self) -> None:
        """End the curves' files."""
        self._curves.close()

    def trained(self, scores: tuple[JudgedEpisode, ...], seconds: float) -> Trained:
        return Trained(
            candidate=self.job.candidate,
            seed=self.job.seed,
            steps=self.model.num_timesteps,
            episodes=scores,
            checkpoints=tuple(self._checkpoints.taken),
            correlations=self._episodes.correlations(),
            seconds=seconds,
        )


def part(transitions: Transitions, place: int, n_envs: int) -> Transitions:
    """The rows of one learner's envs, of a batch in which all took the same number of steps."""
    count = len(transitions) // (transitions.env_index[-1] + 1) * n_envs
    own = slice(place * count, (place + 1) * count)
    return Transitions(
        columns={name: column[own] for name, column in transitions.columns.items()},
        env_index=transitions.env_index[own] - place * n_envs,
        episode_start=transitions.episode_start[own],
        done=transitions.done[own],
        truncated=transitions.truncated[own],
    )
