"""A MuJoCo model's facts that naming and describing need, read once per env."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gymnasium
import mujoco
import numpy as np

from eureka_loop.errors import BadInput

AXIS_WORDS = ("x", "y", "z")


@dataclass(frozen=True, slots=True)
class Model:
    """The compiled model, and its kinematics in the pose an episode starts from."""

    mj: Any  # mujoco.MjModel
    pose: Any  # mujoco.MjData at the starting pose, before any noise

    def name(self, kind: int, index: int) -> str:
        """The element's name; "" for a nameless one."""
        return mujoco.mj_id2name(self.mj, kind, index) or ""

    def geoms(self, body: int) -> range:
        first = int(self.mj.body_geomadr[body])
        return range(first, first + int(self.mj.body_geomnum[body])) if first >= 0 else range(0)

    def is_static(self, body: int) -> bool:
        """Welded to the world for good; a mocap body is not, since it can be carried about."""
        root = int(self.mj.body_rootid[body])
        return int(self.mj.body_weldid[body]) == 0 and int(self.mj.body_mocapid[root]) < 0

    def collides(self, body: int) -> bool:
        """Whether any contact can act on the body."""
        paired = {*self.mj.pair_geom1.tolist(), *self.mj.pair_geom2.tolist()}
        masks = self.mj.geom_contype | self.mj.geom_conaffinity
        return any(masks[geom] or geom in paired for geom in self.geoms(body))


def model_of(env: gymnasium.Env[Any, Any]) -> Model:
    """
    Raises:
        BadInput: the env isn't backed by MuJoCo.
    """
    inner = env.unwrapped
    mj, data = getattr(inner, "model", None), getattr(inner, "data", None)
    if not isinstance(mj, mujoco.MjModel) or not isinstance(data, mujoco.MjData):
        name = env.spec.id if env.spec else type(inner).__name__
        raise BadInput(
            f"env {name!r} has no MuJoCo model and data; only envs simulated by MuJoCo can be used"
        )
    pose = mujoco.MjData(mj)
    start = getattr(inner, "init_qpos", None)
    if isinstance(start, np.ndarray) and start.size == mj.nq:
        pose.qpos[:] = start.reshape(-1)
    mujoco.mj_kinematics(mj, pose)
    mujoco.mj_comPos(mj, pose)
    return Model(mj, pose)


def direction(vector: Any) -> str:
    """A world direction in words: "+x", "up (+z)", "(0.71, 0.00, 0.71)"."""
    unit = np.asarray(vector) / max(float(np.linalg.norm(vector)), 1e-12)
    main = int(np.abs(unit).argmax())
    if abs(unit[main]) < 0.9:
        return "({:.2f}, {:.2f}, {:.2f})".format(*unit)
    word = ("+" if unit[main] > 0 else "-") + AXIS_WORDS[main]
    return f"{'up' if unit[main] > 0 else 'down'} ({word})" if main == 2 else word
