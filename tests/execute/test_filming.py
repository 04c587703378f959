"""Videos where the machine can draw; else one line that says why not."""

from __future__ import annotations

from pathlib import Path

import pytest

from eureka_loop import provenance
from eureka_loop.execute.local import drawn_here, filmed
from eureka_loop.records import POLICY


@pytest.mark.parametrize(
    ("gl", "text"),
    [
        ("disable", "videos are turned off (MUJOCO_GL=disable)"),
        ("glx", "MuJoCo draws nothing here, neither by EGL (libegl1, libgl1) nor by OSMesa (libosmesa6)"),
    ],
)
def test_why_there_is_no_video_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gl: str, text: str
) -> None:
    monkeypatch.setenv("MUJOCO_GL", gl)
    assert filmed({tmp_path / "a.mp4": (tmp_path, 1)}) == text
    assert list(tmp_path.iterdir()) == []


def test_a_policy_that_cannot_be_played_is_named_and_what_was_drawn_here_is_kept(tmp_path: Path) -> None:
    kept, planted = tmp_path / "kept.mp4", tmp_path / "planted.mp4"
    for film in (kept, planted):
        film.with_suffix(".png").write_bytes(b"moments")
    provenance.mark(tmp_path, (kept.name, "kept.png", POLICY))
    assert drawn_here(kept, tmp_path)
    assert filmed({kept: (tmp_path, 1)}) == ""
    assert filmed({planted: (tmp_path, 1)})
    why = filmed({kept: (tmp_path, 1), tmp_path / "new.mp4": (tmp_path, 1)})
    assert why.startswith(("FileNotFoundError: ", "MuJoCo draws nothing here"))
    assert {*tmp_path.iterdir()} == {kept.with_suffix(".png"), tmp_path / "kept.mp4.mac"}
    (tmp_path / POLICY).write_bytes(b"another policy")
    assert not drawn_here(kept, tmp_path)
