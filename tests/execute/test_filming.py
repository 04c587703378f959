"""Videos where the machine can draw; else one line that says why not."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eureka_loop import files
from eureka_loop.cli.doctor import rendering
from eureka_loop.envs.registry import find_task
from eureka_loop.execute import filming
from eureka_loop.execute.filming import filmed
from eureka_loop.records import Rollout
from eureka_loop.simulate import film

SEED = 5


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two recorded episodes, of 30 and 5 steps."""
    task = find_task("invertedpendulum-balance")
    files.write_json(tmp_path / "rollout.json", Rollout(task, "ppo", ("a", "b"), SEED, ("qpos",)))
    poses = np.random.default_rng(0).uniform(-0.1, 0.1, (35, 2))
    np.savez(tmp_path / "transitions.npz", qpos=poses, policy=np.repeat([0.0, 1.0], [30, 5]))
    (tmp_path / "film-7.mp4").write_bytes(b"of an earlier life")
    return tmp_path


@pytest.mark.skipif(importlib.util.find_spec("imageio_ffmpeg") is None, reason="needs the extra `video`")
def test_each_policy_has_a_video_where_something_draws(folder: Path) -> None:
    if not any(finding.state == "good" for finding in rendering()):
        pytest.skip("this machine doesn't draw")
    assert filmed(folder) == ""
    films = sorted(folder.glob("*.mp4"))
    assert [path.name for path in films] == ["film-0.mp4", "film-1.mp4"]
    assert all(b"ftyp" in path.read_bytes()[:16] for path in films)


def test_no_writer_is_one_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filming.importlib.util, "find_spec", lambda name: None)
    assert filmed(folder) == "the package that writes videos is missing: pip install 'eureka-loop[video]'"


def test_a_machine_that_does_not_draw_is_one_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filming.importlib.util, "find_spec", lambda name: object())
    monkeypatch.setattr(filming, "BACKENDS", ("nonsense",))
    said = filmed(folder)
    assert said.startswith("this machine doesn't draw (nonsense: ")
    assert "eureka doctor" in said
    assert "\n" not in said
    assert not list(folder.glob("*.mp4"))


def test_who_wants_none_has_none_drawn(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filming.importlib.util, "find_spec", lambda name: object())
    monkeypatch.setenv("MUJOCO_GL", "disable")
    assert filmed(folder) == "videos are turned off (MUJOCO_GL=disable)"


def test_each_policy_is_drawn_in_the_scene_of_its_own_start(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not in that of a fresh env, nor in the one that another policy's episode left."""
    seeds: list[int | None] = []
    imageio = type("Writer", (), {"write_frames": staticmethod(lambda *_, **__: _written())})
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", imageio)

    def frames(env: Any, poses: Any) -> list[Any]:
        return []

    made = film.make_env

    def make_env(task: Any) -> Any:
        env = made(task)
        reset = env.reset

        def watched(*, seed: int | None = None, **options: Any) -> Any:
            seeds.append(seed)
            return reset(seed=seed, **options)

        env.reset = watched
        return env

    monkeypatch.setattr(film, "make_env", make_env)
    monkeypatch.setattr(film, "frames", frames)
    film.main(folder)
    assert seeds[-2:] == [SEED, SEED]


def _written() -> Iterator[None]:
    while True:
        yield
