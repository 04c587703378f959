"""`eureka tasks`."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from eureka_loop.envs.registry import find_domain, find_task, suites, tasks
from eureka_loop.records import Task
from eureka_loop.report import catalogue
from eureka_loop.report.layout import show
from eureka_loop.reward.vocabulary import Observable, Vocabulary

from .conftest import Screen

VOCABULARY = Vocabulary(
    "HalfCheetah-v5",
    (
        Observable("forward_velocity", (), "m/s", "world", "Along +x.", "cheetah", (0.0,), (-1.5,), (2.25,)),
        Observable("torso_pos", (2,), "m", "world", "[red]it[/]", "torso", (0, 0.7), (-1, 0), (1, 0.5)),
        Observable("native_reward", (), hidden=True, group="torso"),
        Observable("time", (), "s", group="episode"),
    ),
    constants={"joint 'bthigh'": "-0.52 to 1.05 rad"},
    horizon=1000,
    dt=0.05,
)  # fmt: skip


Shown = Callable[..., str]


def test_the_catalogue_lists_every_task_by_suite(shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "installed", lambda extra: not extra)
    screen = shown(catalogue.catalogue(suites()), width=140)
    assert all(name in screen for name in tasks())
    places = [screen.index(f"{suite}  {len(members)} tasks") for suite, members in suites().items()]
    assert places == sorted(places)
    assert screen.count("they need: pip install 'eureka-loop[robotics]'") == 1
    assert screen.count("they need: pip install") == 2


def test_the_hand_written_reward_of_a_task(shown: Shown) -> None:
    """A program of its own, the env's own reward, or a line that there is none."""

    def screen(task: Task, native: str = "") -> str:
        return shown(catalogue.task_page(task, find_domain(task.env_id), VOCABULARY, native))

    task, none = find_task("halfcheetah-run"), "none; to compare with one of your own"
    assert '"control": -control * np.square(action).sum(axis=1),' in screen(task)
    assert none not in screen(task)
    assert none in screen(replace(task, human=None, human_source=""))
    native = screen(find_task("metaworld-push"), "def compute_reward(self): ...")
    assert "Hand-written reward  the env's own, as its class computes it" in native
    assert "def compute_reward(self): ..." in native
    assert none not in native


def test_a_task_with_everything_about_it(shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def survey(folder: Path) -> Vocabulary:
        seen.append((folder / "task.json").read_text())
        return VOCABULARY

    monkeypatch.setattr(catalogue, "survey", survey)
    screen = shown(catalogue.page("halfcheetah-run"))
    assert '"halfcheetah-run"' in seen[0]
    assert screen.startswith("halfcheetah-run\nMake the half-cheetah run forward")
    for part in ("Fitness  of a whole", "Sparse reward", "Hyperparameters", "0.05 s", "1,000 steps at most"):
        assert part in screen
    lines = [" ".join(line.split()) for line in screen.splitlines()]
    assert "forward_velocity (N,) m/s (world); 0, -1.5 … 2.25 Along +x." in lines
    assert "torso_pos (N, 2) m (world); -1 … 1 [red]it[/]" in lines
    assert lines.index("cheetah") < lines.index("torso") < lines.index("episode")
    assert "native_reward" not in screen


def test_a_task_is_one_line_on_a_screen_and_whole_in_a_pipe() -> None:
    def listed(file: io.StringIO) -> list[str]:
        show(
            catalogue.page(None), Console(file=file, width=80, color_system=None, _environ={"TERM": "xterm"})
        )
        return file.getvalue().splitlines()

    lines = listed(Screen())
    assert max(map(len, lines)) <= 80
    assert next(line for line in lines if line.startswith("  halfcheetah-run ")).endswith("…")
    lines = listed(io.StringIO())
    for task in suites()["beyond"]:
        assert any(line.endswith(f"{task.text} ({task.env_id})") for line in lines), task.name
