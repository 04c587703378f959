"""Contact forces on bodies, at the step's end."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import mujoco
import numpy as np

from eureka_loop.records import Array
from eureka_loop.simulate.quantities import FromContacts


class ContactReader:
    """Sums what the contacts of one env do to the bodies asked for."""

    def __init__(self, model: Any, data: Any, columns: Iterable[tuple[FromContacts, Array]]) -> None:
        """`columns` are filled in place: row n of each is one env step."""
        self._model, self._data = model, data
        self._columns = tuple(columns)
        self._bodies = model.geom_bodyid.tolist()
        self._static = _static_geoms(model)
        self._force = np.zeros(6)

    def write(self, n: int) -> None:
        """Row n: zeros, plus every contact that carries force."""
        nbody = self._model.nbody
        net, ground, touch = np.zeros((nbody, 3)), np.zeros((nbody, 3)), np.zeros(nbody)
        if self._data.ncon:
            self._sum(net, ground, touch)
        for raw, column in self._columns:
            if raw.what == "touch":
                column[n] = touch[raw.body]
            else:
                column[n] = (net if raw.what == "net" else ground)[raw.body]

    def _sum(self, net: Array, ground: Array, touch: Array) -> None:
        contacts = self._data.contact
        geoms, axes = contacts.geom.tolist(), contacts.frame.reshape(-1, 3, 3)
        for index, (first, second) in enumerate(geoms):
            if first < 0 or second < 0:  # a flex element, which belongs to no body
                continue
            mujoco.mj_contactForce(self._model, self._data, index, self._force)
            if (
                self._force[0] == 0.0
            ):  # the normal force, along the frame's first axis, from `first` to `second`
                continue
            force = self._force[:3] @ axes[index]
            one, other = self._bodies[first], self._bodies[second]
            net[one] -= force
            net[other] += force
            if self._static[first] == self._static[second]:
                continue
            moving, on_ground = (one, -force) if self._static[second] else (other, force)
            ground[moving] += on_ground
            touch[moving] += 1
            touch[0] += 1


def _static_geoms(model: Any) -> list[bool]:
    """Which geoms are fixed to the world; a mocap body's are not, since it can be carried about."""
    body = model.geom_bodyid
    mocap = model.body_mocapid[model.body_rootid[body]] >= 0
    return ((model.body_weldid[body] == 0) & ~mocap).tolist()  # type: ignore[no-any-return]
