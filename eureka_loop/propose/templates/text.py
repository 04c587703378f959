"""The task's text: its words, the terms it asks for, directions, numbers and things.

Not a parser of English: stems ("running" is "run"), negations that hold to the end of the clause ("without",
"don't"), and the place of a phrase, so that the nearest direction can be found. Directions are the world's:
forward +x, left +y, up +z; turns follow the right-hand rule (left turn +z; forward roll +y, since it takes
the body's z axis towards +x).
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from eureka_loop.propose.templates.library import Direction, TermTemplate

Way = tuple[str, int]  # axis of the world, sign

_TOKEN = re.compile(r"m/s|rad/s|[+-]?\d+(?:\.\d+)?|[^\W\d_]+(?:['’][^\W\d_]+)?|[,.;:!?]")
_ENDINGS = ("ing", "ed", "es", "s", "ly", "e")
_USUAL: Mapping[Direction, Way] = {
    "": ("", 1), "move": ("x", 1), "face": ("x", 1), "side": ("y", 1), "up": ("z", 1), "turn": ("z", 1),
    "flip": ("y", 1),
}  # fmt: skip
_HINT, _HINTS = 0.4, 0.6  # strength of one hint, and of any number of them at most
_NUMBER = 1.5  # strength of a number in a template's unit
_MOST = 2.5
_QUANTITIES = (  # quantity, pattern of a unit, its size in m/s, rad or m
    ("speed", r"m/s|(?:met(?:er|re)s?|m) per second", 1.0),
    ("angle", r"degrees?|deg|°", math.pi / 180),
    ("angle", r"radians?|rad", 1.0),
    ("angle", r"turns?|rotations?", math.tau),
    ("length", r"cm|centimet(?:er|re)s?", 0.01),
    ("length", r"(?:met(?:er|re)s?|m)(?! per second)", 1.0),
)


@dataclass(frozen=True, slots=True)
class Word:
    """One word of the text. `wanted` is False under a negation ("without falling")."""

    text: str
    stem: str
    wanted: bool


@dataclass(frozen=True, slots=True)
class Trigger:
    """How strongly the text asks for a term (0: not at all), where, and whether for its opposite (-1).

    `named`: by a word that means it, not by a hint or by something to be avoided.
    """

    strength: float
    place: int = 0
    sign: int = 1
    named: bool = False


class TaskText:
    """A task's text, read once.

    Attributes:
        quantities: its numbers, None where it states none: "speed" in m/s, "angle" in rad, "length" in m.
    """

    def __init__(self, text: str) -> None:
        self.words = _read(text)
        self.quantities: dict[str, float | None] = dict.fromkeys(("speed", "angle", "length"))
        for quantity, unit, size in _QUANTITIES:
            if match := re.search(rf"(\d+(?:\.\d+)?)\s*(?:{unit})(?![\w/])", text.lower()):
                self.quantities[quantity] = float(match[1]) * size
        slow = stems(lexicon()["slow"])
        self.slowly = any(word.stem in slow and word.wanted for word in self.words)

    def trigger(self, template: TermTemplate) -> Trigger:
        """Words count 1, hints less; a word under a negation counts for `avoid_words` alone."""
        if self._hits(template.never):
            return Trigger(0.0)
        meant, reverse, weak = map(self._hits, (template.words, template.reverse, template.hints))
        strong = meant + self._hits(template.avoid_words, wanted=False)
        strength = len(strong) + len(reverse) + min(_HINT * len(weak), _HINTS)
        strength += _NUMBER * sum(self.quantities[number] is not None for number in template.numbers)
        place = min(strong + reverse + weak, default=0)
        sign = -1 if len(reverse) > len(strong) else 1
        return Trigger(min(strength, _MOST), place, sign, named=bool(meant or reverse))

    def way(self, direction: Direction, near: int) -> Way:
        """The axis and sign stated nearest to a place, rather behind it; else the usual one."""
        if direction in ("up", "side", ""):
            return _USUAL[direction]
        table = _ways("turn" if direction in ("turn", "flip") else "move")
        found = {at: table[word.stem] for at, word in enumerate(self.words) if self._states(at, word, table)}
        if direction == "turn":  # "walk forward, then spin" is no forward roll
            found = {at: way for at, way in found.items() if way[0] != "y" or 0 <= at - near <= 1}
        else:
            level = {at: way for at, way in found.items() if way[0] != "z"}
            found = level if direction == "flip" else level or found
        nearest = min(found, key=lambda at: at - near if at >= near else 2 * (near - at), default=None)
        return _USUAL[direction] if nearest is None else found[nearest]

    def mentions(self, thing: frozenset[str]) -> tuple[float, int]:
        """The share of a thing's name that the text holds, 0 to 1, and where."""
        found = [
            (at, part)
            for at, word in enumerate(self.words)
            for part in thing
            # "two-legged" describes the robot; the task is not about a leg
            if word.stem in _alike(part) and not word.text.endswith("ed")
        ]
        return (len({part for _, part in found}) / len(thing), found[0][0]) if found else (0.0, 0)

    def aims_at(self, thing: frozenset[str]) -> float:
        """The share of a thing's name that stands behind "to", "touch", "reach", 0 to 1."""
        share, place = self.mentions(thing)
        before = {word.stem for word in self.words[max(place - 3, 0) : place]}
        return share if before & stems(lexicon()["toward"]) else 0.0

    def _hits(self, phrases: Sequence[str], wanted: bool = True) -> list[int]:
        """Where phrases ("stand up") begin, the first place of each."""
        text, found = [word.stem for word in self.words], []
        for phrase in phrases:
            parts = [stem(part) for part in phrase.split()]
            places = [at for at in range(len(text)) if text[at : at + len(parts)] == parts]
            found += [at for at in places[:1] if self.words[at].wanted is wanted]
        return found

    def _states(self, at: int, word: Word, table: Mapping[str, Way]) -> bool:
        """Whether a word states a direction: not "left" in "left arm", nor "back" in "on its back"."""
        if word.stem not in table or not word.wanted:
            return False
        following = self.words[at + 1].stem if at + 1 < len(self.words) else ""
        preceding = self.words[at - 1].text if at else ""
        names_part = word.text in ("left", "right", "back") and following in stems(lexicon()["parts"])
        return not names_part and not (word.text == "back" and preceding in lexicon()["possessive"])


@cache
def lexicon() -> Mapping[str, Any]:
    """`reward_templates/words.toml`."""
    return tomllib.loads((files("eureka_loop.reward_templates") / "words.toml").read_text(encoding="utf-8"))


@cache
def stem(word: str) -> str:
    """The word without its endings, one after the other: "hopping", "hops" and "hop" give the same."""
    word = lexicon()["irregular"].get(word, word)
    for ending in _ENDINGS:
        rest = word.removesuffix(ending)
        is_word = len(rest) > 2 and re.search("[aeiouy]", rest)
        is_part = (ending == "s" and rest.endswith("s")) or (ending == "ed" and rest.endswith("e"))  # "speed"
        if rest != word and is_word and not is_part:
            word = rest
    doubled = len(word) > 3 and word[-1] == word[-2] and word[-1] not in "aeiou"
    return word[:-1] if doubled else word


def stems(words: Iterable[str]) -> frozenset[str]:
    return frozenset(map(stem, words))


def _read(text: str) -> tuple[Word, ...]:
    """The words in order, without punctuation and the negations themselves."""
    tokens, known = _TOKEN.findall(text.lower()), lexicon()
    words: list[Word] = []
    wanted = True
    for token, following in zip(tokens, [*tokens[1:], ""], strict=True):
        if token in known["clause_ends"]:
            wanted = True
        if token in known["negations"] and f"{token} {following}" not in known["no_negations"]:
            wanted = False
        elif token[0].isalnum() or token[0] in "+-":
            words.append(Word(token, stem(token), wanted))
    return tuple(words)


@cache
def _alike(word: str) -> frozenset[str]:
    """Stems of the synonyms of a stem, itself among them."""
    groups = [stems(group) for group in lexicon()["alike"]["groups"]]
    return frozenset({word}).union(*(group for group in groups if word in group))


@cache
def _ways(table: str) -> Mapping[str, Way]:
    return {stem(word): (axis, sign) for word, (axis, sign) in lexicon()[table].items()}
