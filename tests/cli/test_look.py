"""`eureka look` at environments of one's own, as a person calls it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = """\
import gymnasium, numpy as np
from gymnasium.envs.mujoco.inverted_pendulum_v5 import InvertedPendulumEnv
from my_pkg.names import KEY

class Own(InvertedPendulumEnv):
    def step(self, action):
        seen, _, ended, cut, _ = super().step(action)
        return seen, None, ended, cut, {KEY: None if cut else np.nan}

gymnasium.register("Own-v0", Own, max_episode_steps=50)
"""


def look(place: Path, *words: str) -> tuple[int, str]:
    command = [sys.executable, "-P", "-m", "eureka_loop.cli.main", "look", *words]
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, cwd=place, env=variables, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (package := tmp_path / "my_pkg").mkdir()
    (package / "__init__.py").write_text(PACKAGE)
    (package / "names.py").write_text("KEY = '距離'\n")
    (tmp_path / "numpy.py").write_text("raise SystemExit('what is installed comes first')\n")
    return tmp_path


def test_a_package_in_the_current_folder_is_found_and_shadows_nothing(place: Path) -> None:
    status, text = look(
        place, "--env", "my_pkg:Own-v0", "--env-arg", "max_episode_steps=30", "--find", "left"
    )
    assert status == 0, text
    assert "an episode  30 steps at most" in text
    assert "info['距離'] is never finite: left out" in text
    assert "time_left" in text
    assert "pole_pos" not in text
    status, text = look(place, "--env", "Own-v0")
    assert status == 2
    assert "one of your own is named with the module that registers it: my_package:MyEnv-v0\n" in text
