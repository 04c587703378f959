"""A cohort's training from rollout to rollout: rewards, failures, statistics, progress; then its judging."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from eureka_loop.envs.domain import Domain
from eureka_loop.errors import RewardFailure
from eureka_loop.records import Array
from eureka_loop.results import Failed, Trained
from eureka_loop.seeds import env_seeds
from eureka_loop.simulate.batched import BatchedEnvs
from eureka_loop.train.hyperparameters import Settings
from eureka_loop.train.population.engine import Population
from eureka_loop.train.population.judging import SharedJudge, Verdict, judge_policies
from eureka_loop.train.population.member import Member, part
from eureka_loop.train.population.models import bring_back, remember
from eureka_loop.train.population.rollout import Rollout
from eureka_loop.train.snapshots import read_snapshot, write_snapshot
from eureka_loop.train.supervision import REPORT_EVERY, SPEED_OVER, Diverged
from eureka_loop.train.trainer import failed, save

Report = Callable[[int, Mapping[str, float]], None]
"""Which of the jobs, and its line of progress: step, steps per second, fitness so far."""


class Cohort:
    """
    Args:
        members: of one task, with the same hyperparameters.
        threads: that step the envs.
    """

    def __init__(
        self,
        members: Sequence[Member],
        options: Settings,
        domain: Domain,
        judge: SharedJudge,
        *,
        threads: int = 1,
    ) -> None:
        jobs = [member.job for member in members]
        self._members, self._domain, self._judge, self._threads = members, domain, judge, threads
        self._task, self._steps, self._until = jobs[0].task, jobs[0].steps, jobs[0].until or jobs[0].steps
        names = [name for member in members for name in member.parameters]
        seeds = [seed for job in jobs for seed in env_seeds(job.seed, options.n_envs)]
        self._envs = BatchedEnvs(self._task, domain, [*names, *judge.names], len(seeds), seeds, threads)
        self._population = Population([member.model for member in members], options, self._envs)
        self._failures: dict[int, Failed] = {}
        self._step = 0  # of each learner
        self._epochs = [0] * len(members)
        self._pace = Pace()

    def restore(self, folders: Sequence[Path]) -> None:
        """Have every member go on with the training that stopped in a folder, as if it hadn't.

        Raises:
            RunError: a folder lacks what is needed.
        """
        stood = [read_snapshot(folder) for folder in folders]
        self._step, self._epochs = stood[0]["step"], [each["epochs"] for each in stood]
        self._population.restore([each["learner"] for each in stood])
        self._envs.restore([each["envs"] for each in stood])
        for member, each, folder in zip(self._members, stood, folders, strict=True):
            member.restore(each["member"], folder)
        self._pace = Pace(self._step, max(each["seconds"] for each in stood))

    def run(self, report: Report) -> list[Trained | Failed]:
        """The whole training, and its judging.

        Args:
            report: called with the member's place.
        """
        self._pace.go()
        while self.advance():
            if self._pace.due(self._step):
                self._report(report)
        self._pace.stop()
        self._report(report)
        results: dict[int, Trained | Failed] = {}
        for place, verdict in self._finish(lambda: self._report(report)).items():
            if isinstance(verdict, RewardFailure):
                self._fail(place, verdict)
            else:
                results[place] = self._members[place].trained(verdict, self._pace.seconds)
        results |= self._failures
        return [results[place] for place in range(len(self._members))]

    def advance(self) -> bool:
        """A rollout and an update of everyone; whether there is more to do."""
        population = self._population
        if self._step >= self._until or not population.alive:
            return False
        with np.errstate(over="ignore", invalid="ignore"):  # who diverges is found below
            rollout = population.collect()
        self._step += rollout.steps
        self._end_diverged()
        rewards = self._reward(rollout)
        for place in population.alive:
            self._members[place].end_rollout(self._step, self._pace.speed(self._step))
        for place, losses in population.learn(rewards, rollout, 1.0 - self._step / self._steps).items():
            self._epochs[place] += int(losses["epochs"])
            self._members[place].log(losses)
        self._end_diverged()
        return True

    def close(self) -> None:
        """End the envs."""
        self._envs.close()

    def _reward(self, rollout: Rollout) -> Array:
        """(K, n, T). Members whose program or fitness fails are dropped."""
        rewards: Array = np.zeros(rollout.done.shape)
        transitions = self._envs.take()
        for place in self._population.alive:
            own = part(transitions, place, rewards.shape[1])
            try:
                rewards[place] = self._members[place].reward(own).reshape(rewards[place].shape)
            except RewardFailure as failure:
                self._fail(place, failure)
        self._population.drop(self._failures)
        return rewards

    def _end_diverged(self) -> None:
        for place in self._population.diverged():
            what = "the policy's parameters or the observations are not finite any more"
            self._fail(place, Diverged(f"{what} at step {self._step}"))
        self._population.drop(self._failures)

    def _fail(self, place: int, error: RewardFailure | Diverged) -> None:
        self._failures[place] = failed(self._members[place].job, error)

    def _finish(self, alive: Callable[[], None]) -> Mapping[int, Verdict]:
        """Save and judge those who made it; `alive` is called on the way."""
        population, states = self._population, self._population.states()
        for place, state in states.items():
            member = self._members[place]
            layout, epochs = population.rules.layout, self._epochs[place]
            bring_back(member.model, layout, state, steps=self._step, epochs=epochs)
            normalization: Any = member.normalization
            if normalization.norm_obs:
                remember(normalization, population.observations.statistics(place))
            normalization.ret_rms = population.rewards.statistics[place]
            save(member.folder, member.model, member.normalization)
        if not states:
            return {}
        self._leave_snapshots()
        verdicts = judge_policies(
            population.rules,
            list(states.values()),
            population.observations.only(np.array(list(states))),
            self._task,
            self._domain,
            [self._members[place].job.judge_seeds for place in states],
            self._judge,
            self._threads,
            alive=alive,
        )
        return dict(zip(states, verdicts, strict=True))

    def _leave_snapshots(self) -> None:
        """What going on takes, where a job goes on, be it without a step that is left."""
        if self._members[0].job.until is None:
            return
        n = self._envs.n_envs // len(self._members)
        for place, learner in self._population.snapshots().items():
            member = self._members[place]
            snapshot = {"step": self._step, "epochs": self._epochs[place], "seconds": self._pace.seconds}
            envs = self._envs.snapshot(slice(place * n, (place + 1) * n))
            parts = {"learner": learner, "envs": envs, "member": member.snapshot()}
            write_snapshot(member.folder, {**snapshot, **parts})

    def _report(self, report: Report) -> None:
        speed = self._pace.speed(self._step)
        for place in self._population.alive:
            report(place, self._members[place].progress(self._step, speed))


class Pace:
    """The clock of a training: steps of each learner per second, over the last reports.

    Args:
        step: where it goes on.
        seconds: that it took until there.
    """

    def __init__(self, step: int = 0, seconds: float = 0.0) -> None:
        self._step, self._before, self.seconds = step, seconds, seconds
        self._stopped: float | None = None
        self.go()

    def go(self) -> None:
        """Begin now: others may have been trained since it was made."""
        self._started = time.perf_counter()
        self._marks = deque([(self._started, self._step)], maxlen=SPEED_OVER)

    def stop(self) -> None:
        """What is measured later is the same."""
        self._stopped = time.perf_counter()
        self.seconds = self._before + self._stopped - self._started

    def speed(self, step: int) -> float:
        since, before = self._marks[0]
        now = time.perf_counter() if self._stopped is None else self._stopped
        return (step - before) / max(now - since, 1e-9)

    def due(self, step: int) -> bool:
        """Whether it is time for a report; if so, it counts as made."""
        now = time.perf_counter()
        if now < self._marks[-1][0] + REPORT_EVERY:
            return False
        self._marks.append((now, step))
        return True
