"""Physics with an MjData for every copy: steps exactly as Gymnasium's MuJoCo envs do, and knows as much.

Threads share the copies; MuJoCo lets go of Python's lock while it steps. Slower per step than MuJoCo's own
threaded rollout (each MjData has to come into the cache, each call comes from Python), by little where a step
is long.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import mujoco
import numpy as np

from eureka_loop.records import Array
from eureka_loop.simulate.contacts import ContactTape
from eureka_loop.simulate.physics import FULL, Windows
from eureka_loop.simulate.quantities import FromContacts, Raw, Slice

# Fields that mj_step leaves alone: MuJoCo's envs compute them after it, and so does this, where asked.
AFTER_CONSTRAINTS = frozenset({"cacc", "cfrc_int", "cfrc_ext"})


class Pool:
    """See `physics.Physics`.

    Args:
        model: MjModel.
        raws: slices of MjData and sums over contacts; nothing else is read.
        frame_skip: physics steps in a control step.
    """

    def __init__(
        self, model: Any, raws: Iterable[Raw], n_envs: int, frame_skip: int, threads: int = 1
    ) -> None:
        raws = tuple(raws)
        slices = [raw for raw in raws if isinstance(raw, Slice)]
        self._model, self._frame_skip = model, frame_skip
        self._datas = [mujoco.MjData(model) for _ in range(n_envs)]
        windows = Windows(slices, n_envs)
        self.columns = windows.columns
        self._controls = [data.ctrl for data in self._datas]
        self._pairs = [windows.pairs(index, data) for index, data in enumerate(self._datas)]
        self._wrenches = any(raw.field in AFTER_CONSTRAINTS for raw in slices)
        contacts = any(isinstance(raw, FromContacts) for raw in raws)
        self.tapes = [ContactTape(model, data) for data in self._datas] if contacts else []
        threads = min(threads, n_envs)
        self._chunks = [chunk.tolist() for chunk in np.array_split(np.arange(n_envs), threads)]
        self._executor = ThreadPoolExecutor(threads - 1) if threads > 1 else None

    def reset(self, index: int, qpos: Array, qvel: Array) -> None:
        """As MujocoEnv's `reset` and `set_state`."""
        data = self._datas[index]
        mujoco.mj_resetData(self._model, data)
        data.qpos[:], data.qvel[:] = qpos, qvel
        mujoco.mj_forward(self._model, data)
        self._read(index)

    def step(self, actions: Array) -> None:
        """As MujocoEnv's `do_simulation`."""
        if self._executor is None:
            self._advance(self._chunks[0], actions)
            return
        waiting = [self._executor.submit(self._advance, chunk, actions) for chunk in self._chunks[1:]]
        self._advance(self._chunks[0], actions)
        for each in waiting:
            each.result()

    def state(self, index: int) -> tuple[Array, Array]:
        data = self._datas[index]
        state = np.zeros(mujoco.mj_stateSize(self._model, FULL))
        mujoco.mj_getState(self._model, data, state, FULL)
        return state, data.qacc_warmstart.copy()

    def restore(self, index: int, state: Array, guess: Array) -> None:
        data = self._datas[index]
        mujoco.mj_resetData(self._model, data)
        mujoco.mj_setState(self._model, data, state, FULL)
        data.qacc_warmstart[:] = guess

    def close(self) -> None:
        if self._executor is not None:
            self._executor.shutdown()

    def _advance(self, chunk: Sequence[int], actions: Array) -> None:
        model, datas, controls, frame_skip = self._model, self._datas, self._controls, self._frame_skip
        for index in chunk:
            controls[index][:] = actions[index]
            mujoco.mj_step(model, datas[index], frame_skip)
            if self._wrenches:
                mujoco.mj_rnePostConstraint(model, datas[index])
            self._read(index)

    def _read(self, index: int) -> None:
        for column, view in self._pairs[index]:
            column[:] = view
        if self.tapes:
            self.tapes[index].write()
