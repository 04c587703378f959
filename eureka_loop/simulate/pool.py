"""Physics with an MjData for every copy: steps exactly as Gymnasium's MuJoCo envs do, and knows as much.

Threads share the copies; MuJoCo lets go of Python's lock while it steps. Slower per step than MuJoCo's own
threaded rollout (each MjData has to come into the cache, each call comes from Python), by little where a step
is long.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from math import prod
from typing import Any

import mujoco
import numpy as np

from eureka_loop.records import Array
from eureka_loop.simulate.contacts import ContactTape
from eureka_loop.simulate.physics import FULL, NOTHING, USUAL, Manner, Windows
from eureka_loop.simulate.quantities import FromContacts, Raw, Slice

# Fields that mj_step leaves alone: MuJoCo's envs compute them after it, and so does this, where asked.
AFTER_CONSTRAINTS = frozenset({"cacc", "cfrc_int", "cfrc_ext"})
WHOLE = mujoco.mjtState.mjSTATE_INTEGRATION  # with mocap bodies, controls and the solver's first guess


class Pool:
    """See `physics.Physics`.

    Args:
        model: MjModel.
        raws: slices of MjData and sums over contacts; nothing else is read.
        frame_skip: physics steps in a control step.
    """

    def __init__(
        self,
        model: Any,
        raws: Iterable[Raw],
        n_envs: int,
        frame_skip: int,
        threads: int = 1,
        manner: Manner = USUAL,
    ) -> None:
        raws = tuple(raws)
        slices = [raw for raw in raws if isinstance(raw, Slice)]
        self._model, self._frame_skip, self._manner = model, frame_skip, manner
        self._datas = [mujoco.MjData(model) for _ in range(n_envs)]
        windows = Windows(slices, n_envs)
        self.columns = windows.columns
        self._pairs = [windows.pairs(index, data) for index, data in enumerate(self._datas)]
        self._views = {"ctrl": [data.ctrl for data in self._datas]}
        self._wrenches = manner.wrenches and any(raw.field in AFTER_CONSTRAINTS for raw in slices)
        contacts = any(isinstance(raw, FromContacts) for raw in raws)
        self.tapes = [ContactTape(model, data) for data in self._datas] if contacts else []
        self._varied = {name: np.stack([getattr(model, name)] * n_envs) for name in manner.varied}
        threads = min(threads, n_envs)
        self._chunks = [chunk.tolist() for chunk in np.array_split(np.arange(n_envs), threads)]
        # A model a thread, which each copy's arrays go into before its step: one a copy would be 10 MB each.
        self._models = [copy.copy(model) if manner.varied else model for _ in range(threads)]
        self._executor = ThreadPoolExecutor(threads - 1) if threads > 1 else None

    def reset(self, index: int, qpos: Array, qvel: Array) -> None:
        """As MujocoEnv's `reset` and `set_state`."""
        data = self._datas[index]
        mujoco.mj_resetData(self._model, data)
        data.qpos[:], data.qvel[:] = qpos, qvel
        mujoco.mj_forward(self._model, data)
        self._read(index)

    def adopt(self, index: int, model: Any, data: Any) -> None:
        mujoco.mj_copyData(self._datas[index], model, data)
        for name, rows in self._varied.items():
            rows[index] = getattr(model, name)
        self._read(index)

    def step(self, actions: Array, written: Mapping[str, Array] = NOTHING) -> None:
        """As MujocoEnv's `do_simulation`."""
        everything = [(self._arrays(name), values) for name, values in {"ctrl": actions, **written}.items()]
        if self._executor is None:
            self._advance(0, everything)
            return
        others = range(1, len(self._chunks))
        waiting = [self._executor.submit(self._advance, part, everything) for part in others]
        self._advance(0, everything)
        for each in waiting:
            each.result()

    def state(self, index: int) -> tuple[Array, Array]:
        data, kind = self._datas[index], self._kind
        state = np.zeros(mujoco.mj_stateSize(self._model, kind))
        mujoco.mj_getState(self._model, data, state, kind)
        varied = [rows[index].reshape(-1) for rows in self._varied.values()]
        return np.concatenate([state, *varied]), data.qacc_warmstart.copy()

    def restore(self, index: int, state: Array, guess: Array) -> None:
        data, kind = self._datas[index], self._kind
        end = mujoco.mj_stateSize(self._model, kind)
        mujoco.mj_resetData(self._model, data)
        mujoco.mj_setState(self._model, data, state[:end], kind)
        data.qacc_warmstart[:] = guess
        for rows in self._varied.values():
            start, end = end, end + prod(rows.shape[1:])
            rows[index] = state[start:end].reshape(rows.shape[1:])

    def close(self) -> None:
        if self._executor is not None:
            self._executor.shutdown()

    @property
    def _kind(self) -> Any:
        """What a copy's state holds; the smaller one is what `Rollouts` has, too."""
        return FULL if self._manner == USUAL else WHOLE

    def _arrays(self, name: str) -> Sequence[Array]:
        """One of MjData's arrays, of every copy."""
        if name not in self._views:
            self._views[name] = [getattr(data, name) for data in self._datas]
        return self._views[name]

    def _advance(self, part: int, written: Sequence[tuple[Sequence[Array], Array]]) -> None:
        model, datas, frame_skip = self._models[part], self._datas, self._frame_skip
        varied = [(getattr(model, name), rows) for name, rows in self._varied.items()]
        usual = self._manner == USUAL
        for index in self._chunks[part]:
            for array, rows in varied:
                array[:] = rows[index]
            for arrays, values in written:
                arrays[index][:] = values[index]
            mujoco.mj_step(model, datas[index], frame_skip)
            if self._wrenches:
                mujoco.mj_rnePostConstraint(model, datas[index])
            if not usual:
                self._settle(model, datas[index])
            self._read(index)

    def _settle(self, model: Any, data: Any) -> None:
        for place in self._manner.held:
            data.qpos[place] = 0.0
        if self._manner.forward:
            mujoco.mj_forward(model, data)

    def _read(self, index: int) -> None:
        for column, view in self._pairs[index]:
            column[:] = view
        if self.tapes:
            self.tapes[index].write()
