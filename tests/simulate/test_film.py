"""Frames show the recorded scene: a reset may change the model, and goals have markers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from eureka_loop.envs.registry import find_task, installed
from eureka_loop.simulate import film
from eureka_loop.simulate.env import make_env


@pytest.mark.skipif(not installed("robotics"), reason="needs the extra `robotics`")
def test_fetchs_goal_is_marked() -> None:
    env = make_env(find_task("fetch-reach"))
    env.reset(seed=3)
    inner: Any = env.unwrapped
    film.place(env, inner.data.qpos.copy())
    marker = inner.data.site_xpos[inner.model.site("target0").id]
    assert np.allclose(marker, inner.goal, atol=1e-6)
    env.close()
