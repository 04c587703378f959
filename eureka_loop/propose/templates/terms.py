"""The term library: `reward_templates/terms/*.j2`, Jinja2 files with TOML front matter between lines of +++.

The front matter says what a term is for, which words of a task ask for it, what it is made of (roles), which
shapes it comes in, and the defaults of its weights as expressions over what is bound to the roles. The body
renders the statements a term needs, then its entry of the dict of terms. docs/embedded-designer.md shows how.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import jinja2

Purpose = Literal["goal", "shaping", "cost"]
Form = Literal[
    "axis",  # a scalar, or one axis of a vector in the world
    "scalar",
    "vector",  # a vector as a whole, or a scalar
    "point",  # a position (2,) or (3,)
    "place",  # a position, or a scalar position on a rail
    "distance",  # a scalar distance, or the way from one thing to another
    "joints",  # the driven joints, (k,)
    "contact",  # a 0/1 flag, or a contact force (3,)
    "force",  # a contact force (3,)
    "named",  # whatever scalar the fitness names
    "any",
]
Subject = Literal["main", "effector", "object", "target", "foot"]
Direction = Literal["", "move", "side", "up", "turn", "flip", "face"]


@dataclass(frozen=True, slots=True)
class Role:
    """A slot of a term: what may fill it.

    Attributes:
        about: for people: "velocity: shape () or one axis of (3,), unit m/s".
        unit: the unit asked for; None takes any.
        subject: whose quantity: the robot's main body, what it handles things with, ...
        direction: how the axis is chosen from the text; "" where the term has none.
        strict: a name that states no axis ("cart_velocity") will not do.
        words: the name must hold one of these, unless empty; `avoid`: none of these.
        name: this very observable and no other.
        varies: what random actions never moved is no use.
    """

    slot: str
    about: str
    unit: str | None = None
    form: Form = "any"
    subject: Subject = "main"
    direction: Direction = ""
    strict: bool = False
    words: tuple[str, ...] = ()
    avoid: tuple[str, ...] = ()
    name: str = ""
    varies: bool = True


@dataclass(frozen=True, slots=True)
class Setting:
    """A keyword-only number of a term: default, an expression over the roles; range, as factors of it."""

    default: str
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class TermTemplate:
    """One file of the library.

    Attributes:
        words, hints: phrases of a task that ask for it, strongly or weakly.
        avoid_words: phrases that ask for it under a negation ("without falling").
        never: phrases that rule it out ("in place", for running).
        reverse: phrases that ask for its opposite ("crouch" for height).
        numbers: "speed", "angle" or "length": a number of that kind in the text asks for it ("at 2 m/s").
        shapes: first the usual one; the body branches on them.
        positive: shapes that never go below zero: where an episode can end early, a term that does go below
            teaches to end it.
        prior: chance of a place in a program whose task does not ask for it.
        from_fitness: may be the goal where the text asks for nothing, if the fitness names what fills it.
        may_be_goal: a shaping term that is the goal where the text asks for it.
        needs_end: only where an episode can end early.
        last_resort: only where nothing else can be the goal.
        unless: a template that says the same better; the best guess takes not both.
    """

    name: str
    purpose: Purpose
    key: str
    summary: str
    roles: tuple[Role, ...]
    shapes: tuple[str, ...]
    weight: Setting
    settings: Mapping[str, Setting]
    body: str
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


@cache
def library() -> tuple[TermTemplate, ...]:
    """Every term template, in order of name."""
    folder = files("eureka_loop.reward_templates") / "terms"
    found = sorted(
        (each for each in folder.iterdir() if each.name.endswith(".j2")), key=lambda each: each.name
    )
    return tuple(parse(each.name.removesuffix(".j2"), each.read_text(encoding="utf-8")) for each in found)


def parse(name: str, text: str) -> TermTemplate:
    """A template file's text: front matter and body.

    Raises:
        ValueError: no front matter, or a key in it that is not known.
    """
    parts = text.split("+++\n", 2)
    if len(parts) != 3 or parts[0].strip():
        raise ValueError(f"term template {name!r}: front matter must stand first, between two lines of +++")
    table = tomllib.loads(parts[1])
    roles = tuple(Role(slot=slot, **_tuples(role)) for slot, role in table.pop("roles").items())
    weight = _setting(table.pop("weight"))
    settings = {key: _setting(each) for key, each in table.pop("settings", {}).items()}
    try:
        return TermTemplate(
            name=name, roles=roles, weight=weight, settings=settings, body=parts[2], **_tuples(table)
        )
    except TypeError as error:
        raise ValueError(f"term template {name!r}: {error}") from error


def render(template: TermTemplate, context: Mapping[str, Any]) -> str:
    """The term's lines: statements, then its entry."""
    return _compiled(template.body).render(context)


def evaluate(expression: str, context: Mapping[str, Any]) -> float:
    """A setting's default, to two significant digits, so that programs stay readable."""
    value = _expression(expression)(**context)
    return float(f"{float(value):.2g}")


_ENVIRONMENT = jinja2.Environment(
    undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False
)
_ENVIRONMENT.globals.update(max=max, min=min)


@cache
def _compiled(body: str) -> jinja2.Template:
    return _ENVIRONMENT.from_string(body)


@cache
def _expression(expression: str) -> Any:
    return _ENVIRONMENT.compile_expression(expression, undefined_to_none=False)


def _setting(table: Mapping[str, Any]) -> Setting:
    low, high = table["range"]
    return Setting(default=table["default"], low=low, high=high)


def _tuples(table: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}
