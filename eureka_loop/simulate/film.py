"""Recorded episodes as videos. A program of its own, since rendering may fail in ways that end the process.

    MUJOCO_GL=egl python -m eureka_loop.simulate.film FOLDER

FOLDER holds rollout.json and transitions.npz with `qpos`; it gets film-0.mp4, ..., one for each policy.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import mujoco
import numpy as np

from eureka_loop import files
from eureka_loop.records import Array, Rollout
from eureka_loop.simulate.env import Env, first_step, make_env

WIDTH, HEIGHT = 384, 288  # px
SECONDS = 10.0  # of each episode, at most
FRAMES = 30.0  # a second, at most


def main(folder: Path) -> None:
    """Render every policy's episode."""
    rollout = files.read_json(folder / "rollout.json", Rollout)
    with np.load(folder / "transitions.npz", allow_pickle=False) as archive:
        poses, policy = archive["qpos"], archive["policy"]
    env = make_env(rollout.task)
    dt = first_step(env).dt
    every = max(1, round(1.0 / (FRAMES * dt)))
    for index in range(len(rollout.policies)):
        env.reset(seed=rollout.seed)  # as it was recorded: a reset may put things, and goals, elsewhere
        chosen = poses[policy == index][: int(SECONDS / dt) : every]
        write_video(env, chosen, folder / f"film-{index}.mp4", 1.0 / (every * dt))


def write_video(env: Env, poses: Array, path: Path, fps: float) -> None:
    """Write a video of poses (T, nq) in the scene of the last reset."""
    import imageio_ffmpeg

    inner: Any = env.unwrapped
    names = [inner.model.camera(index).name for index in range(inner.model.ncam)]
    camera: Any = "track" if "track" in names else next(iter(names), None)
    if camera is None:
        camera = mujoco.MjvCamera()
        mujoco.mjv_defaultFreeCamera(inner.model, camera)  # shows everything
    writer = imageio_ffmpeg.write_frames(
        str(path), (WIDTH, HEIGHT), fps=fps, macro_block_size=2,
        output_params=["-crf", "28", "-movflags", "+faststart"],
    )  # fmt: skip
    writer.send(None)
    with mujoco.Renderer(inner.model, HEIGHT, WIDTH) as renderer:
        for pose in poses:
            place(env, pose)
            renderer.update_scene(inner.data, camera)
            writer.send(renderer.render().tobytes())
    writer.close()


def place(env: Env, pose: Array) -> None:
    """Set the scene to a pose (nq,), and the goal's marker as the env itself does before it renders."""
    inner: Any = env.unwrapped
    inner.data.qpos[:] = pose
    mujoco.mj_forward(inner.model, inner.data)
    if hasattr(inner, "_render_callback"):  # Gymnasium-Robotics: Fetch and the Shadow Hand
        inner._render_callback()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
