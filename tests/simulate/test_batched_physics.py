"""Rollouts with sensors against a pool of MjData, on a model that has some of everything."""

from __future__ import annotations

import itertools
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import mujoco
import numpy as np
import pytest

from eureka_loop.simulate.choice import fastest, pool, rollouts
from eureka_loop.simulate.contacts import ContactTape
from eureka_loop.simulate.quantities import FromContacts, Raw, Slice
from eureka_loop.simulate.rollouts import Rollouts
from eureka_loop.simulate.runge_kutta import Motion

ENVS, STEPS, FRAME_SKIP = 3, 40, 3

# A nameless ball with a bob, a hinged arm on a free box with another beside it, a cart, a table and a shelf.
MODEL = """
<mujoco>
  <option timestep="0.005" integrator="{integrator}" solver="{solver}"/>
  <worldbody>
    <geom type="plane" size="5 5 .1"/>
    <body name="table" pos="0 0 .3"><geom type="box" size=".4 .4 .05"/>
      <body name="shelf" pos=".6 0 .2"><geom type="box" size=".2 .4 .05"/></body></body>
    <body name="box" pos="0 0 .6" euler="20 30 10"><freejoint/><geom type="box" size=".1 .08 .05" mass="1"/>
      <site name="tip" pos=".1 0 0"/>
      <body pos=".12 0 0" euler="0 40 0"><joint name="elbow" axis="0 1 0" range="-60 60" limited="true"/>
        <geom name="arm" type="capsule" fromto="0 0 0 .2 .05 0" size=".03" mass=".3"/></body></body>
    <body name="other" pos=".05 .12 .75"><freejoint/><geom type="sphere" size=".06" mass=".5"/></body>
    <body pos="1 0 1"><joint type="ball" damping=".01"/><geom size=".05" pos=".2 .1 0" mass=".4"/></body>
    <body name="cart" pos="-1 0 .2"><joint name="rail" type="slide" axis="1 0 0" damping="1"/>
      <geom type="box" size=".1 .1 .1" mass="2"/></body>
  </worldbody>
  <tendon><fixed name="string"><joint joint="elbow" coef="1"/><joint joint="rail" coef="2"/></fixed></tendon>
  <actuator><motor joint="elbow" gear="2"/><motor joint="rail" gear="20"/></actuator>
  <sensor><gyro site="tip"/></sensor>
  {more}
</mujoco>
"""
WELD = '<equality><weld body1="other" body2="cart"/></equality>'
ARRAYS = (
    *("qpos", "qvel", "ctrl", "xpos", "xipos", "xquat", "xmat", "cvel", "cinert", "geom_xpos", "site_xpos"),
    *("subtree_com", "actuator_force", "qfrc_actuator", "cfrc_ext", "ten_length", "ten_velocity"),
)
SUMS = ("net", "ground", "touch")


def env(folder: Path, integrator: str = "Euler", solver: str = "Newton", more: str = "") -> Any:
    """What physics is made from."""
    path = folder / f"{integrator}{solver}{bool(more)}.xml"
    path.write_text(MODEL.format(integrator=integrator, solver=solver, more=more))
    model = mujoco.MjModel.from_xml_path(str(path))
    return SimpleNamespace(model=model, fullpath=str(path), frame_skip=FRAME_SKIP)


def raws_of(model: Any) -> list[Raw]:
    """Whole arrays, parts of them, and all sums over contacts."""
    data = mujoco.MjData(model)
    whole = [(name, getattr(data, name)) for name in ARRAYS]
    raws: list[Raw] = [Slice(name, 0, array.size, array.shape) for name, array in whole]
    raws += [Slice("xmat", 27, 36, (3, 3)), Slice("cvel", 18, 21, (3,)), Slice("cvel", 20, 25, (5,))]
    raws += [Slice("xpos", 8, 13, (5,)), Slice("qvel", 6, 7, ())]
    moving = [body for body in range(1, model.nbody) if model.body_weldid[body]]
    raws += [FromContacts(what, body) for what in SUMS for body in moving]  # type: ignore[arg-type]
    return [*raws, FromContacts("net", 1), FromContacts("touch", 0)]


def values(physics: Any, raw: Raw) -> Any:
    """The column now; of a pool's contacts, the last row of every tape."""
    if raw in physics.columns:
        return physics.columns[raw].copy()
    assert isinstance(raw, FromContacts)
    return np.stack([tape.columns([raw])[raw][-1] for tape in physics.tapes])


@pytest.mark.parametrize(
    ("integrator", "solver"),
    [("Euler", "Newton"), ("implicitfast", "Newton"), ("RK4", "Newton"), ("RK4", "PGS")],
)
def test_rollouts_read_what_a_pool_reads(tmp_path: Path, integrator: str, solver: str) -> None:
    made = env(tmp_path, integrator, solver)
    model, raws = made.model, raws_of(made.model)
    one, other = rollouts(made, raws, ENVS, 2), pool(made, raws, ENVS, 1)
    assert isinstance(one, Rollouts)
    assert other is not None
    random, data = np.random.default_rng(0), mujoco.MjData(model)
    touched: set[Raw] = set()
    for step in range(STEPS):
        if step % 20 == 0:
            for index in range(ENVS):
                qvel = random.normal(size=model.nv) * 0.3
                one.reset(index, data.qpos, qvel)
                other.reset(index, data.qpos, qvel)
        else:
            actions = random.uniform(-1.0, 1.0, (ENVS, 2))
            one.step(actions)
            other.step(actions)
        for raw in raws:
            got, expected = values(one, raw), values(other, raw)
            if isinstance(raw, FromContacts) and raw.what == "touch":
                expected = expected > 0.0
            scale = max(1.0, float(np.abs(expected).max()))
            np.testing.assert_allclose(got, expected, 1e-6, 1e-6 * scale, err_msg=f"{raw} at {step}")
            if isinstance(raw, FromContacts) and expected.any():
                touched.add(raw)
    assert {FromContacts("net", 1), FromContacts("touch", 0), FromContacts("ground", 3)} <= touched


def test_what_no_sensor_gives_comes_from_a_pool(tmp_path: Path) -> None:
    wrench, world = Slice("cfrc_ext", 18, 24, (6,)), Slice("cfrc_ext", 0, 6, (6,))
    plain, welded = env(tmp_path), env(tmp_path, more=WELD)
    cases = [
        (plain, Slice("qfrc_bias", 0, 1, ())),
        (plain, Slice("qfrc_constraint", 0, 1, ())),
        (plain, world),
        (welded, wrench),
        (env(tmp_path, solver="PGS"), Slice("qpos", 0, 1, ())),
    ]
    for made, raw in cases:
        assert rollouts(made, [raw], 2, 1) is None
        assert type(fastest(made, [raw], 2, 1)).__name__ == "Pool"
    assert isinstance(fastest(plain, [wrench], 2, 1), Rollouts)


def test_a_model_that_isnt_its_files_is_left_alone(tmp_path: Path) -> None:
    made, place = env(tmp_path), Slice("xpos", 3, 6, (3,))
    made.model.body_mass[1] *= 2.0
    assert rollouts(made, [place], 2, 1) is None
    made.model.body_mass[1] /= 2.0
    assert rollouts(made, [place], 2, 1) is not None
    made.fullpath = str(tmp_path / "gone.xml")
    assert rollouts(made, [place], 2, 1) is None
    assert rollouts(made, [Slice("qpos", 0, 3, (3,))], 2, 1) is not None  # the state needs no sensor


def test_only_what_is_asked_for_is_sensed(tmp_path: Path) -> None:
    made = env(tmp_path)
    without: Any = rollouts(made, [Slice("qpos", 0, 7, (7,)), Slice("ctrl", 0, 2, (2,))], 2, 1)
    assert without._stepper.sensordata.shape == (2, 3)  # the model's own gyro
    place: Any = rollouts(made, [Slice("xpos", 3, 6, (3,)), Slice("xpos", 3, 4, ())], 2, 1)
    assert place._stepper.sensordata.shape == (2, 6)


def test_motion_is_mujocos(tmp_path: Path) -> None:
    model = env(tmp_path).model
    random = np.random.default_rng(0)
    qpos, way = random.normal(size=(20, model.nq)), random.normal(size=(20, model.nv))
    way[0] = 0.0
    for row in qpos:
        mujoco.mj_normalizeQuat(model, row)
    moved = Motion(model).moved(qpos, way)
    for row, step, got in zip(qpos, way, moved, strict=True):
        mujoco.mj_integratePos(model, row, step, 1.0)
        np.testing.assert_allclose(got, row, atol=1e-14)


def test_a_pool_records_contacts_of_every_copy(tmp_path: Path) -> None:
    made = env(tmp_path)
    physics: Any = pool(made, [FromContacts("touch", 0)], 4, 3)
    for index in range(4):
        physics.reset(index, mujoco.MjData(made.model).qpos, np.zeros(made.model.nv))
    for _ in range(5):
        physics.step(np.zeros((4, 2)))
    physics.close()
    assert [len(tape.rows) for tape in physics.tapes] == [6] * 4
    joined = ContactTape.joined(physics.tapes)
    column = joined.columns([FromContacts("touch", 0)])[FromContacts("touch", 0)]
    for one, other in itertools.pairwise(column.reshape(4, 6)):
        np.testing.assert_array_equal(one, other)
