"""The package of docs/extending.md, as it stands there: installed, and used by one search."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from tests.end_to_end.program import eureka, the_run

PAGE = (Path(__file__).parents[1] / "docs" / "extending.md").read_text()
BLOCK = re.compile(r"```(?:python|toml)\n# (\S+)\n(.*?)```", re.DOTALL)
PROGRAM = "def compute_reward(pole_up, *, up={}):\n    return {{'up': up * pole_up[:, 2]}}\n"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as `pip install --target` leaves it, but for the package's own installer."""
    folder = tmp_path_factory.mktemp("installed")
    files = dict(BLOCK.findall(PAGE))
    project = tomllib.loads(files.pop("pyproject.toml"))["project"]
    for name, source in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(source)
    metadata = folder / "my_rewards-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: 1.0\n")
    groups = [
        f"[{group}]\n" + "".join(f"{name} = {target}\n" for name, target in points.items())
        for group, points in project["entry-points"].items()
    ]
    assert len(groups) == len(files) == 6
    (metadata / "entry_points.txt").write_text("\n".join(groups))
    return folder


@pytest.mark.timeout(300)
def test_one_search_uses_all_six(installed: Path, tmp_path: Path) -> None:
    rewards = tmp_path / "rewards"
    rewards.mkdir()
    for number in range(12):
        (rewards / f"{number:02d}.py").write_text(PROGRAM.format(1 + number))
    words = (
        "run pendulum-still --strategy pairs --designer folder --trainer deterministic --executor cluster "
        "--generations 3 --samples 2 --steps 150 --judge-episodes 2 --report-seeds 1 --jobs 2"
    )
    env = {"PYTHONPATH": str(installed), "MY_REWARDS": str(rewards), "LAUNCHER": "env"}
    code, _, err = eureka(*words.split(), cwd=tmp_path, **env)
    assert (code, err) == (0, "")
    run = the_run(tmp_path)
    assert run.candidate_ids()[:6] == ["g0-00", "g0-01", "g1-00", "g1-01", "g2-00", "g2-01"]
    crossed = run.candidate("g2-00")
    assert (crossed.designer, crossed.operator, len(crossed.parents)) == ("folder", "cross", 2)
    assert run.training().trainer == "deterministic"
    for id in run.candidate_ids():
        (trained,) = run.evaluated(id, report=id in ("human", "sparse")).trained
        score = trained.scores["smoothness"].value
        assert score is not None
        assert score <= 0
    assert "smoothness" in eureka("inspect", str(run.folder), cwd=tmp_path, **env)[1]


def test_an_unknown_name_is_told_with_the_nearest_of_all(installed: Path, tmp_path: Path) -> None:
    env = {"PYTHONPATH": str(installed)}
    words = "run pendulum-still --designer templates --strategy pair".split()
    code, _, err = eureka(*words, cwd=tmp_path, **env)
    assert code == 2
    assert "unknown strategy 'pair'; did you mean 'pairs'?" in err
    assert not (tmp_path / "runs").exists()
