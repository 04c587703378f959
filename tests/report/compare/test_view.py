"""report.html and report.md: whole, offline, inert whatever a model wrote; the same facts in both."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from eureka_loop import files
from eureka_loop.errors import RunError
from eureka_loop.references import NATIVE
from eureka_loop.report.compare.entries import Entry
from eureka_loop.report.compare.results import ComparisonResults
from eureka_loop.report.compare.transitions import FILMS, Films
from eureka_loop.report.compare.view import document, side_by_side, write

from .conftest import ENTRIES, OURS, made, numbers

ElementsOf = Callable[[str], list[tuple[str, dict[str, str | None]]]]
EVIL = """</code><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7 * 7 }}\x1b[2J"""


def html(folder: Path) -> str:
    return document(ComparisonResults.of(folder), "report.html")


def markdown(folder: Path) -> str:
    return document(ComparisonResults.of(folder), "report.md")


@pytest.fixture(scope="module")
def page(better: Path) -> str:
    return html(better)


def test_the_page_says_everything(page: str) -> None:
    figures = ("Fitness with PPO, interquartile mean", "Learning curves of", "Performance profiles of",
               "winner g1-03 against hand-written on shared transitions", "Terms of winner g1-03 over training")  # fmt: skip
    for said in ("better", "Winner g1-03 is better than hand-written", "4.397\n[4.142,\u00a04.507]",
                 "eureka compare RUN --seeds 10", "Some CPU, 8 cores, 32 GB", "b80e0ab",
                 "20000000 to 20000900 in steps of 100", "correlation +", *figures):  # fmt: skip
        assert said in page, said


def test_it_opens_offline_without_a_script(page: str, elements_of: ElementsOf) -> None:
    elements = elements_of(page)
    tags = {tag for tag, _ in elements}
    assert not tags & {"script", "link", "img", "iframe", "object", "embed", "base", "form", "image"}
    for tag, attributes in elements:
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            if name in ("href", "src", "xlink:href", "action"):
                assert (value or "").startswith("#"), value
    assert not re.search(r"url\((?!#)|@import|https?://", page)
    policy = next(each["content"] for tag, each in elements if tag == "meta" and "http-equiv" in each)
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; media-src data:"


def test_it_can_be_used_with_a_keyboard_and_a_screen_reader(page: str, elements_of: ElementsOf) -> None:
    elements = elements_of(page)
    assert ("html", {"lang": "en"}) in elements
    levels = [int(tag[1]) for tag, _ in elements if re.fullmatch("h[1-6]", tag)]
    assert (levels[0], levels.count(1)) == (1, 1)
    assert all(after - before <= 1 for before, after in pairwise(levels))
    ids = [attributes["id"] for _, attributes in elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for tag, attributes in elements:
        if tag in ("a", "use"):
            assert (attributes["href"] or "")[1:] in ids
        if tag == "svg":
            assert attributes.get("aria-hidden") == "true" or attributes.get("aria-label")
        if tag == "th":
            assert attributes.get("scope") in ("row", "col")
        if "aria-labelledby" in attributes:
            assert attributes["aria-labelledby"] in ids
        if "scroll" in (attributes.get("class") or "").split():  # reachable by keyboard, and named
            assert attributes["tabindex"] == "0"
            assert attributes["aria-label"]


def test_light_and_dark_in_figures_too(page: str) -> None:
    assert "prefers-color-scheme: dark" in page
    assert "prefers-reduced-motion" in page
    assert "stroke: var(--c0,#0068a8)" in page
    assert not re.findall(r'style="[^"]*: #[0-9a-f]{6}', page), "a colour that dark mode can't change"


def test_it_says_the_same_every_time(better: Path, page: str) -> None:
    assert html(better) == page


def test_markdown_says_the_same(better: Path) -> None:
    said = markdown(better)
    assert said.startswith("# halfcheetah-run: winner g1-03 against hand-written")
    for part in ("| steps | winner g1-03 | hand-written | sparse |", "| 200k | 4.325 \\[4.059, 4.434\\] |",
                 "| term of sparse | at first | at last |", "From winner g1-03 to hand-written:",
                 '-        "speed": speed * fast,\n', '+        "forward": forward * forward_velocity,\n',
                 "None: none were made.", "git\\_commit b80e0ab"):  # fmt: skip
        assert part in said, part


def test_what_a_model_wrote_is_inert(tmp_path: Path, elements_of: ElementsOf) -> None:
    source = OURS.replace("waste no torque.", EVIL)
    entries = [
        Entry("g1-03", f"winner {EVIL}", source, EVIL),
        Entry("human", f'x" onmouseover="alert(3) | {EVIL}', f"# {EVIL}\n{source}", EVIL),
    ]
    fitness = {"g1-03": numbers(4.2, 0.5, 5, 1), "human": [*numbers(3.1, 0.6, 4, 2), None]}
    folder = made(tmp_path, fitness, entries=entries)
    page, text = html(folder), markdown(folder)
    assert "{{ 7 * 7 }}" in page
    for said in (page, re.sub(r"(?s)```(python|diff).*?```", "", text)):
        assert "<script" not in said
        assert "<img" not in said
    assert "\x1b" not in page + text
    assert not [name for _, each in elements_of(page) for name in each if name.startswith("on")]


def test_videos_stand_in_the_file_itself_and_their_lack_is_explained(
    changeable: Path, elements_of: ElementsOf
) -> None:
    shared = changeable / "ppo" / "shared"
    shared.mkdir()
    (shared / "film-0.mp4").write_bytes(b"\x00film")
    files.write_json(changeable / "ppo" / FILMS, Films(("winner g1-03", "gone"), ""))
    videos = [each for tag, each in elements_of(html(changeable)) if tag == "video"]
    assert [each["src"] for each in videos] == ["data:video/mp4;base64,AGZpbG0="]
    assert videos[0]["aria-label"] == "A policy trained with winner g1-03"
    assert "controls" in videos[0]
    assert "autoplay" not in videos[0]
    assert "In report.html: winner g1-03, from the same start." in markdown(changeable)
    files.write_json(changeable / "ppo" / FILMS, Films((), "this machine <b>doesn't draw"))
    assert "None: this machine &lt;b&gt;doesn&#39;t draw." in html(changeable)


@pytest.mark.parametrize("fitness", [{"g1-03": [None] * 2, "human": [None] * 2}, {"g1-03": []}])
def test_an_unfinished_or_failed_comparison_has_both(
    tmp_path: Path, fitness: dict[str, list[None]], elements_of: ElementsOf
) -> None:
    folder = made(tmp_path, fitness, entries=ENTRIES[:2])
    page, text = html(folder), markdown(folder)
    elements_of(page)
    for said in (page, text):
        assert ("Failed trainings" in said) == bool(fitness["g1-03"])
    for title in ("### Learning", "Performance profile", "### Terms over training"):
        assert title not in text


def test_of_the_envs_own_reward_its_source_is_shown(tmp_path: Path) -> None:
    native = Entry("native", "the env's own", NATIVE, "reward of HalfCheetah-v5")
    folder = made(tmp_path, {"g1-03": [4.0], "native": [3.0]}, entries=[ENTRIES[0], native])
    assert "as it comes from its step function" in markdown(folder)
    source = "def _get_rew(self, x_velocity):\n    return x_velocity\n"
    files.write_text(folder / "ppo/task/native.py", source)
    for said in (html(folder), markdown(folder)):
        assert "_get_rew(self, x_velocity):" in said
        assert "as it comes from its step function" not in said


def test_both_files_or_an_error(changeable: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [path.name for path in write(changeable)] == ["report.html", "report.md"]
    assert all((changeable / name).exists() for name in ("report.html", "report.md"))

    def full(path: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(RunError, match="No space left on device"):
        write(changeable)


def test_programs_side_by_side() -> None:
    assert side_by_side("a\nb\nc\n", "a\nx\ny\nc\nd\x1b\n") == [
        ("same", "1", "a", "1", "a"),
        ("changed", "2", "b", "2", "x"),
        ("only-right", "", "", "3", "y"),
        ("same", "3", "c", "4", "c"),
        ("only-right", "", "", "5", "d\\x1b"),
    ]


def test_equal_programs_are_called_equal(tmp_path: Path) -> None:
    same = [ENTRIES[0], Entry("copy", "copy", ENTRIES[0].source)]
    folder = made(tmp_path, {"g1-03": [4.0], "copy": [4.0]}, entries=same)
    assert "They are the same, letter for letter." in markdown(folder)
    assert "They are the same, letter for letter." in html(folder)
