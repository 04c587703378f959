"""Having recorded episodes drawn, where this machine can draw."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from eureka_loop import numbers
from eureka_loop.execute.local import environment

BACKENDS = ("egl", "osmesa")
OFF = ("disable", "disabled", "off", "false", "0")  # MuJoCo's own words for MUJOCO_GL
SECONDS = 300.0


def filmed(folder: Path) -> str:
    """Draw what `recorded` left in a folder, as film-0.mp4 and so on; "" or, in a line, why there is none.

    MUJOCO_GL chooses the backend, as everywhere with MuJoCo, or turns videos off.
    """
    for path in folder.glob("film-*.mp4"):
        path.unlink()
    if importlib.util.find_spec("imageio_ffmpeg") is None:
        return "the package that writes videos is missing: pip install 'eureka-loop[video]'"
    chosen = os.environ.get("MUJOCO_GL", "").lower()
    if chosen in OFF:
        return f"videos are turned off (MUJOCO_GL={chosen})"
    reasons = []
    for backend in (chosen,) if chosen in BACKENDS else BACKENDS:
        command = ["-P", "-m", "eureka_loop.simulate.film", str(folder.resolve())]
        reason = run_with(backend, command, seconds=SECONDS)
        if not reason:
            return ""
        reasons.append(f"{backend}: {reason}")
    return f"this machine doesn't draw ({'; '.join(reasons)}); `eureka doctor` says what brings it"


def run_with(backend: str, arguments: Sequence[str], *, seconds: float) -> str:
    """Run Python with one of MuJoCo's backends for drawing; its last error, "" where it succeeded."""
    try:
        done = subprocess.run(
            [sys.executable, *arguments],
            env={**environment(), "MUJOCO_GL": backend, "PYOPENGL_PLATFORM": backend},
            capture_output=True,
            text=True,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired:
        return f"not done after {numbers.compact(seconds)} s"
    if done.returncode == 0:
        return ""
    lines = [line for line in done.stderr.splitlines() if re.match(r"[\w.]*(Error|Exception)\b", line)]
    return (lines or [f"exit status {done.returncode}"])[-1][:120]
