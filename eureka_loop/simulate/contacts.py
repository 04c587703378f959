"""Contact forces on bodies at the step's end: copied contact by contact, summed when columns are computed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import mujoco
import numpy as np
import numpy.typing as npt

from eureka_loop.records import Array
from eureka_loop.simulate.definitions import ContactSum, Raw
from eureka_loop.simulate.model import static_bodies


class Contacts(NamedTuple):
    """The contacts of one env at one moment.

    `geoms` (C, 2); `frames` (C, 9): each contact's three axes in the world, the first from geom 0 to geom 1;
    `forces` (C, 6): force, then torque, along these axes, on geom 1.
    """

    geoms: npt.NDArray[np.int32]
    frames: Array
    forces: Array


def read_contacts(model: Any, data: Any) -> Contacts | None:
    """Copies, since MuJoCo reuses the memory in the next step; None where there is no contact."""
    count = data.ncon
    if not count:
        return None
    forces = np.empty((count, 6))
    for index in range(count):
        mujoco.mj_contactForce(model, data, index, forces[index])
    contact = data.contact
    return Contacts(contact.geom.copy(), contact.frame.copy(), forces)


def contact_sums(
    model: Any, rows: Sequence[Contacts | None], wanted: Sequence[ContactSum]
) -> dict[Raw, Array]:
    """Sum → (R, 3) or (R,), over the contacts of each row."""
    sums: dict[Raw, Array] = {raw: np.zeros((len(rows), *raw.shape)) for raw in wanted}
    present = [(row, contacts) for row, contacts in enumerate(rows) if contacts is not None]
    if not present:
        return sums
    where = np.repeat([row for row, _ in present], [len(contacts.geoms) for _, contacts in present])
    geoms = np.concatenate([contacts.geoms for _, contacts in present])
    frames = np.concatenate([contacts.frames for _, contacts in present]).reshape(-1, 3, 3)
    forces = np.concatenate([contacts.forces for _, contacts in present])
    # A force of 0 is two geoms near each other, not touching; a geom below 0 is a flex, part of no body.
    acts = (forces[:, 0] != 0.0) & (geoms >= 0).all(axis=1)
    where, geoms = where[acts], geoms[acts]
    world = np.einsum("ck,ckj->cj", forces[acts, :3], frames[acts])
    body = model.geom_bodyid
    static = static_bodies(model)[body]
    for side, sign in ((0, -1.0), (1, 1.0)):
        mine, other = geoms[:, side], geoms[:, 1 - side]
        grounded = static[other] & ~static[mine]
        for raw in wanted:
            chosen = np.ones_like(grounded) if raw.what == "net" else grounded
            if raw.body:
                chosen = chosen & (body[mine] == raw.body)
            np.add.at(sums[raw], where[chosen], 1.0 if raw.what == "touch" else sign * world[chosen])
    return sums
