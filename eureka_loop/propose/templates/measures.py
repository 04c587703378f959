"""A vocabulary as measures: what a term can be made of.

A vocabulary holds `torso_linvel` (N, 3). A term for running forward needs `torso_linvel[:, 0]`, the fact that
it is the axis "x" of the thing "torso" in m/s, and its range under random actions.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np

from eureka_loop.propose.templates.text import lexicon, stems
from eureka_loop.reward.vocabulary import Observable, Vocabulary

_LEAST = 1e-3  # of a scale: a weight is one over it
_AGAINST = re.compile(
    r"positive: [^;.,()]*\b(nose up|nose going up|backward|clockwise|to the right|downward)\b"
)
# A goal env doesn't describe its goals; where they have two or three numbers, they are positions.
_GOALS = {"achieved_goal": "achieved_pos", "desired_goal": "desired_pos"}
_ROOT = re.compile(r"root|free", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Measure:
    """One array that a term can use: an observable, one axis of it, or the driven joints of `qpos` or `qvel`.

    Attributes:
        parameter: the observable, as a program asks for it.
        code: the expression: "torso_linvel[:, 0]".
        shape: of one row of it: () or (k,).
        axis: "x", "y" or "z" for one axis of the world (of turning: the axis turned about); "" without.
        thing: stems of the rest of the name: {"torso"}; empty where it states none ("forward_velocity").
        toward: of a way from one thing to another ("hand_to_object"): stems of the latter.
        words: stems of the observable's whole name.
        position: in the order of the vocabulary, 0 to 1; the domain's own names come first.
        flipped: its positive sense is the opposite of the world's ("positive: nose up").
        start, low, high: per component, as surveyed; empty before a survey.
    """

    parameter: str
    code: str
    shape: tuple[int, ...]
    unit: str
    axis: str = ""
    thing: frozenset[str] = frozenset()
    toward: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()
    position: float = 0.0
    flipped: bool = False
    start: tuple[float, ...] = ()
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()

    def __str__(self) -> str:
        return self.code

    @property
    def whole(self) -> bool:
        """The observable as it is, not a part of it."""
        return self.code == self.parameter

    @property
    def prev(self) -> str:
        """The expression for its value before the step; `init`: at the episode's start."""
        return f"prev_{self.code}"

    @property
    def init(self) -> str:
        return f"init_{self.code}"

    @property
    def varies(self) -> bool:
        """False where random actions never changed it: a planar robot's sideways speed, a fixed target."""
        return not self.low or bool(np.ptp([self.low, self.high], axis=0).max() > 1e-9)

    @property
    def scale(self) -> float:
        """Distance from its start under random actions (root mean square over components), or 1."""
        if not self.low:
            return 1.0
        reach = np.abs(np.subtract([self.low, self.high], self.start)).max(axis=0)
        return max(float(np.sqrt(np.square(reach).mean())), _LEAST)

    @property
    def most(self) -> float:
        """Largest magnitude seen, or 1."""
        return max(*map(abs, self.low + self.high), _LEAST) if self.low else 1.0

    def apart(self, other: Measure) -> float:
        """Distance of two positions, m: at the start, or as far as random actions move them."""
        gap = math.dist(self.start, other.start) if len(self.start) == len(other.start) else 0.0
        return max(gap, 0.5 * self.scale, 0.5 * other.scale)


def measures(vocabulary: Vocabulary) -> tuple[Measure, ...]:
    """All measures, in the vocabulary's order, without hidden observables."""
    shown = [each for each in vocabulary if not each.hidden]
    found: list[Measure] = []
    for index, observable in enumerate(shown):
        whole = _whole(observable, index / len(shown))
        found.append(whole)
        if observable.shape in ((2,), (3,)) and observable.unit in ("m", "m/s", "rad", "rad/s", ""):
            parts = [_part(whole, f"[:, {at}]", at, at + 1) for at in range(observable.shape[0])]
            found += [replace(each, shape=(), axis=axis) for each, axis in zip(parts, "xyz", strict=False)]
    return (*found, *_driven_joints(shown))


def _whole(observable: Observable, position: float) -> Measure:
    names, tokens = lexicon()["names"], _GOALS.get(observable.name, observable.name).split("_")
    axis = next((names["axes"][each] for each in tokens if each in names["axes"]), "")
    thing = [each for each in tokens if each not in names["measures"]]
    if thing in (["left"], ["right"]) and not observable.shape:
        axis, thing = "y", []  # "left_velocity" is a direction's, "left_foot_height" a foot's
    return Measure(
        parameter=observable.name,
        code=observable.name,
        shape=observable.shape,
        unit="m" if observable.name in _GOALS else observable.unit,
        axis=axis if not observable.shape else "",
        thing=stems(thing),
        toward=stems(tokens[tokens.index("to") + 1 :] if "to" in tokens else []),
        words=stems(tokens),
        position=position,
        flipped=bool(_AGAINST.search(observable.description.lower())),
        start=observable.start or (),
        low=observable.low or (),
        high=observable.high or (),
    )


def _part(whole: Measure, columns: str, first: int, last: int) -> Measure:
    """Components `first` to `last` - 1."""
    start, low, high = (values[first:last] for values in (whole.start, whole.low, whole.high))
    code = whole.code + columns
    return replace(whole, code=code, flipped=False, start=start, low=low, high=high)


def _driven_joints(shown: Sequence[Observable]) -> Iterator[Measure]:
    """`qpos[:, 3:]`, `qvel[:, 3:]`: the longest run of hinges that are not the root's.

    The automatic joint names come in the order of the state. A free root has none, so the columns that are
    missing to the state's length stand before them.
    """
    joints = [each for each in shown if each.group.startswith("joints") and each.unit in ("rad", "m")]
    driven = [each.unit == "rad" and not each.shape and not _ROOT.search(each.name) for each in joints]
    runs = [list(run) for is_driven, run in groupby(range(len(joints)), driven.__getitem__) if is_driven]
    run = max(runs, key=len, default=[])
    state = {each.name: each for each in shown}
    for name, unit, ball in (("qpos", "rad", 4), ("qvel", "rad/s", 3)):
        if run and name in state:
            widths, size = [ball if each.shape else 1 for each in joints], state[name].shape[0]
            first = size - sum(widths[run[0] :])
            last = first + len(run)
            ends = f"[:, {first or ''}:{'' if last == size else last}]"
            part = _part(_whole(state[name], 0.0), ends if ends != "[:, :]" else "", first, last)
            yield replace(part, shape=(len(run),), unit=unit, words=frozenset({"joints"}), thing=frozenset())
