"""Transitions told with another goal: what follows from the goal is computed anew, everything else is kept.

Which observables follow it needs no list, since each says what it is made of, down to `desired_goal`. A
domain states the automatic ones that follow it where this can't be seen (`Domain.hindsight`).

After Andrychowicz et al. 2017, "Hindsight Experience Replay", sections 4.1 and 4.2.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Self

from eureka_loop.envs.domain import Domain, ObservableFunction
from eureka_loop.errors import BadInput, Problem, Refused, UnknownName
from eureka_loop.records import Array, Task
from eureka_loop.simulate.evaluation import applied, split
from eureka_loop.simulate.quantities import Quantity
from eureka_loop.simulate.stated import KEPT_ARGUMENTS

ACHIEVED, DESIRED = "achieved_goal", "desired_goal"
OFF = "set the hyperparameter her = false"


@dataclass(frozen=True, slots=True)
class Recomputed:
    """One column of those that follow the goal; arguments name kept columns, the goal, or columns before."""

    name: str
    quantity: Quantity
    arguments: tuple[str, ...]


class Hindsight:
    """A program's columns as another goal, held for the whole episode, would have made them.

    Attributes:
        kept: the columns that a transition must keep for it: `achieved_goal`, and what the program's
            parameters come down to beside the goal, `prev_` and `init_` included.
    """

    def __init__(
        self,
        quantities: Mapping[str, Quantity],
        stated: Mapping[str, ObservableFunction],
        parameters: Iterable[str],
    ) -> None:
        """
        Raises:
            Refused: a parameter that can't be told with another goal.
            BadInput: a name is stated that the env hasn't.
        """
        self._quantities = quantities
        self._stated = {name: _restated(name, each, quantities) for name, each in stated.items()}
        self._recomputed: dict[str, Recomputed] = {}
        self._kept = {ACHIEVED: None}
        self._columns = {each: self._planned(*split(each, quantities)) for each in parameters}
        self.kept = tuple(self._kept)

    @classmethod
    def of(
        cls, task: Task, domain: Domain, quantities: Mapping[str, Quantity], parameters: Iterable[str]
    ) -> Self:
        """
        Raises:
            Refused: a parameter that can't be told with another goal.
            BadInput: no domain file says what else follows the goal.
        """
        return cls(quantities, stated_of(task, domain), parameters)

    def columns(self, kept: Mapping[str, Array], goal: Array) -> dict[str, Array]:
        """Parameter → (N, *shape), as the program takes them.

        Args:
            kept: the columns named in `kept`, (N, *shape), of any N transitions.
            goal: (N, width) what each one's episode is taken to have asked for.

        Raises:
            BadInput: a domain's function doesn't return what its observable declares.
        """
        known = {**kept, DESIRED: goal}
        for each in self._recomputed.values():
            arguments = [known[name] for name in each.arguments]
            known[each.name] = applied(each.quantity, arguments, len(goal))
        return {parameter: known[name] for parameter, name in self._columns.items()}

    def _planned(self, prefix: str, base: str) -> str:
        """Where the column of `prefix` + `base` will be found; what that takes is planned before it."""
        if base == DESIRED:
            return DESIRED
        name = prefix + base
        if not self._follows(base):
            self._kept[name] = None
        elif name not in self._recomputed:
            quantity = self._told(base)
            needs = [split(str(need), self._quantities) for need in quantity.needs]
            arguments = tuple(self._planned(_seen_from(prefix, inner, name), of) for inner, of in needs)
            self._recomputed[name] = Recomputed(name, quantity, arguments)
        return name

    def _follows(self, base: str) -> bool:
        """Whether a quantity depends on the goal.

        Raises:
            Refused: nobody knows; hidden automatic ones are rewards and markers.
        """
        if base == DESIRED or base in self._stated:
            return True
        quantity = self._quantities[base]
        if quantity.observable.hidden and not quantity.origin:
            raise refused(f"nobody has stated how {base!r} follows the goal")
        names = [need for need in quantity.needs if isinstance(need, str)]
        return any(self._follows(split(name, self._quantities)[1]) for name in names)

    def _told(self, base: str) -> Quantity:
        quantity = self._stated.get(base) or self._quantities[base]
        if quantity.memory != "none":
            raise refused(f"{base!r} adds up over the episode what depends on the goal")
        return quantity


def stated_of(task: Task, domain: Domain) -> Mapping[str, ObservableFunction]:
    """What a domain says of its goal.

    Raises:
        BadInput: nothing, or not of an env with these settings.
    """
    if domain.hindsight is None:
        raise BadInput(f"her = true, but no domain file states what follows the goal in {task.env_id}; {OFF}")
    if others := ", ".join(sorted(set(task.env_kwargs) - KEPT_ARGUMENTS)):
        raise BadInput(
            f"her = true, but domain {domain.name!r} says nothing of its goal with {others}; {OFF}"
        )
    return domain.hindsight


def refused(why: str) -> Refused:
    return Refused([Problem(1, f"hindsight replay can't use this program: {why}; leave it out, or {OFF}")])


def _seen_from(prefix: str, inner: str, name: str) -> str:
    """The prefix, seen from now, of what a column with a prefix needs with another.

    The row before the reset row is itself, so from there everything is `init_`.
    """
    if "init_" in (prefix, inner):
        return "init_"
    if prefix and inner:
        raise refused(f"{name!r} follows the goal and looks two steps back")
    return prefix or inner


def _restated(name: str, function: ObservableFunction, quantities: Mapping[str, Quantity]) -> Quantity:
    if name not in quantities:
        raise UnknownName("observable stated to follow the goal", name, quantities)
    needs = tuple(inspect.signature(function).parameters)
    origin = f"hindsight of {function.__module__}"
    return replace(quantities[name], needs=needs, function=function, memory="none", origin=origin)
