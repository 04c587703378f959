"""The current folder is somebody else's: no module of it is imported, whatever the name."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from eureka_loop.simulate import play

MODULES = (
    "eureka_loop", "numpy", "mujoco", "gymnasium", "torch", "stable_baselines3", "rich", "tyro", "pydantic", "jinja2",
    "openai", "matplotlib", "imageio", "PIL", "OpenGL", "glfw", "safetensors", "onnx", "cmaes", "json", "re", "ast",
    "base64", "functools", "sitecustomize", "usercustomize",
)  # fmt: skip


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder whose modules each say that they were imported."""
    for name in MODULES:
        (tmp_path / f"{name}.py").write_text(f"open('ran-{name}', 'w')\nraise ImportError('hostile')\n")
    return tmp_path


def ran(place: Path) -> list[str]:
    return sorted(path.name for path in place.glob("ran-*"))


def python(place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "MUJOCO_GL")}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=place, env=kept, capture_output=True, text=True)


def test_they_would_run(place: Path) -> None:
    python(place, "-c", "import mujoco")
    assert ran(place) == ["ran-mujoco"]


@pytest.mark.parametrize(
    "words",
    [("doctor",), ("tasks",), ("look", "--env", "Hopper-v5"), ("fitness", "time", "--env", "Hopper-v5")],
    ids=lambda words: words[0],
)
def test_no_command_imports_them(place: Path, words: Sequence[str]) -> None:
    """As the installed program is started, which has its own folder on the path alone."""
    python(place, "-P", "-m", "eureka_loop.cli.main", *words)
    assert ran(place) == []


def test_no_film_imports_them(place: Path) -> None:
    """Each backend is tried in a process of its own."""
    python(place, "-P", "-c", f"from {play.__name__} import backend; backend()")
    assert ran(place) == []
