"""Contact forces on bodies, at the step's end: kept contact by contact, summed when they are taken."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import mujoco
import numpy as np
import numpy.typing as npt

from eureka_loop.records import Array
from eureka_loop.simulate.quantities import FromContacts


class Contacts(NamedTuple):
    """The contacts of one row.

    `geoms` (C, 2); `frames` (C, 9): each contact's three axes in the world, the first from geom 0 to geom 1;
    `forces` (C, 6): force, then torque, along these axes, on geom 1.
    """

    geoms: npt.NDArray[np.int32]
    frames: Array
    forces: Array


class ContactTape:
    """One env's contacts, row by row; None where there was none."""

    def __init__(self, model: Any, data: Any) -> None:
        self._model, self._data = model, data
        self._body = model.geom_bodyid.copy()
        self._static = static_geoms(model)
        self.rows: list[Contacts | None] = []

    @classmethod
    def joined(cls, tapes: Sequence[ContactTape]) -> ContactTape:
        """The rows of envs of one model, one env's after the other's; to be read, not written."""
        whole = cls(tapes[0]._model, tapes[0]._data)
        whole.rows = [row for tape in tapes for row in tape.rows]
        return whole

    def write(self) -> None:
        """One more row."""
        count = self._data.ncon
        if not count:
            self.rows.append(None)
            return
        forces = np.empty((count, 6))
        for index in range(count):
            mujoco.mj_contactForce(self._model, self._data, index, forces[index])
        contacts = self._data.contact
        # Copies: MuJoCo keeps contacts in memory that the next step uses again.
        self.rows.append(Contacts(contacts.geom.copy(), contacts.frame.copy(), forces))

    def keep(self, rows: Sequence[int]) -> None:
        """Forget all other rows."""
        self.rows = [self.rows[row] for row in rows]

    def columns(self, wanted: Sequence[FromContacts]) -> dict[FromContacts, Array]:
        """(R, 3) or (R,) each."""
        table = {raw: np.zeros((len(self.rows), *raw.shape)) for raw in wanted}
        present = [(row, contacts) for row, contacts in enumerate(self.rows) if contacts is not None]
        if not present:
            return table
        where = np.repeat([row for row, _ in present], [len(contacts.geoms) for _, contacts in present])
        geoms = np.concatenate([contacts.geoms for _, contacts in present])
        frames = np.concatenate([contacts.frames for _, contacts in present]).reshape(-1, 3, 3)
        forces = np.concatenate([contacts.forces for _, contacts in present])
        # A force of 0 is two geoms near each other, not touching; a geom below 0 is a flex, part of no body.
        acts = (forces[:, 0] != 0.0) & (geoms >= 0).all(axis=1)
        world = np.einsum("ck,ckj->cj", forces[acts, :3], frames[acts])
        for side, sign in ((0, -1.0), (1, 1.0)):
            mine, other = geoms[acts, side], geoms[acts, 1 - side]
            grounded = self._static[other] & ~self._static[mine]
            self._add(table, where[acts], self._body[mine], grounded, sign * world)
        return table

    @staticmethod
    def _add(
        table: dict[FromContacts, Array],
        rows: npt.NDArray[np.intp],
        bodies: npt.NDArray[np.int32],
        grounded: npt.NDArray[np.bool_],
        forces: Array,
    ) -> None:
        """What contacts do to one of their two sides."""
        for raw, column in table.items():
            chosen = np.ones_like(grounded) if raw.what == "net" else grounded
            if raw.body:
                chosen = chosen & (bodies == raw.body)
            np.add.at(column, rows[chosen], 1.0 if raw.what == "touch" else forces[chosen])


def static_geoms(model: Any) -> npt.NDArray[np.bool_]:
    """(ngeom,) which are fixed to the world; a mocap body's are not, since it can be carried about."""
    body = model.geom_bodyid
    mocap = model.body_mocapid[model.body_rootid[body]] >= 0
    return np.asarray((model.body_weldid[body] == 0) & ~mocap)
