"""Behaviour of the final policy in a judged episode, from its columns: numbers that say what it did."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from eureka_loop.errors import RewardFailure, SandboxError
from eureka_loop.records import Array
from eureka_loop.results import Behaviour, Course, JudgedEpisode, standing
from eureka_loop.reward.contract import Program
from eureka_loop.reward.pieces import pieces
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.sandbox.process import RewardProcess
from eureka_loop.reward.sandbox.recheck import CheckedProcess
from eureka_loop.reward.vocabulary import Vocabulary

Columns = Mapping[str, Array]  # parameter → (T, *shape) of one whole episode, in time order
Indices = npt.NDArray[np.intp]
Bounds = tuple[Array, Array]  # of an action: least and greatest, (A,) each

ROWS = 100_000  # of the longest episode; memory is taken only where rows are written
PARTS = 10  # of an episode, whose means are kept
MOST_COURSES = 16  # of observables, components counted; as many again of terms
COMPONENTS, WIDEST = 4, 64  # shown one by one; in one number; wider observables are left out
NOT_SHOWN = {"obs", "action", "terminated", "dt", "time", "time_left"}
TORSO, EVERYTHING = ("torso_pos", "torso_turn"), ("com_pos",)
STILL = 0.01  # m/s, rad/s: of every joint, below which nothing moves; a slow arm does, at 0.1
STILL_FOR = 0.1  # of the episode, at its end
AT_BOUND = 0.01  # of an action's range


class BehaviourRecorder:
    """Summarises judged episodes.

    Args:
        programs: the task's own; its fitness is taken apart in a locked process of its own.
    """

    def __init__(self, fork_server: ForkServer, programs: Sequence[Program], vocabulary: Vocabulary) -> None:
        self._fork_server, self._vocabulary = fork_server, vocabulary
        self._own = self._observables(name for each in programs for name in each.parameters)
        self._taken_apart, self._labels = pieces(next(each for each in programs if each.kind == "fitness"))
        self._process: RewardProcess | None = None

    def names(self, beside: Iterable[str]) -> list[str]:
        """The observables that it reads; `beside`: parameters of the reward programs."""
        shapes = {each.name: each.shape for each in self._vocabulary if not each.hidden}
        place = TORSO if TORSO[0] in shapes else EVERYTHING
        contacts = [name for name, shape in shapes.items() if name.endswith("_contact") and not shape]
        own = [name for name in (*place, "qvel", "action", "terminated", *contacts) if name in shapes]
        return [*own, *self._own, *self._observables(beside)]

    def behaviour(
        self,
        columns: Columns,
        succeeds: Callable[[Columns], bool] | None,
        reward: CheckedProcess | None,
        bounds: Bounds,
    ) -> Behaviour:
        """One episode's.

        Args:
            columns: what the task's programs read, and of `names` those that are there.
            succeeds: whether the episode would count as a success if it ended with these columns.
            reward: the program that the policy was trained with.
            bounds: of the action.
        """
        steps, dt = len(next(iter(columns.values()))), self._vocabulary.dt
        ends = np.unique(np.linspace(0, steps, min(PARTS, steps) + 1).astype(int))
        names = [*self._own, *(self._observables(reward.request.shapes) if reward else ())]
        terms = _terms(columns, reward)
        series = dict([*self._series(columns, dict.fromkeys(names))][:MOST_COURSES])
        series |= {f"term {name}": values for name, values in [*terms.items()][:MOST_COURSES]}
        action, turned = columns.get("action"), columns.get("torso_turn")
        place = columns.get(TORSO[0], columns.get(EVERYTHING[0]))
        found = Behaviour(
            seconds=_short(steps * dt),
            terminated="terminated" in columns and bool(columns["terminated"][-1]),
            succeeded_at=_first_success(columns, ends, dt, succeeds),
            still_from=_still_from(columns["qvel"], dt) if "qvel" in columns else None,
            turned=() if turned is None else _all_short(turned[-1] / (2 * np.pi)),
            shares={name: _short(each.mean()) for name, each in self._contacts(columns).items()},
            pieces=self._pieces(columns),
            terms={name: _short(values.mean()) for name, values in terms.items()},
            courses={name: _course(values, ends) for name, values in series.items()},
        )
        if place is not None and np.isfinite(place).all():
            path = np.linalg.norm(np.diff(place, axis=0), axis=1).sum()
            found = replace(found, moved=_all_short(place[-1] - place[0]), path=_short(path))
        if action is not None and np.isfinite(bounds).all():
            low, high = bounds
            size, near = np.maximum(np.abs(low), np.abs(high)), AT_BOUND * (high - low)
            saturated = ((action <= low + near) | (action >= high - near)).mean()
            found = replace(found, effort=_short((np.abs(action) / size).mean()), saturated=_short(saturated))
        return found

    def close(self) -> None:
        if self._process is not None:
            self._process.close()

    def _observables(self, parameters: Iterable[str]) -> list[str]:
        """The observables that parameters stand for, without those that say little over time."""
        found = (self._vocabulary.find(each, hidden=True) for each in parameters)
        shown = [each for each in found if each is not None and np.prod(each.shape) <= WIDEST]
        return list(dict.fromkeys(each.name for each in shown if each.name not in NOT_SHOWN))

    def _series(self, columns: Columns, names: Iterable[str]) -> Iterator[tuple[str, Array]]:
        """Name → (T,): components of narrow observables, the root mean square of wide ones."""
        for name in (each for each in names if each in columns):
            values = columns[name].reshape(len(columns[name]), -1)
            if not np.isfinite(values).all():
                continue
            if columns[name].ndim == 1:
                yield name, values[:, 0]
            elif values.shape[1] <= COMPONENTS:
                yield from ((f"{name}[{n}]", values[:, n]) for n in range(values.shape[1]))
            else:
                yield f"{name} (root mean square)", np.sqrt(np.square(values).mean(axis=1))

    def _contacts(self, columns: Columns) -> dict[str, Array]:
        """Columns of zeros and ones without a unit, (T,); not `terminated`."""
        names = [each.name for each in self._vocabulary if not (each.unit or each.shape)]
        found = {name: columns[name] for name in names if name in columns and name != "terminated"}
        return {name: each for name, each in found.items() if ((each == 0) | (each == 1)).all()}

    def _pieces(self, columns: Columns) -> dict[str, float]:
        """The fitness taken apart; {} where a piece isn't one finite number."""
        program = self._taken_apart
        if not self._labels:
            return {}
        try:
            if self._process is None:
                shapes = self._vocabulary.shapes(program.parameters, hidden=True)
                self._process = self._fork_server.start(program, shapes, rows=ROWS)
            values = self._process.evaluate(columns).values[:, 0]
        except RewardFailure:
            self._process = None
            return {}
        return dict(zip(self._labels, _all_short(values), strict=True))


def with_two_courses(episodes: Sequence[JudgedEpisode]) -> tuple[JudgedEpisode, ...]:
    """The same, with courses of the median and of the worst alone, so that results stay small."""
    order = sorted(episodes, key=lambda each: standing(each.score))
    kept = {id(order[0]), id(order[(len(order) - 1) // 2])} if order else set()
    return tuple(
        each
        if each.behaviour is None or id(each) in kept
        else replace(each, behaviour=replace(each.behaviour, courses={}))
        for each in episodes
    )


def _terms(columns: Columns, reward: CheckedProcess | None) -> dict[str, Array]:
    """Terms of the reward at every step; {} where the program fails there, or reads other columns."""
    if reward is None or not columns.keys() >= reward.request.shapes.keys():
        return {}
    own = {name: columns[name] for name in reward.request.shapes}
    steps, most = len(next(iter(own.values()))), reward.request.rows
    with suppress(RewardFailure, SandboxError):  # closed, once it failed in an episode before
        batches = [slice(first, first + most) for first in range(0, steps, most)]
        found = [reward.evaluate({name: each[batch] for name, each in own.items()}) for batch in batches]
        values = np.concatenate([each.values for each in found], axis=1)
        return dict(zip(found[0].names, values, strict=True))
    return {}


def _first_success(
    columns: Columns, ends: Indices, dt: float, succeeds: Callable[[Columns], bool] | None
) -> float | None:
    """s; None where it never succeeds, its first step does so already, or there is no success to measure."""

    def after(steps: int) -> bool:
        return bool(succeeds and succeeds({name: each[:steps] for name, each in columns.items()}))

    with suppress(RewardFailure):
        if not after(1):
            return next((_short(end * dt) for end in ends[1:].tolist() if after(end)), None)
    return None


def _still_from(qvel: Array, dt: float) -> float | None:
    moving = np.flatnonzero(~(np.abs(qvel).max(axis=1) < STILL))
    start = int(moving[-1]) + 1 if len(moving) else 0
    return _short(start * dt) if start <= (1 - STILL_FOR) * len(qvel) else None


def _course(values: Array, ends: Indices) -> Course:
    low, high = _short(values.min()), _short(values.max())
    means = np.add.reduceat(values, ends[:-1]) / np.diff(ends)
    return Course(() if low == high else _all_short(means), low, high)


def _short(value: float) -> float:
    """Four significant digits."""
    return float(f"{value:.4g}") + 0.0  # -0.0 + 0.0 is 0.0


def _all_short(values: Array) -> tuple[float, ...]:
    return tuple(map(_short, values.tolist()))
