from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from eureka_loop.cli import main as cli
from eureka_loop.envs.registry import find_task
from eureka_loop.store import Run

PROGRAM = 'def compute_reward(forward_velocity):\n    return {"speed": forward_velocity}\n'
HOP = find_task("hopper-hop")
Refused = Callable[[str], str]


def done(words: str) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(words.split())
    assert ended.value.code == 0


def files_in(folder: Path) -> list[str]:
    return sorted(str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file())


def test_a_runs_winner_and_another_candidate(a_run: Callable[..., Run], tmp_path: Path) -> None:
    run = a_run(tmp_path / "r", HOP, PROGRAM)
    before = files_in(run.folder)
    done("export r")
    done("export r g1-02 --to python --out there")
    found = (tmp_path / "there" / "reward.py").read_text()
    assert found == (tmp_path / "exports" / "hopper-hop-g1-02" / "reward.py").read_text()
    assert found.startswith('"""Reward g1-02 of r')
    assert files_in(run.folder) == before


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "My Reward.py").write_text(PROGRAM)
    with pytest.raises(SystemExit) as ended:
        cli.main(["export", "My Reward.py", "--task", "hopper-hop"])
    assert ended.value.code == 0
    assert files_in(tmp_path / "exports") == ["hopper-hop-my-reward/reward.py"]


def test_mistakes(a_run: Callable[..., Run], tmp_path: Path, refused: Refused) -> None:
    (tmp_path / "mine.py").write_text(PROGRAM)
    a_run(tmp_path / "r", HOP, PROGRAM, finished=False)
    assert "say which task mine.py is for: --task NAME" in refused("export mine.py")
    assert "none.py" in refused("export none.py --task hopper-hop")
    assert "only a run has policies" in refused("export mine.py --task hopper-hop --to policy")
    assert "g1-02 has no trained policy" in refused("export r g1-02 --to policy")
    assert "g1-02 has no trained policy" in refused("robustness r g1-02")
    assert "--episodes takes 1 to" in refused("robustness r g1-02 --episodes 0")
    assert "--to takes one of" in refused("export r --to onnx")
    assert "has its own task" in refused("export r --task hopper-hop")
    assert "no winner yet" in refused("export r")
    assert "unknown candidate 'g9-99'" in refused("export r g9-99")
    assert "is no folder of a run" in refused("export nothing")
    assert not (tmp_path / "exports").exists()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"env_id": "os:Hopper-v5"}, "may load code"),
        ({"env_kwargs": {"xml_file": "/etc/passwd"}}, "may load code"),
    ],
    ids=["module", "file"],
)
def test_somebodys_run_loads_nothing(
    change: dict[str, object], why: str, a_run: Callable[..., Run], tmp_path: Path, refused: Refused
) -> None:
    run = a_run(tmp_path / "r", replace(HOP, **change), PROGRAM)  # type: ignore[arg-type]
    (run.folder / "run.toml.mac").unlink()
    assert why in refused("export r")


def test_somebodys_names_lead_nowhere(
    a_run: Callable[..., Run], tmp_path: Path, refused: Refused, capsys: pytest.CaptureFixture[str]
) -> None:
    run = a_run(tmp_path / "r", replace(HOP, name="../../../away"), PROGRAM)
    (run.folder / "run.toml.mac").unlink()
    assert "../x" in refused("export r ../x")
    done("export r")
    assert "was not made here" in capsys.readouterr().out
    assert files_in(tmp_path / "exports") == ["away-g1-02/reward.py"]
    (tmp_path / "exports" / "away-g1-02" / "reward.py").unlink()
    (tmp_path / "kept").write_text("kept")
    (tmp_path / "exports" / "away-g1-02" / "reward.py").symlink_to(tmp_path / "kept")
    done("export r")
    assert (tmp_path / "kept").read_text() == "kept"
