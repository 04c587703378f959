"""Play a saved policy: in a window where there is a display, else as a film with a sheet of moments.

    python play.py                       # the judged episodes; of a film, the first
    python play.py --seed 7 --film x.mp4

It needs torch, gymnasium[mujoco], the environment's own package and, for films, imageio-ffmpeg. policy.npz
holds numbers and names alone, no code; for policy.zip and vecnormalize.pkl, which hold pickles, see
Stable-Baselines3.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import importlib
import json
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, NamedTuple

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Dict, MultiBinary, MultiDiscrete, flatdim
from gymnasium.wrappers import FlattenObservation, TransformAction, TransformObservation

Env = gymnasium.Env[Any, Any]
Predict = Callable[[Any], Any]  # observation → action
WIDTH, HEIGHT = 320, 240  # px
FRAMES, RATE = 150, 25.0  # of a film: in all, and a second, at most
MOMENTS, COLUMNS = 10, 5  # of a sheet
GOAL_KEYS = ("achieved_goal", "desired_goal")
BOUNDED = 1e6  # from this size on a bound of an action counts as none
MOST_NUMBERS = 100_000  # of an observation
LONGEST = 10_000  # steps, where the environment has no time limit
PROBE = """
import mujoco
model = mujoco.MjModel.from_xml_string("<mujoco><worldbody><geom size='1'/></worldbody></mujoco>")
mujoco.mj_forward(model, data := mujoco.MjData(model))
with mujoco.Renderer(model, 32, 32) as renderer:
    renderer.update_scene(data)
    assert renderer.render().any(), "it drew nothing"
"""
POLICY = "policy.npz"  # also in `records`; this file imports nothing of the package
LAYERS = ("Linear", "Tanh", "ReLU", "ELU", "LeakyReLU", "SiLU", "GELU", "Hardtanh")  # torch's, without code
MOST_LAYERS, MOST_BYTES = 100, 256_000_000  # of a policy; bytes in memory
EPSILON, CLIP = 1e-8, 10.0  # of normalised observations, as in Stable-Baselines3
NO_FILM = "MuJoCo draws nothing here, neither by EGL (libegl1, libgl1) nor by OSMesa (libosmesa6)"


class MetaWorld(gymnasium.Wrapper[Any, Any, Any, Any]):
    """A Meta-World env that draws goal and objects anew at every reset, from the env's own generator.

    By itself it keeps the first goal that it drew, whatever the seed, hides it in its observation space, and
    has neither `render_mode` nor a camera that shows the table the right way up.
    """

    def __init__(self, env: Env, render_mode: str | None = None, **size: int) -> None:
        super().__init__(env)
        inner: Any = env.unwrapped
        inner._freeze_rand_vec, inner.seeded_rand_vec = False, True
        self.observation_space = inner.sawyer_observation_space
        inner.render_mode = render_mode
        vars(inner.mujoco_renderer).update(size)
        camera = {"azimuth": 140.0, "elevation": -35.0, "distance": 1.7, "lookat": np.array([0.0, 0.6, 0.15])}
        inner.mujoco_renderer.default_cam_config = camera

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        inner: Any = self.unwrapped
        if seed is not None:
            inner.seed(seed)
        return self.env.reset(seed=seed, options=options)

    def step(self, action: Any) -> Any:
        stepped = self.env.step(action)
        if self.render_mode == "human":
            self.env.render()
        return stepped


def make(env_id: str, arguments: Mapping[str, Any], **picture: Any) -> Env:
    """The env as policies are trained in it; `picture`: Gymnasium's render_mode, width and height."""
    if ":" in env_id and str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))  # a package in the current folder; what is installed comes first
    if env_id.startswith("Meta-World/"):
        return MetaWorld(gymnasium.make(env_id, disable_env_checker=True, **arguments), **picture)
    if env_id.startswith("AntMaze") and picture:  # its camera follows the ant, and sees walls
        above = {"distance": 32.0, "elevation": -70.0, "lookat": np.zeros(3)}
        picture |= {"camera_id": -1, "default_camera_config": above}
    env = gymnasium.make(env_id, disable_env_checker=True, **arguments, **picture)
    space = env.observation_space
    if isinstance(space, Dict) and isinstance(space.spaces.get("desired_goal"), Dict):  # the kitchen's
        env = TransformObservation(env, lambda seen: seen["observation"], space["observation"])
    return with_actions(with_observations(env))


def with_observations(env: Env) -> Env:
    """The env with observations in one row of numbers, unless they are an array or a goal env's parts."""
    space = env.observation_space
    goal = isinstance(space, Dict) and {"observation", *GOAL_KEYS} <= {*space.spaces}
    parts = space.spaces.values() if goal else [space]  # type: ignore[attr-defined]
    kept = all(isinstance(each, Box) and each.shape for each in parts)
    kept = kept or not space.is_np_flattenable or flatdim(space) > MOST_NUMBERS
    return env if kept else FlattenObservation(env)


def with_actions(env: Env) -> Env:
    """The env with actions within bounds, all free: without a bound it is MuJoCo's, else -1 or 1."""
    space = env.action_space
    if isinstance(space, MultiBinary):
        return TransformAction(env, np.asarray, MultiDiscrete(np.full(space.shape, 2)))
    if not isinstance(space, Box):
        return env
    data, low, high = simulation(env), -np.ones(space.shape), np.ones(space.shape)
    if data is not None and space.shape == (data.model.nu,):
        limited, ranges = data.model.actuator_ctrllimited > 0, data.model.actuator_ctrlrange
        low, high = np.where(limited, ranges[:, 0], low), np.where(limited, ranges[:, 1], high)
    below, above = np.abs(space.low) < BOUNDED, np.abs(space.high) < BOUNDED
    low = np.where(below, space.low, np.minimum(low, np.where(above, space.high - 2.0, low)))
    high = np.where(above, space.high, np.maximum(high, low + np.where(below, 2.0, 0.0)))
    free = high > low
    if not free.any() or (below & above & free).all():
        return env

    def whole(action: Any) -> Any:
        values = low.copy()
        values[free] = action
        return values.astype(space.dtype)

    own = Box(low[free].astype(space.dtype), high[free].astype(space.dtype), dtype=space.dtype.type)
    return TransformAction(env, whole, own)


def simulation(env: Env) -> Any:
    """MuJoCo's data of an env, wherever it keeps them (`model` is theirs); None where there are none."""
    import mujoco  # not before a film has chosen what draws

    level: list[Any] = [env.unwrapped]
    for _ in range(4):  # attributes of attributes
        values = [value for each in level for value in vars(each).values()]
        if known := next((each for each in values if isinstance(each, mujoco.MjData)), None):
            return known
        found = [each for each in values if not isinstance(each, type | FunctionType | ModuleType)]
        level = [*{id(each): each for each in found if hasattr(each, "__dict__")}.values()]
    return None


def load(folder: Path) -> Predict:
    """The policy's action at an observation, without exploration: (action,), within the bounds.

    Raises:
        ValueError: policy.npz is missing, or not such a file.
    """
    import torch

    path = folder / POLICY
    if not path.is_file():
        raise ValueError(f"there is no {path}")

    def act(flat: Any) -> Any:
        if "mean" in found:
            flat = np.clip((flat - found["mean"]) / np.sqrt(found["var"] + EPSILON), -CLIP, CLIP)
        values = torch.as_tensor(flat.astype(np.float32))[None]
        with torch.no_grad():
            for layer in layers:
                values = layer(values)
        if "choices" in found:
            parts = np.split(values.numpy()[0], np.cumsum(found["choices"])[:-1])
            chosen = np.array([part.argmax() for part in parts])
            return chosen if low.shape else int(chosen[0])
        action = values.numpy().reshape(low.shape)
        return low + 0.5 * (action + 1.0) * (high - low) if found["squashed"] else np.clip(action, low, high)

    try:
        found = numbers(path)
        keys, low, high = found["keys"].tolist(), found["low"], found["high"]
        layers = [_layer(place, text, found) for place, text in enumerate(found["layers"].tolist())]
        act(np.zeros(found["0.weight"].shape[1]))  # sizes that don't fit each other are refused here
    except Exception as error:  # whatever zipfile, numpy and torch raise at a damaged file
        raise ValueError(f"{path} is damaged: {error}") from error
    return lambda seen: act(np.concatenate([np.ravel(seen[key]) for key in keys]) if keys else np.ravel(seen))


def numbers(path: Path) -> dict[str, Any]:
    """The arrays of policy.npz, numbers and names alone; ValueError where it is too large."""
    with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
        if (size := sum(each.file_size for each in archive.zip.infolist())) > MOST_BYTES:
            raise ValueError(f"{size:,} bytes; at most {MOST_BYTES:,}")
        found = dict(archive)
    if found["layers"].size > MOST_LAYERS:
        raise ValueError(f"{found['layers'].size:,} layers; at most {MOST_LAYERS}")
    return found


def _layer(place: int, text: str, found: Mapping[str, Any]) -> Callable[[Any], Any]:
    """A layer from its name and numbers ("Hardtanh -2.0 2.0"); "Linear" takes the weights of its place."""
    import torch

    name, *numbers = text.split()
    if name not in LAYERS:
        raise ValueError(f"a layer {name!r}; known are {', '.join(LAYERS)}")
    if name != "Linear":
        made: Callable[[Any], Any] = getattr(torch.nn, name)(*map(float, numbers))
        return made
    weight, bias = (torch.from_numpy(found[f"{place}.{part}"]) for part in ("weight", "bias"))
    return functools.partial(torch.nn.functional.linear, weight=weight, bias=bias)


class Episode(NamedTuple):
    """An episode's length in steps and in seconds, the environment's own return, success where it says so."""

    steps: int
    seconds: float
    reward: float
    success: bool | None


def play(env: Env, predict: Predict, seed: int, see: Callable[[int], object] = lambda step: None) -> Episode:
    """Play one episode; `see` is called after the reset and after every step."""
    seen, _ = env.reset(seed=seed)
    begun, reward, successes = simulation(env).time, 0.0, []
    see(0)
    for step in range(1, LONGEST + 1):
        seen, earned, terminated, truncated, info = env.step(predict(seen))
        reward += float(np.nan_to_num(np.array(earned, np.float64)).sum())
        successes += [bool(info[key]) for key in ("is_success", "success") if key in info]
        see(step)
        if terminated or truncated:
            break
    return Episode(step, simulation(env).time - begun, reward, any(successes) if successes else None)


def draw(env: Env, predict: Predict, seed: int, length: int, seconds: float, film: Path) -> None:
    """Play it again, and write the first seconds as a film, moments of all of it as a PNG; or that alone."""
    import imageio.v2 as imageio
    from PIL import Image, ImageDraw

    every = max(1, round(length / seconds / RATE))
    moments = {round(step) for step in np.linspace(0, length, MOMENTS)}
    frames: list[Any] = []
    sheet = Image.new("RGB", (COLUMNS * WIDTH, -(-MOMENTS // COLUMNS) * HEIGHT))
    quality = simulation(env).model.vis.quality
    quality.shadowsize = quality.offsamples = 0  # without a GPU it draws 5 to 20 times faster

    def see(step: int) -> None:
        filmed = film.suffix != ".png" and step % every == 0 and len(frames) < FRAMES
        if filmed or step in moments:
            frame: Any = env.render()
            frames.extend([frame] * filmed)
        if step in moments:
            at = sorted(moments).index(step)
            picture, time = Image.fromarray(frame), f"{step / length * seconds:.2f} s"
            style: Any = {"font_size": 16, "stroke_width": 1, "stroke_fill": "black"}
            ImageDraw.Draw(picture).text((8, 5), time, "white", **style)
            sheet.paste(picture, (at % COLUMNS * WIDTH, at // COLUMNS * HEIGHT))

    play(env, predict, seed, see)
    smaller = ["-crf", "28", "-movflags", "+faststart"]
    if frames:
        imageio.mimwrite(film, frames, fps=length / seconds / every, ffmpeg_params=smaller)
    sheet.quantize().save(film.with_suffix(".png"))


def with_picture(env: Env) -> Env:
    """An env that takes no size of a picture, drawn by MuJoCo itself."""
    import mujoco

    renderer = mujoco.Renderer(simulation(env).model, HEIGHT, WIDTH)
    vars(env)["render"] = lambda: renderer.update_scene(simulation(env)) or renderer.render()
    return env


@functools.cache
def backend() -> str:
    """MuJoCo's first backend that draws here, each tried in a process, since it may crash; or ""."""
    for name in (os.environ.get("MUJOCO_GL") or "egl osmesa").split():
        os.environ.update(MUJOCO_GL=name, PYOPENGL_PLATFORM=name)
        if not subprocess.run([sys.executable, "-P", "-c", PROBE], capture_output=True).returncode:
            return name
    os.environ["MUJOCO_GL"] = "disable"
    return ""


def has_display() -> bool:
    """Whether a window can be opened."""
    import glfw

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return bool(glfw.init())


def main(arguments: list[str] | None = None) -> None:
    """Play the policy of a folder."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent, help="of the policy")
    parser.add_argument("--seed", type=int, nargs="+", help="of starts; else of the judged episodes")
    parser.add_argument("--film", type=Path, metavar="FILE.mp4", help="write it, and open no window")
    options = parser.parse_args(arguments)
    window = options.film is None and has_display()
    drawn = window or backend()  # before MuJoCo is imported
    if options.film and not drawn:
        sys.exit(NO_FILM)

    job = json.loads((options.folder / "job.json").read_text())
    result = options.folder / "result.json"
    episodes = json.loads(result.read_text())["episodes"] if result.exists() else []
    judged = {each["seed"]: each["scores"]["fitness"]["value"] for each in episodes}
    env_id, env_kwargs = job["task"]["env_id"], job["task"]["env_kwargs"]
    if env_id not in gymnasium.registry:  # packages register theirs when they are imported
        with contextlib.suppress(ImportError):
            modules = {"Meta-World": "metaworld", "Scene": "eureka_loop.simulate.scene"}
            importlib.import_module(modules.get(env_id.partition("/")[0], "gymnasium_robotics"))
        for domain in entry_points(group="eureka_loop.domains"):
            domain.load()
    try:
        predict = load(options.folder)
    except ValueError as error:
        sys.exit(f"Error: {error}")
    env = make(env_id, env_kwargs, **{"render_mode": "human"} if window else {})
    seeds = options.seed or job["judge_seeds"]
    for seed in seeds if window else seeds[:1]:
        episode = play(env, predict, seed)
        print(f"seed {seed}: {episode.steps} steps, {episode.seconds:.2f} s,", end=" ")
        print(f"return of the environment's own reward {episode.reward:.2f}", end="")
        print("" if episode.success is None else f", success {'yes' if episode.success else 'no'}", end="")
        print(f", judged fitness {judged[seed]:.3f}" if seed in judged else "", flush=True)
    env.close()
    if window or not drawn:
        sys.exit(None if window else NO_FILM)
    film = options.film or options.folder / "play.mp4"
    try:
        picture = make(env_id, env_kwargs, render_mode="rgb_array", width=WIDTH, height=HEIGHT)
    except TypeError:
        picture = with_picture(make(env_id, env_kwargs))
    draw(picture, predict, seeds[0], episode.steps, episode.seconds, film)
    picture.close()
    print(film, film.with_suffix(".png"), sep="\n")


if __name__ == "__main__":
    main()
