"""What a quantity is made of: raw columns copied at every step, and functions of them over all rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from eureka_loop.records import Array
from eureka_loop.reward.vocabulary import Observable

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Slice:
    """Entries [start, stop) of one of MjData's arrays, flattened."""

    field: str
    start: int
    stop: int
    shape: Shape


@dataclass(frozen=True, slots=True)
class Given:
    """Something the env's reset or step returned.

    `key`: "obs", "action", "reward", "terminated", "steps" (since the reset), or a goal env's "achieved_goal"
    and "desired_goal".
    """

    key: str
    shape: Shape = ()


@dataclass(frozen=True, slots=True)
class FromInfo:
    """A number, or an array of fixed shape, of the env's `info`; 0 where a step or a reset lacks it."""

    key: str
    shape: Shape = ()


@dataclass(frozen=True, slots=True)
class FromContacts:
    """Summed over the contacts at the step's end that carry force.

    `what`: "net" force (3,) on the body, "ground" the part of it from static geoms, "touch" () the number of
    contacts with static geoms. `body` is the model's index; 0 with "touch" means any body.
    """

    what: Literal["net", "ground", "touch"]
    body: int

    @property
    def shape(self) -> Shape:
        return () if self.what == "touch" else (3,)


@dataclass(frozen=True, slots=True)
class Noted:
    """An attribute of the env that a reset sets: a number or an array, the same for a whole episode."""

    key: str
    shape: Shape = ()


Raw = Noted | Slice | Given | FromInfo | FromContacts


@dataclass(frozen=True, slots=True)
class Quantity:
    """One column, computed over all rows of a timeline.

    Attributes:
        needs: raw columns and names of other quantities (`prev_` and `init_` too): the function's arguments.
        function: arrays (N, ...) in, (N, *shape) out, row by row.
        memory: "none": the function's rows are the values;
            "sum": they are what each step adds since the episode's start, where the value is 0;
            "count": the value is the number of steps since the function last gave a row above 0.
        origin: whom an error names ("envs/ant.py"); "" for automatic ones.
    """

    observable: Observable
    needs: tuple[Raw | str, ...]
    function: Callable[..., Any]
    memory: Literal["none", "sum", "count"] = "none"
    origin: str = ""

    @property
    def name(self) -> str:
        return self.observable.name


def as_is(column: Array) -> Array:
    """The function of a quantity that is a raw column."""
    return column


def slice_of(field: str, index: int, width: int, shape: Shape | None = None) -> Slice:
    """Element `index` of an array whose rows hold `width` numbers."""
    return Slice(field, index * width, (index + 1) * width, (width,) if shape is None else shape)
