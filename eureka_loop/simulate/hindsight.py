"""Columns of a transition as another goal of its episode would have made them.

What is computed from `desired_goal` is computed anew, everything else is kept. What depends on the goal
follows from what each observable needs; a domain states the automatic ones for which this can't be seen
(`Domain.hindsight`).

After Andrychowicz et al. 2017, "Hindsight Experience Replay", sections 4.1 and 4.2.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import replace

from eureka_loop.envs.domain import Domain, ObservableFunction
from eureka_loop.errors import BadInput, Problem, Refused, UnknownName
from eureka_loop.records import Array, Task
from eureka_loop.simulate.batched_spec import KEPT_ARGUMENTS
from eureka_loop.simulate.definitions import Definition, Definitions, split

ACHIEVED, DESIRED = "achieved_goal", "desired_goal"
OFF = "set the hyperparameter her = false"


class Hindsight:
    """The columns that a program takes, for other goals.

    Args:
        stated: of `stated_of`.

    Attributes:
        kept: the columns that a transition must keep for it: `achieved_goal`, and what the program's
            parameters are computed from beside the goal, `prev_` and `init_` included.
    """

    def __init__(
        self,
        definitions: Definitions,
        stated: Mapping[str, ObservableFunction],
        parameters: Iterable[str],
    ) -> None:
        """
        Raises:
            Refused: a parameter that can't be computed for another goal.
            BadInput: a stated name that the env hasn't.
        """
        self._definitions = definitions
        self._stated = {name: _stated(name, each, definitions) for name, each in stated.items()}
        # Column → how it is computed and from which columns, in order of need.
        self._recomputed: dict[str, tuple[Definition, tuple[str, ...]]] = {}
        self._kept = {ACHIEVED: None}
        self._columns = {each: self._plan(*split(each, definitions)) for each in parameters}
        self.kept = tuple(self._kept)

    def columns(self, kept: Mapping[str, Array], goal: Array) -> dict[str, Array]:
        """Parameter → (N, *shape), as the program takes them.

        Args:
            kept: the columns named in `kept`, (N, *shape), of any N transitions.
            goal: (N, width), the goal of each one's episode.

        Raises:
            BadInput: a domain's function doesn't return what its observable declares.
        """
        known = {**kept, DESIRED: goal}
        for name, (definition, arguments) in self._recomputed.items():
            known[name] = definition.compute([known[each] for each in arguments], len(goal))
        return {parameter: known[name] for parameter, name in self._columns.items()}

    def _plan(self, prefix: str, base: str) -> str:
        """Plan the column of `prefix` + `base`, and before it what it needs; its name among the columns."""
        if base == DESIRED:
            return DESIRED
        name = prefix + base
        if not self._depends_on_goal(base):
            self._kept[name] = None
        elif name not in self._recomputed:
            definition = self._stated.get(base) or self._definitions[base]
            if definition.accumulate:
                raise _refused(f"{base!r} adds up over the episode what depends on the goal")
            needs = [split(str(need), self._definitions) for need in definition.needs]
            arguments = tuple(self._plan(_combined(prefix, inner, name), of) for inner, of in needs)
            self._recomputed[name] = definition, arguments
        return name

    def _depends_on_goal(self, base: str) -> bool:
        """
        Raises:
            Refused: it isn't known; hidden automatic ones are rewards and markers.
        """
        if base == DESIRED or base in self._stated:
            return True
        definition = self._definitions[base]
        if definition.observable.hidden and not definition.origin:
            raise _refused(f"no domain file states how {base!r} depends on the goal")
        needs = [need for need in definition.needs if isinstance(need, str)]
        return any(self._depends_on_goal(split(need, self._definitions)[1]) for need in needs)


def stated_of(task: Task, domain: Domain) -> Mapping[str, ObservableFunction]:
    """A domain's functions of its goal.

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


def _refused(why: str) -> Refused:
    return Refused([Problem(1, f"hindsight replay can't use this program: {why}; leave it out, or {OFF}")])


def _combined(prefix: str, inner: str, name: str) -> str:
    """The prefix, seen from now, of what a column with a prefix needs with another.

    The row before the reset row is itself, so from there everything is `init_`.
    """
    if "init_" in (prefix, inner):
        return "init_"
    if prefix and inner:
        raise _refused(f"{name!r} depends on the goal and looks two steps back")
    return prefix or inner


def _stated(name: str, function: ObservableFunction, definitions: Definitions) -> Definition:
    if name not in definitions:
        raise UnknownName("observable stated to depend on the goal", name, definitions)
    needs = tuple(inspect.signature(function).parameters)
    origin = f"hindsight of {function.__module__}"
    return replace(definitions[name], needs=needs, function=function, accumulate=None, origin=origin)
