"""Physics of many copies of an env: an MjData each, stepped as Gymnasium's MuJoCo envs step theirs."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from operator import attrgetter
from typing import Any

import mujoco
import numpy as np

from eureka_loop.envs.domain import Vectorised
from eureka_loop.records import Array
from eureka_loop.simulate.definitions import CONTACTS, Raw
from eureka_loop.simulate.physics import read_contacts

# Fields that mj_step leaves alone: Gymnasium's envs compute them after it, and so does this, where asked.
AFTER_CONSTRAINTS = frozenset({"cacc", "cfrc_int", "cfrc_ext"})


class Pool:
    """N copies of an env's simulation, shared by threads; `mj_step` releases Python's global lock.

    Args:
        env: unwrapped; its model is shared.
        raws: to be read after each step and reset, where they are of MjData or of the env.

    Attributes:
        columns: raw column → (N, *shape) as of each copy's last step or reset, overwritten by the next.
    """

    def __init__(
        self, env: Any, vectorised: Vectorised, raws: Iterable[Raw], n_envs: int, threads: int = 1
    ) -> None:
        raws, model = tuple(raws), env.model
        # Gymnasium-Robotics' mazes have the env that steps the simulation inside.
        parts = (env, *vars(env).values())
        inner = next(each for each in parts if hasattr(each, "frame_skip") or hasattr(each, "n_substeps"))
        self._model = model
        self._frame_skip = int(inner.frame_skip if hasattr(inner, "frame_skip") else inner.n_substeps)
        self._datas = [mujoco.MjData(model) for _ in range(n_envs)]
        fields = sorted({raw.key for raw in raws if raw.source == "data"})
        arrays = {field: np.zeros((n_envs, getattr(env.data, field).size)) for field in fields}
        self._pairs = [
            [(arrays[field][index], getattr(data, field).reshape(-1)) for field in fields]
            for index, data in enumerate(self._datas)
        ]
        self._attributes = [raw for raw in raws if raw.source == "env"]
        self.columns: dict[Raw, Array] = {raw: np.zeros((n_envs, *raw.shape)) for raw in self._attributes}
        for raw in raws:
            if raw.source == "data":  # to split the last axis leaves a view
                part = arrays[raw.key][:, raw.index : raw.index + int(np.prod(raw.shape))]
                self.columns[raw] = part.reshape(n_envs, *raw.shape)
        self.contacts = np.empty(n_envs, object) if CONTACTS in raws else None
        self._wrenches = hasattr(inner, "do_simulation") and not AFTER_CONSTRAINTS.isdisjoint(fields)
        joints = [mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_JOINT, name) for name in vectorised.held]
        self._held, self._forward = model.jnt_qposadr[joints].tolist(), vectorised.forward
        self._varied = {name: np.stack([getattr(model, name)] * n_envs) for name in vectorised.varied}
        threads = min(threads, n_envs)
        self._chunks = [chunk.tolist() for chunk in np.array_split(np.arange(n_envs), threads)]
        # One model a thread, filled with each copy's varied arrays: one a copy would take 10 MB each.
        self._models = [copy.copy(model) if self._varied else model for _ in range(threads)]
        self._executor = ThreadPoolExecutor(threads)

    def adopt(self, index: int, env: Any) -> None:
        """Copy the simulation of another such env, with its attributes and its model's varied arrays."""
        mujoco.mj_copyData(self._datas[index], env.model, env.data)
        for name, rows in self._varied.items():
            rows[index] = getattr(env.model, name)
        for raw in self._attributes:
            self.columns[raw][index] = attrgetter(raw.key)(env)
        self._read(index)

    def step(self, written: Mapping[str, Array]) -> None:
        """One control step of all copies, as `MujocoEnv.do_simulation`.

        Args:
            written: arrays of MjData (N, ...) to set before it, "ctrl" among them.
        """
        run = self._executor.map if len(self._chunks) > 1 else map
        list(run(lambda part: self._advance(part, written), range(len(self._chunks))))

    def close(self) -> None:
        """End the threads."""
        self._executor.shutdown()

    def _advance(self, part: int, written: Mapping[str, Array]) -> None:
        model = self._models[part]
        varied = [(getattr(model, name), rows) for name, rows in self._varied.items()]
        for index in self._chunks[part]:
            data = self._datas[index]
            for array, rows in varied:
                array[:] = rows[index]
            for name, values in written.items():
                getattr(data, name)[:] = values[index]
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
        if self.contacts is not None:
            self.contacts[index] = read_contacts(self._model, self._datas[index])
