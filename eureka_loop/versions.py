"""Versions of Python and packages, the git commit of a checkout, and the hardware."""

from __future__ import annotations

import contextlib
import os
import platform
import subprocess
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

PROJECT = "eureka-loop"
PACKAGES = (PROJECT, "torch", "stable-baselines3", "gymnasium", "mujoco", "numpy", "openai")


def made_by() -> dict[str, Any]:
    """Python, platform, packages, commit, as TOML data."""
    versions = {name: metadata.version(name) for name in PACKAGES}
    commit = commit_of(Path(__file__).parents[1])
    return {"python": platform.python_version(), "platform": platform.platform(), **versions, **commit}


def hardware() -> dict[str, Any]:
    """The processor, cores and memory, as TOML data; values that can't be read are left out."""
    found: dict[str, Any] = {"cores": os.cpu_count() or 1}
    with contextlib.suppress(OSError, ValueError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                found["cpu"] = line.partition(":")[2].strip()
    with contextlib.suppress(OSError, ValueError):
        found["memory_gb"] = round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1)
    return found


def commit_of(checkout: Path) -> dict[str, Any]:
    """The git commit of a checkout of this project; nothing where the folder isn't one.

    A package in `site-packages` may lie inside an unrelated repository, whose commit says nothing.
    """
    if not _is_project(checkout):
        return {}
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        commit, status = _git(checkout, "rev-parse", "HEAD"), _git(checkout, "status", "--porcelain")
        return {"git_commit": commit, "git_dirty": bool(status)}
    return {}


def _is_project(folder: Path) -> bool:
    try:
        table = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    project = table.get("project")
    return isinstance(project, dict) and project.get("name") == PROJECT


def _git(folder: Path, *words: str) -> str:
    command = ["git", "-C", str(folder), *words]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=5).stdout.strip()
