"""Frames show the recorded scene: a reset may change the model, and goals have markers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gymnasium
import numpy as np
import pytest

from eureka_loop.envs.registry import find_task, installed
from eureka_loop.simulate import film
from eureka_loop.simulate.env import make_env


@pytest.fixture
def env() -> Iterator[gymnasium.Env[Any, Any]]:
    made = make_env(find_task("hopper-hop"))
    yield made
    made.close()


class Renderer:
    """Keeps what it is asked to render."""

    def __init__(self, model: Any, height: int, width: int) -> None:
        self.model = model

    def __enter__(self) -> Renderer:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def update_scene(self, data: Any, camera: Any) -> None:
        self.data = data

    def render(self) -> tuple[Any, Any]:
        return self.model.body_pos.copy(), self.data.qpos.copy()


def test_the_envs_own_model_is_rendered_pose_by_pose(
    env: gymnasium.Env[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A domain's reset that moves a body, as Adroit's and Meta-World's do, is visible."""
    inner: Any = env.unwrapped
    env.reset(seed=0)
    inner.model.body_pos[1] = (7.0, 8.0, 9.0)
    monkeypatch.setattr(film.mujoco, "Renderer", Renderer)
    poses = np.random.default_rng(0).normal(size=(3, inner.model.nq))
    rendered = list(film.frames(env, poses))
    assert [bodies[1].tolist() for bodies, _ in rendered] == [[7.0, 8.0, 9.0]] * 3
    assert np.array_equal([qpos for _, qpos in rendered], poses)


def test_the_env_places_the_goals_marker(env: gymnasium.Env[Any, Any]) -> None:
    inner: Any = env.unwrapped
    env.reset(seed=0)
    seen: list[float] = []
    inner._render_callback = lambda: seen.append(float(inner.data.qpos[1]))
    film.place(env, np.full(inner.model.nq, 0.25))
    assert seen == [0.25]


@pytest.mark.skipif(not installed("robotics"), reason="needs the extra `robotics`")
def test_fetchs_goal_is_marked() -> None:
    env = make_env(find_task("fetch-reach"))
    env.reset(seed=3)
    inner: Any = env.unwrapped
    film.place(env, inner.data.qpos.copy())
    marker = inner.data.site_xpos[inner.model.site("target0").id]
    assert np.allclose(marker, inner.goal, atol=1e-6)
    env.close()
