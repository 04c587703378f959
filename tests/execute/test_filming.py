"""Videos where the machine can draw; else one line that says why not."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest

from eureka_loop import files
from eureka_loop.cli.doctor import rendering
from eureka_loop.envs.registry import find_task
from eureka_loop.execute import local
from eureka_loop.execute.local import filmed
from eureka_loop.records import Rollout
from eureka_loop.simulate import film


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two recorded episodes, of 30 and 5 steps."""
    task = find_task("invertedpendulum-balance")
    files.write_json(tmp_path / "rollout.json", Rollout(task, "ppo", ("a", "b"), 5, ("qpos",)))
    poses = np.random.default_rng(0).uniform(-0.1, 0.1, (35, 2))
    np.savez(tmp_path / "transitions.npz", qpos=poses, policy=np.repeat([0.0, 1.0], [30, 5]))
    (tmp_path / "film-7.mp4").write_bytes(b"older")
    return tmp_path


@pytest.mark.skipif(importlib.util.find_spec("imageio_ffmpeg") is None, reason="needs the extra `video`")
def test_each_policy_has_a_video_where_something_draws(folder: Path) -> None:
    if not any(finding.state == "good" for finding in rendering()):
        pytest.skip("this machine doesn't draw")
    assert filmed(folder) == ""
    films = sorted(folder.glob("*.mp4"))
    assert [path.name for path in films] == ["film-0.mp4", "film-1.mp4"]
    assert all(b"ftyp" in path.read_bytes()[:16] for path in films)


@pytest.mark.parametrize(
    ("installed", "gl", "text"),
    [
        (False, "", r"the package that writes videos is missing: pip install 'eureka-loop\[video\]'"),
        (True, "disable", r"videos are turned off \(MUJOCO_GL=disable\)"),
        (True, "", r"this machine doesn't draw \(nonsense: .*\); `eureka doctor` says what brings it"),
    ],
)
def test_why_there_is_no_video_is_one_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch, installed: bool, gl: str, text: str
) -> None:
    monkeypatch.setattr(local.importlib.util, "find_spec", lambda name: object() if installed else None)
    monkeypatch.setattr(local, "BACKENDS", ("nonsense",))
    monkeypatch.setenv("MUJOCO_GL", gl)
    assert re.fullmatch(text, filmed(folder))
    assert not list(folder.glob("*.mp4"))


def test_each_policy_is_drawn_in_the_scene_of_its_own_start(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The env is reset with the rollout's seed before each."""
    seeds: list[int | None] = []
    made = film.make_env

    def make_env(task: Any) -> Any:
        env = made(task)
        reset = env.reset
        env.reset = lambda *, seed=None, **more: (seeds.append(seed), reset(seed=seed, **more))[1]
        return env

    monkeypatch.setattr(film, "make_env", make_env)
    monkeypatch.setattr(film, "write_video", Mock())
    film.main(folder)
    assert seeds[-2:] == [5, 5]
