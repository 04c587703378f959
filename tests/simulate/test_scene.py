"""A scene file as an environment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mujoco
import numpy as np
import pytest

from eureka_loop.config import RunConfig
from eureka_loop.envs.registry import SCENE, find_domain
from eureka_loop.errors import BadInput
from eureka_loop.records import Training
from eureka_loop.search.describe import task_of
from eureka_loop.simulate.env import make_env
from eureka_loop.simulate.recorded import survey
from eureka_loop.train.base import support

WALKER = """<mujoco><option timestep="0.005"/><worldbody>
  <body name="torso" pos="0 0 1"><freejoint/><geom name="trunk" size=".1" mass="5"/>
    <body name="leg"><joint name="hip" axis="0 1 0" range="-1 2" limited="true"/>
      <geom type="capsule" fromto="0 0 0 0 0 -.5" size=".03"/><site name="imu"/></body></body>
  <body name="rail" pos="3 0 1"><joint name="slide" type="slide" axis="1 0 0"/><geom size=".1"/></body>
</worldbody><actuator><position joint="hip" kp="5" ctrlrange="-1 2"/><motor joint="slide"/></actuator>
<sensor><gyro name="gyro" site="imu"/></sensor>
<keyframe><key qpos="0 0 .6 1 0 0 0 .5 0" ctrl=".5 0"/></keyframe></mujoco>"""


@pytest.fixture
def file(tmp_path: Path) -> str:
    (path := tmp_path / "robot.xml").write_text(WALKER)
    return str(path)


def scene(file: str, **arguments: Any) -> Any:
    return make_env(task_of(RunConfig(task="t", env=file, fitness="0", env_kwargs=arguments)))


def test_the_default_observation_and_actions_are_as_stated(file: str) -> None:
    env = scene(file, reset_noise=0.0)
    seen, _ = env.reset(seed=0)
    inner = env.unwrapped
    np.testing.assert_array_equal(seen, [0.6, 1, 0, 0, 0, 0.5, *np.zeros(8), *inner.data.sensordata])
    assert inner.model.geom("floor").type == mujoco.mjtGeom.mjGEOM_PLANE, "it had nothing to stand on"
    for action, ctrl in (([0, 0], [0.5, 0]), ([1, -1], [2, -1]), ([-1, 0.5], [-1, 0.5])):
        env.step(np.array(action, np.float32))
        np.testing.assert_allclose(inner.data.ctrl, ctrl)
    assert inner.data.time == pytest.approx(0.06)
    assert env.spec.max_episode_steps == 1000


def test_starts_vary_by_the_noise_and_follow_the_seed(file: str) -> None:
    env = scene(file, reset_noise=0.1)
    first, again, other = (env.reset(seed=seed)[0] for seed in (0, 0, 1))
    assert first.tolist() == again.tolist() != other.tolist()
    assert np.linalg.norm(env.unwrapped.data.qpos[3:7]) == pytest.approx(1.0)


def test_observables_as_observation_and_a_condition_that_ends_it(file: str) -> None:
    env = scene(
        file,
        observe="torso_pos, hip_angle,leg_ground_force",
        terminate="torso_pos[:, 2] < 0.5",
        reset_noise=0,
    )
    seen, _ = env.reset(seed=0)
    assert env.observation_space.shape == (7,)
    np.testing.assert_array_equal(seen[:4], [0, 0, 0.6, 0.5])
    for _ in range(200):
        seen, _, ended, _, _ = env.step(np.array([1, 0], np.float32))
        assert ended == (seen[2] < 0.5)
        if ended:
            break
    assert ended
    vocabulary = survey(
        task_of(RunConfig(task="t", env=file, fitness="0")), find_domain(SCENE), steps=100
    ).vocabulary
    assert "torso_pos" in vocabulary.names()
    assert vocabulary.notes == ()
    assert "Action Space" in vocabulary.documentation


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"observe": "torso_pos,zzz"}, "unknown observable 'zzz'"),
        ({"observe": "time"}, "only names of the model's elements and of its state"),
        ({"observe": "torso_turn"}, "'torso_turn', which has a memory"),
        ({"terminate": "prev_hip_angle > 1"}, "prev_hip_angle: only names of"),
        ({"terminate": "torso_pos"}, r"--terminate 'torso_pos': .* has shape \(N, 3\)"),
        ({"terminate": "hip_angle.mean() > 0"}, "no condition on single steps"),
        ({"terminate": "__import__('os').abort()"}, "can't be made"),
        ({"wheels": 4}, "unexpected keyword argument 'wheels'"),
    ],
)
def test_what_a_scene_can_not_do_is_named(file: str, arguments: Any, problem: str) -> None:
    with pytest.raises(BadInput, match=problem):
        scene(file, **arguments)


def test_a_file_is_found_here_or_in_an_installed_package() -> None:
    env = scene("gymnasium/envs/mujoco/assets/half_cheetah.xml")
    env.reset(seed=0)
    assert env.unwrapped.model.body("torso").id
    assert env.observation_space.shape == (8 + 9,), "without the place along the floor"
    training = Training("ppo", {"n_steps": 8, "batch_size": 8}, "sb3")
    task = task_of(RunConfig(task="t", env="gymnasium/envs/mujoco/assets/half_cheetah.xml", fitness="0"))
    assert support(training, task, find_domain(SCENE)) == ""
    with pytest.raises(
        BadInput,
        match=r"env 'none\.xml' can't be made .*no file none\.xml, neither in /.* nor in an installed package",
    ):
        scene("none.xml")
