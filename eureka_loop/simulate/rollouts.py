"""Physics by MuJoCo's own threaded rollout: all copies in one call, without Python's lock.

No copy has an MjData of its own; between calls it is a row of numbers. What is read beyond the state comes
from sensors. Two things aren't bit for bit as in the env, both far below 1e-9: the solver's first guess at
the start of a control step (the acceleration before, here estimated from velocities; the solver has to be one
that converges), and sums that a sensor takes in another order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import mujoco
import numpy as np
from mujoco.rollout import Rollout

from eureka_loop.records import Array
from eureka_loop.simulate.contacts import ContactTape
from eureka_loop.simulate.physics import FULL, NOTHING
from eureka_loop.simulate.quantities import FromContacts, Raw, Slice
from eureka_loop.simulate.sensed import Sensed

CONTROL = int(mujoco.mjtState.mjSTATE_CTRL)


class Stepper(Protocol):
    """What takes all copies through one control step.

    Attributes:
        sensordata: (N, nsensordata) from the last physics step.
    """

    sensordata: Array

    def step(self, state: Array, guess: Array, actions: Array) -> None:
        """Write the next `state` (N, nstate) and the next `guess` (N, nv), m/s^2 or rad/s^2, over the old."""


class Rollouts:
    """See `physics.Physics`.

    Args:
        model: the env's MjModel.
        sensed: the same with sensors for all columns that the state doesn't hold.
        pool: the threads that the stepper uses.
    """

    tapes: Sequence[ContactTape] = ()

    def __init__(
        self,
        model: Any,
        sensed: Sensed,
        raws: Iterable[Raw],
        n_envs: int,
        stepper: Stepper,
        pool: Rollout,
    ) -> None:
        self._model, self._stepper, self._pool = model, stepper, pool
        self._state = np.zeros((n_envs, mujoco.mj_stateSize(model, FULL)))
        self._guess = np.zeros((n_envs, model.nv))
        self._actions = np.zeros((n_envs, model.nu))
        self._sensed = {raw: np.zeros((n_envs, *raw.shape)) for raw in sensed.readings}
        self._readings = [(column, sensed.readings[raw]) for raw, column in self._sensed.items()]
        self.columns: dict[Raw, Array] = {
            raw: self._sensed[raw] if raw in self._sensed else self._view(raw) for raw in raws
        }
        self._data = mujoco.MjData(model)  # where resets are computed
        self._tape = ContactTape(model, self._data)

    def reset(self, index: int, qpos: Array, qvel: Array) -> None:
        """As MujocoEnv's `reset` and `set_state`."""
        data = self._data
        mujoco.mj_resetData(self._model, data)
        data.qpos[:], data.qvel[:] = qpos, qvel
        mujoco.mj_forward(self._model, data)
        self._take(index)

    def adopt(self, index: int, model: Any, data: Any) -> None:
        mujoco.mj_copyData(self._data, model, data)
        self._take(index)

    def step(self, actions: Array, written: Mapping[str, Array] = NOTHING) -> None:
        """Nothing but controls can be written: `choice` has a pool for the rest."""
        assert not written
        self._actions[:] = actions
        self._stepper.step(self._state, self._guess, self._actions)
        for column, read in self._readings:
            column[...] = read(self._stepper.sensordata)

    def state(self, index: int) -> tuple[Array, Array]:
        return self._state[index].copy(), self._guess[index].copy()

    def restore(self, index: int, state: Array, guess: Array) -> None:
        self._state[index], self._guess[index] = state, guess

    def close(self) -> None:
        self._pool.close()

    def _take(self, index: int) -> None:
        """Note down where resets are computed."""
        data = self._data
        mujoco.mj_getState(self._model, data, self._state[index], FULL)
        self._guess[index], self._actions[index] = data.qacc_warmstart, data.ctrl
        for raw, column in self._sensed.items():
            if isinstance(raw, Slice):
                column[index] = getattr(data, raw.field).reshape(-1)[raw.start : raw.stop].reshape(raw.shape)
        self._read_contacts(index)

    def _read_contacts(self, index: int) -> None:
        wanted = [raw for raw in self._sensed if isinstance(raw, FromContacts)]
        if not self._data.ncon:
            for raw in wanted:
                self._sensed[raw][index] = 0.0
        elif wanted:
            self._tape.rows.clear()
            self._tape.write()
            for raw, values in self._tape.columns(wanted).items():
                self._sensed[raw][index] = values[0]

    def _view(self, raw: Raw) -> Array:
        part = state_part(raw, self._model)
        assert isinstance(raw, Slice)
        memory = self._actions[:, raw.start : raw.stop] if part is None else self._state[:, part]
        return memory.reshape(len(memory), *raw.shape)  # splits an axis: still a view


def state_part(raw: Raw, mj: Any) -> slice | None:
    """Where the state holds a column; None where it doesn't."""
    starts = {"qpos": 1, "qvel": 1 + mj.nq, "act": 1 + mj.nq + mj.nv}
    if not isinstance(raw, Slice) or raw.field not in starts:
        return None
    return slice(starts[raw.field] + raw.start, starts[raw.field] + raw.stop)


class Batch:
    """Calls of the threaded rollout, always as many physics steps of as many copies, into the same memory.

    Attributes:
        states: (N, steps, nstate) after every step.
        sensordata: (N, steps, nsensordata).
    """

    def __init__(self, pool: Rollout, model: Any, n_envs: int, steps: int) -> None:
        self._pool, self._steps = pool, steps
        self._speeds, self._timestep = speeds_of(model), model.opt.timestep
        self._models = [model] * n_envs
        self._datas = [mujoco.MjData(model) for _ in range(max(pool.nthread, 1))]
        self._controls = np.zeros((n_envs, steps, model.nu))
        self.states = np.zeros((n_envs, steps, mujoco.mj_stateSize(model, FULL)))
        self.sensordata = np.zeros((n_envs, steps, model.nsensordata))

    def run(self, state: Array, guess: Array, actions: Array) -> None:
        """From `state` (N, nstate), the solver starting at `guess` (N, nv), under constant actions."""
        self._controls[:] = actions[:, None]
        self._pool.rollout(
            self._models,
            self._datas,
            state,
            self._controls,
            control_spec=CONTROL,
            skip_checks=True,
            nstep=self._steps,
            initial_warmstart=guess,
            state=self.states,
            sensordata=self.sensordata,
        )

    def advance(self, state: Array, guess: Array, actions: Array) -> None:
        """Run, and write the last state and an estimate of the last acceleration over the old."""
        self.run(state, guess, actions)
        before = state if self._steps == 1 else self.states[:, -2]
        after = self.states[:, -1]
        np.subtract(after[:, self._speeds], before[:, self._speeds], out=guess)
        guess /= self._timestep
        state[:] = after


class Straight:
    """A control step in one call; in two where sensors are read, for these the last physics step alone has.

    See `Stepper`.
    """

    def __init__(self, pool: Rollout, model: Any, sensed: Any, n_envs: int, frame_skip: int) -> None:
        split = sensed is not model and frame_skip > 1
        self._batches = [Batch(pool, sensed, n_envs, 1 if split else frame_skip)]
        if split:
            self._batches.insert(0, Batch(pool, model, n_envs, frame_skip - 1))
        self.sensordata = self._batches[-1].sensordata[:, -1]

    def step(self, state: Array, guess: Array, actions: Array) -> None:
        for batch in self._batches:
            batch.advance(state, guess, actions)


def speeds_of(model: Any) -> slice:
    """Where the state holds qvel."""
    return slice(1 + model.nq, 1 + model.nq + model.nv)
