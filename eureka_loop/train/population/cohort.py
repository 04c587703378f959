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
from eureka_loop.judge.base import TaskJudge
from eureka_loop.records import Array
from eureka_loop.results import Failed, Trained
from eureka_loop.train.hyperparameters import Settings
from eureka_loop.train.population.crew import Crew
from eureka_loop.train.population.judging import Verdict, judge_policies
from eureka_loop.train.population.member import Member
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
        judge: TaskJudge,
        *,
        threads: int = 1,
    ) -> None:
        job = members[0].job
        self._members, self._domain, self._judge, self._threads = members, domain, judge, threads
        self._task, self._steps, self._until = job.task, job.steps, job.until or job.steps
        self._crew = Crew(members, options, domain, judge.programs.names, threads)
        self._failures: dict[Member, Failed] = {}
        self._step = 0  # of each learner
        self._epochs = dict.fromkeys(members, 0)
        self._pace = Pace()

    def restore(self, folders: Sequence[Path]) -> None:
        """Have every member go on with the training that stopped in a folder, as if it hadn't.

        Raises:
            RunError: a folder lacks what is needed.
        """
        stood = [read_snapshot(folder) for folder in folders]
        self._step = stood[0]["step"]
        self._crew.restore(stood)
        for member, each, folder in zip(self._members, stood, folders, strict=True):
            self._epochs[member] = each["epochs"]
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
        results: dict[Member, Trained | Failed] = {}
        for member, verdict in self._finish(lambda: self._report(report)).items():
            if isinstance(verdict, RewardFailure):
                self._fail(member, verdict)
            else:
                results[member] = member.trained(verdict, self._pace.seconds)
        results |= self._failures
        return [results[member] for member in self._members]

    def advance(self) -> bool:
        """A rollout and an update of everyone; whether there is more to do."""
        if self._step >= self._until or not self._crew.alive:
            return False
        rollout = self._collect()
        rewards = self._reward(rollout)
        for _, member in self._crew.alive:
            member.end_rollout(self._step, self._pace.speed(self._step))
        self._learn(rewards, rollout)
        if self._step < self._until:
            self._crew.close_ranks()
        return True

    def close(self) -> None:
        """End the envs."""
        self._crew.close()

    def _collect(self) -> Rollout:
        with np.errstate(over="ignore", invalid="ignore"):  # who diverges is found below
            rollout = self._crew.population.collect()
        self._step += rollout.steps
        self._end_diverged()
        return rollout

    def _reward(self, rollout: Rollout) -> Array:
        """(K, n, T). Members whose program or fitness fails are dropped."""
        rewards: Array = np.zeros(rollout.done.shape)
        for place, member, own in self._crew.transitions():
            try:
                rewards[place] = member.reward(own).reshape(rewards[place].shape)
            except RewardFailure as failure:
                self._fail(member, failure)
        self._crew.drop(self._failures)
        return rewards

    def _learn(self, rewards: Array, rollout: Rollout) -> None:
        left = 1.0 - self._step / self._steps
        for place, losses in self._crew.population.learn(rewards, rollout, left).items():
            member = self._crew.members[place]
            self._epochs[member] += int(losses["epochs"])
            member.log(losses)
        self._end_diverged()

    def _end_diverged(self) -> None:
        for place in self._crew.population.diverged():
            what = "the policy's parameters or the observations are not finite any more"
            self._fail(self._crew.members[place], Diverged(f"{what} at step {self._step}"))
        self._crew.drop(self._failures)

    def _fail(self, member: Member, error: RewardFailure | Diverged) -> None:
        self._failures[member] = failed(member.job, error)

    def _finish(self, alive: Callable[[], None]) -> Mapping[Member, Verdict]:
        """Save and judge those who made it; `alive` is called on the way."""
        population, members = self._crew.population, self._crew.members
        states = population.states()
        for place, state in states.items():
            member = members[place]
            layout, epochs = population.rules.layout, self._epochs[member]
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
            [members[place].job.judge_seeds for place in states],
            self._judge,
            self._threads,
            alive=alive,
        )
        return {members[place]: verdict for place, verdict in zip(states, verdicts, strict=True)}

    def _leave_snapshots(self) -> None:
        """What going on takes, where a job goes on, be it without a step that is left."""
        if self._members[0].job.until is None:
            return
        for member, parts in self._crew.snapshots().items():
            snapshot = {"step": self._step, "epochs": self._epochs[member], "seconds": self._pace.seconds}
            write_snapshot(member.folder, {**snapshot, **parts, "member": member.snapshot()})

    def _report(self, report: Report) -> None:
        speed = self._pace.speed(self._step)
        for _, member in self._crew.alive:
            report(self._members.index(member), member.progress(self._step, speed))


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
