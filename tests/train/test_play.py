"""play.py of a training's folder, run as it stands: by another interpreter's rules, without this package."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imageio.v2 as imageio
import numpy as np
import pytest

from eureka_loop import files
from eureka_loop.envs.registry import find_task, installed
from eureka_loop.records import Job
from eureka_loop.results import Trained
from eureka_loop.simulate.play import FRAMES, HEIGHT, WIDTH

from .conftest import Training

ALONE = "import runpy, sys; sys.modules['eureka_loop'] = None; runpy.run_path(sys.argv.pop(1), run_name='__main__')"


def needs(extra: str) -> Any:
    return pytest.mark.skipif(not installed(extra), reason=f"needs the extra `{extra}`")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # imageio's pipe to ffmpeg
@pytest.mark.parametrize(
    "task",
    [
        "hopper-hop",
        pytest.param("fetch-push", marks=needs("robotics")),
        pytest.param("metaworld-drawer-open", marks=needs("metaworld")),
    ],
)
def test_it_plays_the_judged_episode_without_this_package(
    make_job: Callable[..., Job], run: Training, tmp_path: Path, task: str
) -> None:
    job = make_job(task, source=find_task(task).sparse, judge_seeds=(1_000_001, 1_000_002))
    result = run(job)
    assert isinstance(result, Trained)
    files.write_json(tmp_path / "job.json", job)
    files.write_json(tmp_path / "result.json", result)
    command = [sys.executable, "-W", "ignore", "-c", ALONE, str(tmp_path / "play.py"), "--seed", "1000002"]
    done = subprocess.run(command, cwd="/", capture_output=True, text=True)
    judged = result.episodes[1]
    assert f"seed 1000002: {judged.length} steps, " in done.stdout
    assert f", judged fitness {judged.fitness:.3f}" in done.stdout
    if done.stderr.startswith("MuJoCo draws nothing here"):
        return
    assert done.returncode == 0, done.stderr
    with imageio.get_reader(tmp_path / "play.mp4") as video:
        frames = np.stack([*video.iter_data()])
    assert len(frames) <= FRAMES + 1
    assert frames.shape[1:] == (HEIGHT, WIDTH, 3)
    assert np.ptp(frames.astype(float), axis=0).max() > 50, "nothing moves"
    sheet = imageio.imread(tmp_path / "play.png")
    assert all(np.ptp(tile) for half in np.split(sheet, 2) for tile in np.split(half, 5, axis=1)), (
        "an empty moment"
    )


DRAWN = """
from eureka_loop.simulate import play
if not play.backend():
    raise SystemExit(play.NO_FILM)
env = play.with_picture(play.make("InvertedPendulum-v5", {}))
env.reset(seed=0)
before = env.render()
for _ in range(20):
    env.step(env.action_space.high)
assert before.shape == (play.HEIGHT, play.WIDTH, 3)
assert (before != env.render()).any(), "nothing moves"
"""


def test_mujoco_draws_an_env_that_has_no_picture_of_its_own() -> None:
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", DRAWN], capture_output=True, text=True)
    assert done.returncode == 0 or done.stderr.startswith("MuJoCo draws nothing here"), done.stderr
