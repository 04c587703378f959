"""Physics of many copies of an env: an MjData each, stepped as Gymnasium's MuJoCo envs step theirs."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from math import prod
from typing import Any

import mujoco
import numpy as np

from eureka_loop.envs.domain import Vectorised
from eureka_loop.records import Array
from eureka_loop.simulate.contacts import Contacts, read_contacts
from eureka_loop.simulate.definitions import ContactSum, DataSlice, Raw

# Fields that mj_step leaves alone: Gymnasium's envs compute them after it, and so does this, where asked.
AFTER_CONSTRAINTS = frozenset({"cacc", "cfrc_int", "cfrc_ext"})
STATE = mujoco.mjtState.mjSTATE_INTEGRATION  # with mocap bodies, controls and the solver's warm start


class Pool:
    """N copies of an env's simulation.

    Threads share the copies; `mj_step` releases Python's global lock.

    Args:
        env: unwrapped; its model is shared.
        vectorised: what the env does to its simulation beside stepping it.
        raws: of these, slices of MjData and contacts are read.

    Attributes:
        columns: slice → (N, *shape) as MjData holds it after each copy's last step or reset. Views of memory
            that the next step overwrites.
        contacts: of each copy, likewise; empty where no sum over contacts is asked for.
    """

    def __init__(
        self, env: Any, vectorised: Vectorised, raws: Iterable[Raw], n_envs: int, threads: int = 1
    ) -> None:
        raws, model = tuple(raws), env.model
        inner = _stepped(env)
        self._model = model
        self._frame_skip = int(inner.frame_skip if hasattr(inner, "frame_skip") else inner.n_substeps)
        self._datas = [mujoco.MjData(model) for _ in range(n_envs)]
        slices = [raw for raw in raws if isinstance(raw, DataSlice)]
        self._bind(slices)
        self._views = {"ctrl": [data.ctrl for data in self._datas]}
        reads_contacts = any(isinstance(raw, ContactSum) for raw in raws)
        self.contacts: list[Contacts | None] = [None] * n_envs if reads_contacts else []
        self._wrenches = hasattr(inner, "do_simulation") and any(
            raw.field in AFTER_CONSTRAINTS for raw in slices
        )
        joints = [mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_JOINT, name) for name in vectorised.held]
        self._held, self._forward = model.jnt_qposadr[joints].tolist(), vectorised.forward
        self._varied = {name: np.stack([getattr(model, name)] * n_envs) for name in vectorised.varied}
        threads = min(threads, n_envs)
        self._chunks = [chunk.tolist() for chunk in np.array_split(np.arange(n_envs), threads)]
        # One model a thread, filled with each copy's varied arrays: one a copy would take 10 MB each.
        self._models = [copy.copy(model) if self._varied else model for _ in range(threads)]
        self._executor = ThreadPoolExecutor(threads - 1) if threads > 1 else None

    def reset(self, index: int, qpos: Array, qvel: Array) -> None:
        """As `MujocoEnv.reset` and `set_state` with qpos (nq,) and qvel (nv,)."""
        data = self._datas[index]
        mujoco.mj_resetData(self._model, data)
        data.qpos[:], data.qvel[:] = qpos, qvel
        mujoco.mj_forward(self._model, data)
        self._read(index)

    def adopt(self, index: int, model: Any, data: Any) -> None:
        """Copy another simulation of this model, with the model's varied arrays."""
        mujoco.mj_copyData(self._datas[index], model, data)
        for name, rows in self._varied.items():
            rows[index] = getattr(model, name)
        self._read(index)

    def step(self, written: Mapping[str, Array]) -> None:
        """One control step of all copies, as `MujocoEnv.do_simulation`.

        Args:
            written: arrays of MjData (N, ...) to set before it, "ctrl" among them.
        """
        everything = [(self._arrays(name), values) for name, values in written.items()]
        if self._executor is None:
            self._advance(0, everything)
            return
        others = range(1, len(self._chunks))
        waiting = [self._executor.submit(self._advance, part, everything) for part in others]
        self._advance(0, everything)
        for each in waiting:
            each.result()

    def state(self, index: int) -> Array:
        """(S,), all that one copy's next step depends on."""
        state = np.zeros(mujoco.mj_stateSize(self._model, STATE))
        mujoco.mj_getState(self._model, self._datas[index], state, STATE)
        return np.concatenate([state, *(rows[index].reshape(-1) for rows in self._varied.values())])

    def restore(self, index: int, state: Array) -> None:
        """Set one copy to what `state` returned; its columns are right again after the next step."""
        data = self._datas[index]
        end = mujoco.mj_stateSize(self._model, STATE)
        mujoco.mj_resetData(self._model, data)
        mujoco.mj_setState(self._model, data, state[:end], STATE)
        for rows in self._varied.values():
            start, end = end, end + prod(rows.shape[1:])
            rows[index] = state[start:end].reshape(rows.shape[1:])

    def close(self) -> None:
        """End the threads."""
        if self._executor is not None:
            self._executor.shutdown()

    def _bind(self, slices: Sequence[DataSlice]) -> None:
        """Memory (N, width) for the part of each MjData array that is read: one copy a step and array."""
        bounds: dict[str, tuple[int, int]] = {}
        for each in slices:
            start, stop = bounds.get(each.field, (each.start, each.stop))
            bounds[each.field] = min(start, each.start), max(stop, each.stop)
        n_envs = len(self._datas)
        arrays = {name: np.zeros((n_envs, stop - start)) for name, (start, stop) in bounds.items()}
        self.columns: dict[Raw, Array] = {}
        for raw in slices:
            first = bounds[raw.field][0]
            part = arrays[raw.field][:, raw.start - first : raw.stop - first]
            self.columns[raw] = part.reshape(n_envs, *raw.shape)  # splits an axis: still a view
        self._pairs = [
            [
                (arrays[name][index], getattr(data, name).reshape(-1)[start:stop])
                for name, (start, stop) in bounds.items()
            ]
            for index, data in enumerate(self._datas)
        ]

    def _arrays(self, name: str) -> Sequence[Array]:
        """One of MjData's arrays, of every copy."""
        if name not in self._views:
            self._views[name] = [getattr(data, name) for data in self._datas]
        return self._views[name]

    def _advance(self, part: int, written: Sequence[tuple[Sequence[Array], Array]]) -> None:
        model, datas = self._models[part], self._datas
        varied = [(getattr(model, name), rows) for name, rows in self._varied.items()]
        for index in self._chunks[part]:
            data = datas[index]
            for array, rows in varied:
                array[:] = rows[index]
            for arrays, values in written:
                arrays[index][:] = values[index]
            mujoco.mj_step(model, data, self._frame_skip)
            if self._wrenches:
                mujoco.mj_rnePostConstraint(model, data)
            for place in self._held:
                data.qpos[place] = 0.0
            if self._forward:
                mujoco.mj_forward(model, data)
            self._read(index)

    def _read(self, index: int) -> None:
        for column, view in self._pairs[index]:
            column[:] = view
        if self.contacts:
            self.contacts[index] = read_contacts(self._model, self._datas[index])


def _stepped(env: Any) -> Any:
    """The env that steps the simulation: Gymnasium-Robotics' mazes have another env inside."""
    if hasattr(env, "frame_skip") or hasattr(env, "n_substeps"):
        return env
    return next(each for each in vars(env).values() if hasattr(each, "frame_skip"))
