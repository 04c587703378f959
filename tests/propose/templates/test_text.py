"""The task's text: stems, negations, directions, numbers, and the terms it asks for."""

from __future__ import annotations

from typing import Any

import pytest

from eureka_loop.propose.templates.library import library
from eureka_loop.propose.templates.text import TaskText

TEMPLATES = {template.name: template for template in library()}


@pytest.mark.parametrize(
    ("text", "direction", "way"),
    [
        ("walk", "move", ("x", 1)),
        ("walk backwards", "move", ("x", -1)),
        ("crawl sideways", "move", ("y", 1)),
        ("run to the right", "move", ("y", -1)),
        ("do not walk forward, walk backward", "move", ("x", -1)),
        ("walk with the left arm raised", "move", ("x", 1)),
        ("run lying on your back", "move", ("x", 1)),
        ("spin clockwise", "turn", ("z", -1)),
        ("turn left", "turn", ("z", 1)),
        ("roll forward", "turn", ("y", 1)),
        ("spin, then walk forward", "turn", ("z", 1)),
        ("do a backflip", "flip", ("y", -1)),
        ("do a frontflip", "flip", ("y", 1)),
        ("flip backwards", "flip", ("y", -1)),
    ],
)
def test_directions(text: str, direction: Any, way: tuple[str, int]) -> None:
    assert TaskText(text).way(direction, near=0) == way


@pytest.mark.parametrize(
    ("text", "speed", "angle", "length"),
    [
        ("walk at 1.5 m/s", 1.5, None, None),
        ("at 2 metres per second", 2.0, None, None),
        ("at 2 m per second", 2.0, None, None),
        ("turn by 180 degrees", None, 3.14159, None),
        ("turn 2 turns", None, 6.28318 * 2, None),
        ("raise it 30 cm", None, None, 0.3),
        ("jump 2 m high", None, None, 2.0),
    ],
)
def test_numbers(text: str, speed: float | None, angle: float | None, length: float | None) -> None:
    asked = TaskText(text).quantities
    assert asked == {"speed": speed, "angle": angle and pytest.approx(angle, rel=1e-4), "length": length}


@pytest.mark.parametrize(
    ("text", "template", "sign"),
    [
        ("stand up", "height", 1),
        ("crouch", "height", -1),
        ("run fast", "progress", 1),
        ("spin in place", "spin", 1),
        ("spin in place", "stay_near", 1),
        ("walk without falling", "alive", 1),
        ("run without wasting energy", "effort", 1),
        ("jump", "airborne", 1),
        ("do not run", "progress", 0),
        ("hop in place", "progress", 0),
        ("without spinning", "spin", 0),
        ("the one-legged hopper hops", "gait", 0),
    ],
)
def test_texts_ask_for_terms(text: str, template: str, sign: int) -> None:
    """0: it doesn't ask."""
    trigger = TaskText(text).trigger(TEMPLATES[template])
    if sign:
        assert trigger.strength >= 1.0
        assert trigger.sign == sign
    else:
        assert trigger.strength == 0.0
