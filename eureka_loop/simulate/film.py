"""Recorded episodes as videos. A program of its own, since rendering may fail in ways that end the process.

    MUJOCO_GL=egl python -m eureka_loop.simulate.film FOLDER

FOLDER holds rollout.json and transitions.npz with the column `qpos`; it gets film-0.mp4, film-1.mp4, ..., one
for each policy, at the speed of the simulation.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium
import mujoco
import numpy as np

from eureka_loop import files
from eureka_loop.records import Array, Rollout
from eureka_loop.simulate.env import first_step, make_env

WIDTH, HEIGHT = 384, 288  # px
SECONDS = 10.0  # of each episode, at most
FRAMES = 30.0  # a second, at most


def main(folder: Path) -> None:
    """Render every policy's episode."""
    import imageio_ffmpeg

    rollout = files.read_json(folder / "rollout.json", Rollout)
    with np.load(folder / "transitions.npz", allow_pickle=False) as archive:
        poses, policy = archive["qpos"], archive["policy"]
    env = make_env(rollout.task)
    dt = first_step(env).dt
    every = max(1, round(1.0 / (FRAMES * dt)))
    for index in range(len(rollout.policies)):
        chosen = poses[policy == index][: int(SECONDS / dt) : every]
        env.reset(seed=rollout.seed)  # as it was recorded: a reset may put things, and goals, elsewhere
        writer = imageio_ffmpeg.write_frames(
            str(folder / f"film-{index}.mp4"), (WIDTH, HEIGHT), fps=1.0 / (every * dt), macro_block_size=2,
            output_params=["-crf", "28", "-movflags", "+faststart"],
        )  # fmt: skip
        writer.send(None)
        for frame in frames(env, chosen):
            writer.send(frame.tobytes())
        writer.close()


def frames(env: gymnasium.Env[Any, Any], poses: Array) -> Iterator[Any]:
    """An image (HEIGHT, WIDTH, 3), uint8, of each pose (T, nq), in the scene of the last reset."""
    inner: Any = env.unwrapped
    camera = camera_of(inner.model)
    with mujoco.Renderer(inner.model, HEIGHT, WIDTH) as renderer:
        for pose in poses:
            place(env, pose)
            renderer.update_scene(inner.data, camera)
            yield renderer.render()


def place(env: gymnasium.Env[Any, Any], pose: Array) -> None:
    """Set the scene to a pose (nq,), and the goal's marker as the env itself does before it renders."""
    inner: Any = env.unwrapped
    inner.data.qpos[:] = pose
    mujoco.mj_forward(inner.model, inner.data)
    if hasattr(inner, "_render_callback"):  # Gymnasium-Robotics: Fetch and the Shadow Hand
        inner._render_callback()


def camera_of(model: Any) -> Any:
    """The model's own camera, which follows its body; else one that shows everything."""
    names = [model.camera(index).name for index in range(model.ncam)]
    if names:
        return "track" if "track" in names else names[0]
    camera = mujoco.MjvCamera()
    mujoco.mjv_defaultFreeCamera(model, camera)
    return camera


if __name__ == "__main__":
    main(Path(sys.argv[1]))
