"""report.md of a run: the best reward beside the references, all candidates, how to repeat it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

from eureka_loop import __version__, files, numbers, seeds
from eureka_loop.envs.registry import tasks
from eureka_loop.report import pages, sections
from eureka_loop.report.comparison import compared
from eureka_loop.report.curves import draw_curves
from eureka_loop.report.run_data import RunData
from eureka_loop.store import Run

PICTURE = "report-curves.png"


def write_report(run: Run, *, picture: bool = True) -> Path:
    """Write report.md and its picture into the run's folder; a report of an unfinished run says so.

    Args:
        picture: whether to draw the learning curves, which takes a second or two.

    Raises:
        RunError: a file of the run is damaged, or the disk is full.
    """
    data = RunData.read(run)
    comparison = compared(data)
    curves = [(sections.name(each), each.evaluated.trained) for each in comparison.results]
    title = data.task.name if data.task else ""
    drawn = picture and draw_curves(run.folder / PICTURE, curves, title)
    made_by = ", ".join(f"{key} {value}" for key, value in data.made_by.items())
    page = pages.render(
        "eureka_loop.report",
        "report.md.j2",
        data=data, task=data.task, state=data.state, config=data.config, best=data.best, folder=run.folder,
        quoted=shlex.quote(str(run.folder)),
        unfinished=data.state.ended != "finished" and data.ranking,
        progress=sections.progress(data.state),
        reported=any(each.results for each in data.reports),
        comparison=sections.comparison_grid(comparison),
        sentences=list(sections.sentences(comparison)),
        picture=Markup(PICTURE) if drawn else "",
        ranking=sections.ranking(data, notes=True),
        trainings=numbers.plural(data.config.seeds, "training"),
        stopped=sections.stopped(data),
        failures=sections.failures([*data.search, *data.reports]),
        cost=sections.cost(data),
        commands="\n".join(commands(data)),
        streams=list(streams(data)),
        trainer=sections.trained_by(data),
        made_by=made_by or f"eureka-loop {__version__}",
        sandbox=_sandbox(data.sandbox) if data.sandbox else "",
    )  # fmt: skip
    path = run.folder / "report.md"
    files.write_text(path, page)
    return path


def commands(data: RunData) -> Iterator[str]:
    """Commands that repeat the run, or train its winner alone."""
    folder = shlex.quote(str(data.run.folder))
    human = f" --human {folder}/task/human.py" if own_human(data) else ""
    given = (data.run.folder / "given.py").exists()
    if not given:
        again = f"eureka run --config {folder}/run.toml"
        yield from ("# the same again", again + human)
        replay = f"{again} --designer replay --replay {folder}{human}"
        yield from ("# the same programs, without asking a model", replay)
    if data.best is not None:
        report = f" --report-seeds {data.config.report_seeds}{human}" if data.config.report_seeds else ""
        yield "# the same again" if given else "# the winner, on the same seeds, without the search"
        yield f"eureka train {folder}/candidates/{data.best.id}/reward.py --config {folder}/run.toml{report}"


def own_human(data: RunData) -> bool:
    """Whether the hand-written reward is the user's own."""
    if data.task is None or data.task.human is None:
        return False
    known = tasks().get(data.task.name)
    return known is None or known.human != data.task.human


def streams(data: RunData) -> Iterator[tuple[str, str, str]]:
    """Seeds of training and judging, in the search and in the report."""
    config = data.config

    def shown(stream: seeds.Stream, count: int) -> str:
        return numbers.series(seeds.seeds(stream, config.seed, count))

    yield "Search", shown("training", config.seeds), shown("selection", config.judge_episodes)
    if config.report_seeds:
        training = shown("report_training", config.report_seeds)
        yield "Report", training, shown("report", config.judge_episodes)


def _sandbox(record: Mapping[str, Any]) -> str:
    through = ", ".join(record.get("not_refused", ()))
    return (
        f"{record.get('tier', 'unknown')} ({', '.join(record.get('layers', ()))}); of "
        f"{record.get('self_test_tried', 0)} forbidden operations tried in locked processes, "
        f"{record.get('self_test_refused', 0)} were refused" + (f", not {through}" if through else "")
    )
