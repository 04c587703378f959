"""A measure on recorded episodes, as a page: its criteria in words, the scores, what could fool it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from eureka_loop import numbers
from eureka_loop.report import layout
from eureka_loop.results import JudgedEpisode
from eureka_loop.reward.measure import criteria, weaknesses
from eureka_loop.search.drafting import Draft
from eureka_loop.search.recorded_episodes import RecordedEpisode, by_fitness, table


def page(
    episodes: Sequence[RecordedEpisode],
    scores: Sequence[JudgedEpisode],
    dt: float,
    *,
    own: Sequence[JudgedEpisode] = (),
    tau: float | None = None,
) -> RenderableType:
    """Scores of each episode.

    Args:
        dt: seconds a step.
        own: the same by the catalogue task's own measure, where there is one.
        tau: Kendall's, of both.
    """
    heads, rows = table(episodes, scores, dt)
    notes = list(_notes(episodes, scores))
    if own:
        heads.insert(3, "its own")
        for place, row in zip(by_fitness(scores), rows, strict=True):
            row.insert(3, numbers.compact(own[place].fitness))
        notes.insert(0, f"Kendall's tau with the task's own fitness over {len(own)} episodes: {_tau(tau)}")
    return Group(layout.table(heads, rows), *(Text(note, style="dim") for note in ["", *notes] if notes))


def draft_page(draft: Draft) -> RenderableType:
    """A draft with its criteria, scores and weaknesses: the basis of a yes or no."""
    stated = criteria(draft.source)
    rows = [[each.name, f"{each.weight:g}", each.text] for each in stated]
    parts: list[RenderableType] = [
        layout.section("Measure", layout.code(draft.source, numbered=False), f"drafted by {draft.author}")
    ]
    if rows:
        parts.append(layout.section("Criteria", layout.table(["name", "weight", "counts"], rows)))
    scores = layout.table(*table(draft.episodes, draft.scores, draft.dt))
    parts.append(layout.section("Scores", scores, "of recorded episodes, none of them trained for it"))
    if fooled := weaknesses(draft.source):
        body = Group(*(layout.paragraph(f"- {each}") for each in fooled))
        parts.append(layout.section("What could fool it", body, "by its author"))
    notes = [*_notes(draft.episodes, draft.scores)]
    if draft.tau is not None:
        notes.append(f"Kendall's tau of the first draft with one drafted apart: {_tau(draft.tau)}")
    return Group(*parts, Text(), *(Text(note, style="dim") for note in notes))


def _notes(episodes: Sequence[RecordedEpisode], scores: Sequence[JudgedEpisode]) -> Iterator[str]:
    pairs = list(zip(episodes, scores, strict=True))
    if easy := [each.label for each, judged in pairs if judged.success and not each.trained]:
        yield f"Counts as a success without any training: {', '.join(easy)}"
    if not any(each.trained for each in episodes):
        yield "No trained policy: none of your runs is in this environment (`eureka fitness --with RUN`)"


def _tau(value: float | None) -> str:
    return "can't be compared: one is the same in all" if value is None else f"{value:+.2f}"
