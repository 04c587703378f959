"""A measure on recorded episodes, as a page: one line each, with what it was computed from."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from eureka_loop import numbers
from eureka_loop.report import layout
from eureka_loop.results import PROGRESS, SUCCESS, JudgedEpisode
from eureka_loop.search.episodes import RecordedEpisode

MOST_PIECES = 6  # columns


def page(
    episodes: Sequence[RecordedEpisode],
    scores: Sequence[JudgedEpisode],
    dt: float,
    *,
    own: Sequence[JudgedEpisode] = (),
    tau: float | None = None,
) -> RenderableType:
    """Best first.

    Args:
        own: the same by the catalogue task's own measure, where there is one.
        tau: Kendall's, of both.
    """
    labels = list(dict.fromkeys(label for each in scores for label in _pieces(each)))[:MOST_PIECES]
    heads = ["episode", "s", "fitness"]
    others = {name for each in scores for name in each.scores if each.score(name) is not None}
    heads += [name for name in (SUCCESS, PROGRESS) if name in others]
    rows = []
    for index in sorted(range(len(scores)), key=lambda index: -scores[index].fitness):
        judged = scores[index]
        cells = [episodes[index].label, numbers.compact(judged.length * dt)]
        cells += [_cell(judged.score(name)) for name in heads[2:]]
        cells += [_cell(own[index].fitness)] if own else []
        rows.append([*cells, *(_cell(_pieces(judged).get(label)) for label in labels)])
    table = layout.table([*heads, *(["its own"] if own else []), *labels], rows)
    notes = []
    if own:
        compared = "can't be compared: one is the same in all" if tau is None else f"{tau:+.2f}"
        notes.append(f"Kendall's tau with the task's own fitness over {len(own)} episodes: {compared}")
    if not any(each.trained for each in episodes):
        notes.append("No policy of a run in this environment is there: --with RUN names one")
    return Group(table, *(Text(note, style="dim") for note in ["", *notes] if notes))


def _pieces(judged: JudgedEpisode) -> dict[str, float]:
    return dict(judged.behaviour.pieces) if judged.behaviour else {}


def _cell(value: float | None) -> str:
    return "-" if value is None else numbers.compact(value)
