"""report.md: the best reward, its comparison with the references, all candidates, cost, how to repeat it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from eureka_loop import __version__, files, seeds
from eureka_loop.envs.registry import tasks
from eureka_loop.report import sections, text
from eureka_loop.report.comparison import compared
from eureka_loop.report.curves import draw_curves
from eureka_loop.report.run_data import RunData
from eureka_loop.report.sections import Grid
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
    shown = [(sections.name(each), each.evaluated.trained) for each in compared(data).results]
    title = data.task.name if data.task else ""
    drawn = picture and draw_curves(run.folder / PICTURE, shown, title)
    path = run.folder / "report.md"
    parts = [_task, _winner, lambda data: _fitness(data, drawn=drawn), _candidates, _cost, _repeat]
    files.write_text(path, "\n".join(line for part in parts for line in part(data)) + "\n")
    return path


def _task(data: RunData) -> Iterator[str]:
    task = data.task
    yield f"# {escaped(task.name if task else data.run.folder.name)}"
    yield ""
    if data.state.ended != "finished" and data.ranking:
        why = f" ({escaped(data.state.ended)})" if data.state.ended else ""
        done = sections.progress(data.state)
        yield f"**Not finished**{why}: {done} when this was written. To go on, and write it again:"
        yield from ("", "```sh", f"eureka resume {shlex.quote(str(data.run.folder))}", "```", "")
    if task is not None:
        yield f"> {escaped(task.text)}"
        yield ""
        yield f"On {escaped(task.env_id)}. Fitness, measured on whole episodes and independent of the reward:"
        yield ""
        yield from fenced(task.fitness)


def _winner(data: RunData) -> Iterator[str]:
    yield from ("", "## The best reward", "")
    if data.best is None:
        yield "No candidate could be trained; the failures below say why."
        return
    if data.winner is None:
        yield f"The run ended before its report. Best so far: `{data.best.id}`, on the search's seeds alone."
    else:
        note = f" ({escaped(data.winner.note)})" if data.winner.note else ""
        yield f"`{data.winner.id}`, written by {escaped(data.winner.designer)}{note}."
    yield ""
    yield from fenced(data.best.source)


def _fitness(data: RunData, *, drawn: bool) -> Iterator[str]:
    comparison = compared(data)
    if not any(each.evaluated.results for each in comparison.results):
        return
    yield from ("", "## Beside the hand-written and the sparse reward", "")
    yield (
        f"Each trained again for {data.config.steps:,} steps on seeds that the search never saw, and its "
        f"final policy judged in {text.plural(data.config.judge_episodes, 'episode')} a seed. Fitness is "
        "the interquartile mean over seeds (below 4 seeds: the mean), the interval a 95% stratified "
        "bootstrap over seeds."
    )
    yield ""
    yield from _grid(sections.comparison_grid(comparison))
    yield ""
    yield from (f"- {escaped(sentence)}" for sentence, _ in sections.sentences(comparison))
    if drawn:
        yield from ("", f"![Fitness over training: each seed thin, their mean thick]({PICTURE})")


def _candidates(data: RunData) -> Iterator[str]:
    yield from ("", "## All candidates", "")
    if not data.ranking:
        yield "None finished training."
    else:
        yield (
            f"Mean fitness on the search's seeds ({text.plural(data.config.seeds, 'training')} each). The "
            "best of many noisy numbers is partly luck; that is why the winner was trained again."
        )
        yield ""
        yield from _grid(sections.ranking(data, notes=True))
    if data.stopped:
        yield from ("", "## Stopped early", "")
        yield (
            "The candidates with the best fitness after a part of the steps were trained further, these "
            "were not. Their fitness is that of a half-trained policy."
        )
        yield ""
        yield from _grid(sections.stopped(data))
    failures = sections.failures([*data.search, *data.reports])
    if failures.rows:
        yield from ("", "## Failures", "", "A failure has no score and is left out of every mean.", "")
        yield from _grid(failures)


def _cost(data: RunData) -> Iterator[str]:
    yield from ("", "## Cost", "", f"{sections.cost(data)}.")


def _repeat(data: RunData) -> Iterator[str]:
    config = data.config
    yield from ("", "## How to repeat it", "", "```sh", *_commands(data), "```", "")
    streams: list[tuple[str, seeds.Stream, seeds.Stream, int]] = [
        ("Search", "training", "selection", config.seeds)
    ]
    if config.report_seeds:
        streams.append(("Report", "report_training", "report", config.report_seeds))
    for name, training, judging, count in streams:
        trained = text.series(seeds.seeds(training, config.seed, count))
        judged = text.series(seeds.seeds(judging, config.seed, config.judge_episodes))
        yield f"- {name}: training seeds {trained}; judged on seeds {judged}"
    if by := sections.trained_by(data):
        yield f"- Trained by {escaped(by)}; hyperparameters: task/training.json"
    made_by = ", ".join(f"{key} {value}" for key, value in data.made_by.items())
    yield f"- Made by {escaped(made_by or f'eureka-loop {__version__}')}"
    if data.sandbox:
        yield f"- Sandbox: {escaped(_sandbox(data.sandbox))}"


def _commands(data: RunData) -> Iterator[str]:
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


def _sandbox(record: Mapping[str, Any]) -> str:
    through = ", ".join(record.get("not_refused", ()))
    return (
        f"{record.get('tier', 'unknown')} ({', '.join(record.get('layers', ()))}); of "
        f"{record.get('self_test_tried', 0)} forbidden operations tried in locked processes, "
        f"{record.get('self_test_refused', 0)} were refused" + (f", not {through}" if through else "")
    )


def _grid(grid: Grid) -> Iterator[str]:
    return table([head for head, _ in grid.heads], grid.rows)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A Markdown table; cells are text."""
    yield f"| {' | '.join(heads)} |"
    yield f"|{'---|' * len(heads)}"
    for cells in rows:
        yield f"| {' | '.join(escaped(cell) for cell in cells)} |"


def fenced(source: str, language: str = "python") -> Iterator[str]:
    """A program in a fence longer than any in the program."""
    ticks = max((len(run) for run in re.findall("`+", source)), default=0)
    fence = "`" * max(3, ticks + 1)
    yield from (f"{fence}{language}", text.clean(source).strip("\n"), fence)


def escaped(foreign: str) -> str:
    """One line that Markdown and HTML take for text."""
    line = text.one_line(foreign).replace("&", "&amp;").replace("<", "&lt;")
    return re.sub(r"([\\`*_\[\]|~#>$])", r"\\\1", line)
