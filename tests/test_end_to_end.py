"""The real thing: the program as a user starts it, with real training; interrupted, killed, misused."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from eureka_loop.store import Run

pytestmark = pytest.mark.timeout(300)

NOWHERE = "http://127.0.0.1:9/v1"
SILENT = ("", "trying the sandbox, looking at the environment…\n")
SMALL = (
    "run invertedpendulum-balance --designer templates --generations 2 --samples 3 --steps 600 "
    "--report-seeds 1 --judge-episodes 2 --jobs 2"
).split()


def start(*words: str, cwd: Path, **env: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "eureka_loop.cli", *words],
        cwd=cwd,
        env={**_bare(), **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def eureka(*words: str, cwd: Path, **env: str) -> tuple[int, str, str]:
    process = start(*words, cwd=cwd, **env)
    out, err = process.communicate(timeout=280)
    return process.returncode, out, err


def _bare() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "EUREKA_"))}


def the_run(cwd: Path) -> Run:
    (folder,) = (cwd / "runs").iterdir()
    return Run.open(folder)


def wait_for(condition: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.02)


def outcome(run: Run) -> dict[str, object]:
    """All that a run decided: sources, and every result but its wall-clock."""
    found: dict[str, object] = {}
    for path in sorted(run.folder.glob("candidates/*/seed-*/result.json")):
        result = json.loads(path.read_text())
        result.pop("seconds", None)
        found[str(path.relative_to(run.folder))] = result
    for id in run.candidate_ids():
        found[id] = run.candidate(id).source
    return found


def processes_of(folder: Path) -> list[int]:
    """Every process that works for runs under `folder`: it has that working directory."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if (entry / "cwd").resolve() == folder.resolve():
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, str]:
    """A small run from start to end, and what it printed."""
    cwd = tmp_path_factory.mktemp("undisturbed")
    code, out, err = eureka(*SMALL, cwd=cwd)
    assert (code, err) == (0, "")
    return the_run(cwd), out


def test_a_run_ends_with_the_winner_beside_its_references(undisturbed: tuple[Run, str]) -> None:
    run, out = undisturbed
    assert "def compute_reward(" in out
    assert f"runs/{run.folder.name}/report.md" in out.replace("\n", "")
    winner = [event["winner"] for event in run.events() if event["event"] == "finished"]
    for id in (winner[0], "human", "sparse"):
        assert run.evaluated(id, report=True).fitness is not None
    report = (run.folder / "report.md").read_text()
    assert winner[0] in report


def test_the_reports_command_for_the_winner_repeats_its_results(tmp_path: Path) -> None:
    """With a seed, settings, a fitness and a hand-written reward that are nobody's defaults."""
    (tmp_path / "mine.py").write_text(MINE)
    (tmp_path / "mine.toml").write_text("judge_episodes = 2\n[hyperparameters]\nn_steps = 128\n")
    words = ["run", "stay up there", "--env", "InvertedPendulum-v5", "--fitness", "-norm(pole_linvel)"]
    small = "--designer templates --generations 1 --samples 2 --steps 300 --report-seeds 1 --seed 3 --jobs 1"
    given = "--config mine.toml --human mine.py --out first"
    code, _, err = eureka(*words, *small.split(), *given.split(), cwd=tmp_path)
    assert (code, err) == (0, "")
    (folder,) = (tmp_path / "first").iterdir()
    report = (folder / "report.md").read_text().splitlines()
    (command,) = (shlex.split(line) for line in report if line.startswith("eureka train "))
    (tmp_path / "mine.py").unlink()
    code, _, err = eureka(*command[1:], "--out", "second", cwd=tmp_path)
    assert (code, err) == (0, "")
    first, second = Run.open(folder), Run.open(next((tmp_path / "second").iterdir()))
    (winner,) = [event["winner"] for event in first.events() if event["event"] == "finished"]
    for one, other in ((winner, "g0-00"), ("human", "human"), ("sparse", "sparse")):
        for fresh in (False, True):
            results = [
                [(each.seed, each.scores) for each in run.evaluated(id, report=fresh).trained]
                for run, id in ((first, one), (second, other))
            ]
            assert results[0] == results[1]
    assert first.evaluated(winner).trained
    assert first.evaluated("human", report=True).trained


def test_every_candidate_was_written_gated_and_trained(undisturbed: tuple[Run, str]) -> None:
    run, _ = undisturbed
    ids = [id for id in run.candidate_ids() if id.startswith("g")]
    assert ids == ["g0-00", "g0-01", "g0-02", "g1-00", "g1-01", "g1-02"]
    assert all(run.evaluated(id).fitness is not None for id in ids)


def test_policies_load_in_plain_stable_baselines(undisturbed: tuple[Run, str]) -> None:
    run, _ = undisturbed
    policy = next(run.folder.glob("candidates/g0-00/seed-*/policy.zip"))
    code = (
        "import sys\nfrom stable_baselines3 import PPO\n"
        f"print(PPO.load({str(policy)!r}, device='cpu').num_timesteps)\n"
        "assert not any(name.startswith('eureka_loop') for name in sys.modules)"
    )
    command = [sys.executable, "-W", "ignore", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(done.stdout) >= 600


def test_a_killed_loop_resumes_to_the_same_end(undisturbed: tuple[Run, str], tmp_path: Path) -> None:
    process = start(*SMALL, cwd=tmp_path)
    wait_for(lambda: bool(list(tmp_path.glob("runs/*/candidates/*/seed-*/result.json"))), 120)
    process.kill()
    process.communicate()
    wait_for(lambda: processes_of(tmp_path) == [], 2)
    run = the_run(tmp_path)
    finished = {path: path.stat().st_mtime_ns for path in run.folder.glob("candidates/*/seed-*/result.json")}
    code, _, err = eureka("resume", str(run.folder), cwd=tmp_path)
    assert (code, err) == (0, "")
    assert all(path.stat().st_mtime_ns == written for path, written in finished.items())
    assert outcome(run) == outcome(undisturbed[0])


def test_a_killed_worker_costs_nothing_but_time(undisturbed: tuple[Run, str], tmp_path: Path) -> None:
    process = start(*SMALL, cwd=tmp_path)
    wait_for(lambda: bool(list(tmp_path.glob("runs/*/candidates/*/seed-*/progress.jsonl"))), 120)
    workers = [pid for pid in processes_of(tmp_path) if "worker" in _command(pid)]
    os.kill(workers[-1], signal.SIGKILL)
    _, err = process.communicate(timeout=280)
    assert (process.returncode, err) == (0, "")
    assert outcome(the_run(tmp_path)) == outcome(undisturbed[0])


def test_ctrl_c_stops_at_once_and_leaves_a_resumable_run(tmp_path: Path) -> None:
    process = start(*SMALL, cwd=tmp_path)
    wait_for(lambda: bool(list(tmp_path.glob("runs/*/candidates/*/seed-*/job.json"))), 120)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert time.monotonic() - began < 2
    assert process.returncode == 130
    assert "Traceback" not in out + err
    assert f"eureka resume {the_run(tmp_path).folder.relative_to(tmp_path)}" in (out + err).replace("\n", "")
    wait_for(lambda: processes_of(tmp_path) == [], 2)


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("run", "say what is wanted"),
        ("run halfcheeta-run", "did you mean 'halfcheetah-run'"),
        ("run walk --env HalfCheeta-v5 --fitness qvel", "did you mean"),
        ("run walk --env CartPole-v1 --fitness obs", "CartPole-v1"),
        ("run walk --env HalfCheetah-v5 --fitness forward_velocty", "did you mean 'forward_velocity'"),
        ("run walk --env InvertedPendulum-v5 --fitness pole_up[:,7]", "its components are 0 to 2"),
        ("run walk --env InvertedPendulum-v5 --fitness np.log(pole_up[:,2]-5)", "returned nan"),
        ("run walk --env HalfCheetah-v5", "--fitness"),
        ("run halfcheetah-run --designer llm --model m", "OPENAI_API_KEY"),
        ("run halfcheetah-run --designer replay", "--replay"),
        ("run halfcheetah-run --steps 0", "--steps 0 is out of range"),
        ("run halfcheetah-run --config none.toml", "none.toml"),
        ("resume nothing", "is not a run"),
        ("inspect nothing", "is not a run"),
        ("tasks halfcheeta", "halfcheetah-run"),
        ("train none.py --task halfcheetah-run", "none.py"),
        ("frobnicate", "unknown command"),
    ],
)
def test_bad_input_gets_one_clear_line_and_leaves_nothing(words: str, said: str, tmp_path: Path) -> None:
    code, out, err = eureka(*words.split(), cwd=tmp_path)
    assert code == 2
    assert said in err
    assert len(err.strip().splitlines()) == 1
    assert out in SILENT
    assert not list(tmp_path.glob("runs/*"))


@pytest.mark.parametrize(
    "words",
    [
        "train nan.py --task invertedpendulum-balance",
        "run invertedpendulum-balance --designer templates --human nan.py",
    ],
)
def test_a_program_of_ones_own_that_fails_is_told_before_anything_is_trained(
    words: str, tmp_path: Path
) -> None:
    (tmp_path / "nan.py").write_text(MINE.replace("upright *", "np.nan *"))
    code, out, err = eureka(*words.split(), cwd=tmp_path)
    assert code == 2
    assert out in SILENT
    assert "nan.py fails on transitions under random actions: Term 'upright' is NaN" in err
    assert len(err.strip().splitlines()) == 1
    assert not list(tmp_path.glob("runs/*"))


def test_an_unknown_designer_names_those_there_are(tmp_path: Path) -> None:
    code, out, err = eureka("run", "halfcheetah-run", "--designer", "gpt", cwd=tmp_path)
    assert (code, out) == (2, "")
    assert err == (
        "eureka: --designer takes llm, replay or templates, not 'gpt'; `eureka run --help` says more\n"
    )


def test_an_unreachable_endpoint_is_one_clear_line_and_the_run_can_go_on(tmp_path: Path) -> None:
    words = f"run halfcheetah-run --designer llm --model m --base-url {NOWHERE}".split()
    code, out, err = eureka(*words, cwd=tmp_path)
    assert code == 1
    assert NOWHERE in err
    assert len(err.strip().splitlines()) == 1
    assert "eureka resume" in out
    code, _, err = eureka("resume", str(the_run(tmp_path).folder), cwd=tmp_path)
    assert (code, NOWHERE in err) == (1, True)
    assert the_run(tmp_path).config.model == "m"


def test_a_hyperparameter_that_does_not_exist_is_said_before_anything_is_written(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("[hyperparameters]\nn_step = 512\n")
    code, _, err = eureka(
        "run", "hopper-hop", "--config", "mine.toml", "--designer", "templates", cwd=tmp_path
    )
    assert code == 2
    assert "n_steps" in err
    assert not list(tmp_path.glob("runs/*"))


def test_own_words_that_sound_like_the_catalogue_keep_their_own_fitness(tmp_path: Path) -> None:
    words = ["run", "Inverted Pendulum balance", "--env", "InvertedPendulum-v5", "--fitness", "-time_left"]
    small = "--designer templates --generations 1 --samples 1 --steps 300 --report-seeds 0".split()
    code, _, err = eureka(*words, *small, cwd=tmp_path)
    assert (code, err) == (0, "")
    assert "time_left" in the_run(tmp_path).task().fitness
    assert the_run(tmp_path).task().human is None


def test_a_replay_repeats_a_run_exactly(undisturbed: tuple[Run, str], tmp_path: Path) -> None:
    run, _ = undisturbed
    words = [word if word != "templates" else "replay" for word in SMALL]
    code, _, err = eureka(*words, "--replay", str(run.folder), cwd=tmp_path)
    assert (code, err) == (0, "")
    assert outcome(the_run(tmp_path)) == outcome(run)


def test_a_run_in_use_is_left_alone(undisturbed: tuple[Run, str], tmp_path: Path) -> None:
    run, _ = undisturbed
    with Run.open(run.folder).lock():
        code, _, err = eureka("resume", str(run.folder), cwd=tmp_path)
    assert code == 1
    assert f"in use by another process (pid {os.getpid()})" in err


def test_a_program_of_ones_own_is_trained_with_sac(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(MINE)
    words = "train mine.py --task invertedpendulum-balance --algo sac --steps 250 --seeds 2".split()
    code, out, err = eureka(*words, cwd=tmp_path)
    assert (code, err) == (0, "")
    assert "upright" in out
    run = the_run(tmp_path)
    assert [result.steps for result in run.evaluated("g0-00").trained] == [250, 250]


MINE = '''import numpy as np

def compute_reward(pole_up, *, upright=1.0):
    """Keep the pole up."""
    return {"upright": upright * pole_up[:, 2]}
'''


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1000k", "tmpfs", str(disk)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("only root can mount a small disk")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_full_disk_is_one_clear_line_and_the_run_goes_on_later(tiny_disk: Path, tmp_path: Path) -> None:
    code, _, err = eureka(*SMALL, "--out", str(tiny_disk), cwd=tmp_path)
    assert code == 1
    assert "is full" in err or "No space left" in err
    assert len(err.strip().splitlines()) == 1
    assert list(tiny_disk.glob("**/*.partial")) == []
    subprocess.run(["mount", "-o", "remount,size=50m", str(tiny_disk)], check=True)
    (folder,) = tiny_disk.iterdir()
    code, _, err = eureka("resume", str(folder), cwd=tmp_path)
    assert (code, err) == (0, "")
    assert all(Run.open(folder).evaluated(id).fitness is not None for id in ("g0-00", "g1-02"))
