"""`eureka tune` with real training: a weight far too large is found, and a killed run ends alike."""

from __future__ import annotations

from pathlib import Path

import pytest

from eureka_loop.reward.weights import weights, with_weights
from eureka_loop.store import Run

from .program import done, eureka, kill, outcome, results, start, the_run, wait_for

pytestmark = pytest.mark.timeout(400)

# Each step costs more than it pays, so that ending early pays.
MINE = '''import numpy as np  # ö

def compute_reward(balanced, *,
                   hold=1.0,  # while the pole is up
                   hurry = 2.5, off=0):
    """Keep the pole up."""
    return {"hold": hold * balanced, "hurry": -hurry * np.ones_like(balanced), "off": off * balanced}
'''
SMALL = (
    "tune mine.py --task invertedpendulum-balance --generations 2 --samples 5 --steps 8192 --confirm 2 "
    "--report-seeds 5 --judge-episodes 3 --jobs 2"
).split()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, str]:
    cwd = tmp_path_factory.mktemp("undisturbed")
    (cwd / "mine.py").write_text(MINE)
    out = done(*SMALL, cwd=cwd)
    return the_run(cwd), out


def test_a_weight_far_too_large_is_found(undisturbed: tuple[Run, str]) -> None:
    run, out = undisturbed
    (winner,) = [event["winner"] for event in run.events() if event["event"] == "finished"]
    source = (run.candidate_folder(winner) / "reward.py").read_text()
    found = {name: each.value for name, each in weights(source).items()}
    assert (found["hold"] > found["hurry"], found["off"]) == (True, 0.0)
    assert source == with_weights(MINE, {name: found[name] for name in ("hold", "hurry")})
    assert "Winner is better than original" in " ".join(out.split())
    assert "Weights  better than the original" in out
    assert run.candidate("g0-00").source == run.candidate("original").source == MINE
    assert {run.candidate(f"g1-0{n}").operator for n in range(5)} == {"weights"}
    assert run.candidate("g1-00").parents == ("g0-00",)
    shown = done("inspect", str(run.folder), cwd=run.folder)
    assert "Weights  better than the original" in shown
    assert "cma-es, generation 2 (g1)" in done("inspect", str(run.folder), "g1-01", cwd=run.folder)
    assert "## Weights\n\nBetter than the original." in (run.folder / "report.md").read_text()


def test_a_killed_one_resumes_to_the_same_end(undisturbed: tuple[Run, str], tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(MINE)
    process = start(*SMALL, cwd=tmp_path)
    wait_for(lambda: len(results(tmp_path)) > 5, 200)
    kill(process, tmp_path)
    (tmp_path / "mine.py").unlink()
    run = the_run(tmp_path)
    done("resume", str(run.folder), cwd=tmp_path)
    assert outcome(run) == outcome(undisturbed[0])


def test_nothing_to_tune_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "plain.py").write_text("def compute_reward(balanced):\n    return {'up': balanced}\n")
    code, _, err = eureka("tune", "plain.py", *SMALL[2:], cwd=tmp_path)
    assert code == 2
    assert err.startswith("eureka: plain.py has no weights: give it keyword-only parameters with numbers")
    assert not (tmp_path / "runs").exists()


def test_the_original_is_kept_where_nothing_is_better(tmp_path: Path) -> None:
    """Every program does the same here: of equals the first one wins, and nothing is compared."""
    (tmp_path / "same.py").write_text(
        "def compute_reward(balanced, *, up=1.0):\n    return {'up': up / up * balanced}\n"
    )
    words = (
        "--task invertedpendulum-balance --generations 1 --samples 4 --steps 300 --report-seeds 4 --jobs 1"
    )
    out = done("tune", "same.py", *words.split(), "--trainer", "sb3", cwd=tmp_path)
    assert "Weights  no better weights found: none ranks above the original" in out
    assert "no report was asked for" not in out
    run = the_run(tmp_path)
    assert not run.training_seeds("original")
    page = (run.folder / "report.html").read_text()
    assert "<p>Weights: no better weights found: none ranks above the original.</p>" in page
