"""report.md of a run: the best reward beside the references, all candidates, how to repeat it."""

from __future__ import annotations

import shlex
from pathlib import Path

from markupsafe import Markup

from eureka_loop import __version__, files, numbers, seeds
from eureka_loop.judge.learning import curves
from eureka_loop.report import log, pages, sections
from eureka_loop.report.comparison import compare
from eureka_loop.report.figures import learning
from eureka_loop.report.run_data import RunData
from eureka_loop.store import Run

PICTURE = "report-curves.svg"


def write_report(run: Run, *, picture: bool = True) -> Path:
    """Write report.md and its picture into the run's folder; a report of an unfinished run says so.

    Args:
        picture: whether to draw the learning curves, which takes a second or two.

    Raises:
        RunError: a file of the run is damaged, or the disk is full.
    """
    data, folder = RunData(run), shlex.quote(str(run.folder))
    comparison = compare(data.reports, *data.reported, floors=data.floors)
    svg = ""
    if picture:
        found = curves([each.trained for each in data.reports])
        names = [sections.name(each) for each in comparison.results]
        title = f"Learning curves of {data.task.name if data.task else ''}"
        svg = learning(found, names, title)
    if svg:
        files.write_text(run.folder / PICTURE, svg)
    page = pages.render(
        "report.md.j2",
        data=data, task=data.task, state=data.state, config=data.config, best=data.best, run=run.folder.name,
        folder=folder,
        human=f" --human {folder}/task/human.py" if data.task and data.task.human else "",
        given=(run.folder / "given.py").exists(),
        progress=log.progress(data.state),
        reported=any(each.results for each in data.reports),
        comparison=sections.report(comparison),
        sentences=list(sections.sentences(comparison)),
        picture=Markup(PICTURE) if svg else "",
        stopped=data.having("halted"),
        ranking=sections.ranking(data, notes=True),
        ranked_how=sections.ranked_how(data.ranking),
        trainings=numbers.plural(data.config.seeds, "training"),
        failures=sections.failures([*data.search, *data.reports], data.failed_floors),
        damaged=sections.damaged(data),
        cost=data.cost,
        seeds=lambda stream, count: numbers.series(seeds.seeds(stream, data.config.seed, count)),
        trainer=sections.trainer(data),
        made_by=run.record("made_by") or {"eureka-loop": __version__},
        sandbox=run.record("sandbox"),
    )  # fmt: skip
    path = run.folder / "report.md"
    files.write_text(path, page)
    return path
