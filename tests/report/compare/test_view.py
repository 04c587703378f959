"""report.html, report.md and the screen: whole, offline, inert whatever a model wrote; the same facts in all."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from eureka_loop import files
from eureka_loop.records import NATIVE
from eureka_loop.report.compare.results import ComparisonResults
from eureka_loop.report.compare.setup import Entry
from eureka_loop.report.compare.train import Shared
from eureka_loop.report.compare.view import documents, side_by_side, summary
from eureka_loop.report.pages import write

from .conftest import ENTRIES, OURS, made, numbers

ElementsOf = Callable[[str], list[tuple[str, dict[str, str | None]]]]
EVIL = """</code><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7 * 7 }}\x1b[2J"""


def reports(folder: Path) -> tuple[str, str]:
    """report.html and report.md."""
    found = documents(ComparisonResults.of(folder))
    return found["report.html"], found["report.md"]


@pytest.fixture(scope="module")
def written(better: Path) -> dict[str, str]:
    return documents(ComparisonResults.of(better))


@pytest.fixture
def page(written: dict[str, str]) -> str:
    return written["report.html"]


def test_the_reports_hold_every_fact_and_figure(better: Path, written: dict[str, str]) -> None:
    page, markdown = written["report.html"], written["report.md"]
    figures = ("Fitness with PPO, interquartile mean", "Learning curves of", "Performance profiles of",
               "winner g1-03 against hand-written on shared transitions", "Terms of winner g1-03 over training")  # fmt: skip
    for part in ("better", "Winner g1-03 is better than hand-written", "4.397\n[4.142,\u00a04.507]",
                 "eureka compare RUN --seeds 10", "Some CPU, 8 cores, 32 GB", "b80e0ab",
                 "20000000 to 20000900 in steps of 100", "correlation +", *figures):  # fmt: skip
        assert part in page, part
    assert markdown.startswith("# halfcheetah-run: winner g1-03 against hand-written")
    for part in ("| winner g1-03 | 4.397 \\[4.142, 4.507\\] |", "From winner g1-03 to hand-written:",
                 '-        "speed": speed * fast,\n', '+    return {"forward": forward * forward_velocity, ',
                 "None: none were made.", "git\\_commit b80e0ab"):  # fmt: skip
        assert part in markdown, part
    linked = re.findall(r"!\[.*?\]\((.*?)\)", markdown)
    assert linked == [path for path in written if path.endswith(".svg")]
    assert len(linked) == 3 + 2 + 3
    assert documents(ComparisonResults.of(better)) == written, "the same every time"


def test_it_opens_offline_without_a_script(page: str, offline: Callable[[str], None]) -> None:
    offline(page)
    assert "default-src 'none'; style-src 'unsafe-inline'; media-src data:" in page


def test_it_can_be_used_with_a_keyboard_and_a_screen_reader(page: str, elements_of: ElementsOf) -> None:
    elements = elements_of(page)
    assert ("html", {"lang": "en"}) in elements
    levels = [int(tag[1]) for tag, _ in elements if re.fullmatch("h[1-6]", tag)]
    assert (levels[0], levels.count(1)) == (1, 1)
    assert all(after - before <= 1 for before, after in pairwise(levels))
    ids = [attributes["id"] for _, attributes in elements if "id" in attributes]
    for tag, attributes in elements:
        if tag == "svg":
            assert attributes.get("aria-hidden") == "true" or attributes.get("aria-label")
        if tag == "th":
            assert attributes.get("scope") in ("row", "col")
        if "aria-labelledby" in attributes:
            assert attributes["aria-labelledby"] in ids
        if "scroll" in (attributes.get("class") or "").split():  # reachable by keyboard, and named
            assert attributes["tabindex"] == "0"
            assert attributes["aria-label"]
    assert "prefers-color-scheme: dark" in page


def test_text_of_a_model_is_inert(tmp_path: Path, offline: Callable[[str], None]) -> None:
    source = OURS.replace("waste no torque.", EVIL)
    entries = [
        Entry("g1-03", f"winner {EVIL}", source, EVIL),
        Entry("human", f'x" onmouseover="alert(3) | {EVIL}', f"# {EVIL}\n{source}", EVIL),
    ]
    fitness = {"g1-03": numbers(4.2, 0.5, 5, 1), "human": [*numbers(3.1, 0.6, 4, 2), None]}
    page, text = reports(made(tmp_path, fitness, entries=entries))
    assert "{{ 7 * 7 }}" in page
    for shown in (page, re.sub(r"(?s)```(python|diff).*?```", "", text)):
        assert "<script" not in shown
        assert "<img" not in shown
    assert "\x1b" not in page + text
    offline(page)


def test_videos_are_part_of_the_file_and_their_lack_is_explained(
    tmp_path: Path, elements_of: ElementsOf
) -> None:
    folder = made(tmp_path, {"g1-03": [4.0]}, entries=ENTRIES[:2])
    shared = folder / "ppo" / "shared"
    (shared / "film-0.mp4").write_bytes(b"\x00film")
    files.write_json(shared / "shared.json", Shared((), ("winner g1-03",), ""))
    page, markdown = reports(folder)
    videos = [each for tag, each in elements_of(page) if tag == "video"]
    assert [each["src"] for each in videos] == ["data:video/mp4;base64,AGZpbG0="]
    assert videos[0]["aria-label"] == "A policy trained with winner g1-03"
    assert "In report.html: winner g1-03, from the same start." in markdown
    files.write_json(shared / "shared.json", Shared((), (), "this machine <b>doesn't draw"))
    assert "None: this machine &lt;b&gt;doesn&#39;t draw." in reports(folder)[0]


@pytest.mark.parametrize("fitness", [{"g1-03": [None] * 2, "human": [None] * 2}, {"g1-03": []}])
def test_an_unfinished_or_failed_comparison_has_both_reports(
    tmp_path: Path, fitness: dict[str, list[None]], elements_of: ElementsOf
) -> None:
    folder = made(tmp_path, fitness, entries=ENTRIES[:2])
    paths = write(folder, documents(ComparisonResults.of(folder)))
    assert [path.name for path in paths] == ["report.html", "report.md"]
    page, text = (path.read_text() for path in paths)
    elements_of(page)
    for shown in (page, text):
        assert ("Failed trainings" in shown) == bool(fitness["g1-03"])
    assert [path.name for path in folder.glob("ppo/figures/*")] == ["shared-human.svg"]


def test_of_the_envs_own_reward_the_source_is_shown(tmp_path: Path) -> None:
    native = Entry("native", "the env's own", NATIVE, "reward of HalfCheetah-v5")
    folder = made(tmp_path, {"g1-03": [], "native": []}, entries=[ENTRIES[0], native])
    assert "as it comes from its step function" in reports(folder)[1]
    files.write_text(
        folder / "ppo/task/native.py", "def _get_rew(self, x_velocity):\n    return x_velocity\n"
    )
    for shown in reports(folder):
        assert "_get_rew(self, x_velocity):" in shown
        assert "as it comes from its step function" not in shown


def test_programs_side_by_side() -> None:
    assert side_by_side("a\nb\nc\n", "a\nx\ny\nc\nd\x1b\n") == [
        ("same", "a", "a"), ("changed", "b", "x"), ("only-right", "", "y"), ("same", "c", "c"), ("only-right", "", "d\\x1b"),
    ]  # fmt: skip


def test_the_screen_begins_with_the_verdict(better: Path, shown: Callable[..., str]) -> None:
    text = shown(summary(ComparisonResults.of(better)))
    lines = [line for line in text.splitlines() if line]
    assert lines[0].startswith("Winner g1-03 is better than hand-written: probability of improvement 0.96")
    assert "halfcheetah-run, PPO, 200,000 steps, 10 fresh seeds" in lines
    (winner,) = [line.split("  ") for line in lines if line.strip().startswith("winner g1-03")]
    cells = [cell.strip() for cell in winner if cell.strip()]
    assert cells == ["winner g1-03", "4.397 [4.142, 4.507]", "100% [72%, 100%]", "1.58"]
    for line in (
        "Winner g1-03 is better than sparse: probability of",
        "On shared transitions with sparse: correlation +1.00",
        "No video: ",
    ):
        assert line in text
    assert text.count("than hand-written") == 1  # that is the first line


def test_the_screen_fits_eighty_columns(tmp_path: Path, shown: Callable[..., str]) -> None:
    fitness = {"g1-03": numbers(4.2, 0.5, 4, 1), "human": [3.0, None, None, 3.1]}
    folder = made(tmp_path, fitness, entries=ENTRIES[:2], algorithms=("ppo", "sac"))
    text = shown(summary(ComparisonResults.of(folder)), width=80)
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text
    assert "2 trainings of the hand-written reward failed" in " ".join(text.split())
    starts = [line.split(":")[0] for line in text.splitlines() if line.startswith("With ")]
    assert starts == ["With PPO", "With SAC"]
