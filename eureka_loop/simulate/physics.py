"""What moves many copies of one model at once, and what of it is read after every step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

import mujoco
import numpy as np

from eureka_loop.records import Array
from eureka_loop.simulate.contacts import ContactTape
from eureka_loop.simulate.quantities import Raw, Slice

FULL = mujoco.mjtState.mjSTATE_FULLPHYSICS  # time, qpos, qvel, act, and what plugins keep


NOTHING: Mapping[str, Array] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Manner:
    """What an env's Python does to its simulation beside stepping it.

    Attributes:
        varied: arrays of MjModel that differ from copy to copy.
        held: where qpos holds joints that are set to 0 after every step.
        forward: whether `mj_forward` follows a step.
        steered: whether a step writes more into MjData than controls.
        wrenches: whether `mj_rnePostConstraint` does, as in all of Gymnasium's own envs.
    """

    varied: tuple[str, ...] = ()
    held: tuple[int, ...] = ()
    forward: bool = False
    steered: bool = False
    wrenches: bool = True


USUAL = Manner()


class Physics(Protocol):
    """N copies of a model, told of every reset and step.

    Attributes:
        columns: raw → (N, *shape) as MjData holds it after the last step or reset of each copy. Memory that
            stays where it is and is written over: copy what is to be kept.
        tapes: each copy's contacts, a row for every reset and step; empty where none were asked for, or where
            `columns` has them.
    """

    @property
    def columns(self) -> Mapping[Raw, Array]: ...

    @property
    def tapes(self) -> Sequence[ContactTape]: ...

    def reset(self, index: int, qpos: Array, qvel: Array) -> None:
        """Start one copy anew from qpos (nq,) and qvel (nv,), at rest otherwise."""

    def adopt(self, index: int, model: Any, data: Any) -> None:
        """Have one copy stand where another simulation of this model does, with its model's varied arrays."""

    def step(self, actions: Array, written: Mapping[str, Array] = NOTHING) -> None:
        """One control step of all copies.

        Args:
            actions: (N, nu), the actuators' controls.
            written: (N, ...), what else to write into MjData before it, array by array.
        """

    def state(self, index: int) -> tuple[Array, Array]:
        """All that one copy's next step depends on: state (nstate,), and the solver's first guess (nv,)."""

    def restore(self, index: int, state: Array, guess: Array) -> None:
        """Have one copy go on from what `state` gave; its columns are right again after the next step."""

    def close(self) -> None:
        """End its threads."""


class Windows:
    """Memory (N, width) for the part of each MjData array that is asked for: one copy a step and array.

    Attributes:
        columns: raw → (N, *shape), views of that memory.
    """

    def __init__(self, slices: Iterable[Slice], n_envs: int) -> None:
        slices = tuple(slices)
        bounds: dict[str, tuple[int, int]] = {}
        for each in slices:
            start, stop = bounds.get(each.field, (each.start, each.stop))
            bounds[each.field] = min(start, each.start), max(stop, each.stop)
        self._bounds = bounds
        self._arrays = {name: np.zeros((n_envs, stop - start)) for name, (start, stop) in bounds.items()}
        self.columns: dict[Raw, Array] = {each: self._view(each, n_envs) for each in slices}

    def pairs(self, index: int, data: Any) -> list[tuple[Array, Array]]:
        """For one copy: (where to copy to, MjData's memory to copy from), which both stay where they are."""
        return [
            (self._arrays[name][index], getattr(data, name).reshape(-1)[start:stop])
            for name, (start, stop) in self._bounds.items()
        ]

    def _view(self, raw: Slice, n_envs: int) -> Array:
        offset = self._bounds[raw.field][0]
        part = self._arrays[raw.field][:, raw.start - offset : raw.stop - offset]
        return part.reshape(n_envs, *raw.shape)  # splits an axis: still a view
