"""Images in prompts: bounded, from the run's own films, and left out where the endpoint takes none."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from eureka_loop.execute.films import Film
from eureka_loop.propose.designer import Repair
from eureka_loop.propose.llm import images
from eureka_loop.propose.llm.designer import LLMDesigner
from eureka_loop.store import Run
from tests.propose.llm.conftest import PROGRAM, answers, fails
from tests.propose.llm.test_prompts import parent


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """A run whose candidates have films; their frames are noise, the hardest to compress."""

    def film(run: Run, id: str, *, worst: bool) -> Film:
        name = f"{id}-{'worst' if worst else 'median'}"
        return Film(f"{name} of 10", run.folder / "films" / f"{name}.mp4", run.folder, 0)

    def filmed(episodes: Mapping[Path, object]) -> str:
        for path in episodes:
            path.parent.mkdir(exist_ok=True)
            noise = np.random.default_rng(0).integers(0, 255, (480, 1600, 3), np.uint8)
            Image.fromarray(noise).save(path)
        return ""

    monkeypatch.setattr(images, "film", film)
    monkeypatch.setattr(images, "filmed", filmed)
    with Run.create(tmp_path, "t") as made:
        yield made


@pytest.fixture
def showing(run: Run, designer: Callable[..., LLMDesigner]) -> LLMDesigner:
    return designer(run=run, images=True)


def shown(body: Mapping[str, Any]) -> list[str]:
    """Addresses of the images in a request."""
    parts = [
        part for each in body["messages"] if isinstance(each["content"], list) for part in each["content"]
    ]
    return [part["image_url"]["url"] for part in parts if part["type"] == "image_url"]


def test_the_parents_are_shown_in_one_bounded_image(
    script: Any, showing: LLMDesigner, run: Run, ask: Any
) -> None:
    request = ask(generation=1, parents=(parent("g0-01"), parent("g0-02"), parent("g0-03")))
    reply = showing.propose(request, 0)
    (url,) = shown(script.bodies[0])
    sent = base64.b64decode(url.removeprefix("data:image/jpeg;base64,"))
    place = reply.exchange["messages"][-1]["image"]
    assert (run.folder / place).read_bytes() == sent
    assert len(sent) <= images.LARGEST
    with Image.open(run.folder / place) as image:
        assert image.size == (1000, 4 * (images.LABEL + 300))  # of two parents
    assert "base64" not in json.dumps(reply.exchange)
    assert images.CAPTION in script.bodies[0]["messages"][-1]["content"][0]["text"]
    showing.propose(
        ask(generation=1, parents=request.parents, repair=Repair(PROGRAM, "no", reply.exchange)), 0
    )
    assert shown(script.bodies[1]) == [url]  # the same conversation
    showing.propose(ask(), 0)
    assert shown(script.bodies[2]) == []


@pytest.mark.parametrize(
    "refusal",
    [
        pytest.param(
            fails(400, "Invalid content type. image_url is only supported by certain models."), id="OpenAI"
        ),
        pytest.param(answers(500, {"error": {"message": "image input is not supported"}}), id="llama.cpp"),
        pytest.param(fails(404, "No endpoints found that support image input"), id="OpenRouter"),
        pytest.param(fails(422, "messages.3.content: Input should be a valid string"), id="texts alone"),
    ],
)
def test_an_endpoint_without_images_is_remembered_and_told(
    script: Any, showing: LLMDesigner, run: Run, ask: Any, refusal: Any
) -> None:
    script.then(refusal)
    request = ask(generation=1, parents=(parent("g0-01"),))
    assert [showing.propose(request, sample).source for sample in (0, 1)] == [PROGRAM] * 2
    assert [len(shown(body)) for body in script.bodies] == [1, 0, 0]
    assert all(isinstance(each["content"], str) for each in script.bodies[2]["messages"])
    (event,) = [each for each in run.events() if each["event"] == "images_ended"]
    assert event["reason"] == "the endpoint takes none"


def test_where_nothing_can_be_drawn_the_run_goes_on_and_says_so(
    script: Any, showing: LLMDesigner, run: Run, ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "filmed", lambda episodes: "MuJoCo draws nothing here")
    for sample in (0, 1):
        showing.propose(ask(generation=1, parents=(parent("g0-01"),)), sample)
    assert not any(map(shown, script.bodies))
    assert [e["reason"] for e in run.events() if e["event"] == "images_ended"] == [
        "MuJoCo draws nothing here"
    ]


@pytest.mark.parametrize(
    "place", ["../secret.jpg", "films/../../secret.jpg", "/etc/hosts", "films/sheet-00000000.jpg"]
)
def test_no_other_file_is_ever_sent(place: str, tmp_path: Path) -> None:
    """An exchange may be somebody else's; the last place is a link."""
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    folder = tmp_path / "run"
    (folder / "films").mkdir(parents=True)
    (folder / "films" / "sheet-00000000.jpg").symlink_to(tmp_path / "secret.jpg")
    message = {"role": "user", "content": "x", "image": place}
    assert images.attached([message], folder) == [{"role": "user", "content": "x"}]
