"""A run folder from somebody else is data: nothing of it runs, and nothing planted in it counts silently.

Runs are made by the command itself, with the least budget, then changed; a machine's user is a key of their own.
"""

from __future__ import annotations

import ast
import json
import os
import pickle
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from eureka_loop import files, provenance
from eureka_loop.records import POLICY, Job
from eureka_loop.report.run_data import RunData
from eureka_loop.report.sections import UNCONFIRMED
from eureka_loop.store import Run

pytestmark = pytest.mark.timeout(400)  # whole commands, on a busy machine

BUDGET = """
task = "invertedpendulum-balance"
designer = "templates"
generations = 1
samples = 2
confirm = 1
steps = 200
report_seeds = 1
judge_episodes = 1
minutes = 0.0
jobs = 1
[hyperparameters]
n_steps = 64
batch_size = 64
n_envs = 1
"""


def eureka(*words: object, place: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """The command, in a folder from which Python can import; without films, unless `variables` say otherwise."""
    variables = {
        **os.environ,
        "MUJOCO_GL": "disable",
        "COLUMNS": "200",
        "PYTHONPATH": str(place),
        **variables,
    }
    command = [sys.executable, "-m", "eureka_loop.cli.main", *map(str, words)]
    return subprocess.run(command, cwd=place, env=variables, capture_output=True, text=True)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of this user's."""
    place = tmp_path_factory.mktemp("own")
    (place / "budget.toml").write_text(BUDGET)
    done = eureka("run", "--config", "budget.toml", "--out", "runs", place=place)
    assert done.returncode == 0, done.stderr
    (run,) = (place / "runs").iterdir()
    return run


@pytest.fixture
def copied(own: Path, tmp_path: Path) -> Run:
    """The same run, to be changed."""
    return Run(Path(shutil.copytree(own, tmp_path / "sent" / own.name)))


@pytest.fixture
def foreign(copied: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """A run that somebody else made, on a machine with another key."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return copied


class Touch:
    """A pickle that makes a file when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return Path.touch, (self.path,)


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def planted(run: Run, folder: Path, fitness: float) -> None:
    """Set a result's fitness."""
    result = json.loads((folder / "result.json").read_text())
    for each in result["episodes"]:
        each["scores"]["fitness"]["value"] = fitness
    (folder / "result.json").write_text(json.dumps(result))


def every_training(run: Run) -> Iterator[Path]:
    return (path.parent for path in run.folder.glob("candidates/*/seed-*/result.json"))


# nothing runs


@pytest.mark.parametrize(
    "words",
    [
        ("inspect", "RUN"),
        ("inspect", "RUN", "g0-00"),
        ("watch", "RUN"),
        ("export", "RUN"),
        ("export", "RUN", "--to", "policy"),
        ("robustness", "RUN"),
        ("resume", "RUN"),
        ("compare", "RUN", "--seeds", "1", "--jobs", "1"),
        ("run", "--config", "RUN/run.toml", "--designer", "replay", "--replay", "RUN"),
    ],
    ids=" ".join,
)
def test_no_pickle_and_no_program_of_the_folder_runs(
    foreign: Run, tmp_path: Path, words: Sequence[str]
) -> None:
    """Not even where files of ours that hold numbers are pickles, too; a training of the report is missing."""
    ran = tmp_path / "ran"
    evil = pickle.dumps(Touch(ran))
    pickle.loads(evil)
    assert ran.exists(), "the pickle works"
    ran.unlink()
    for folder in every_training(foreign):
        for name in ("policy.zip", "vecnormalize.pkl", "training.pt", POLICY, "episode.npz"):
            (folder / name).write_bytes(evil)
        (folder / "play.py").write_text(f"open({str(ran)!r}, 'w')")
    shutil.rmtree(next(foreign.folder.glob("candidates/human/seed-*")))
    films = {"MUJOCO_GL": os.environ.get("MUJOCO_GL", "egl")} if words[0] == "watch" else {}
    done = eureka(*(each.replace("RUN", str(foreign.folder)) for each in words), place=tmp_path, **films)
    assert not ran.exists()
    assert "Traceback" not in done.stderr
    status = {"watch": 1, "robustness": 2, "export": 2 * ("policy" in words)}.get(words[0], 0)
    assert done.returncode == status, done.stderr


@pytest.mark.parametrize("command", ["resume", "compare", "watch", "export", "robustness"])
@pytest.mark.parametrize(
    "change",
    [
        {"env_id": "innocent:InvertedPendulum-v5"},
        {"env_kwargs": {"xml_file": "/etc/passwd"}},
        {"env_id": "Scene/File-v0", "env_kwargs": {"xml_file": "/etc/passwd", "terminate": "qpos[:, 0] > 0"}},
    ],
    ids=["module", "file", "scene"],
)
def test_an_env_of_their_choice_is_refused_in_a_line(
    foreign: Run, tmp_path: Path, command: str, change: dict[str, object]
) -> None:
    (tmp_path / "innocent.py").write_text("from pathlib import Path\nPath('ran').touch()\n")
    path = foreign.task_folder / "task.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    shutil.rmtree(next(foreign.folder.glob("candidates/human/seed-*")))
    done = eureka(command, foreign.folder, place=tmp_path)
    assert done.returncode == 2
    assert "was not made here, and no task of the catalogue has its env" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "ran").exists()


def test_a_training_about_another_task_is_no_way_around_that(copied: Run, tmp_path: Path) -> None:
    """Not even in a run of one's own that somebody has changed."""
    for folder in every_training(copied):
        job = json.loads((folder / "job.json").read_text())
        job["task"]["env_id"] = "innocent:InvertedPendulum-v5"
        (folder / "job.json").write_text(json.dumps(job))
    (tmp_path / "innocent.py").write_text("from pathlib import Path\nPath('ran').touch()\n")
    next(copied.folder.glob("candidates/human/seed-*/result.json")).unlink()
    for command in ("watch", "robustness", "resume"):
        done = eureka(command, copied.folder, place=tmp_path)
        assert done.returncode == 1
        assert "is about another task than the run: remove " in done.stderr
        assert not (tmp_path / "ran").exists()


def test_no_job_of_a_cohort_is_a_way_around_that(foreign: Run, tmp_path: Path) -> None:
    """A training that is missing goes on together with one that no candidate has."""
    (tmp_path / "innocent.py").write_text("from pathlib import Path\nPath('ran').touch()\n")
    missing = next(foreign.folder.glob("candidates/human/seed-*"))
    (missing / "result.json").unlink()
    job = json.loads((missing / "job.json").read_text())
    job["cohort"] = ["other/seed-7", f"human/{missing.name}"]
    files.write_json(missing / "job.json", job)
    job["task"]["env_id"] = "innocent:InvertedPendulum-v5"
    other = foreign.candidate_folder("other") / "seed-7"
    files.write_json(other / "job.json", {**job, "candidate": "other", "seed": 7})
    done = eureka("resume", foreign.folder, place=tmp_path)
    assert done.returncode == 1
    assert f"{other / 'job.json'} is about another task than the run: remove {other}" in done.stderr
    assert not (tmp_path / "ran").exists()


def test_a_model_card_shows_their_texts_as_texts(foreign: Run, tmp_path: Path) -> None:
    """No heading, picture or element of theirs, and no statement in the code that is to be copied."""
    task, training = (foreign.task_folder / f"{name}.json" for name in ("task", "training"))
    evil = "x\n\n## Figures\n\n![x](http://example.org/x.png) <img src=http://example.org>"
    known = json.loads(task.read_text())
    fitness = f"{known['fitness']}\n# ```\n# ## Figures <img src=x>\n"
    changed = {**known, "text": evil, "env_id": 'Own-v0"); open("ran", "w") #', "fitness": fitness}
    files.write_json(task, changed)
    files.write_json(training, {**json.loads(training.read_text()), "trainer": evil})
    for folder in every_training(foreign):
        job = json.loads((folder / "job.json").read_text())
        files.write_json(folder / "job.json", {**job, "task": changed})
    done = eureka("export", foreign.folder, "--to", "policy", "--out", "out", place=tmp_path)
    assert done.returncode == 0, done.stderr
    card = (tmp_path / "out" / "README.md").read_text()
    assert UNCONFIRMED in card
    assert "(1 of them not made here)" in card
    outside, inside = [], []
    fence = ""
    for line in card.splitlines():
        if (ticks := re.match(r"`{3,}", line)) and fence in ("", ticks[0]):
            fence = "" if fence else ticks[0]
            continue
        (inside if fence else outside).append(line)
    assert [line for line in outside if line.startswith("#")] == [
        f"# {known['name']}, policy of g0-00", "## Figures", "## Training", "## Use",
    ]  # fmt: skip
    assert not re.search(r"(?<!\\)!\[|<img", "\n".join(outside))
    (made,) = [line for line in inside if line.startswith("env = ")]
    call = ast.parse(made).body[0]
    assert isinstance(call, ast.Assign)
    assert isinstance(call.value, ast.Call)
    assert ast.literal_eval(call.value.args[0]) == changed["env_id"]


def test_a_run_with_pickles_alone_is_told_so(copied: Run, tmp_path: Path) -> None:
    for path in copied.folder.glob(f"candidates/*/seed-*/{POLICY}"):
        path.unlink()
    done = eureka("watch", copied.folder, place=tmp_path)
    assert done.returncode == 2
    assert "its policies are pickles alone, which may run code and aren't read" in done.stderr


# nothing planted counts silently


def test_what_was_made_here_is_told_from_what_was_not(
    own: Path, foreign: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = RunData(foreign).elsewhere
    assert every == (5, 5)
    assert not foreign.made_here
    assert all("(not made here)" in label for label in foreign.floors())
    monkeypatch.undo()
    assert RunData(Run(own)).elsewhere == (0, 5)
    assert Run(own).made_here
    assert "not made here" not in (own / "report.md").read_text()


@pytest.mark.parametrize(
    "change",
    [
        lambda run, folder: planted(run, folder, 9e4),
        lambda run, folder: (folder / "result.json.mac").unlink(),
        lambda run, folder: (folder / POLICY).write_bytes(b"x"),
        lambda run, folder: files.write_text(
            run.candidate_folder("human") / "reward.py", "def compute_reward(): pass"
        ),
    ],
    ids=["fitness", "no digest", "policy", "another program"],
)
def test_a_planted_result_is_named_where_it_counts(
    copied: Run, tmp_path: Path, change: Callable[[Run, Path], object]
) -> None:
    """In the table and in the verdict's own sentence, by the command and in the report."""
    change(copied, next(copied.folder.glob("candidates/human/seed-*")))
    shown = " ".join(eureka("inspect", copied.folder, place=tmp_path).stdout.split())
    assert "1 of 5 trainings were not made here: nothing shows how the results came about." in shown
    assert "hand-written (1 of 1 training not made here)" in shown
    done = eureka("resume", copied.folder, place=tmp_path)
    report = (copied.folder / "report.md").read_text()
    for text in (" ".join(done.stdout.split()), report):
        assert "hand-written (1 of 1 training not made here)" in text


@pytest.mark.parametrize(
    ("of", "instead"), [("steps = 200", "steps = 100"), ("episodes = 1", "episodes = 2")]
)
def test_a_result_of_another_run_of_this_users_does_not_count(
    copied: Run, tmp_path: Path, of: str, instead: str
) -> None:
    """Same task, program and seed, fewer steps or another judging: spliced in with its digest."""
    (tmp_path / "budget.toml").write_text(BUDGET.replace(of, instead, 1))
    assert eureka("run", "--config", "budget.toml", "--out", "less", place=tmp_path).returncode == 0
    (less,) = (tmp_path / "less").iterdir()
    target = next(copied.folder.glob("candidates/human/seed-*"))
    shutil.rmtree(target)
    shutil.copytree(less / "candidates" / "human" / target.name, target)
    assert provenance.made_here(target, provenance.RESULT)
    assert RunData(copied).elsewhere == (1, 5)


@pytest.mark.parametrize("key", [b"", b"short"])
def test_nothing_fits_a_key_that_a_full_disk_cut_off(
    key: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else could guess it."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    files.write_bytes(tmp_path / "eureka-loop" / "key", key)
    files.write_text(tmp_path / "run.toml", "")
    monkeypatch.setattr(provenance, "_key", lambda: key)
    provenance.mark(tmp_path, provenance.RUN)
    monkeypatch.undo()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert not provenance.made_here(tmp_path, provenance.RUN)
    provenance.mark(tmp_path, provenance.RUN)
    assert provenance.made_here(tmp_path, provenance.RUN)


def test_resumed_new_trainings_are_made_here_and_old_ones_stay_named(foreign: Run, tmp_path: Path) -> None:
    shutil.rmtree(next(foreign.folder.glob("candidates/human/seed-*")))
    assert eureka("resume", foreign.folder, place=tmp_path).returncode == 0
    assert RunData(foreign).elsewhere == (4, 5)
    assert foreign.evaluated("human", report=True).elsewhere == ()
    assert not foreign.made_here, "its settings and programs are still somebody else's"


def test_without_a_place_for_the_key_a_run_goes_on_and_says_so_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    (tmp_path / "reward.py").write_text(
        "def compute_reward(terminated):\n    return {'up': 1.0 - terminated}\n"
    )
    (tmp_path / "budget.toml").write_text(BUDGET)
    done = eureka("train", "reward.py", "--config", "budget.toml", "--out", "runs", place=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("What is trained now won't count as made here: can't keep a key in ") == 1
    (run,) = (tmp_path / "runs").iterdir()
    assert RunData(Run(run)).elsewhere == (1, 1)


# a comparison


def test_a_comparison_trains_outside_of_a_foreign_run(foreign: Run, tmp_path: Path) -> None:
    before = contents(foreign.folder)
    done = eureka("compare", foreign.folder, "--seeds", "1", "--jobs", "1", place=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "was not made here: what is trained goes into runs/compare-" in " ".join(done.stdout.split())
    assert contents(foreign.folder) == before
    (comparison,) = (tmp_path / "runs").iterdir()
    assert (comparison / "report.html").exists()
    assert "not made here" not in (comparison / "report.md").read_text(), "its trainings are this user's"
    again = eureka("compare", foreign.folder, "--seeds", "1", "--jobs", "1", place=tmp_path)
    assert again.returncode == 0, "the same command goes on"
    assert [*(tmp_path / "runs").iterdir()] == [comparison]


def test_planted_trainings_of_a_comparison_are_named_in_its_verdict(own: Path, tmp_path: Path) -> None:
    words = ("compare", own, "--with", "human", "--seeds", "1", "--jobs", "1", "--out", tmp_path / "out")
    assert eureka(*words, place=tmp_path).returncode == 0
    part = Run(tmp_path / "out" / "ppo")
    planted(part, next(part.folder.glob("candidates/human/seed-*")), -5.0)
    shown = " ".join(eureka(*words, place=tmp_path).stdout.split())
    assert "hand-written (1 of 1 training not made here)" in shown.split("invertedpendulum-balance, PPO")[0]


def test_a_planted_comparison_measures_nothing_else(own: Path, tmp_path: Path) -> None:
    """Its folder is in a run of one's own: the same question, but another fitness, or fewer steps."""
    words = ("compare", own, "--with", "human", "--seeds", "1", "--jobs", "1", "--out", tmp_path / "out")
    assert eureka(*words, place=tmp_path).returncode == 0
    part = tmp_path / "out" / "ppo"
    task, config = part / "task" / "task.json", part / "run.toml"
    for path, old, new in ((task, "return time[-1]", "return 9.0"), (config, "steps = 200", "steps = 100")):
        kept = path.read_text()
        assert old in kept
        path.write_text(kept.replace(old, new))
        done = eureka(*words, place=tmp_path)
        assert done.returncode == 2
        assert done.stderr == (
            f"eureka: {part} was begun with another measure or number of steps: choose another --out\n"
        )
        path.write_text(kept)


@pytest.mark.parametrize("drafted", ["", 'drafted = "confirmed"\n'])
def test_nobody_here_has_confirmed_their_measure(copied: Run, tmp_path: Path, drafted: str) -> None:
    """Whatever run.toml says, where the task isn't the catalogue's: in the verdict, too, and of a comparison."""
    place, path = copied.folder / "run.toml", copied.task_folder / "task.json"
    place.write_text(drafted + place.read_text())
    assert drafted == "" or not copied.made_here
    task = json.loads(path.read_text())
    assert UNCONFIRMED not in eureka("inspect", copied.folder, place=tmp_path).stdout
    files.write_json(path, {**task, "fitness": task["fitness"].replace("time[-1]", "2.0 * time[-1]")})
    shown = " ".join(eureka("inspect", copied.folder, place=tmp_path).stdout.split())
    assert shown.count(UNCONFIRMED) == 2
    done = eureka("compare", copied.folder, "--seeds", "1", "--jobs", "1", place=tmp_path)
    assert UNCONFIRMED in " ".join(done.stdout.split()), done.stderr


def test_jobs_are_kept_as_they_were_trained(own: Path) -> None:
    """Every result of an own run fits its place: program, task, training."""
    for folder in every_training(Run(own)):
        assert files.read_json(folder / "job.json", Job).candidate == folder.parent.name
        assert provenance.made_here(folder, provenance.RESULT)
