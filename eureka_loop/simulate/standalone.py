"""Observables of one environment, row by row, with numpy and mujoco alone: the core of exported rewards.

`export` copies these classes into the file that it writes, with the functions that they use.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from eureka_loop.records import Array
from eureka_loop.simulate.definitions import STEPS, Raw, split, view
from eureka_loop.simulate.env import finite
from eureka_loop.simulate.physics import contact_sums, read_contacts


class Observables:
    """The columns of some names, a row for the reset and one for every step.

    Args:
        definitions: name → function, what it takes, and what adds its rows up over an episode, or None; each
            after those that it takes.
        names: those wanted, `prev_` (before the step) and `init_` (at the reset) included.
        sizes: of the model that they were written for.
    """

    def __init__(
        self, definitions: Mapping[str, Any], names: tuple[str, ...], sizes: Mapping[str, int]
    ) -> None:
        self.definitions, self.names, self.sizes = definitions, names, sizes
        needs = [need for _, taken, _ in definitions.values() for need in taken]
        self.raws = tuple(dict.fromkeys(need for need in needs if isinstance(need, Raw)))
        self.now: dict[str, Array] = {}

    def reset(self, model: Any, data: Any, **given: Any) -> None:
        """Begin an episode; `data` is MjData after the environment's reset."""
        found = {name: getattr(model, name) for name in self.sizes}
        if found != self.sizes:
            raise ValueError(f"the model has {found}, but this was written for {dict(self.sizes)}")
        self.steps, self.now, self.init = 0, {}, {}
        self.now = self.before = self.init = self._row(model, data, given)

    def step(self, model: Any, data: Any, **given: Any) -> dict[str, Array]:
        """Name → (1, *shape), after one step; `data` is MjData after it."""
        if not self.now:
            raise ValueError("call reset(model, data) after the environment's reset, before the first step")
        self.steps, self.before = self.steps + 1, self.now
        self.now = self._row(model, data, given)
        return {name: self._value(name, self.now) for name in self.names}

    def _row(self, model: Any, data: Any, given: Mapping[str, Any]) -> dict[str, Array]:
        sums = [raw for raw in self.raws if raw.source == "contacts"]
        raws: dict[Raw, Any] = contact_sums(model, [read_contacts(model, data)], sums) if sums else {}
        raws |= {raw: self._raw(raw, data, given) for raw in self.raws if raw not in raws}
        now: dict[str, Array] = {}
        for name, (function, needs, accumulate) in self.definitions.items():
            taken = [raws[each] if isinstance(each, Raw) else self._value(each, now) for each in needs]
            value = np.array(function(*taken), np.float64)
            if accumulate and not self.steps:
                value[:] = 0.0
            elif accumulate:
                value = accumulate(np.concatenate([self.now[name], value]), np.array([0]))[1:]
            now[name] = value
        return now

    def _value(self, name: str, now: Mapping[str, Array]) -> Array:
        prefix, base = split(name, self.definitions)
        row = {"": now, "prev_": self.before, "init_": self.init}[prefix] if self.steps else now
        return row[base]

    def _raw(self, raw: Raw, data: Any, given: Mapping[str, Any]) -> Array:
        if raw.source == "data":
            return np.array(view(data, raw), np.float64)[None]
        if raw == STEPS:
            return np.array([float(self.steps)])
        found = self._given(raw.key if raw.source == "step" else "info", given)
        if raw.source == "info":
            found = finite(found.get(raw.key), raw.shape)
        return np.broadcast_to(np.asarray(found, np.float64), raw.shape)[None]

    def _given(self, key: str, given: Mapping[str, Any]) -> Any:
        """An argument of `reset` or `step`; what a reset has none of is 0."""
        obs = given.get("obs")
        if isinstance(obs, Mapping):  # of a goal environment
            given = {**given, **obs, "obs": obs.get("observation")}
        if not self.steps and key in ("action", "reward", "terminated"):
            return 0.0
        if given.get(key) is None:
            name = "obs" if key.endswith("_goal") else key
            raise ValueError(f"this reward needs what the environment returns: give {name}=...")
        if key == "reward":
            return finite(given[key])
        return np.ravel(given[key]) if key == "action" or np.ndim(given[key]) else given[key]


class Exported:
    """A reward's terms step by step; fitness, success and progress of the episode that they were asked for.

    Args:
        definitions, sizes: see `Observables`.
        programs: kind ("reward", "fitness", ...) → the program, and the names of what it takes.
    """

    def __init__(
        self, definitions: Mapping[str, Any], sizes: Mapping[str, int], programs: Mapping[str, Any]
    ) -> None:
        names = tuple(dict.fromkeys(name for _, names in programs.values() for name in names))
        self.observables, self.programs = Observables(definitions, names, sizes), programs
        self.episode: list[dict[str, Array]] = []

    def reset(self, model: Any, data: Any, **given: Any) -> None:
        """Begin an episode, after the environment's reset.

        Args:
            given: `obs` and `info` that the reset returned, where the programs need them; an error says so.
        """
        self.observables.reset(model, data, **given)
        self.episode = []

    def step(self, model: Any, data: Any, action: Any, **given: Any) -> dict[str, float]:
        """The reward's terms, after the environment's step.

        Args:
            given: `obs`, `reward`, `terminated` and `info` that the step returned, where they are needed.
        """
        row = self.observables.step(model, data, action=action, **given)
        self.episode.append(row)
        function, names = self.programs["reward"]
        return {term: float(value[0]) for term, value in function(*(row[name] for name in names)).items()}

    def total(self, terms: Mapping[str, float]) -> float:
        """The reward: the sum of the terms but those that are only logged."""
        return sum(value for term, value in terms.items() if not term.startswith("_"))

    def measure(self, name: str, episode: list[dict[str, Array]] | None = None) -> float:
        """Fitness, success or progress of an episode; by default of the one since the reset."""
        function, names = self.programs[name]
        rows = self.episode if episode is None else episode
        return float(function(*(np.concatenate([row[each] for row in rows]) for each in names)))
