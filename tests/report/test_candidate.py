"""`eureka inspect RUN ID`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from eureka_loop import files
from eureka_loop.errors import BadInput, UnknownName
from eureka_loop.records import Candidate, Reply
from eureka_loop.report.candidate import candidate_page
from eureka_loop.results import Trained
from tests.search.conftest import behaving

if TYPE_CHECKING:
    from .conftest import Script

WINNER = """\
Code
    1 def compute_reward(forward_velocity, torso_upright, action, *, speed=1.5, upright=0.5, effort=1e-3):
    2     \"""Run forward, stay level, waste no torque.\"""
    3     return {
    4         "speed": speed * forward_velocity,
    5         "upright": upright * torso_upright,
    6         "effort": -effort * np.square(action).sum(axis=1),
    7         "_level": torso_upright,
    8     }

Fitness  of the final policy, mean over judged episodes
              seed  fitness  lowest … highest  success  steps  took
  search         0    2.750  2.650 … 2.850        100%  1,000  22 s
  report  20000000    2.500  2.400 … 2.600        100%  1,000  22 s
  report  20000100    2.700  2.600 … 2.800        100%  1,000  22 s
  report  20000200    2.600  2.500 … 2.700        100%  1,000  22 s

Feedback its author got
  The best so far reached 2.1.
  speed: share 80%"""


def test_a_trained_candidate(script: Script, shown: Callable[..., str]) -> None:
    screen = shown(candidate_page(script.whole(), "g1-00"), width=120)
    head, rest = screen.split("\n\n", 1)
    assert rest[: rest.index("Training  ")] + rest[rest.index("Feedback ") :] == WINNER
    lines = head.splitlines()
    assert lines[:5] == [
        "g1-00",
        "written by  llm, generation 2 (g1)",
        "from        refine of g0-01",
        "note        improves on g0-01",
        "weights     speed = 1.5, upright = 0.5, effort = 0.001",
    ]


@pytest.mark.parametrize(
    ("id", "problem"),
    [
        ("g0-02", "Failed\n  refused\n  Line 4: `if` on an array of N rows. Write `np.where(a, b, c)`.\n"
                  "  Line 6: unknown name 'foo'."),
        ("g1-02", "not finite (seed 0)\n  term 'speed' is NaN in 3 of 2,048 rows\n  line 5"),
    ],
)  # fmt: skip
def test_a_failed_candidate_shows_every_problem(
    script: Script, shown: Callable[..., str], id: str, problem: str
) -> None:
    assert problem in shown(candidate_page(script.whole(), id))


def test_a_candidate_in_training_shows_how_far_it_is(script: Script, shown: Callable[..., str]) -> None:
    script.started()
    script.generation(0)
    script.begin("g0-00", 0)
    assert "–        so far, at step 0" in shown(candidate_page(script.run, "g0-00"))
    script.progress("g0-00", 0, 31_000, 1.5)
    assert "1.500  so far, at step 31,000" in shown(candidate_page(script.run, "g0-00"))
    assert "Fitness" not in shown(candidate_page(script.run, "g0-01"))  # not begun


def test_a_reference_is_inspected_like_any_other(script: Script, shown: Callable[..., str]) -> None:
    screen = shown(candidate_page(script.whole(), "human"))
    assert screen.startswith("hand-written\nwritten by  human\n")
    assert "report  20000000    2.000" in screen


def test_the_exchange_is_shown_word_for_word(script: Script, shown: Callable[..., str]) -> None:
    screen = shown(candidate_page(script.whole(), "g1-00", exchange=True))
    assert "system\n  You write reward functions.\n\nuser\n  Make it run.\n\nreply\n  Here it is:" in screen
    assert '"prompt_tokens": 4000' in screen
    assert "Repair" not in screen
    assert "without an exchange" in shown(candidate_page(script.run, "human", exchange=True))
    for reply in ("first", "second"):
        script.run.write_reply("g0-05", Reply(None, exchange={"messages": [], "reply": reply}))
    script.run.write_candidate(Candidate("g0-05", 0, "", "llm"))
    screen = shown(candidate_page(script.run, "g0-05", exchange=True))
    assert screen.index("first") < screen.index("Repair") < screen.index("second")


def test_an_unknown_id_names_the_nearest(script: Script) -> None:
    with pytest.raises(UnknownName, match="did you mean 'g1-0"):
        candidate_page(script.whole(), "g1-0")


@pytest.mark.parametrize(("width", "points"), [(60, 3), (80, 5), (130, 10)])
def test_training_is_shown_as_in_feedback(
    script: Script, shown: Callable[..., str], width: int, points: int
) -> None:
    screen = shown(candidate_page(script.whole(), "human"), width=width)
    table = screen[screen.index("Training  as in feedback to designers") :].splitlines()[1:]
    assert table[0] == "  Over training, exploring (not judged), means of 3 seeds:"
    assert len(table[1].split()) == 1 + points + len(("lowest", "highest", "share"))
    assert table[2].split()[-1] == "2.1", "the last point is the end of training"
    assert max(map(len, table)) <= width


@pytest.mark.parametrize(("width", "parts"), [(50, 3), (80, 5), (130, 10)])
def test_behaviour_fits_the_screen(script: Script, shown: Callable[..., str], width: int, parts: int) -> None:
    run = script.whole()
    assert "Behaviour" not in shown(candidate_page(run, "g1-00")), "it was judged without"
    result = run.result("g1-00", 0)
    assert isinstance(result, Trained)
    episodes = tuple(behaving(each, 3.5 + n) for n, each in enumerate(result.episodes))
    files.write_json(run.job_folder("g1-00", 0) / "result.json", replace(result, episodes=episodes))
    screen = shown(candidate_page(run, "g1-00"), width=width)
    table = screen[screen.index("Behaviour  as in feedback to designers") : screen.index("Training  as")]
    until = next(line.split() for line in table.splitlines() if line.startswith("  until s"))
    assert len(until) == len(("until", "s", "lowest", "highest")) + parts
    assert until[2 + parts - 1] == "50", "the last part ends with the episode"
    assert "turned about y 5 turns (3.5 to 6.5)" in " ".join(table.split())


# differences


@pytest.mark.parametrize(("against", "name"), [("parent", "g0-01"), ("human", "human"), ("g0-00", "g0-00")])
def test_differences(script: Script, shown: Callable[..., str], against: str, name: str) -> None:
    page = candidate_page(script.whole(), "g1-00", diff=against)
    screen = shown(page, width=120)
    assert screen.startswith(f"{name} → g1-00\n\n--- {name}\n+++ g1-00\n@@ -1,")
    assert "\n+def compute_reward(forward_velocity, torso_upright, action, *, speed=1.5, " in screen
    assert "\x1b[92;49m" in shown(page, colours=True), "added lines are green"
    assert "no difference" in shown(candidate_page(script.run, "g1-00", diff="g1-00"))


def test_the_hand_written_reward_needs_no_report(script: Script, shown: Callable[..., str]) -> None:
    script.search()
    assert '-    """Run forward fast, waste no torque."""' in shown(
        candidate_page(script.run, "g1-00", diff="human")
    )
    files.write_json(script.run.task_folder / "task.json", replace(script.run.task(), human=None))
    with pytest.raises(BadInput, match="'halfcheetah-run' has no hand-written reward"):
        candidate_page(script.run, "g1-00", diff="human")


def test_without_a_parent_or_with_an_unknown_other(script: Script) -> None:
    run = script.whole()
    with pytest.raises(BadInput, match="g0-00 has no parent"):
        candidate_page(run, "g0-00", diff="parent")
    with pytest.raises(UnknownName, match="did you mean 'parent'"):
        candidate_page(run, "g1-00", diff="parents")
