"""The vocabulary as text: complete, and short where patterns repeat."""

from __future__ import annotations

from dataclasses import replace

from eureka_loop.propose.llm.table import HEADER, vocabulary_text
from eureka_loop.reward.vocabulary import Observable, Vocabulary

SUFFIXES = {"pos": (3,), "quat": (4,), "up": (3,), "linvel": (3,), "angvel": (3,), "air_time": ()}


def body(name: str) -> list[Observable]:
    return [
        Observable(f"{name}_{suffix}", shape, "m", "world", f"{suffix} of body {name}", name)
        for suffix, shape in SUFFIXES.items()
    ]


def joint(name: str) -> list[Observable]:
    sign = "positive: moves what it carries toward +x (right-handed about +y in the starting pose)"
    angle = Observable(f"{name}_angle", (), "rad", "joint", f"angle of joint {name}; {sign}", "joints hand")
    speed = Observable(f"{name}_velocity", (), "rad/s", "joint", f"velocity of {name}; {sign}", "joints hand")
    return [
        replace(angle, start=(0.1,), low=(-1.0,), high=(1.0,)),
        replace(speed, start=(0.0,), low=(-9.0,), high=(9.0,)),
    ]


def text(*observables: Observable, constants: dict[str, str] | None = None) -> str:
    return vocabulary_text(Vocabulary("Any-v0", observables, constants or {}))


def test_a_hand_stays_readable() -> None:
    fingers = [f"finger{n}" for n in range(24)]
    observables = [row for name in fingers for row in [*body(f"{name}_link"), *joint(name)]]
    shown = text(*observables, constants={f"joint {name!r}": "0.00 to 1.57 rad" for name in fingers})
    assert len(observables) == 192
    assert len(shown.splitlines()) == 1 + 2 + len(SUFFIXES) + 2 + 2 + 2 + len(fingers)
    assert shown.count(": 0.00 to 1.57 rad") == 24
    assert "## joints: * is one of finger0, finger1, " in shown
    assert f"{fingers[-1]}_link" in shown


def test_hidden_ones_are_never_shown() -> None:
    hidden = Observable("native_reward", (), hidden=True, group="native")
    assert "native" not in text(hidden, Observable("x", ()))
    assert text(hidden) == HEADER
