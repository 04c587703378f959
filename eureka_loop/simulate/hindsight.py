"""Columns of a transition as another goal of its episode would have made them.

What is computed from `desired_goal` is computed anew, everything else is kept. A domain states the automatic
observables that depend on the goal in a way that can't be seen (`Domain.hindsight`).

After Andrychowicz et al. 2017, "Hindsight Experience Replay", sections 4.1 and 4.2.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping

from eureka_loop.envs.domain import Domain, ObservableFunction
from eureka_loop.errors import BadInput, Problem, Refused, UnknownName
from eureka_loop.records import Array, Task
from eureka_loop.simulate.batched import KEPT_ARGUMENTS
from eureka_loop.simulate.definitions import Definition, Definitions, split

ACHIEVED, DESIRED = "achieved_goal", "desired_goal"
OFF = "set the hyperparameter her = false"


class Hindsight:
    """The columns that a program takes, for other goals.

    Args:
        stated: of `stated_of`.
        parameters: of the program.

    Attributes:
        kept: the columns that a transition must keep for it: `achieved_goal`, and what the program's
            parameters are computed from beside the goal, `prev_` and `init_` included.

    Raises:
        Refused: a parameter that can't be computed for another goal.
        BadInput: a stated name that the env hasn't.
    """

    def __init__(
        self, definitions: Definitions, stated: Mapping[str, ObservableFunction], parameters: Iterable[str]
    ) -> None:
        self._definitions, self._stated, self._parameters = dict(definitions), stated, tuple(parameters)
        for name, function in stated.items():
            if name not in definitions:
                raise UnknownName("observable stated to depend on the goal", name, definitions)
            needs = tuple(inspect.signature(function).parameters)
            origin, observable = f"hindsight of {function.__module__}", definitions[name].observable
            self._definitions[name] = Definition(observable, needs, function, origin=origin)
        kept = [name for parameter in self._parameters for name in self._kept(parameter)]
        self.kept = tuple(dict.fromkeys([ACHIEVED, *kept]))

    def columns(self, kept: Mapping[str, Array], goal: Array) -> dict[str, Array]:
        """Parameter → (N, *shape), as the program takes them.

        Args:
            kept: the columns named in `kept`, (N, *shape), of any N transitions.
            goal: (N, width), the goal of each one's episode.

        Raises:
            BadInput: a domain's function doesn't return what its observable declares.
        """

        def column(name: str) -> Array:
            prefix, base = split(name, self._definitions)
            if base == DESIRED:
                return goal
            if name not in known:
                arguments = [column(need) for need in self._needs(prefix, base)]
                known[name] = self._definitions[base].compute(arguments, len(goal))
            return known[name]

        known = dict(kept)
        return {parameter: column(parameter) for parameter in self._parameters}

    def _kept(self, name: str) -> Iterator[str]:
        """The columns from which a parameter is computed, the goal left out."""
        prefix, base = split(name, self._definitions)
        if not self._follows_goal(base):
            yield name
        elif base != DESIRED:
            for need in self._needs(prefix, base):
                yield from self._kept(need)

    def _follows_goal(self, base: str) -> bool:
        """Whether it depends on the goal; so may hidden automatic ones, which are rewards and markers."""
        definition = self._definitions[base]
        unknown = definition.observable.hidden and not definition.origin
        names = [split(need, self._definitions)[1] for need in definition.needs if isinstance(need, str)]
        return base == DESIRED or base in self._stated or unknown or any(map(self._follows_goal, names))

    def _needs(self, prefix: str, base: str) -> Iterator[str]:
        """The needs of a column with a prefix, as seen from now.

        The row before the reset row is itself, so from there everything is `init_`.
        """
        definition = self._definitions[base]
        for need in definition.needs:
            own, name = split(need, self._definitions) if isinstance(need, str) else ("", "")
            if not name or definition.accumulate or prefix == own == "prev_":
                message = f"{prefix + base!r} can't be computed for another goal; leave it out, or {OFF}"
                raise Refused([Problem(1, f"hindsight replay can't use this program: {message}")])
            yield ("init_" if "init_" in (prefix, own) else prefix + own) + name


def stated_of(task: Task, domain: Domain) -> Mapping[str, ObservableFunction]:
    """A domain's functions of its goal.

    Raises:
        BadInput: nothing, or not of an env with these settings.
    """
    others = ", ".join(sorted(set(task.env_kwargs) - KEPT_ARGUMENTS))
    if domain.hindsight is None or others:
        env = f"{task.env_id} with {others}" if others else task.env_id
        raise BadInput(f"her = true, but no domain file states what follows the goal in {env}; {OFF}")
    return domain.hindsight
