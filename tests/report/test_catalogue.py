"""`eureka tasks`."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console, RenderableType

from eureka_loop.envs.registry import find_domain, find_task, suites, tasks
from eureka_loop.records import Task
from eureka_loop.report import catalogue
from eureka_loop.report.terminal import show
from eureka_loop.reward.vocabulary import Observable, Vocabulary

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


def test_the_catalogue_lists_every_task_by_suite(
    shown: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue, "installed", lambda extra: not extra)
    screen = shown(catalogue.catalogue(suites()), width=140)
    assert all(name in screen for name in tasks())
    places = [screen.index(f"{suite}  {len(members)} tasks") for suite, members in suites().items()]
    assert places == sorted(places)
    assert "Make the half-cheetah run forward" in screen
    assert screen.count("they need: pip install 'eureka-loop[robotics]'") == 1
    assert screen.count("they need: pip install") == 2


def task_page(task: Task, native: str = "") -> RenderableType:
    return catalogue.task_page(task, find_domain(task.env_id), VOCABULARY, native)


def test_the_hand_written_reward_of_a_task(shown: Callable[..., str]) -> None:
    """A program of its own, the env's own reward, or a line that there is none."""
    task, none = find_task("halfcheetah-run"), "none; to compare with one of your own"
    assert '"control": -control * np.square(action).sum(axis=1),' in shown(task_page(task))
    assert none not in shown(task_page(task))
    assert none in shown(task_page(replace(task, human=None, human_source="")))
    screen = shown(task_page(find_task("metaworld-push"), "def compute_reward(self): ..."))
    assert "Hand-written reward  the env's own, as its class computes it" in screen
    assert "def compute_reward(self): ..." in screen
    assert none not in screen


def test_a_task_with_everything_about_it(shown: Callable[..., str]) -> None:
    screen = shown(task_page(find_task("halfcheetah-run")))
    assert screen.startswith("halfcheetah-run\nMake the half-cheetah run forward")
    parts = ("Fitness  of a whole", "Sparse reward", "Hyperparameters", "0.05 s", "1,000 steps at most")
    assert not [part for part in parts if part not in screen]


def test_the_vocabulary_is_grouped_and_has_ranges(shown: Callable[..., str]) -> None:
    screen = shown(catalogue.vocabulary_section(VOCABULARY), width=80)
    lines = [" ".join(line.split()) for line in screen.splitlines()]
    assert "forward_velocity (N,) m/s (world); 0, -1.5 … 2.25 Along +x." in lines
    assert "torso_pos (N, 2) m (world); -1 … 1 [red]it[/]" in lines
    assert lines.index("cheetah") < lines.index("torso") < lines.index("episode")
    assert "native_reward" not in screen


def test_showing_a_task_surveys_its_environment(
    monkeypatch: pytest.MonkeyPatch, shown: Callable[..., str]
) -> None:
    seen = []

    def survey(folder: Path) -> Vocabulary:
        seen.append((folder / "task.json").read_text())
        return VOCABULARY

    monkeypatch.setattr(catalogue, "survey", survey)
    assert "forward_velocity" in shown(catalogue.page("halfcheetah-run"))
    assert '"halfcheetah-run"' in seen[0]


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def listed(width: int, file: io.StringIO) -> list[str]:
    console = Console(file=file, width=width, color_system=None, _environ={"TERM": "xterm"})
    show(catalogue.page(None), console)
    return file.getvalue().splitlines()


def test_a_task_is_one_line_on_a_screen_and_whole_in_a_pipe() -> None:
    lines = listed(80, Screen())
    assert max(map(len, lines)) <= 80
    assert next(line for line in lines if line.startswith("  halfcheetah-run ")).endswith("…")
    lines = listed(80, io.StringIO())
    for task in suites()["beyond"]:
        assert any(line.endswith(f"{task.text} ({task.env_id})") for line in lines), task.name
