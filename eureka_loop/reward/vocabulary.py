"""The vocabulary of an environment: observables with shape, unit, frame, sign and range."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from eureka_loop.errors import UnknownName

PREFIXES = ("prev_", "init_")  # the value before the step; the value at the episode's start


@dataclass(frozen=True, slots=True)
class Observable:
    """One quantity of a row: a step of one environment.

    Attributes:
        shape: of one row: () for (N,), (3,) for (N, 3).
        unit: "m", "rad/s", or "".
        frame: "world", "torso", or "".
        description: meaning, with the sign in words ("positive: nose down").
        group: heading in the table: the domain's name, a body's name, "episode", "state", ...
        start: per component, mean over resets; None before a survey.
        low: per component, least value seen under random actions; None before a survey.
        high: likewise, greatest.
        hidden: for references only, refused in a designer's programs (the env's own reward and its parts).
    """

    name: str
    shape: tuple[int, ...]
    unit: str = ""
    frame: str = ""
    description: str = ""
    group: str = ""
    start: tuple[float, ...] | None = None
    low: tuple[float, ...] | None = None
    high: tuple[float, ...] | None = None
    hidden: bool = False

    @property
    def facts(self) -> str:
        """Shape and unit in short: "(N, 3) m/s"."""
        return f"{self.shape_text} {self.unit}".rstrip()

    @property
    def shape_text(self) -> str:
        """The shape with its batch axis: "(N,)" or "(N, 3)"."""
        return "(" + ", ".join(["N", *map(str, self.shape)]) + ("," if not self.shape else "") + ")"


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """All observables of one env, in the order in which they are shown, and the facts beside them.

    Attributes:
        constants: facts of the model worth knowing: name → text ("joint 'bthigh'": "-0.52 to 1.05 rad").
        horizon: steps after which an episode is cut off; None where it isn't.
        dt: seconds a step.
        documentation: the env's own.
        notes: what a person should know before anything is trained: what is left out, or taken otherwise.
    """

    env_id: str
    observables: tuple[Observable, ...]
    constants: Mapping[str, str] = field(default_factory=dict)
    horizon: int | None = None
    dt: float = 0.0
    documentation: str = ""
    notes: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Observable]:
        return iter(self.observables)

    def names(self, *, hidden: bool = False) -> list[str]:
        return [each.name for each in self.observables if hidden or not each.hidden]

    def find(self, parameter: str, *, hidden: bool = False) -> Observable | None:
        """The observable that a program's parameter (`x`, `prev_x`, `init_x`) stands for, if there is one."""
        names = [parameter]
        names += [parameter.removeprefix(prefix) for prefix in PREFIXES if parameter.startswith(prefix)]
        for name in names:
            for each in self.observables:
                if each.name == name and (hidden or not each.hidden):
                    return each
        return None

    def resolve(self, parameter: str, *, hidden: bool = False) -> Observable:
        """As `find`.

        Raises:
            UnknownName: there is none; with the nearest names, their shapes and units.
        """
        found = self.find(parameter, hidden=hidden)
        if found is not None:
            return found
        prefix = next((each for each in PREFIXES if parameter.startswith(each)), "")
        facts = {f"{prefix}{each.name}": each.facts for each in self if hidden or not each.hidden}
        stem, _, quantity = parameter.removeprefix(prefix).rpartition("_")
        geom = f"{prefix}{stem}_geom_{quantity}"
        if geom in facts:
            facts = {geom: f"{facts[geom]} (no body or site {stem!r}, but a geom)"}
        raise UnknownName("observable", parameter, facts, facts=facts)

    def shapes(self, parameters: Iterable[str], *, hidden: bool = False) -> dict[str, tuple[int, ...]]:
        """Parameter → shape of one row; UnknownName as `resolve`."""
        return {name: self.resolve(name, hidden=hidden).shape for name in parameters}
