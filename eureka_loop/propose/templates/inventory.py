"""A vocabulary as measures.

It holds `torso_linvel` (N, 3); a term for running forward needs `torso_linvel[:, 0]`, and to know that this
is the axis "x" of the thing "torso", in m/s, and how far it strays under random actions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from eureka_loop.propose.templates.measures import Measure
from eureka_loop.propose.templates.words import lexicon, stems
from eureka_loop.reward.vocabulary import Observable, Vocabulary

_AXES = ("x", "y", "z")
_OWN_AXES = ("up", "forward", "left")  # `<body>_up`: a vector, though its name sounds like a direction
_AGAINST = re.compile(
    r"positive: [^;.,()]*\b(nose up|nose going up|backward|clockwise|to the right|downward)\b"
)
# A goal env doesn't say what its goals are; where they have two or three numbers, they are positions.
_GOALS = {"achieved_goal": "achieved_pos", "desired_goal": "desired_pos"}
_ROOT = re.compile(r"root|free", re.IGNORECASE)


def inventory(vocabulary: Vocabulary) -> tuple[Measure, ...]:
    """Everything a term can be made of, in the vocabulary's order; hidden observables are left out."""
    shown = [each for each in vocabulary if not each.hidden]
    found: list[Measure] = []
    for index, observable in enumerate(shown):
        whole = _whole(observable, index / len(shown))
        found.append(whole)
        if observable.shape in ((2,), (3,)) and observable.unit in ("m", "m/s", "rad", "rad/s", ""):
            found += [whole.component(at, _AXES[at]) for at in range(observable.shape[0])]
    return (*found, *_driven_joints(shown))


def _whole(observable: Observable, position: float) -> Measure:
    tokens = _GOALS.get(observable.name, observable.name).split("_")
    names = lexicon()["names"]
    axis = next((names["axes"][each] for each in tokens if each in names["axes"]), "")
    thing = [each for each in tokens if each not in names["measures"]]
    if thing and thing[0] in ("left", "right") and len(thing) == 1 and not observable.shape:
        axis, thing = "y", []  # "left_velocity" is a direction's, "left_foot_height" a foot's
    toward = tokens[tokens.index("to") + 1 :] if "to" in tokens else []
    return Measure(
        parameter=observable.name,
        code=observable.name,
        shape=observable.shape,
        unit="m" if observable.name in _GOALS else observable.unit,
        axis=axis if not observable.shape else "",
        thing=stems(thing),
        toward=stems(toward),
        words=stems(tokens),
        position=position,
        flipped=bool(_AGAINST.search(observable.description.lower())),
        start=observable.start or (),
        low=observable.low or (),
        high=observable.high or (),
    )


def _driven_joints(shown: Sequence[Observable]) -> Iterator[Measure]:
    """`qpos[:, 3:]`, `qvel[:, 3:]`: the longest run of hinges that are not the root's.

    The automatic joint names come in the model's order, which is that of the state. A free root has none, so
    what is missing to the state's length stands before them.
    """
    named = {each.name: each for each in shown}
    joints = [each for each in shown if each.group.startswith("joints") and each.unit in ("rad", "m")]
    run = _longest_run(
        [each.unit == "rad" and not each.shape and not _ROOT.search(each.name) for each in joints]
    )
    for state, ball in (("qpos", 4), ("qvel", 3)):
        widths = [ball if each.shape else 1 for each in joints]
        if run and state in named:
            first = named[state].shape[0] - sum(widths) + sum(widths[: run.start])
            yield _slice(named[state], first, first + len(run))


def _longest_run(marks: Sequence[bool]) -> range:
    """Where the longest run of True stands."""
    best = range(0)
    start = 0
    for at, mark in enumerate([*marks, False]):
        if not mark:
            best = max(best, range(start, at), key=len)
            start = at + 1
    return best


def _slice(state: Observable, first: int, last: int) -> Measure:
    everything = first == 0 and last == state.shape[0]
    until = "" if last == state.shape[0] else str(last)
    part = slice(first, last)
    return Measure(
        parameter=state.name,
        code=state.name if everything else f"{state.name}[:, {first or ''}:{until}]",
        shape=(last - first,),
        unit="rad" if state.name == "qpos" else "rad/s",
        words=frozenset({"joints"}),
        start=(state.start or ())[part],
        low=(state.low or ())[part],
        high=(state.high or ())[part],
    )
