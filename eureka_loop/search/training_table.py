"""A training as a table: fitness and reward terms at points of it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from eureka_loop.numbers import compact, count, percent
from eureka_loop.results import Checkpoint, Trained, mean_known
from eureka_loop.reward.contract import is_diagnostic
from eureka_loop.search.judged import columns, row

SHARES = ("success", "action_noise")  # of episodes; of the actions' bounds


def training_table(trained: Sequence[Trained], points: int = 10) -> str:
    """A table: a column a point of training, of at most `points`; rows for fitness, reward and every term.

    The reward is the sum of its terms, a step's mean. A term's row holds its means, its least and greatest
    value, and its share of the reward at the end.
    """
    every = list(zip(*(each.checkpoints for each in trained), strict=False))
    shown = min(points, len(every))
    stages = [every[math.ceil(len(every) * (n + 1) / shown) - 1] for n in range(shown)]
    rows = [["step", *(count(stage[0].step) for stage in stages), "lowest", "highest", "share"]]
    for name in ("fitness", "success", "episode_length", "action_noise"):
        means = [mean_known(getattr(point, name) for point in stage) for stage in stages]
        if any(mean is not None for mean in means):
            cells = [percent(each) for each in means] if name in SHARES else row(means)
            label, constant = name.replace("_", " "), len(cells) > 1 and len({*cells}) == 1
            rows.append([f"{label} {cells[0]} throughout"] if constant else [label, *cells, "", "", ""])
    terms = [*stages[-1][0].terms] if stages else []
    summed = [name for name in terms if not is_diagnostic(name)]
    if len(summed) > 1:
        rewards = [mean_known(_reward(point, summed) for point in stage) for stage in stages]
        rows.append(["reward", *row(rewards), "", "", ""])
    for term in terms:
        points_of = [point.terms[term] for stage in every for point in stage if term in point.terms]
        low, high = min(each.low for each in points_of), max(each.high for each in points_of)
        if low == high:
            rows.append([f"{term} {compact(low)} at every step"])
            continue
        means = [
            mean_known(point.terms[term].mean for point in stage if term in point.terms) for stage in stages
        ]
        share = mean_known(point.terms[term].share for point in stages[-1] if term in point.terms)
        rows.append([term, *row(means, low, high), "logged" if is_diagnostic(term) else percent(share)])
    seeds = f", means of {len(trained)} seeds" if len(trained) > 1 else ""
    heading = f"Over training, exploring (not judged){seeds}:"
    return "\n".join([heading, *columns(rows)])


def _reward(point: Checkpoint, terms: Sequence[str]) -> float | None:
    means = [point.terms[name].mean for name in terms if name in point.terms]
    return sum(means) if means else None
