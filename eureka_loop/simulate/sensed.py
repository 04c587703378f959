"""A model compiled anew, with the sensors that hold what is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np
import numpy.typing as npt

from eureka_loop.records import Array
from eureka_loop.simulate.quantities import Raw
from eureka_loop.simulate.sensors import OBJECT, SENSOR, Plan, Sensor, plan_of

Reading = Callable[[Array], Array]
"""sensordata (N, nsensordata) → (N, *shape)."""

APART = ("sensor", "nsensor", "name", "path", "text", "tex", "mat", "cam", "light", "skin", "vis", "stat")
"""How the names of a model's arrays begin that don't move anything."""


@dataclass(frozen=True, slots=True)
class Sensed:
    """A model with sensors.

    Attributes:
        model: MjModel, otherwise as it was.
        readings: how each column is read.
    """

    model: Any
    readings: Mapping[Raw, Reading]


def with_sensors(model: Any, path: str, raws: Iterable[Raw]) -> Sensed | None:
    """The model of an MJCF file with sensors for these columns.

    None where a column has no sensor, or where the model isn't what the file says.
    """
    plans = {raw: plan_of(raw, model) for raw in raws}
    known = {raw: plan for raw, plan in plans.items() if plan is not None}
    if not plans:
        return Sensed(model, {})
    if len(known) < len(plans) or model.nflex:
        return None
    if model.opt.disableflags & int(mujoco.mjtDisableBit.mjDSBL_SENSOR):
        return None
    spec = _spec(path, model)
    return _compiled(spec, known) if spec is not None else None


def _spec(path: str, model: Any) -> Any | None:
    try:
        spec = mujoco.MjSpec.from_file(path)
        return spec if alike(spec.compile(), model) else None
    except (ValueError, mujoco.FatalError):
        return None


def alike(one: Any, other: Any) -> bool:
    """Whether two models move alike: all numbers equal but those of sensors, pictures and names."""
    for name in dir(one):
        if not name.startswith(("_", *APART)):
            mine, others = getattr(one, name), getattr(other, name)
            if isinstance(mine, (int, np.ndarray)) and not np.array_equal(mine, others):
                return False
    options = (name for name in dir(one.opt) if not name.startswith("_"))
    return all(np.array_equal(getattr(one.opt, name), getattr(other.opt, name)) for name in options)


def _compiled(spec: Any, plans: Mapping[Raw, Plan]) -> Sensed:
    names = _names(spec)
    wanted: dict[Sensor, str] = {}
    for plan in plans.values():
        for sensor in (sensor for group in plan.groups for sensor in group):
            if sensor not in wanted:
                wanted[sensor] = f"~{len(wanted)}"
                _add(spec, sensor, wanted[sensor], names)
    model = spec.compile()
    places = {sensor: _place(model, name) for sensor, name in wanted.items()}
    return Sensed(model, {raw: _reading(raw, plan, places) for raw, plan in plans.items()})


def _names(spec: Any) -> dict[Any, dict[int, str]]:
    """Names by kind and index; nameless elements get one, for a sensor knows its object by name."""
    kinds = {
        OBJECT.mjOBJ_BODY: spec.bodies,
        OBJECT.mjOBJ_GEOM: spec.geoms,
        OBJECT.mjOBJ_SITE: spec.sites,
        OBJECT.mjOBJ_JOINT: spec.joints,
        OBJECT.mjOBJ_TENDON: spec.tendons,
        OBJECT.mjOBJ_ACTUATOR: spec.actuators,
    }
    for kind, elements in kinds.items():
        for element in elements:
            element.name = element.name or f"~{int(kind)}.{element.id}"
    names = {kind: {element.id: element.name for element in elements} for kind, elements in kinds.items()}
    return {**names, OBJECT.mjOBJ_XBODY: names[OBJECT.mjOBJ_BODY]}


def _add(spec: Any, sensor: Sensor, name: str, names: Mapping[Any, Mapping[int, str]]) -> None:
    of = names[sensor.object_kind]
    added = spec.add_sensor(name=name, type=sensor.kind, objtype=sensor.object_kind, objname=of[sensor.at])
    if sensor.kind == SENSOR.mjSENS_CONTACT:
        added.intprm[:3] = sensor.fields, sensor.reduction, 1
        if sensor.other >= 0:
            added.reftype, added.refname = sensor.object_kind, of[sensor.other]


def _place(model: Any, name: str) -> range:
    sensor = mujoco.mj_name2id(model, OBJECT.mjOBJ_SENSOR, name)
    start = int(model.sensor_adr[sensor])
    return range(start, start + int(model.sensor_dim[sensor]))


def _reading(raw: Raw, plan: Plan, places: Mapping[Sensor, range]) -> Reading:
    groups = [_indices([places[sensor] for sensor in group]) for group in plan.groups]
    sizes = [len(group) for group in plan.groups]

    def read(data: Array) -> Array:
        values = [data[:, at].reshape(len(data), size, -1) for at, size in zip(groups, sizes, strict=True)]
        return plan.read(values).reshape(len(data), -1)[:, plan.cut].reshape(len(data), *raw.shape)

    return read


def _indices(places: Sequence[range]) -> slice | npt.NDArray[np.intp]:
    """Numbers of sensordata; as a slice, which copies nothing, where they lie side by side."""
    numbers = np.concatenate([np.array(place, np.intp) for place in places])
    side_by_side = np.array_equal(numbers, np.arange(numbers[0], numbers[0] + len(numbers)))
    return slice(int(numbers[0]), int(numbers[-1]) + 1) if side_by_side else numbers
