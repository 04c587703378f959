"""report.html and report.md of a run: the best reward beside the references, films, all candidates."""

from __future__ import annotations

import shlex
from pathlib import Path

from markupsafe import Markup

from eureka_loop import __version__, numbers, seeds
from eureka_loop.execute.films import films
from eureka_loop.judge.learning import curves
from eureka_loop.report import log, pages, sections
from eureka_loop.report.figures import learning
from eureka_loop.report.run_data import RunData
from eureka_loop.store import Run

PICTURE = "report-curves.svg"


def write_report(run: Run, *, pictures: bool = True) -> list[Path]:
    """Write the reports into the run's folder; those of an unfinished run say so.

    Args:
        pictures: whether to draw learning curves and films, for seconds; else report.md is all.

    Raises:
        RunError: a file of the run is damaged, or the disk is full.
    """
    data, folder = RunData(run), shlex.quote(str(run.folder))
    comparison = data.comparison
    chosen, svg = data.winner if pictures else None, ""
    shown, why_no_films = films(run, chosen.id) if chosen else ([], "the run hasn't ended")
    if pictures:
        found = curves([each.trained for each in data.reports])
        names = [sections.name(each) for each in comparison.results]
        title = f"Learning curves of {data.task.name if data.task else ''}"
        svg = learning(found, names, title)
    documents = pages.render(
        "",
        pages.REPORTS if pictures else ("report.md",),
        data=data, task=data.task, state=data.state, config=data.config, best=data.best, run=run.folder.name,
        folder=folder,
        human=f" --human {folder}/task/human.py" if data.task and data.task.human else "",
        given=(run.folder / "given.py").exists(),
        progress=log.progress(data.state),
        reported=data.winner is not None and any(each.results for each in data.reports),
        comparison=sections.report(comparison),
        tuned=sections.tuned(data),
        sentences=list(sections.sentences(comparison)),
        picture=Markup(PICTURE) if svg else "",
        curves=Markup(svg),
        films=shown,
        why_no_films=why_no_films,
        ranking=sections.ranking(data, notes=True),
        ranked_how=sections.ranked_how(data.ranking),
        trainings=sections.trainings(data.config),
        failures=sections.failures([*data.search, *data.reports], data.failed_floors),
        damaged=sections.damaged(data),
        cost=data.cost,
        seeds=lambda stream, count: numbers.series(seeds.seeds(stream, data.config.seed, count)),
        trainer=sections.trainer(data),
        origin=sections.origin(*data.elsewhere),
        made_by=run.record("made_by") or {"eureka-loop": __version__},
        sandbox=run.record("sandbox"),
    )  # fmt: skip
    return pages.write(run.folder, {**documents, **({PICTURE: svg} if svg else {})})
