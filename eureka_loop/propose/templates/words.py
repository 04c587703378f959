"""A task's text as words: their stems, and whether each is wanted or to be avoided.

Not a parser of English. It knows that "running" is "run", that "without" and "don't" turn what follows into
its opposite until the clause ends, and where a phrase stands, so that the nearest direction can be found.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

_TOKEN = re.compile(r"m/s|rad/s|[+-]?\d+(?:\.\d+)?|[^\W\d_]+(?:['’][^\W\d_]+)?|[,.;:!?]")
_ENDINGS = ("ing", "ed", "es", "s", "ly", "e")
_VOWEL = re.compile("[aeiouy]")


@dataclass(frozen=True, slots=True)
class Word:
    """One word of the text. `wanted` is False where it stands under a negation ("without falling")."""

    text: str
    stem: str
    wanted: bool


@cache
def lexicon() -> Mapping[str, Any]:
    """`reward_templates/words.toml`."""
    return tomllib.loads((files("eureka_loop.reward_templates") / "words.toml").read_text(encoding="utf-8"))


def read(text: str) -> tuple[Word, ...]:
    """The words in order; punctuation and the negations themselves are left out."""
    tokens = _TOKEN.findall(text.lower())
    known = lexicon()
    words: list[Word] = []
    wanted = True
    for token, following in zip(tokens, [*tokens[1:], ""], strict=False):
        if token in known["clause_ends"]:
            wanted = True
        if token in known["negations"] and f"{token} {following}" not in known["no_negations"]:
            wanted = False
        elif token[0].isalnum() or token[0] in "+-":
            words.append(Word(token, stem(token), wanted))
    return tuple(words)


@cache
def stem(word: str) -> str:
    """The word without its ending: "hopping", "hops" and "hop" give the same stem. Endings go one by one."""
    word = lexicon()["irregular"].get(word, word)
    for ending in _ENDINGS:
        rest = word.removesuffix(ending)
        if rest != word and _stands_alone(rest, ending) and not (ending == "s" and rest.endswith("s")):
            word = rest
    doubled = len(word) > 3 and word[-1] == word[-2] and word[-1] not in "aeiou"
    return word[:-1] if doubled else word


def stems(words: Iterable[str]) -> frozenset[str]:
    """The stems of several words."""
    return _stems(tuple(words))


@cache
def _stems(words: tuple[str, ...]) -> frozenset[str]:
    return frozenset(stem(word) for word in words)


def places(phrase: str, words: Iterable[Word]) -> list[int]:
    """Where a phrase ("stand up") begins among the words, by stems."""
    wanted = [stem(part) for part in phrase.lower().split()]
    found = [word.stem for word in words]
    return [at for at in range(len(found)) if found[at : at + len(wanted)] == wanted]


@cache
def alike(word: str) -> frozenset[str]:
    """Stems of the words that people use for a stem, itself among them."""
    groups = [stems(group) for group in lexicon()["alike"]["groups"]]
    return frozenset({word}).union(*(group for group in groups if word in group))


def _stands_alone(rest: str, ending: str) -> bool:
    """Whether what is left can be a word: long enough, with a vowel; "speed" is no past tense of "spe"."""
    return len(rest) > 2 and bool(_VOWEL.search(rest)) and not (ending == "ed" and rest.endswith("e"))
