"""What a task's text asks for: how strongly it names a term, which way, how fast, and which things.

Directions are the world's: forward +x, left +y, up +z; turns follow the right-hand rule (left turn: +z;
forward roll: +y, since it takes the body's z axis towards +x).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from eureka_loop.propose.templates.terms import Direction, TermTemplate
from eureka_loop.propose.templates.words import Word, alike, lexicon, places, read, stem, stems

Way = tuple[str, int]  # axis of the world, sign

_DEFAULTS: dict[Direction, Way] = {
    "move": ("x", 1), "face": ("x", 1), "side": ("y", 1), "up": ("z", 1), "turn": ("z", 1), "flip": ("y", 1),
}  # fmt: skip
_HINT, _HINTS = 0.4, 0.6  # what one hint counts, and what any number of them count at most
_NUMBER = 1.5  # what a number in a template's unit counts
_MOST = 2.5
_QUANTITY = re.compile(
    r"(?P<value>\d+(?:\.\d+)?)\s*(?P<unit>m/s|met(?:er|re)s? per second|"
    r"degrees?|deg|°|radians?|rad|turns?|rotations?|cm|centimet(?:er|re)s?|met(?:er|re)s?|m)(?![\w/])"
)
_FACTORS = {
    "cm": 0.01,
    "centi": 0.01,
    "deg": math.pi / 180,
    "°": math.pi / 180,
    "turn": math.tau,
    "rot": math.tau,
}


@dataclass(frozen=True, slots=True)
class Trigger:
    """How strongly the text asks for a term (0: not at all), where, and whether for its opposite (-1).

    `named`: by a word that means it, not by a hint or by what is to be avoided.
    """

    strength: float
    place: int = 0
    sign: int = 1
    named: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """Numbers of the text, None where it states none: m/s, rad, m."""

    speed: float | None = None
    angle: float | None = None
    length: float | None = None


class Intent:
    """A task's text, read once."""

    def __init__(self, text: str) -> None:
        self.words = read(text)
        self.asked = _asked(text.lower())
        slow = stems(lexicon()["slow"])
        self.slowly = any(word.stem in slow and word.wanted for word in self.words)

    def trigger(self, template: TermTemplate) -> Trigger:
        """Words count 1, hints less; a word under a negation counts for `avoid_words` alone."""
        if self._hits(template.never):
            return Trigger(0.0)
        meant, backward, weak = (
            self._hits(each) for each in (template.words, template.reverse, template.hints)
        )
        strong = meant + self._hits(template.avoid_words, wanted=False)
        strength = len(strong) + len(backward) + min(_HINT * len(weak), _HINTS)
        strength += _NUMBER * sum(getattr(self.asked, number) is not None for number in template.numbers)
        place = min(strong + backward + weak, default=0)
        sign = -1 if len(backward) > len(strong) else 1
        return Trigger(min(strength, _MOST), place, sign, named=bool(meant or backward))

    def way(self, direction: Direction, near: int) -> Way:
        """The axis and sign that the text states nearest to a place, rather behind it; else the usual one."""
        if direction in ("up", "side", ""):
            return _DEFAULTS.get(direction, ("", 1))
        turning = direction in ("turn", "flip")
        table = _ways("turn" if turning else "move")
        found = [at for at, word in enumerate(self.words) if self._is_direction(at, word, table)]
        axes = {at: table[self.words[at].stem][0] for at in found}
        if direction == "flip":
            found = [at for at in found if axes[at] != "z"]
        elif direction == "turn":  # "walk forward, then spin" is no forward roll
            found = [at for at in found if axes[at] != "y" or 0 <= at - near <= 1]
        else:
            found = [at for at in found if axes[at] != "z"] or found
        nearest = min(found, key=lambda at: at - near if at >= near else 2 * (near - at), default=None)
        return table[self.words[nearest].stem] if nearest is not None else _DEFAULTS[direction]

    def mentions(self, thing: frozenset[str]) -> tuple[float, int]:
        """How much of a thing's name the text holds, 0 to 1, and where."""
        found = [(at, part) for part in thing for at in self._places_of(part)]
        if not found:
            return 0.0, 0
        return len({part for _, part in found}) / len(thing), min(at for at, _ in found)

    def aims_at(self, thing: frozenset[str]) -> float:
        """How much of a thing's name stands behind "to", "touch", "reach", 0 to 1."""
        share, place = self.mentions(thing)
        before = {word.stem for word in self.words[max(place - 3, 0) : place]}
        return share if before & stems(lexicon()["toward"]) else 0.0

    def _hits(self, phrases: Sequence[str], wanted: bool = True) -> list[int]:
        first = [places(phrase, self.words)[:1] for phrase in phrases]
        return [at for found in first for at in found if self.words[at].wanted is wanted]

    def _is_direction(self, at: int, word: Word, table: Mapping[str, Way]) -> bool:
        """Not "left" in "left arm", nor "back" in "lie on its back"."""
        if word.stem not in table or not word.wanted:
            return False
        following = self.words[at + 1].stem if at + 1 < len(self.words) else ""
        preceding = self.words[at - 1].text if at else ""
        names_part = word.text in ("left", "right", "back") and following in stems(lexicon()["parts"])
        return not names_part and not (word.text == "back" and preceding in lexicon()["possessive"])

    def _places_of(self, part: str) -> list[int]:
        # "two-legged" says what the robot is, not that the task is about a leg.
        found = [at for at, word in enumerate(self.words) if word.stem in alike(part)]
        return [at for at in found if not self.words[at].text.endswith("ed")]


@cache
def _ways(table: str) -> Mapping[str, Way]:
    return {stem(word): (axis, sign) for word, (axis, sign) in lexicon()[table].items()}


def _asked(text: str) -> Asked:
    found: dict[str, float] = {}
    for match in _QUANTITY.finditer(text):
        unit = match["unit"]
        factor = next((factor for start, factor in _FACTORS.items() if unit.startswith(start)), 1.0)
        turning = unit.startswith(("deg", "°", "rad", "turn", "rot"))
        kind = "speed" if "/s" in unit or "per second" in unit else "angle" if turning else "length"
        found[kind] = float(match["value"]) * factor
    return Asked(**found)
