"""Sites, named geoms, sensors."""

from __future__ import annotations

from collections.abc import Iterator

import mujoco

from eureka_loop.reward.vocabulary import Observable
from eureka_loop.simulate.model import Model
from eureka_loop.simulate.naming import Namer
from eureka_loop.simulate.quantities import Quantity, Slice, as_is, slice_of

# What MuJoCo documents for the sensors people put on robots; others have none here.
SENSOR_UNITS = {
    "touch": "N",
    "force": "N",
    "torque": "N m",
    "accelerometer": "m/s^2",
    "velocimeter": "m/s",
    "gyro": "rad/s",
    "rangefinder": "m",
    "framepos": "m",
    "framelinvel": "m/s",
    "frameangvel": "rad/s",
    "subtreecom": "m",
    "subtreelinvel": "m/s",
}


def site_quantities(model: Model, namer: Namer) -> Iterator[Quantity]:
    """Positions of named sites."""
    for site in range(model.mj.nsite):
        if named := model.name(mujoco.mjtObj.mjOBJ_SITE, site):
            word = namer.name(named, "site", site, ["{}_pos"])
            text = f"position of site {word}"
            observable = Observable(f"{word}_pos", (3,), "m", "world", text, "sites")
            yield Quantity(observable, (slice_of("site_xpos", site, 3),), as_is)


def geom_quantities(model: Model, namer: Namer) -> Iterator[Quantity]:
    """Positions of named geoms (a body's origin is often its joint, its geom the limb), planes left out."""
    for geom in range(model.mj.ngeom):
        named = model.name(mujoco.mjtObj.mjOBJ_GEOM, geom)
        if named and model.mj.geom_type[geom] != mujoco.mjtGeom.mjGEOM_PLANE:
            word = namer.name(named, "geom", geom, ["{}_geom_pos"])
            text = f"position of the centre of geom {word}"
            observable = Observable(f"{word}_geom_pos", (3,), "m", "world", text, "geoms")
            yield Quantity(observable, (slice_of("geom_xpos", geom, 3),), as_is)


def sensor_quantities(model: Model, namer: Namer) -> Iterator[Quantity]:
    """The model's own sensors, as MuJoCo computes them."""
    for sensor in range(model.mj.nsensor):
        named = model.name(mujoco.mjtObj.mjOBJ_SENSOR, sensor)
        word = namer.name(named, "sensor", sensor, ["sensor_{}"])
        start, width = int(model.mj.sensor_adr[sensor]), int(model.mj.sensor_dim[sensor])
        kind = mujoco.mjtSensor(model.mj.sensor_type[sensor]).name.removeprefix("mjSENS_").lower()
        shape = () if width == 1 else (width,)
        unit, text = SENSOR_UNITS.get(kind, ""), f"the model's {kind} sensor {word}"
        observable = Observable(f"sensor_{word}", shape, unit, "", text, "sensors")
        yield Quantity(observable, (Slice("sensordata", start, start + width, shape),), as_is)
