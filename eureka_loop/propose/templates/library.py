"""The term library: `reward_templates/terms/*.j2`, Jinja2 with TOML front matter between lines of +++.

The front matter states the purpose of a term, the words of a task that ask for it, its roles (slots for
measures), its shapes, and its weights as expressions over the roles. The body renders the statements that the
term needs, then its entry of the dict of terms. docs/embedded-designer.md has an example.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import jinja2
from pydantic import ConfigDict, TypeAdapter

Direction = Literal["", "move", "side", "up", "turn", "flip", "face"]
Form = Literal[
    "any",
    "axis",  # a scalar, or one axis of a vector in the world
    "scalar",
    "named",  # a scalar that the fitness names
    "vector",  # or a scalar
    "point",  # a position (2,) or (3,)
    "place",  # or a scalar one
    "distance",  # a scalar, or the way from one thing to another
    "joints",  # the driven joints, (k,)
    "contact",  # a 0/1 flag, or a contact force (3,)
    "force",  # a contact force (3,)
]


@dataclass(frozen=True, slots=True)
class Role:
    """A slot of a term, and which measures may fill it.

    Attributes:
        about: description for people: "velocity: shape () or one axis of (3,), unit m/s".
        unit: None takes any.
        subject: the thing measured: the robot's main body, the part that handles things, ...
        direction: how the axis follows from the text; "" where the term has none.
        strict: a name without an axis ("cart_velocity") doesn't fit.
        words: the name must hold one of these, unless empty; `avoid`: none of these.
        name: this very observable and no other.
        varies: a measure that random actions never changed doesn't fit.
    """

    about: str
    unit: str | None = None
    form: Form = "any"
    subject: Literal["main", "effector", "object", "target", "foot"] = "main"
    direction: Direction = ""
    strict: bool = False
    words: tuple[str, ...] = ()
    avoid: tuple[str, ...] = ()
    name: str = ""
    varies: bool = True


@dataclass(frozen=True, slots=True)
class TermTemplate:
    """One file of the library.

    Attributes:
        key: of the dict of terms, and name of the weight.
        roles: slot → which measures may fill it.
        shapes: the usual one first; the body branches on them.
        weight: its default, an expression over the roles; `settings`: further weights, by name.
        words: phrases of a task that ask for it; `hints`: that ask weakly.
        avoid_words: phrases that ask for it under a negation ("without falling").
        never: phrases that rule it out ("in place", for running).
        reverse: phrases that ask for its opposite ("crouch" for height).
        numbers: "speed", "angle" or "length": a number of that kind in the text asks for it ("at 2 m/s").
        positive: shapes that never go below zero: where an episode can end early, a negative term teaches to
            end it.
        prior: probability of a place in a program whose task doesn't ask for it.
        from_fitness: may be the goal where the text asks for nothing, if the fitness names its measures.
        may_be_goal: a shaping term that is the goal where the text asks for it.
        needs_end: only where an episode can end early.
        last_resort: only where nothing else can be the goal.
        unless: a template that serves the same purpose better; the best guess doesn't take both.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    name: str
    purpose: Literal["goal", "shaping", "cost"]
    key: str
    summary: str
    roles: Mapping[str, Role]
    shapes: tuple[str, ...]
    weight: str
    body: str
    settings: Mapping[str, str] = field(default_factory=dict)
    words: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    avoid_words: tuple[str, ...] = ()
    reverse: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    positive: tuple[str, ...] = ()
    prior: float = 0.0
    from_fitness: bool = False
    may_be_goal: bool = False
    needs_end: bool = False
    last_resort: bool = False
    unless: str = ""

    @property
    def directed(self) -> tuple[str, Direction]:
        """The slot whose axis follows from the text, and how; both "" where there is none."""
        return next(((slot, role.direction) for slot, role in self.roles.items() if role.direction), ("", ""))

    def render(self, context: Mapping[str, Any]) -> list[str]:
        """The term's lines: statements, then its entry."""
        text = _compiled(self.body).render(context)
        return [line.rstrip() for line in text.splitlines() if line.strip()]


@cache
def library() -> tuple[TermTemplate, ...]:
    """Every term template, in order of name."""
    folder = files("eureka_loop.reward_templates") / "terms"
    found = {each.name.removesuffix(".j2"): each for each in folder.iterdir() if each.name.endswith(".j2")}
    return tuple(parse(name, found[name].read_text(encoding="utf-8")) for name in sorted(found))


def parse(name: str, text: str) -> TermTemplate:
    """A template file's text: front matter and body.

    Raises:
        ValueError: no front matter, or a wrong or unknown key in it.
    """
    before, *parts = text.split("+++\n", 2)
    if len(parts) != 2 or before.strip():
        raise ValueError(f"term template {name!r}: front matter must stand first, between two lines of +++")
    return _ADAPTER.validate_python({"name": name, "body": parts[1], **tomllib.loads(parts[0])})


def evaluate(expression: str, context: Mapping[str, Any]) -> float:
    """A weight's default, to two significant digits, so that programs stay readable."""
    compiled: Callable[..., Any] = _ENVIRONMENT.compile_expression(expression, undefined_to_none=False)
    return float(f"{float(compiled(**context)):.2g}")


_ADAPTER = TypeAdapter(TermTemplate)
_ENVIRONMENT = jinja2.Environment(
    undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False
)
_ENVIRONMENT.globals.update(max=max, min=min)
_compiled = cache(_ENVIRONMENT.from_string)
