"""report.html: whole, offline, inert whoever wrote what stands in it."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from eureka_loop import files
from eureka_loop.errors import RunError
from eureka_loop.references import NATIVE
from eureka_loop.report.compare.contenders import Contender
from eureka_loop.report.compare.contest import FILMS, Films
from eureka_loop.report.compare.facts import Facts
from eureka_loop.report.compare.page import page
from eureka_loop.report.compare.write import write

from .conftest import CONTENDERS, OURS, made, numbers

VOID = {"meta", "br", "hr", "img", "input", "link"}
EVIL = """</code><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7 * 7 }}"""


class Reader(HTMLParser):
    """Every element with its attributes; whether all that opens is closed, in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, tag
        assert self.open.pop() == tag


@pytest.fixture
def hostile(tmp_path: Path) -> str:
    """A page of which everything that a model or a user can write is hostile."""
    source = OURS.replace("waste no torque.", EVIL)
    contenders = [
        Contender("g1-03", f"winner {EVIL}", source, EVIL),
        Contender("human", f'x" onmouseover="alert(3) {EVIL}', f"# {EVIL}\n{source}", EVIL),
    ]
    fitness = {"g1-03": numbers(4.2, 0.5, 5, 1), "human": [*numbers(3.1, 0.6, 4, 2), None]}
    return page(Facts.of(made(tmp_path, fitness, contenders=contenders)))


def test_it_is_well_formed_and_says_everything(better: Path) -> None:
    said = page(Facts.of(better))
    reader = Reader(said)
    assert reader.open == []
    for words in ("better", "Winner g1-03 is better than hand-written", "4.397\n[4.142,\u00a04.507]", "Learning curves",
                  "Performance profile", "eureka compare RUN --seeds 10", "Some CPU, 8 cores, 32 GB", "b80e0ab",
                  "20000000 to 20000900 in steps of 100", "correlation +"):  # fmt: skip
        assert words in said, words


def test_numbers_stand_above_their_intervals_so_that_the_table_fits(better: Path) -> None:
    written = page(Facts.of(better))
    assert "<td>4.397\n[4.142,\u00a04.507]</td>" in written
    assert 'cy="5" r="4"/></svg>winner</span> <span class="word">g1-03</span>' in written


def test_it_opens_offline_without_a_script(better: Path) -> None:
    reader = Reader(page(Facts.of(better)))
    tags = {tag for tag, _ in reader.elements}
    assert not tags & {"script", "link", "img", "iframe", "object", "embed", "base", "form", "use", "image"}
    for tag, attributes in reader.elements:
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            if name in ("href", "src", "xlink:href", "action"):
                assert (value or "").startswith("#"), value  # and videos: see below
    said = page(Facts.of(better))
    assert not re.search(r"url\(|@import|https?://", said)
    policy = next(a["content"] for t, a in reader.elements if t == "meta" and "http-equiv" in a)
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; media-src data:"


def test_what_a_model_wrote_is_inert(hostile: str) -> None:
    assert "<script" not in hostile
    assert "<img" not in hostile
    assert "49" not in re.findall(r"onerror=alert\(2\)&gt;(.{2})", hostile)
    assert "{{ 7 * 7 }}" in hostile
    reader = Reader(hostile)
    assert reader.open == []
    assert not [name for _, attributes in reader.elements for name in attributes if name.startswith("on")]


def test_it_can_be_used_with_a_keyboard_and_a_screen_reader(better: Path) -> None:
    reader = Reader(page(Facts.of(better)))
    elements = reader.elements
    assert ("html", {"lang": "en"}) in elements
    levels = [int(tag[1]) for tag, _ in elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    ids = [attributes["id"] for _, attributes in elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for tag, attributes in elements:
        if tag == "a":
            assert (attributes["href"] or "")[1:] in ids
        if tag == "svg":
            assert attributes.get("aria-hidden") == "true" or attributes.get("aria-label")
        if tag == "th":
            assert attributes.get("scope") in ("row", "col")
        if "aria-labelledby" in attributes:
            assert attributes["aria-labelledby"] in ids
        if attributes.get("class") == "scroll":  # what scrolls can be reached by keyboard, and has a name
            assert attributes["tabindex"] == "0"
            assert attributes["aria-label"]


def test_videos_stand_in_the_file_itself_and_their_lack_is_explained(better: Path) -> None:
    shared = better / "ppo" / "shared"
    shared.mkdir()
    (shared / "film-0.mp4").write_bytes(b"\x00film")
    files.write_json(better / "ppo" / FILMS, Films(("winner g1-03", "gone"), ""))
    videos = [each for tag, each in Reader(page(Facts.of(better))).elements if tag == "video"]
    assert [each["src"] for each in videos] == ["data:video/mp4;base64,AGZpbG0="]
    assert videos[0]["aria-label"] == "A policy trained with winner g1-03"
    assert "controls" in videos[0]
    assert "autoplay" not in videos[0]
    files.write_json(better / "ppo" / FILMS, Films((), "this machine <b>doesn't draw"))
    said = page(Facts.of(better))
    assert "<video" not in said
    assert "None: this machine &lt;b&gt;doesn&#39;t draw." in said


def test_light_and_dark(better: Path) -> None:
    said = page(Facts.of(better))
    assert "prefers-color-scheme: dark" in said
    assert "prefers-reduced-motion" in said


def test_it_says_the_same_every_time(better: Path) -> None:
    assert page(Facts.of(better)) == page(Facts.of(better))


def test_an_unfinished_or_failed_comparison_has_a_page(tmp_path: Path) -> None:
    nothing = {"g1-03": [None, None], "human": [None, None]}
    failed = page(Facts.of(made(tmp_path / "a", nothing, contenders=CONTENDERS[:2])))
    assert "no training of the winner g1-03 reward finished" in failed
    assert "Failed trainings" in failed
    assert Reader(failed).open == []
    none = page(Facts.of(made(tmp_path / "b", {"g1-03": []}, contenders=CONTENDERS)))
    assert Reader(none).open == []


def test_both_files_or_an_error(better: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pages, words = write(better)
    assert (pages.name, words.name) == ("report.html", "report.md")
    assert words.read_text(encoding="utf-8").startswith(
        "# halfcheetah-run: winner g1-03 against hand-written"
    )
    assert pages.read_text(encoding="utf-8").startswith("<!doctype html>")

    def full(path: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(RunError, match="No space left on device"):
        write(better)


def test_markdown_says_the_same_and_is_as_inert(tmp_path: Path) -> None:
    contenders = [CONTENDERS[0], Contender("human", f"x | {EVIL}", OURS.replace("torque.", EVIL), EVIL)]
    fitness = {"g1-03": numbers(4.2, 0.5, 5, 1), "human": numbers(3.1, 0.6, 5, 2)}
    _, words = write(made(tmp_path, fitness, contenders=contenders))
    outside = re.sub(r"(?s)```(python|diff).*?```", "", words.read_text(encoding="utf-8"))
    assert "<script" not in outside
    assert "<img" not in outside
    assert "| winner g1-03 | 4.397" not in outside  # five seeds here
    assert "probability of improvement" in outside


def test_of_the_envs_own_reward_its_source_is_shown(tmp_path: Path) -> None:
    native = Contender("native", "the env's own", NATIVE, "what HalfCheetah-v5 returns")
    folder = made(tmp_path, {"g1-03": [4.0], "native": [3.0]}, contenders=[CONTENDERS[0], native])
    before = "".join(path.read_text(encoding="utf-8") for path in write(folder))
    assert "as it comes from its step function" in before
    files.write_text(
        folder / "ppo/task/native.py", "def _get_rew(self, x_velocity):\n    return x_velocity\n"
    )
    pages, words = (path.read_text(encoding="utf-8") for path in write(folder))
    assert "_get_rew(self, x_velocity):" in pages
    assert "def _get_rew(self, x_velocity):" in words
    assert "as it comes from its step function" not in pages + words
