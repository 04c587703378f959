"""Judged episodes → text: what the final policy did, as a designer or a person reads it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import fmean
from types import MappingProxyType

import numpy as np

from eureka_loop.numbers import compact, percent, plural
from eureka_loop.results import Behaviour, JudgedEpisode, Trained, mean_known, ranked_by, standing
from eureka_loop.reward.contract import is_diagnostic

ALIKE = 0.1  # of the median's score: a worst episode this near isn't shown beside it
MOVED = 0.05  # m or turns: less isn't mentioned
MOTION = ("moved", "path", "turned")
MOST_CHANGES = 8
MOST_EPISODES = 10  # in a list of single ones
MOST_DECIMALS = 6  # the noise of a simulation at rest is 0
SHARES = ("mean |action|", "actions at a bound")
AT_ONE = "time with "  # before the name of an observable of zeros and ones
UNITS = {"length": " s", "still from": " s", "moved": " m", "path": " m", "turned": " turns"}

Values = dict[str, list[float]]  # measure → its value in each episode


def behaviour(trained: Sequence[Trained], *, single: bool = True) -> str:
    """A list of what the policy did over all judged episodes; "" where they were judged without it.

    Args:
        single: whether episodes are listed one by one, too.
    """
    episodes = [each for one in trained for each in one.episodes if each.behaviour]
    if not episodes:
        return ""
    amount = plural(len(episodes), "judged episode")
    heading = f"What the final policy did, without exploration, in {amount}: mean (lowest to highest)"
    return "\n".join([heading, *(f"- {line}" for line in _lines(episodes, single))])


def courses(
    trained: Sequence[Trained],
    floors: Mapping[str, Trained] = MappingProxyType({}),
    *,
    worst: bool = True,
    parts: int = 10,
) -> str:
    """Tables: the course of the median and of the worst episode, and the fitness taken apart in both.

    Args:
        floors: policies that learn nothing, by name; in the best of them the fitness is taken apart, too.
        worst: whether the course of the worst episode is shown, where it is another.
        parts: columns of a course, at most.
    """
    order = [each for one in trained for each in one.episodes if each.behaviour]
    order.sort(key=lambda each: standing(each.score))
    kept = [n for n, each in enumerate(order) if _seen(each).courses]
    if not kept:
        return ""
    middle = order[min(kept, key=lambda n: abs(n - (len(order) - 1) // 2))]
    last = order[kept[0]]
    (by, ours), (other, theirs) = _reached(middle), _reached(last)
    another = by != other or abs(ours - theirs) > ALIKE * abs(ours)
    tables = [_course("Median", middle, parts)]
    tables += [_course("Worst", last, parts)] if worst and another and middle is not last else []
    sides = {"median": _seen(middle).pieces}
    sides |= {"worst": _seen(last).pieces} if last is not middle else {}
    for name, floor in sorted(floors.items(), key=lambda each: -each[1].fitness)[:1]:
        seen = [each.behaviour for each in floor.episodes if each.behaviour]
        every = _collected(seen, lambda each: each.pieces)
        sides[name] = {piece: fmean(values) for piece, values in every.items()}
    if names := measures(trained)[1]:
        rows = [["", *sides], *([each, *row([side.get(each) for side in sides.values()])] for each in names)]
        heading = "The fitness taken apart, arrays averaged over the episode:"
        tables.append("\n".join([heading, *columns(rows)]))
    return "\n\n".join(tables)


def in_short(trained: Sequence[Trained]) -> list[str]:
    """The same in two lines; none where trainings were judged without it."""
    measured = measures(trained)
    if not any(measured):
        return []
    if len(measured[0].get("still from", ())) < len(measured[0]["length"]):  # some move to the end
        measured[0].pop("still from", None)
    did, fitness, reward = (
        ", ".join(
            f"{name} {_written(name, fmean(values))}{_unit(name)}"
            for name, values in each.items()
            if not name.startswith(MOTION) or max(map(abs, values)) >= MOVED
        )
        for each in measured
    )
    reward = f"reward per step {compact(reward_per_step(trained))}" + (f" ({reward})" if reward else "")
    return [f"did: {did}", (f"fitness from {fitness}; " if fitness else "") + reward]


def changes(before: Sequence[Trained], after: Sequence[Trained]) -> list[str]:
    """Measures whose ranges over episodes don't overlap: "raised 0.02 → 0.31", the clearest first."""
    found = []
    for old, new, heading in zip(measures(before), measures(after), ("", "", "term "), strict=True):
        for name in [each for each in old if each in new]:
            a, b = old[name], new[name]
            gap = max(min(a) - max(b), min(b) - max(a))
            texts = [_written(name, fmean(each)) for each in (a, b)]
            if gap > 0.0 and texts[0] != texts[1] and min(len(a), len(b)) > 1:  # of one there is no spread
                size = max(map(abs, (*a, *b)))
                found.append((gap / size, f"{heading}{name} {' → '.join(texts)}{_unit(name)}"))
    return [text for _, text in sorted(found, key=lambda each: -each[0])[:MOST_CHANGES]]


def measures(trained: Sequence[Trained]) -> tuple[Values, Values, Values]:
    """Of behaviour, of the fitness taken apart, of the reward's terms per step."""
    seen = [each.behaviour for one in trained for each in one.episodes if each.behaviour]
    did: Values = {}
    for each in seen:
        for name, value in _did(each):
            did.setdefault(name, []).append(value)
    return did, _pieces(seen), _collected(seen, _terms)


def _pieces(seen: Sequence[Behaviour]) -> Values:
    """Of the fitness; none of the same values as another, and no single one, which says no more than it."""
    every = _collected(seen, lambda each: each.pieces)
    first = {tuple(values): name for name, values in reversed(every.items())}
    return {name: every[name] for name in every if name in first.values()} if len(first) > 1 else {}


def reward_per_step(trained: Sequence[Trained]) -> float | None:
    """Mean over judged episodes; None where it wasn't computed."""
    seen = [each.behaviour for one in trained for each in one.episodes if each.behaviour]
    return mean_known(sum(_terms(each).values()) if each.terms else None for each in seen)


def _lines(episodes: Sequence[JudgedEpisode], single: bool) -> Iterator[str]:
    """One line on endings, success, motion, contacts, actions, reward; those that are known."""
    seen = [_seen(each) for each in episodes]
    yield _endings(seen)
    if single and (each := _each(episodes)):
        yield each
    if any(each.success is not None for each in episodes):
        yield _success(episodes)
    did = _collected(seen, lambda each: dict(_did(each)))
    motion = [name for name in did if name.startswith(MOTION)]
    if told := [name for name in motion if max(map(abs, did[name])) >= MOVED]:
        yield ", ".join(f"{name} {_spread(name, did[name])}" for name in told)
    elif any(each.turned for each in seen):
        yield f"neither moved by {MOVED} m nor turned by {MOVED} turns"
    if still := did.get("still from"):
        amount = f"{len(still)} of {plural(len(seen), 'episode')}"
        yield f"stood still from {_spread('still from', still)} on to the end, in {amount}"
    if shares := [f"{name} {_spread(name, did[name])}" for name in did if name.startswith(AT_ONE)]:
        yield ", ".join(shares)
    if SHARES[0] in did:
        effort, bound = (_spread(name, did[name]) for name in SHARES)
        yield f"actions: mean size {effort} of the bound; at a bound {bound}"
    if terms := _collected(seen, _terms):
        total = [sum(_terms(each).values()) for each in seen]
        parts = ", ".join(f"{name} {_spread(name, values)}" for name, values in terms.items())
        yield f"reward per step: {_spread('', total)}, the sum of {parts}"
        if fmean(total) < 0 and any(each.terminated for each in seen):
            yield "the reward is negative and the environment can end an episode: ending early pays"


def _each(episodes: Sequence[JudgedEpisode]) -> str:
    """Single episodes, of many some, evenly over the ranking; "" where all are alike."""
    order = sorted(episodes, key=lambda each: standing(each.score))
    places = np.linspace(0, len(order) - 1, min(len(order), MOST_EPISODES)).round().astype(int).tolist()
    texts = []
    for each in (order[place] for place in places):
        seen, by = _seen(each), [f"{compact(each.fitness)}"]
        by += [f"progress {compact(each.progress)}"] if each.progress is not None else []
        by += [f"in {compact(seen.seconds)} s{' ended' * seen.terminated}"] + ["success"] * bool(each.success)
        texts.append(" ".join(by))
    if len({*texts}) == 1:
        return ""
    runs = [(text, len([*same])) for text, same in itertools.groupby(texts)]
    shown = "; ".join(f"{amount} × {text}" if amount > 1 else text for text, amount in runs)
    some = f"{len(places)} of {len(order)} episodes" if len(places) < len(order) else "episodes"
    return f"{some}, worst first (fitness, length, `ended` by the environment): {shown}"


def _endings(seen: Sequence[Behaviour]) -> str:
    early = [each.seconds for each in seen if each.terminated]
    whole = [each.seconds for each in seen if not each.terminated]
    ways = [f"{len(early)} ended by the environment after {_spread('length', early)}"] if early else []
    ways += [f"{len(whole)} by the time limit after {_spread('length', whole)}"] if whole else []
    return "ended: " + ", ".join(ways)


def _success(episodes: Sequence[JudgedEpisode]) -> str:
    first = [at for each in episodes if (at := _seen(each).succeeded_at) is not None]
    last = sum(each.success or 0.0 for each in episodes)
    once = len(first) + sum(each.success or 0.0 for each in episodes if _seen(each).succeeded_at is None)
    text = f"success: in {last:.0f} of {plural(len(episodes), 'episode')}"
    text += f" at the end, in {once:.0f} at some time" if once > last else ""
    return text + (f", first after {_spread('length', first)}" if first else "")


def _spread(name: str, values: Sequence[float]) -> str:
    """ "0.31 (0.2 to 0.4)"."""
    mean, low, high = (_written(name, each) for each in (fmean(values), min(values), max(values)))
    return f"{mean}{_unit(name)}" + ("" if low == high else f" ({low} to {high})")


def _course(which: str, episode: JudgedEpisode, most: int) -> str:
    """A table: means over at most so many parts of an episode, least and greatest value of a step."""
    seen = _seen(episode)
    varied = {name: each for name, each in seen.courses.items() if each.means}
    parts = max((len(each.means) for each in varied.values()), default=0)
    fixed = [f"{name} {compact(each.low)}" for name, each in seen.courses.items() if not each.means]
    ends = [len(part) for part in np.array_split(range(parts), min(parts, most))] if parts else []
    ends = np.cumsum(ends).tolist()
    rows = [["until s", *(compact(seen.seconds * end / parts) for end in ends), "lowest", "highest"]]
    for name, each in varied.items():
        means = [float(part.mean()) for part in np.split(np.array(each.means), ends[:-1])]
        cells = row(means, each.low, each.high)
        if len({*cells}) == 1:
            fixed.append(f"{name} {cells[0]}")
        else:
            rows.append([name, *cells])
    by, value = _reached(episode)
    lines = [f"{which} episode ({by} {compact(value)}), means over its parts:", *columns(rows)]
    return "\n".join([*lines, *([f"constant: {', '.join(fixed)}"] if fixed else [])])


def row(means: Sequence[float | None], *ends: float) -> list[str]:
    """Cells of a row: three significant digits, but no more decimals than four digits of its largest mean."""
    sizes = [abs(each) for each in means if each is not None and math.isfinite(each)]
    largest = max(sizes, default=0.0) or max(map(abs, ends), default=0.0)
    decimals = 3 - math.floor(math.log10(largest)) if 0.0 < largest < math.inf else 0
    decimals = min(max(decimals, 0), MOST_DECIMALS)
    return [compact(None if each is None else round(each, decimals)) for each in (*means, *ends)]


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table, the first column to the left; a row of one cell takes part in no width."""
    first, *others = (max(map(len, cells)) for cells in zip(*(r for r in rows if len(r) > 1), strict=True))
    return ["  ".join([row[0].ljust(first), *map(str.rjust, row[1:], others)]).rstrip() for row in rows]


def _reached(episode: JudgedEpisode) -> tuple[str, float]:
    """The score by which it ranks."""
    by = ranked_by(episode.score)
    return by, episode.score(by) or 0.0


def _seen(episode: JudgedEpisode) -> Behaviour:
    assert episode.behaviour is not None
    return episode.behaviour


def _terms(behaviour: Behaviour) -> dict[str, float]:
    return {name: value for name, value in behaviour.terms.items() if not is_diagnostic(name)}


def _collected(seen: Sequence[Behaviour], of: Callable[[Behaviour], Mapping[str, float]]) -> Values:
    names = dict.fromkeys(name for each in seen for name in of(each))
    return {name: [of(each)[name] for each in seen if name in of(each)] for name in names}


def _did(behaviour: Behaviour) -> Iterator[tuple[str, float]]:
    """Measures of behaviour in one episode; the first word says the unit, see `UNITS`."""
    yield "length", behaviour.seconds
    yield from zip(("moved along x", "moved along y", "moved along z"), behaviour.moved, strict=False)
    if behaviour.path is not None:
        yield "path", behaviour.path
    yield from zip(("turned about x", "turned about y", "turned about z"), behaviour.turned, strict=False)
    if behaviour.still_from is not None:
        yield "still from", behaviour.still_from
    yield from ((AT_ONE + name, share) for name, share in behaviour.shares.items())
    if behaviour.effort is not None and behaviour.saturated is not None:
        yield from zip(SHARES, (behaviour.effort, behaviour.saturated), strict=True)


def _unit(name: str) -> str:
    return next((unit for first, unit in UNITS.items() if name.startswith(first)), "")


def _written(name: str, value: float) -> str:
    return percent(value) if name in SHARES or name.startswith(AT_ONE) else compact(value)
