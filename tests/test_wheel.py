"""Contents of an installed package: every module of the top-level folders, and no generic names beside it."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel_names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    (wheel,) = out.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_wheel_holds_every_module(wheel_names: set[str]) -> None:
    wanted = {str(path.relative_to(ROOT)) for path in ROOT.glob("eureka_loop/**/*.py")}
    for folder in ("envs", "reward_templates"):
        wanted |= {f"eureka_loop/{path.relative_to(ROOT)}" for path in ROOT.glob(f"{folder}/**/*.py")}
    assert wanted <= wheel_names


def test_the_wheel_holds_templates_and_types(wheel_names: set[str]) -> None:
    data = [path for path in ROOT.glob("reward_templates/**/*") if path.suffix in (".j2", ".toml")]
    assert data
    wanted = {f"eureka_loop/{path.relative_to(ROOT)}" for path in data} | {"eureka_loop/py.typed"}
    page = [path for path in ROOT.glob("eureka_loop/**/*") if path.suffix in (".j2", ".css", ".toml")]
    assert page
    wanted |= {str(path.relative_to(ROOT)) for path in page}
    assert wanted <= wheel_names


def test_the_wheel_holds_nothing_else(wheel_names: set[str]) -> None:
    assert {name.split("/")[0] for name in wheel_names if ".dist-info" not in name} == {"eureka_loop"}
