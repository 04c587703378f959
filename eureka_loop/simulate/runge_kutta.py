"""A control step of a Runge-Kutta model whose last physics step is taken apart into its four stages.

After such a step MjData holds what belongs to the fourth stage, and so do the env's observables; sensors,
though, are computed at the first. So the stages are run as single Euler steps, which give accelerations, and
the sensors are read at the fourth: the same four evaluations, in four calls.
"""

from __future__ import annotations

import copy
from typing import Any

import mujoco
import numpy as np
from mujoco.rollout import Rollout

from eureka_loop.records import Array
from eureka_loop.simulate.joints import BALL, FREE
from eureka_loop.simulate.rollouts import Batch, speeds_of

STAGES = (0.5, 0.5, 1.0)  # where stages 2 to 4 are, in steps, each along the slope of the one before
WEIGHTS = (1 / 6, 1 / 3, 1 / 3, 1 / 6)


class Staged:
    """See `rollouts.Stepper`; for models without activations.

    Args:
        model: the env's MjModel.
        sensed: the same with sensors.
        whole: how many of the control step's physics steps to run in one piece before. None need: taking all
            apart makes the solver's first guesses exact, which one that stops before it converges asks for.
    """

    def __init__(
        self, pool: Rollout, model: Any, sensed: Any, n_envs: int, frame_skip: int, *, whole: int
    ) -> None:
        self._whole = Batch(pool, model, n_envs, whole) if whole else None
        stage = Batch(pool, _as_euler(model), n_envs, 1)
        last = Batch(pool, _as_euler(sensed), n_envs, 1)
        self._steps = [[stage] * 4] * (frame_skip - whole - 1) + [[stage, stage, stage, last]]
        self._motion, self._timestep = Motion(model), model.opt.timestep
        self._places, self._speeds = slice(1, 1 + model.nq), speeds_of(model)
        self.sensordata = last.sensordata[:, -1]

    def step(self, state: Array, guess: Array, actions: Array) -> None:
        if self._whole is not None:
            self._whole.advance(state, guess, actions)
        for stages in self._steps:
            self._step(stages, state, guess, actions)

    def _step(self, stages: list[Batch], state: Array, guess: Array, actions: Array) -> None:
        accelerations, speeds = [], [state[:, self._speeds].copy()]
        stage = state.copy()
        for batch, share in zip(stages[:3], STAGES, strict=True):
            accelerations.append(self._acceleration(batch, stage, guess, actions))
            self._move(stage, state, share * self._timestep, speeds[-1], accelerations[-1])
            speeds.append(stage[:, self._speeds].copy())
        accelerations.append(self._acceleration(stages[3], stage, guess, actions))
        self._move(state, state, self._timestep, _mean(speeds), _mean(accelerations))
        state[:, 0] += self._timestep
        guess[:] = accelerations[-1]

    def _acceleration(self, batch: Batch, stage: Array, guess: Array, actions: Array) -> Array:
        """(N, nv) at these states."""
        batch.run(stage, guess, actions)
        change = batch.states[:, 0, self._speeds] - stage[:, self._speeds]
        return np.asarray(change / self._timestep)

    def _move(self, into: Array, origin: Array, time: float, speed: Array, acceleration: Array) -> None:
        into[:, self._places] = self._motion.moved(origin[:, self._places], time * speed)
        into[:, self._speeds] = origin[:, self._speeds] + time * acceleration


def _mean(slopes: list[Array]) -> Array:
    first, second, third, fourth = slopes
    return WEIGHTS[0] * first + WEIGHTS[1] * second + WEIGHTS[2] * third + WEIGHTS[3] * fourth


class Motion:
    """MuJoCo's `mj_integratePos` for all rows."""

    def __init__(self, model: Any) -> None:
        kinds, places, dofs = model.jnt_type, model.jnt_qposadr, model.jnt_dofadr
        free, ball = kinds == FREE, kinds == BALL
        single = ~(free | ball)
        straight = [(at + axis, dof + axis) for at, dof in _pairs(places, dofs, free) for axis in range(3)]
        straight += _pairs(places, dofs, single)
        self._places, self._dofs = (np.array(each, np.intp) for each in zip(*straight, strict=True))
        turning = [(at + 3, dof + 3) for at, dof in _pairs(places, dofs, free)]
        self._turning = turning + _pairs(places, dofs, ball)

    def moved(self, qpos: Array, way: Array) -> Array:
        """Positions (N, nq) after a motion (N, nv); turns are in the body's own frame."""
        if not self._turning:
            return qpos + way
        result = np.empty_like(qpos)
        result[:, self._places] = qpos[:, self._places] + way[:, self._dofs]
        for at, dof in self._turning:
            result[:, at : at + 4] = _turned(qpos[:, at : at + 4], way[:, dof : dof + 3])
        return result


def _pairs(places: Any, dofs: Any, chosen: Any) -> list[tuple[int, int]]:
    return list(zip(places[chosen].tolist(), dofs[chosen].tolist(), strict=True))


def _turned(quat: Array, turn: Array) -> Array:
    """quat (N, 4) after a turn (N, 3) about the body's axes, component by component: fast on a few rows."""
    x, y, z = turn.T
    angle = np.sqrt(x * x + y * y + z * z)
    share = np.sin(angle / 2.0) / np.where(angle == 0.0, 1.0, angle)
    x, y, z, w = share * x, share * y, share * z, np.cos(angle / 2.0)
    a, b, c, d = quat.T
    result = np.stack(
        [
            a * w - b * x - c * y - d * z,
            a * x + b * w + c * z - d * y,
            a * y - b * z + c * w + d * x,
            a * z + b * y - c * x + d * w,
        ],
        axis=1,
    )
    return np.asarray(result / np.sqrt(np.square(result).sum(axis=1, keepdims=True)))


def _as_euler(model: Any) -> Any:
    """A copy whose step adds timestep times acceleration to the velocity, and nothing else."""
    euler = copy.copy(model)
    euler.opt.integrator = mujoco.mjtIntegrator.mjINT_EULER
    euler.opt.disableflags |= int(mujoco.mjtDisableBit.mjDSBL_EULERDAMP)
    return euler
