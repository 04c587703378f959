"""Versions of Python and packages, the git commit of a checkout, and the hardware."""

from __future__ import annotations

import contextlib
import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

PROJECT = "eureka-loop"
PACKAGES = (PROJECT, "torch", "stable-baselines3", "gymnasium", "mujoco", "numpy")


def made_by() -> dict[str, Any]:
    """Python, platform, packages, commit, hardware, as TOML data; values that can't be read are left out."""
    found: dict[str, Any] = {"python": platform.python_version(), "platform": platform.platform()}
    found |= {name: metadata.version(name) for name in PACKAGES}
    found |= {**commit_of(Path(__file__).parents[1]), "cores": os.cpu_count() or 1}
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

    def git(*words: str) -> str:
        command = ["git", "-C", str(checkout), *words]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=5).stdout.strip()

    with contextlib.suppress(OSError, ValueError, subprocess.SubprocessError):
        if f'\nname = "{PROJECT}"\n' in (checkout / "pyproject.toml").read_text(encoding="utf-8"):
            return {"git_commit": git("rev-parse", "HEAD"), "git_dirty": bool(git("status", "--porcelain"))}
    return {}
