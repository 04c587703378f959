"""Contents of a domain file: names, tasks, hyperparameters.

A domain file is data and small vectorised functions. It imports numpy and this module, never a simulator, so
that listing the catalogue is cheap.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from eureka_loop.records import Algorithm, Array, Task

ObservableFunction = Callable[..., Array]
CLOSEST = '''\
def progress({gap}, {reach}):
    """Minus the object's closest distance to its goal in the episode, m, and a tenth of the hand's to it."""
    return -{gap}.min() - 0.1 * {reach}.min()
'''
"""A progress program, by the names of two distances."""
OURS = "written for this catalogue; the env's own reward is for another task"
"""`human_source` of a hand-written reward that isn't the env's native one."""


@dataclass(frozen=True, slots=True)
class DomainObservable:
    """An observable of a domain file, computed from other observables, all rows at once.

    `needs` are the function's parameters: names of observables, `prev_` and `init_` included.
    At an episode's start its value is the function's at the reset row, where `prev_` equals the row itself.
    """

    name: str
    shape: tuple[int, ...]
    unit: str
    frame: str
    description: str
    hidden: bool
    needs: tuple[str, ...]
    function: ObservableFunction


def observable(
    *, unit: str, frame: str = "", shape: tuple[int, ...] = (), hidden: bool = False
) -> Callable[[ObservableFunction], DomainObservable]:
    """Make a vectorised function an observable with its name, docstring and parameters."""

    def declare(function: ObservableFunction) -> DomainObservable:
        return DomainObservable(
            name=function.__name__,
            shape=shape,
            unit=unit,
            frame=frame,
            description=" ".join((inspect.getdoc(function) or "").split()),
            hidden=hidden,
            needs=tuple(inspect.signature(function).parameters),
            function=function,
        )

    return declare


def touching(force: Array) -> Array:
    """1 where a contact force (N, 3) is not zero, else 0: (N,); without contact it is zero exactly."""
    return np.asarray((force != 0.0).any(axis=1), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Vectorised:
    """An env's own Python as functions of whole columns, so that many envs step in one call.

    The parameters of each function name observables of this env (without memory: no `prev_`, no
    tracker; in `observation`, `prev_` is the moment before the step), arrays of MuJoCo's `MjData` ("cinert"),
    orientations of geoms and sites ("puck_geom_xmat"), or attributes of the env that a reset sets and that
    then stay as they are ("goal"; `__` stands for a dot), each with a leading axis N. `why_not_batched` tries
    them against the env itself before they are used.

    Attributes:
        observation: (N, D), as the env's `_get_obs`; of a goal env its part "observation".
        terminated: (N,) bool, as the env's step says; None where no state ends an episode.
        info: values of the env's `info`, by key (`prev_` is allowed); programs that name another
            key can't be batched.
        achieved_goal, desired_goal: (N, G), of a goal env.
        applied: arrays (N, ...) that the env writes into MjData before it steps, "ctrl" among them: from
            `action` and the columns before the step. None: the action into "ctrl".
        varied: arrays of MjModel that resets change ("body_pos").
        held: joints of which the env sets the position to 0 after every step.
        forward: whether the env calls `mj_forward` after every step.
        settings: arguments of `gymnasium.make` that a task may set, besides time limits.
    """

    observation: ObservableFunction
    terminated: Callable[..., npt.NDArray[np.bool_]] | None = None
    info: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    achieved_goal: ObservableFunction | None = None
    desired_goal: ObservableFunction | None = None
    applied: Callable[..., Mapping[str, Array]] | None = None
    varied: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    forward: bool = False
    settings: frozenset[str] = frozenset()


def place_info(plane: slice) -> dict[str, ObservableFunction]:
    """Keys of `info` with the robot's place, as in Gymnasium's envs; `plane` is where qpos holds x and y."""
    x, y = plane.start, plane.stop - 1
    return {
        "x_position": lambda qpos: qpos[:, x],
        "y_position": lambda qpos: qpos[:, y],
        "distance_from_origin": lambda qpos: np.linalg.norm(qpos[:, plane], axis=1),
    }


@dataclass(frozen=True, slots=True)
class Domain:
    """One environment: its vocabulary beyond the automatic one, its tasks, its tuned hyperparameters.

    Attributes:
        env_id: the Gymnasium id; "" for the generic domain of an unknown env.
        observables: shown to designers before the automatic ones, in this order.
        tasks: the env's own first, then others.
        hyperparameters: per algorithm, keyword arguments of SB3's class, plus "n_envs": published ones.
        hyperparameters_source: citation.
        tuned: the same for short trainings on few cores, by `benchmarks/tune.py`, where there are any.
        tuned_source: the study's table.
        steps: per algorithm, of a training with these after which the task can be done; else 100,000.
        extra: this package's extra that installs the env; "" where none is needed.
        vectorised: the env as functions, for batches; by task where tasks differ. None: one at a time.
        not_vectorised: why one at a time, in one line.
        left_out: prefixes of automatic names that would mislead: markers that the env doesn't move.
        hindsight: how a goal env's transitions are recomputed for another goal. What is computed from
            `desired_goal` is known by itself; these are the automatic names that depend on the goal otherwise
            (`info_is_success`), each with a function of other observables that gives it. {}: there are none,
            and neither motion nor an episode's end depends on the goal. None: hindsight isn't possible.
    """

    name: str
    env_id: str
    observables: tuple[DomainObservable, ...] = ()
    tasks: tuple[Task, ...] = ()
    hyperparameters: Mapping[Algorithm, Mapping[str, Any]] = field(default_factory=dict)
    hyperparameters_source: str = ""
    tuned: Mapping[Algorithm, Mapping[str, Any]] = field(default_factory=dict)
    tuned_source: str = ""
    steps: Mapping[Algorithm, int] = field(default_factory=dict)
    extra: str = ""
    vectorised: Vectorised | Callable[[Task], Vectorised | None] | None = None
    not_vectorised: str = ""
    left_out: tuple[str, ...] = ()
    hindsight: Mapping[str, ObservableFunction] | None = None

    def training_steps(self, algorithm: Algorithm, given: int = 0) -> int:
        """Those that are given, else those that the domain advises."""
        return given or self.steps.get(algorithm, 100_000)

    def settings(self, algorithm: Algorithm, which: Literal["tuned", "zoo"] = "tuned") -> Mapping[str, Any]:
        """The tuned hyperparameters, where there are any, or the published ones."""
        published = self.hyperparameters.get(algorithm, {})
        return self.tuned.get(algorithm, published) if which == "tuned" else published
