"""The program as a user starts it, with real training; interrupted, killed, misused."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from eureka_loop.store import Run

from .program import done, eureka, interrupt, kill, outcome, processes_of, results, start, the_run, wait_for

pytestmark = pytest.mark.timeout(300)

SMALL = (
    "run invertedpendulum-balance --designer templates --generations 2 --samples 3 --steps 300 "
    "--report-seeds 1 --judge-episodes 2"
).split()
TWO = [*SMALL, "--jobs", "2"]  # workers, which decide what trains together


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, str]:
    """A small run from start to end, and what it printed."""
    cwd = tmp_path_factory.mktemp("undisturbed")
    out = done(*TWO, cwd=cwd, MUJOCO_GL="")
    return the_run(cwd), out


def test_a_run_ends_with_the_winner_beside_its_references(undisturbed: tuple[Run, str]) -> None:
    run, out = undisturbed
    assert "def compute_reward(" in out
    assert f"runs/{run.folder.name}/report.md" in out.replace("\n", "")
    winner = [event["winner"] for event in run.events() if event["event"] == "finished"]
    for id in (winner[0], "human", "sparse"):
        assert run.evaluated(id, report=True).fitness is not None
    assert winner[0] in (run.folder / "report.md").read_text()
    ids = [f"g{generation}-0{sample}" for generation in range(2) for sample in range(3)]
    assert run.candidate_ids() == [*ids, "human", "sparse"]
    assert all(run.evaluated(id).fitness is not None for id in ids)


def test_the_reports_command_for_the_winner_repeats_its_results(tmp_path: Path) -> None:
    """With a seed, settings, a fitness and a hand-written reward that are no defaults."""
    (tmp_path / "mine.py").write_text(MINE)
    (tmp_path / "mine.toml").write_text("judge_episodes = 2\n[hyperparameters]\nn_steps = 128\n")
    words = ["run", "stay up there", "--env", "InvertedPendulum-v5", "--fitness", "-norm(pole_linvel)"]
    small = "--designer templates --generations 1 --samples 2 --steps 300 --report-seeds 1 --seed 3 --jobs 1"
    given = "--config mine.toml --human mine.py --out first"
    done(*words, *small.split(), *given.split(), cwd=tmp_path)
    (folder,) = (tmp_path / "first").iterdir()
    report = (folder / "report.md").read_text().splitlines()
    (command,) = (shlex.split(line) for line in report if line.startswith("eureka train "))
    (tmp_path / "mine.py").unlink()
    done(*command[1:], "--out", "second", cwd=tmp_path)
    first, second = Run.open(folder), Run.open(next((tmp_path / "second").iterdir()))
    (winner,) = [event["winner"] for event in first.events() if event["event"] == "finished"]
    for one, other in ((winner, "g0-00"), ("human", "human"), ("sparse", "sparse")):
        (before,), (after,) = (
            [(each.seed, each.episodes) for each in run.evaluated(id, report=True).trained]
            for run, id in ((first, one), (second, other))
        )
        assert before == after


def test_its_policies_can_be_watched(undisturbed: tuple[Run, str]) -> None:
    run, _ = undisturbed
    without = {"MUJOCO_GL": "", "DISPLAY": "", "WAYLAND_DISPLAY": ""}
    code, out, err = eureka("watch", str(run.folder), "human", "--worst", cwd=run.folder, **without)
    page = (run.folder / "report.html").read_text()
    if code:
        assert err.startswith("eureka: no video: ")
        assert "<p>No video: " in page
        return
    assert out.startswith("hand-written, worst of 2 judged episodes: fitness ")
    assert all(Path(path).stat().st_size > 1000 for path in re.findall(r"^\w+: (.*)$", out, re.MULTILINE))
    shown = page.count("<video"), page.count("<img"), page.count("No video")
    assert shown == (3, 3, 0), "of two episodes the worst is the median"


AT_HOME = """
import sys
sys.modules["eureka_loop"] = None
import gymnasium, numpy, onnxruntime
from reward import Reward

policy = onnxruntime.InferenceSession("policy.onnx")
env, reward = gymnasium.make("InvertedPendulum-v5"), Reward()
obs, info = env.reset(seed=int(sys.argv[1]))
model, data = env.unwrapped.model, env.unwrapped.data
reward.reset(model, data)
ended = False
while not ended:
    (action,) = policy.run(None, {"observation": obs[None].astype(numpy.float64)})
    obs, _, terminated, truncated, info = env.step(action[0])
    reward.step(model, data, action[0], terminated=terminated, obs=obs, info=info)
    ended = terminated or truncated
print(reward.measure("fitness"))
"""


def test_an_exported_policy_has_its_judged_fitness_at_home(undisturbed: tuple[Run, str]) -> None:
    pytest.importorskip("onnxruntime")
    run, _ = undisturbed
    cwd = run.folder.parents[1]
    folder = str(run.folder)
    printed = done("export", folder, "human", "--to", "policy", "--out", "home", cwd=cwd)
    done("export", folder, "human", "--out", "home", cwd=cwd)
    (trained,) = run.evaluated("human", report=True).trained
    card = (cwd / "home" / "README.md").read_text()
    assert f"This policy, seed {trained.seed}: fitness " in card
    assert "human, median of 2 judged episodes" in printed.replace("hand-written", "human")
    for judged in trained.episodes:
        command = [sys.executable, "-c", AT_HOME, str(judged.seed)]
        found = subprocess.run(command, cwd=cwd / "home", capture_output=True, text=True, check=True)
        assert float(found.stdout) == pytest.approx(judged.fitness, rel=0.05)


def test_policies_load_in_plain_stable_baselines(undisturbed: tuple[Run, str]) -> None:
    run, _ = undisturbed
    policy = next(run.folder.glob("candidates/g0-00/seed-*/policy.zip"))
    code = (
        "import sys\nfrom stable_baselines3 import PPO\n"
        f"assert PPO.load({str(policy)!r}, device='cpu').num_timesteps >= 300\n"
        "assert not any(name.startswith('eureka_loop') for name in sys.modules)"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True)


def cohort_finished(result: Path) -> bool:
    """Whether all that were trained together have a result; else the cohort begins again."""
    cohort = json.loads((result.parent / "job.json").read_text())["cohort"]
    return all((result.parent / each / "result.json").exists() for each in cohort)


def test_a_killed_loop_resumes_to_the_same_end(undisturbed: tuple[Run, str], tmp_path: Path) -> None:
    process = start(*TWO, cwd=tmp_path)
    wait_for(lambda: results(tmp_path), 120)
    kill(process, tmp_path)
    run = the_run(tmp_path)
    finished = {path: time for path, time in results(tmp_path).items() if cohort_finished(path)}
    done("resume", str(run.folder), "--jobs", "1", cwd=tmp_path)
    assert finished.items() <= results(tmp_path).items()
    assert outcome(run) == outcome(undisturbed[0])
    ranked = [event["generation"] for event in run.events() if event["event"] == "ranked"]
    assert ranked == [0, 1]


def test_a_killed_worker_costs_nothing_but_time(undisturbed: tuple[Run, str], tmp_path: Path) -> None:
    process = start(*TWO, cwd=tmp_path)
    wait_for(lambda: list(tmp_path.glob("runs/*/candidates/*/seed-*/progress.jsonl")), 120)
    os.kill(processes_of(tmp_path, "worker")[-1], signal.SIGKILL)
    _, err = process.communicate(timeout=280)
    assert (process.returncode, err) == (0, "")
    assert outcome(the_run(tmp_path)) == outcome(undisturbed[0])


def test_ctrl_c_stops_at_once_and_leaves_a_resumable_run(tmp_path: Path) -> None:
    process = start(*TWO, cwd=tmp_path)
    wait_for(lambda: list(tmp_path.glob("runs/*/candidates/*/seed-*/job.json")), 120)
    began = time.time()
    out = interrupt(process)
    (stopped,) = [event["time"] for event in the_run(tmp_path).events() if event["event"] == "interrupted"]
    assert stopped - began < 2  # the end of the process depends on load
    assert f"eureka resume {the_run(tmp_path).folder.relative_to(tmp_path)}" in out.replace("\n", "")
    wait_for(lambda: processes_of(tmp_path) == [], 2)


def test_an_unreachable_endpoint_is_one_clear_line_and_the_run_can_go_on(tmp_path: Path) -> None:
    nowhere = "http://127.0.0.1:9/v1"
    words = f"run halfcheetah-run --designer llm --model m --base-url {nowhere}".split()
    code, out, err = eureka(*words, cwd=tmp_path)
    assert code == 1
    assert nowhere in err
    assert len(err.strip().splitlines()) == 1
    assert "eureka resume" in out
    code, _, err = eureka("resume", str(the_run(tmp_path).folder), cwd=tmp_path)
    assert (code, nowhere in err) == (1, True)
    assert the_run(tmp_path).config.model == "m"


MINE = '''import numpy as np

def compute_reward(pole_up, *, upright=1.0):
    """Keep the pole up."""
    return {"upright": upright * pole_up[:, 2]}
'''


def test_a_full_disk_is_one_clear_line_and_the_run_goes_on_later(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root can mount a small disk")
    try:
        code, _, err = eureka(*TWO, "--out", str(disk), cwd=tmp_path)
        assert code == 1
        assert "is full" in err or "No space left" in err
        assert len(err.strip().splitlines()) == 1
        assert list(disk.glob("**/*.partial")) == []
        subprocess.run(["mount", "-o", "remount,size=50m", str(disk)], check=True)
        (folder,) = disk.iterdir()
        done("resume", str(folder), cwd=tmp_path)
        assert all(Run.open(folder).evaluated(id).fitness is not None for id in ("g0-00", "g1-02"))
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)
