"""The entry point's parameters: observables by name, then weights with their defaults."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from eureka_loop.errors import UnknownName
from eureka_loop.reward.contract import Kind
from eureka_loop.reward.form.advice import SURROUNDINGS
from eureka_loop.reward.problems import Problems, code
from eureka_loop.reward.rows.values import NUMBER, UNKNOWN, Rows, Value
from eureka_loop.reward.vocabulary import Vocabulary
from eureka_loop.reward.weights import number

_ELSEWHERE = {  # what other interfaces hand over → what to ask for here
    "info": "its numbers are observables: `info_<key>`",
    "next_obs": "`obs` is the observation after the step, `prev_obs` the one before",
    "observation": "write `obs`: the observation after the step (`prev_obs`: before)",
    "observations": "write `obs`: the observation after the step (`prev_obs`: before)",
    "state": "write `obs`, or name the quantities themselves",
    "next_state": "write `obs`: the observation after the step (`prev_obs`: before)",
    "done": "write `terminated`, 1 where the episode ended by itself",
    "truncated": "time limits aren't part of the task; `time_left` says how many seconds are left",
    "actions": "write `action`",
    "reward": "the env's own reward can't be used",
}


@dataclass(slots=True)
class Signature:
    """What the entry point asks for.

    Attributes:
        parameters: as written, in order.
        values: what the gate knows of every parameter and weight.
    """

    parameters: list[str] = field(default_factory=list)
    weights: dict[str, float] = field(default_factory=dict)
    values: dict[str, Value] = field(default_factory=dict)


def read_signature(
    entry: ast.FunctionDef, vocabulary: Vocabulary, kind: Kind, hidden: bool, problems: Problems
) -> Signature:
    """Parameters and weights; reports every one that can't be."""
    reader = _Reader(entry, vocabulary, hidden, problems)
    reader.check_form()
    reader.read_positional()
    reader.read_weights()
    if not reader.signature.parameters and not entry.args.args:
        problems.add(
            entry, f"`{entry.name}` names no observable: name what it needs, `{entry.name}(obs, action)`"
        )
    return reader.signature


class _Reader:
    def __init__(
        self, entry: ast.FunctionDef, vocabulary: Vocabulary, hidden: bool, problems: Problems
    ) -> None:
        self._entry, self._vocabulary, self._hidden, self._problems = entry, vocabulary, hidden, problems
        self.signature = Signature()

    def check_form(self) -> None:
        arguments = self._entry.args
        if arguments.posonlyargs:
            self._problems.add(self._entry, "leave the `/` out: parameters are handed over by name")
        for star, extra in (("*", arguments.vararg), ("**", arguments.kwarg)):
            if extra is not None:
                told = (
                    "name every observable it needs" if star == "*" else "name every weight, with its default"
                )
                self._problems.add(extra, f"`{star}{extra.arg}`: {told}")
        self._check_defaults()

    def _check_defaults(self) -> None:
        arguments = self._entry.args
        if not arguments.defaults:
            return
        plain = arguments.args[: len(arguments.args) - len(arguments.defaults)]
        pairs = list(zip(arguments.args[len(plain) :], arguments.defaults, strict=True))
        moved = [(each, default) for each, default in pairs if not self._known(each.arg)]
        for each, _ in pairs:
            if self._known(each.arg):
                self._problems.add(each, f"`{each.arg}` is an observable: leave its default out")
        if moved:
            observables = [each.arg for each in (*plain, *(e for e, _ in pairs if self._known(e.arg)))]
            weights = [f"{each.arg}={code(default)}" for each, default in moved]
            weights += [
                each.arg + (f"={code(default)}" if default else "")
                for each, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
            ]
            listed = ", ".join(f"`{each.arg}`" for each, _ in moved)
            stand = "are weights: they stand" if len(moved) > 1 else "is a weight: it stands"
            fixed = f"def {self._entry.name}({', '.join([*observables, '*', *weights])}):"
            self._problems.add(moved[0][0], f"{listed} {stand} after `*`: `{fixed}`")

    def read_positional(self) -> None:
        arguments = self._entry.args
        defaulted = {each.arg for each in arguments.args[len(arguments.args) - len(arguments.defaults) :]}
        for each in (*arguments.posonlyargs, *arguments.args):
            if each.arg in defaulted and not self._known(each.arg):
                self.signature.values[each.arg] = NUMBER  # a weight in the wrong place, already told
            else:
                self._observable(each)

    def _observable(self, node: ast.arg) -> None:
        if self._problems.full and not self._known(node.arg):
            self.signature.values[node.arg] = UNKNOWN
            self._problems.add(node, f"unknown observable {node.arg!r}")
            return
        try:
            observable = self._vocabulary.resolve(node.arg, hidden=self._hidden)
        except UnknownName as unknown:
            self.signature.values[node.arg] = UNKNOWN
            self._problems.add(node, self._unknown(node.arg, unknown))
            return
        self.signature.parameters.append(node.arg)
        self.signature.values[node.arg] = Rows(observable.shape, source=node.arg)

    def _unknown(self, name: str, unknown: UnknownName) -> str:
        if name in SURROUNDINGS:
            return f"there is no `{name}`: a program is a plain function; ask for each quantity by its name"
        if name in _ELSEWHERE:
            return f"unknown observable {name!r}: {_ELSEWHERE[name]}"
        if self._known(name, hidden=True):
            return f"{name!r} is the env's own reward or part of it; a program can't ask for it"
        return str(unknown)

    def read_weights(self) -> None:
        arguments = self._entry.args
        for each, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
            self.signature.values[each.arg] = NUMBER
            value = number(default) if default is not None else None
            if value is not None and not self._known(each.arg):
                self.signature.weights[each.arg] = value
            else:
                self._problems.add(each, self._bad_weight(each.arg, default))

    def _bad_weight(self, name: str, default: ast.expr | None) -> str:
        if self._known(name):
            return f"`{name}` is an observable: it stands before the `*`"
        if default is None:
            return f"weight `{name}` needs a default, a number: `{name}=1.0`"
        told = (
            "or a constant above the function"
            if isinstance(default, ast.Tuple | ast.List)
            else f"`{name}=1.0`"
        )
        return f"weight `{name}={code(default)}`: a weight is one finite number, {told}"

    def _known(self, name: str, *, hidden: bool | None = None) -> bool:
        return self._vocabulary.find(name, hidden=self._hidden if hidden is None else hidden) is not None
