"""Frames of judged episodes as one image, for models that take images."""

from __future__ import annotations

import base64
import contextlib
import io
import re
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from zlib import crc32

from eureka_loop import files
from eureka_loop.errors import EurekaError
from eureka_loop.execute.films import Film, film
from eureka_loop.execute.local import filmed
from eureka_loop.store import Run

MOST_PARENTS = 2  # in an image
WIDTH, LABEL = 1000, 24  # px: of the image, and height of an episode's label
LARGEST = 200_000  # bytes
QUALITIES = (80, 60, 40, 20)  # of JPEG; the first that is small enough
TOKENS = 3_000  # an upper estimate of what an image is charged
FOLDER = "films"  # in a run's folder
CAPTION = (
    "The image shows moments of judged episodes of the programs above, in order from left to right and from "
    "top to bottom; a line above each episode names it."
)

_drawing = threading.Lock()  # the samples of a generation have the same parents


def contact_sheet(run: Run, ids: Sequence[str]) -> tuple[str, str]:
    """Moments of the median and the worst judged episode of some candidates.

    Returns:
        The JPEG's place in the run's folder, or "" and why there is none, in a line.
    """
    wanted: dict[Path, Film] = {}  # the worst may be the median
    for id in ids[:MOST_PARENTS]:
        for worst in (False, True):
            with contextlib.suppress(EurekaError):  # it has no policy, or its files are damaged
                found = film(run, id, worst=worst)
                wanted.setdefault(found.path.with_name(f"{found.path.stem}-moments.png"), found)
    place = f"{FOLDER}/sheet-{crc32(' '.join(path.name for path in wanted).encode()):08x}.jpg"
    with _drawing:
        if wanted and not (run.folder / place).exists():
            why = filmed({path: (each.policy, each.seed) for path, each in wanted.items()})
            if why:
                return "", why
            files.write_bytes(run.folder / place, _joined(wanted))
    return (place, "") if wanted else ("", "its parents have no policies to play")


def _joined(films: Mapping[Path, Film]) -> bytes:
    from PIL import Image, ImageDraw

    parts = [Image.open(path).convert("RGB") for path in films]
    parts = [each.resize((WIDTH, each.height * WIDTH // each.width)) for each in parts]
    sheet = Image.new("RGB", (WIDTH, sum(LABEL + each.height for each in parts)))
    top = 0
    for each, part in zip(films.values(), parts, strict=True):
        ImageDraw.Draw(sheet).text((6, top + 4), each.label, "white", font_size=14)
        sheet.paste(part, (0, top + LABEL))
        top += LABEL + part.height
    for quality in QUALITIES:
        content = io.BytesIO()
        sheet.save(content, "JPEG", quality=quality)
        if content.tell() <= LARGEST:
            break
    return content.getvalue()


def attached(messages: Sequence[Mapping[str, str]], folder: Path | None) -> list[Mapping[str, Any]]:
    """Messages as they are sent: with the images that they name, or, without a folder, as texts alone."""
    return [_attached(each, folder) for each in messages]


def _attached(message: Mapping[str, str], folder: Path | None) -> Mapping[str, Any]:
    bare = {name: each for name, each in message.items() if name != "image"}
    place = message.get("image", "")
    if folder is None or not re.fullmatch(rf"{FOLDER}/sheet-[0-9a-f]{{8}}\.jpg", place):
        return bare
    with contextlib.suppress(EurekaError):  # it was removed
        data = base64.b64encode(files.read_bytes(folder / place)).decode()
        url = {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{data}"}}
        return {**bare, "content": [{"type": "text", "text": f"{message['content']}\n\n{CAPTION}"}, url]}
    return bare
