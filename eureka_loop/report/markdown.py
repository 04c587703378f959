"""report.md: what a run found, in words that don't promise more than the numbers do."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from eureka_loop import __version__, files, seeds
from eureka_loop.config import RunConfig
from eureka_loop.envs.registry import tasks
from eureka_loop.report import standings, text, words
from eureka_loop.report.comparison import Comparison, compared
from eureka_loop.report.curves import draw_curves
from eureka_loop.report.facts import Facts
from eureka_loop.report.inspect import progress, spent, stopped_cells, term_shares, trained_by
from eureka_loop.results import Evaluated
from eureka_loop.store import Run

PICTURE = "report-curves.png"


def write_report(run: Run, *, picture: bool = True) -> Path:
    """Write report.md and its picture into the run's folder; of an unfinished run what there is, marked so.

    Args:
        picture: whether to draw it, which takes a second or two.

    Raises:
        RunError: a file of the run is damaged, or the disk is full.
    """
    found = Facts.of(run)
    comparison = compared(found)
    shown = [(standings.name(each), each.evaluated.trained) for each in comparison.results]
    title = found.task.name if found.task else ""
    pictured = picture and draw_curves(run.folder / PICTURE, shown, title)
    path = run.folder / "report.md"
    files.write_text(path, "\n".join(_lines(found, comparison, pictured=pictured)) + "\n")
    return path


def _lines(found: Facts, comparison: Comparison, *, pictured: bool) -> Iterator[str]:
    yield from _task(found)
    yield from _winner(found)
    yield from _fitness(found, comparison, pictured=pictured)
    yield from _ranking(found)
    yield from _stopped(found)
    yield from _failures(found)
    yield from _costs(found)
    yield from _provenance(found)


def _task(found: Facts) -> Iterator[str]:
    task = found.task
    yield f"# {escaped(task.name if task else found.run.folder.name)}"
    yield ""
    yield from _unfinished(found)
    if task is not None:
        yield f"> {escaped(task.text)}"
        yield ""
        yield f"On {escaped(task.env_id)}. Fitness, measured on whole episodes and never on the reward:"
        yield ""
        yield from fenced(task.fitness)


def _unfinished(found: Facts) -> Iterator[str]:
    """That the run stopped on its way, how far it was, and how to go on."""
    if found.board.ended == "finished" or not found.ranking:
        return
    why = f" ({escaped(found.board.ended)})" if found.board.ended else ""
    yield f"**Not finished**{why}: {progress(found.board)} when this was written. To go on, and have it anew:"
    yield from ("", "```sh", f"eureka resume {shlex.quote(str(found.run.folder))}", "```", "")


def _winner(found: Facts) -> Iterator[str]:
    yield from ("", "## The best reward", "")
    if found.winner is None:
        best = found.ranking[0].candidate if found.ranking else None
        if best is None:
            yield "No candidate could be trained; the failures below say why."
            return
        yield f"The run ended before its report. Best so far: `{best.id}`, on the search's seeds alone."
        yield ""
        yield from fenced(best.source)
        return
    yield f"`{found.winner.id}`, written by {escaped(found.winner.designer)}" + (
        f" ({escaped(found.winner.note)})." if found.winner.note else "."
    )
    yield ""
    yield from fenced(found.winner.source)


def _fitness(found: Facts, comparison: Comparison, *, pictured: bool) -> Iterator[str]:
    if not any(each.evaluated.results for each in comparison.results):
        return
    yield from ("", "## Beside the hand-written and the sparse reward", "")
    yield (
        f"Each trained again for {found.config.steps:,} steps on seeds that the search never saw, and its "
        f"final policy judged in {text.plural(found.config.judge_episodes, 'episode')} a seed. Fitness is "
        "the interquartile mean over seeds (below 4 seeds: the mean), the interval a 95% stratified "
        "bootstrap over seeds."
    )
    yield ""
    yield from table(
        ("reward", "fitness", "95% interval", "success", "each seed"),
        [standings.cells(each, comparison) for each in comparison.results],
    )
    yield ""
    for sentence, _ in standings.sentences(comparison):
        yield f"- {escaped(sentence)}"
    if pictured:
        yield ""
        yield f"![Fitness over training: each seed thin, their mean thick]({PICTURE})"


def _ranking(found: Facts) -> Iterator[str]:
    yield from ("", "## All candidates", "")
    if not found.ranking:
        yield "None finished training."
        return
    yield (
        f"Mean fitness on the search's seeds ({text.plural(found.config.seeds, 'training')} each). The best "
        "of many noisy numbers looks better than it is; that is why the winner was measured afresh."
    )
    yield ""
    values = text.numbers(each.fitness for each in found.ranking)
    rows = [
        [str(place), each.candidate.id, value, term_shares(each), *_origin(each)]
        for place, (each, value) in enumerate(zip(found.ranking, values, strict=True), start=1)
    ]
    yield from table(("", "id", "fitness", "terms, by share of the reward", "from", "note"), rows)


def _stopped(found: Facts) -> Iterator[str]:
    if not found.stopped:
        return
    yield from ("", "## Stopped early", "")
    yield (
        "After a part of the steps the candidates with the best fitness went on from where they were; these "
        "didn't. Their fitness is that of a half-trained policy: it ranks below all that got further."
    )
    yield ""
    yield from table(
        ("id", "after", "fitness", "needed", "terms, by share of the reward", "from"), stopped_cells(found)
    )


def _origin(evaluated: Evaluated) -> tuple[str, str]:
    return ", ".join(evaluated.candidate.parents), evaluated.candidate.note


def _failures(found: Facts) -> Iterator[str]:
    failures = [failure for each in (*found.search, *found.reports) for failure in each.failures]
    if not failures:
        return
    yield from ("", "## Failures", "")
    yield "A failure has no score: it is left out of every mean, and said."
    yield ""
    rows = [
        [
            words.label(failure.candidate),
            "before training" if failure.seed is None else f"seed {failure.seed}",
            words.failure(failure.kind),
            text.one_line(failure.message, 300),
        ]
        for failure in failures
    ]
    yield from table(("candidate", "when", "failure", "message"), rows)


def _costs(found: Facts) -> Iterator[str]:
    yield from ("", "## Cost", "")
    yield f"{spent(found)}."


def _provenance(found: Facts) -> Iterator[str]:
    config = found.config
    yield from ("", "## How to repeat it", "", "```sh", *_commands(found), "```", "")
    yield _streams("Search", "training", "selection", config.seeds, config)
    if config.report_seeds:
        yield _streams("Report", "report_training", "report", config.report_seeds, config)
    if by := trained_by(found):
        yield f"- Trained by {escaped(by)}; hyperparameters: task/training.json"
    made_by = ", ".join(f"{key} {value}" for key, value in found.made_by.items())
    yield f"- Made by {escaped(made_by or f'eureka-loop {__version__}')}"
    yield from _sandbox(found.sandbox)


def _commands(found: Facts) -> Iterator[str]:
    """What to type to have the run again, or its winner alone."""
    folder, human = shlex.quote(str(found.run.folder)), ""
    if brought_human(found):
        human = f" --human {folder}/task/human.py"
    given = (found.run.folder / "given.py").exists()
    if not given:
        again = f"eureka run --config {folder}/run.toml"
        yield from ("# the same again", again + human)
        yield from (
            "# the same programs, without asking a model",
            f"{again} --designer replay --replay {folder}{human}",
        )
    best = found.best
    if best is not None:
        program = f"{folder}/candidates/{best.id}/reward.py"
        report = f" --report-seeds {found.config.report_seeds}{human}" if found.config.report_seeds else ""
        yield "# the same again" if given else "# the winner, on the same seeds, without the search"
        yield f"eureka train {program} --config {folder}/run.toml{report}"


def brought_human(found: Facts) -> bool:
    """Whether the hand-written reward is one that the user gave."""
    if found.task is None or found.task.human is None:
        return False
    known = tasks().get(found.task.name)
    return known is None or known.human != found.task.human


def _sandbox(record: Mapping[str, Any]) -> Iterator[str]:
    if not record:
        return
    tried, refused = record.get("self_test_tried", 0), record.get("self_test_refused", 0)
    through = ", ".join(record.get("not_refused", ()))
    said = (
        f"{record.get('tier', 'unknown')} ({', '.join(record.get('layers', ()))}); of {tried} forbidden "
        f"things that locked processes tried, {refused} were refused"
        + (f", not so {through}" if through else "")
    )
    yield f"- Sandbox: {escaped(said)}"


def _streams(name: str, training: seeds.Stream, judging: seeds.Stream, count: int, config: RunConfig) -> str:
    trained = text.series(seeds.seeds(training, config.seed, count))
    judged = text.series(seeds.seeds(judging, config.seed, config.judge_episodes))
    return f"- {name}: training seeds {trained}; judged on seeds {judged}"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A Markdown table; cells are text."""
    yield f"| {' | '.join(heads)} |"
    yield f"|{'---|' * len(heads)}"
    for cells in rows:
        yield f"| {' | '.join(escaped(cell) for cell in cells)} |"


def fenced(source: str, language: str = "python") -> Iterator[str]:
    """A program in a fence that nothing in it can close."""
    ticks = max((len(run) for run in re.findall("`+", source)), default=0)
    fence = "`" * max(3, ticks + 1)
    yield from (f"{fence}{language}", text.clean(source).strip("\n"), fence)


def escaped(words: str) -> str:
    """Text that Markdown and HTML take for text, on one line."""
    line = text.one_line(words).replace("&", "&amp;").replace("<", "&lt;")
    return re.sub(r"([\\`*_\[\]|~#>$])", r"\\\1", line)
