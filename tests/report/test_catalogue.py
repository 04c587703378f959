"""`eureka tasks`."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from eureka_loop.envs.registry import find_domain, find_task, suites, tasks
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


def test_the_catalogue_lists_every_task_by_suite(shown: Callable[..., str]) -> None:
    screen = shown(catalogue.catalogue(suites()), width=140)
    assert all(name in screen for name in tasks())
    places = [screen.index(f"{suite}  {len(members)} tasks") for suite, members in suites().items()]
    assert places == sorted(places)
    assert "halfcheetah-run" in screen
    assert "Make the half-cheetah run forward" in screen


def test_a_suite_says_what_it_needs(shown: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "installed", lambda extra: not extra)
    screen = shown(catalogue.catalogue(suites()), width=140)
    assert screen.count("they need: pip install 'eureka-loop[robotics]'") == 1
    assert screen.count("they need: pip install") == 2


def test_the_envs_own_reward_is_shown_where_it_is_the_reference(shown: Callable[..., str]) -> None:
    task = find_task("metaworld-push")
    page = catalogue.task_page(task, find_domain(task.env_id), VOCABULARY, "def compute_reward(self): ...")
    screen = shown(page)
    assert "Hand-written reward  the env's own, as its class computes it" in screen
    assert "def compute_reward(self): ..." in screen


def test_a_task_without_a_hand_written_reward_says_so(shown: Callable[..., str]) -> None:
    task = replace(find_task("halfcheetah-run"), human=None, human_source="")
    none = "none; to compare with one of your own"
    domain = find_domain(task.env_id)
    assert none in shown(catalogue.task_page(task, domain, VOCABULARY))
    assert none not in shown(catalogue.task_page(task, domain, VOCABULARY, "def compute_reward(self): ..."))
    assert none not in shown(catalogue.task_page(find_task("halfcheetah-run"), domain, VOCABULARY))


def test_a_task_with_everything_about_it(shown: Callable[..., str]) -> None:
    task = find_task("halfcheetah-run")
    screen = shown(catalogue.task_page(task, find_domain(task.env_id), VOCABULARY))
    assert screen.startswith("halfcheetah-run\nMake the half-cheetah run forward")
    for words in (
        "Fitness  of a whole episode",
        "Sparse reward",
        "Hand-written reward",
        "Hyperparameters",
        "0.05 s",
    ):
        assert words in screen, words
    assert '"control": -control * np.square(action).sum(axis=1),' in screen
    assert "1,000 steps at most" in screen


@pytest.mark.parametrize("width", [80, 140])
def test_the_vocabulary_is_grouped_and_has_ranges(shown: Callable[..., str], width: int) -> None:
    screen = shown(catalogue.vocabulary_section(VOCABULARY), width=width)
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


def test_a_task_is_one_line_on_any_screen() -> None:
    lines = listed(80, Screen())
    assert max(map(len, lines)) <= 80
    assert next(line for line in lines if line.startswith("  halfcheetah-run ")).endswith("…")


def test_in_a_pipe_a_task_is_shown_whole() -> None:
    lines = listed(80, io.StringIO())
    for task in suites()["beyond"]:
        assert any(line.endswith(f"{task.text} ({task.env_id})") for line in lines), task.name
