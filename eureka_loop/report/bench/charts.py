"""The pictures of a bench: human-normalised scores of each task and of all; fitness in every search."""

from __future__ import annotations

from dataclasses import replace

from eureka_loop.judge.statistics import Interval
from eureka_loop.report import svg, text
from eureka_loop.report.bench.scores import Scores, TaskScore
from eureka_loop.report.bench.words import UNDEFINED
from eureka_loop.report.svg import Frame

REWARDS = ("winner", "hand-written", "sparse")
WIDTH = 760
ROW = 34  # px a task
TALL = 46  # px a task where every search is drawn
LANE = 0.2  # rows between the lanes of its rewards
NAMES = 264  # px for a task's name
ENDS = 56  # px for a number at the end of a row
FAR = 3.0  # scores beyond are drawn at the edge: one task must not press the others together

# What a page's style sheet says, for the picture as a file of its own; on white, whoever shows it.
ALONE = """\
svg{background:#fff}text{font:12px system-ui,sans-serif;fill:#5b6068}.name{fill:#1b1d21;font-weight:600}
.axis,.half,.grid{stroke:#8b9098;fill:none}.half{stroke-dasharray:3 4}
.interval{stroke-width:4;stroke-linecap:round}
.s0{stroke:#0068a8;fill:#0068a8}.s1{stroke:#c8500a;fill:#c8500a}.s2{fill:#1a7f4b}
.seed{stroke:none;opacity:.4}.middle{stroke:#fff}
"""


def normalised(found: Scores) -> str:
    """A row a task, the last one for all; "" where no task has a score."""
    if found.normalised is None:
        return ""
    ends = [0.0, 1.0, *_ends(found.normalised)]
    ends += [end for each in found.tasks for end in (*_ends(each.normalised), *each.each)]
    x = svg.widened([min(FAR, max(-FAR, end)) for end in ends])
    rows = len(found.tasks) + 1
    frame = Frame(WIDTH, ROW * rows + 40, x, (0, rows), left=NAMES, right=16, top=2, bottom=36)
    parts = svg.axes(frame, "human-normalised score: 0 sparse, 1 hand-written", y_ticks=())
    for value in (0.0, 1.0):
        across = frame.at(value, 0)[0]
        parts.append(svg.segment((across, frame.top), (across, frame.height - frame.bottom), "half"))
    for index, each in enumerate(found.tasks):
        parts += _task(frame, each, rows - index - 0.5)
    parts += _marked(frame, "all tasks", found.normalised, 0.5, "s1", several=found.several)
    return svg.drawing(frame, _said(found), parts)


def fitness(found: Scores) -> str:
    """A row a task, each on its own scale, and a dot a search of each reward; "" where no search is done."""
    tasks = [each for each in found.tasks if each.done]
    if not tasks:
        return ""
    rows, height = len(tasks), TALL * len(tasks) + 24
    frame = Frame(WIDTH, height, (0, 1), (0, rows), left=NAMES + ENDS, right=ENDS, top=2, bottom=22)
    parts = [part for index, each in enumerate(tasks) for part in _searches(frame, each, rows - index - 0.5)]
    for place, name in enumerate(REWARDS):
        across = frame.left + 130.0 * place
        parts.append(svg.dot((across, frame.height - 10), f"seed s{place}", 4.5))
        parts.append(svg.words((across + 9, frame.height - 6), name, "label"))
    names = ", ".join(each.name for each in tasks)
    return svg.drawing(frame, f"Fitness of {', '.join(REWARDS)} in every search of {names}", parts)


def _searches(frame: Frame, found: TaskScore, row: float) -> list[str]:
    """A task's row: a line that ends at its least and its greatest fitness, and dots in three lanes on it."""
    columns = list(zip(*(each.fitness for each in found.facts.done), strict=True))
    known = [value for column in columns for value in column if value is not None]
    own = replace(frame, x=(min(known), max(known)))
    (left, y), (right, _) = own.at(own.x[0], row), own.at(own.x[1], row)
    parts = [_name(frame, found.name, row), svg.segment((left, y), (right, y), "grid")]
    parts.append(svg.words((right + 8, y + 4), text.number(own.x[1]), "tick"))
    parts.append(svg.words((left - 8, y + 4), text.number(own.x[0]), "tick", "end"))
    for place, (name, column) in enumerate(zip(REWARDS, columns, strict=True)):
        lane = row + LANE * (1 - place)
        for value in column:
            if value is not None:
                parts.append(
                    svg.dot(own.at(value, lane), f"seed s{place}", 4.5, f"{name}: {text.number(value)}")
                )
    return parts


def alone(picture: str) -> str:
    """The same as a file that shows itself."""
    head, rest = picture.split(">", 1)
    head = head.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    return f"{head}><style>{ALONE}</style>{rest}\n"


def _task(frame: Frame, found: TaskScore, row: float) -> list[str]:
    if found.normalised is None:
        why = UNDEFINED if found.done else "not done"
        return [_name(frame, found.name, row), svg.words((NAMES + 8, _y(frame, row) + 4), why, "tick")]
    dots = [
        svg.dot(frame.at(_within(frame, each), row), "seed s0", 3.6, f"a search: {each:.2f}")
        for each in found.each
    ]
    return [*dots, *_marked(frame, found.name, found.normalised, row, "s0", several=found.several)]


def _marked(frame: Frame, name: str, found: Interval, row: float, kind: str, *, several: bool) -> list[str]:
    """A name, an interval, a value."""
    low, middle, high = (frame.at(_within(frame, end), row) for end in (found.low, found.value, found.high))
    bar = [svg.segment(low, high, f"interval {kind}")] if several else []
    return [
        _name(frame, name, row),
        *bar,
        svg.dot(middle, f"middle {kind}", 5.5, f"{name}: {found.value:.2f}"),
    ]


def _name(frame: Frame, name: str, row: float) -> str:
    return svg.words((NAMES - 10, _y(frame, row) + 4), text.one_line(name, 34), "name", "end")


def _y(frame: Frame, row: float) -> float:
    return frame.at(frame.x[0], row)[1]


def _within(frame: Frame, value: float) -> float:
    return min(frame.x[1], max(frame.x[0], value))


def _ends(found: Interval | None) -> list[float]:
    return [] if found is None else [found.low, found.value, found.high]


def _said(found: Scores) -> str:
    """The picture in words."""
    told = [f"{each.name} {each.normalised}" for each in found.tasks if each.normalised]
    return f"Human-normalised scores with 95% intervals: {'; '.join(told)}; all tasks {found.normalised}"
