"""Judging many policies: many episodes side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import numpy as np

from eureka_loop.envs.domain import Domain
from eureka_loop.errors import RewardFailure
from eureka_loop.judge.base import TaskJudge
from eureka_loop.judge.episodes import LONGEST
from eureka_loop.records import Array, Task
from eureka_loop.results import JudgedEpisode
from eureka_loop.simulate.batched import BatchedEnvs
from eureka_loop.train.population.acting import Actors, Floats, ObservationScales
from eureka_loop.train.population.group import LearnerState, Rules

Act = Callable[[Array], Floats]
Columns = Mapping[str, Array]
Verdict = tuple[JudgedEpisode, ...] | RewardFailure

AT_ONCE = 128  # episodes: so many bound memory, which holds them whole, and the time without a sign of life


def judge_policies(
    rules: Rules,
    states: Sequence[LearnerState],
    scales: ObservationScales,
    task: Task,
    domain: Domain,
    seeds: Sequence[Sequence[int]],
    judge: TaskJudge,
    threads: int = 1,
    *,
    alive: Callable[[], None] = lambda: None,
) -> list[Verdict]:
    """Every policy, without exploration, in one whole episode a seed; not many more than AT_ONCE at a time.

    A seed's score doesn't depend on which others are judged beside it.

    Args:
        scales: of the learners whose states these are.
        seeds: of each; equally many.
        threads: that step the envs.
        alive: called whenever some have been played and others are left.

    Returns:
        Scores of each; or how fitness or success failed on its episodes.
    """
    verdicts: list[Verdict] = [() for _ in states]
    most = max(1, AT_ONCE // len(states))
    for start in range(0, len(seeds[0]), most):
        if start:
            alive()
        now = [each[start : start + most] for each in seeds]
        actors = _actors(rules, states, len(now[0]))
        flat = [seed for each in now for seed in each]
        envs = BatchedEnvs(task, domain, judge.names, len(flat), flat, threads)
        try:
            episodes = iter(whole_episodes(actor(actors, scales, envs), envs))
        finally:
            envs.close()
        played = [[next(episodes) for _ in each] for each in now]
        verdicts = [_verdict(judge, *each) for each in zip(verdicts, now, played, strict=True)]
    return verdicts


def _actors(rules: Rules, states: Sequence[LearnerState], n: int) -> Actors:
    """These policies, on so many observations each."""
    actors = Actors(rules.layout, rules.activation, len(states), n, apart=True)
    for index, state in enumerate(states):
        actors.copy(np.array([index]), [part[None] for part in state.parameters])
    return actors


def actor(actors: Actors, scales: ObservationScales, envs: BatchedEnvs) -> Act:
    """Policies without exploration: observations (N, inputs) → actions within bounds (N, actions)."""
    low, high = envs.action_low.astype(np.float32), envs.action_high.astype(np.float32)
    learners = len(actors.std)
    inputs = np.ones((learners, envs.n_envs // learners, envs.observation_size + 1), np.float32)

    def act(observations: Array) -> Floats:
        scales.apply(observations.reshape(*inputs.shape[:2], -1), inputs[..., :-1])
        return np.clip(actors.means(inputs), low, high).reshape(envs.n_envs, -1)

    return act


def whole_episodes(act: Act, envs: BatchedEnvs) -> list[Columns]:
    """The columns of one whole episode of each env.

    All are stepped until the last one has finished; what the others do meanwhile is dropped.
    """
    observations = envs.reset()
    finished = np.zeros(len(observations), np.bool_)
    for _ in range(LONGEST):
        step = envs.step(act(observations))
        observations = step.obs
        finished |= step.terminated | step.truncated
        if finished.all():
            break
    taken = envs.take()
    episodes: list[Columns] = []
    for begin, end in pairwise(np.searchsorted(taken.env_index, np.arange(len(finished) + 1)).tolist()):
        ends = np.flatnonzero(taken.done[begin:end])
        own = slice(begin, begin + int(ends[0]) + 1 if len(ends) else end)
        episodes.append({name: column[own] for name, column in taken.columns.items()})
    return episodes


def _verdict(judge: TaskJudge, before: Verdict, seeds: Sequence[int], episodes: Sequence[Columns]) -> Verdict:
    """That of the episodes before, with these."""
    if isinstance(before, RewardFailure):
        return before
    scores = [*before]
    for seed, columns in zip(seeds, episodes, strict=True):
        try:
            scores.append(judge.judge(seed, columns))
        except RewardFailure as failure:
            return failure
    return tuple(scores)
