"""The searches of a bench, one after the other, each from wherever it stands; then the report."""

from __future__ import annotations

import contextlib
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from eureka_loop import files
from eureka_loop.cli.run import LIMIT_REACHED
from eureka_loop.config import RunConfig
from eureka_loop.errors import BudgetSpent, EurekaError, RunError
from eureka_loop.execute.budget import time_worked
from eureka_loop.report.bench import plan
from eureka_loop.report.bench.plan import Bench, Search
from eureka_loop.report.bench.progress import Progress, SearchLog
from eureka_loop.run_folder import RunFolder
from eureka_loop.store import Run


def done(folder: Path) -> set[Search]:
    """The searches that have ended, but for those of which a training that crashed is to be tried again."""
    return {search for search, run in plan.runs(folder).items() if plan.settled(run)}


def carry_out(whole: Bench, asked: Bench, folder: Path, progress: Progress) -> int:
    """Do what is left, write the report; whatever stops it, the same command goes on. The exit status.

    Args:
        whole: all that the folder is about.
        asked: what of it is to be done now.
    """
    from eureka_loop.report.bench import terminal

    folder.mkdir(parents=True, exist_ok=True)
    with RunFolder(folder).lock():
        files.write_json(folder / plan.SETUP, whole)
        try:
            _search_all(asked, folder, progress)
        except KeyboardInterrupt:
            return _stopped(folder, "interrupted", 130)
        except BudgetSpent as spent:
            return _stopped(folder, limit(spent, asked.config), LIMIT_REACHED)
        except EurekaError as error:
            _stopped(folder, str(error), 1)
            raise
        facts, scores, paths = _report(folder)
        terminal.print_summary(facts, scores, paths)
        return 0 if any(each.done for each in facts.tasks) else 1


def _search_all(asked: Bench, folder: Path, progress: Progress) -> None:
    from eureka_loop.report.bench import terminal
    from eureka_loop.report.bench.facts import searched

    ended = done(folder)
    for search, run in plan.runs(folder).items():
        if search in ended and search in asked.wanted:
            progress.end(search, time_worked(run.events()))
    for search in asked.wanted:
        if search in ended:
            continue
        progress.begin(search)
        terminal.print_line(progress.line(None, time.time()))
        run = _search(asked, search, folder, progress)
        terminal.print_line(terminal.of_search(searched(search, run)))


def _search(asked: Bench, search: Search, folder: Path, progress: Progress) -> Run:
    """One search to its end, from wherever it stands."""
    from eureka_loop.report.live import Live
    from eureka_loop.report.markdown import write_report
    from eureka_loop.search import assemble as wiring

    began = time.monotonic()
    run = _opened(asked, search, folder)
    before = time_worked(run.events())
    with run:
        look_on = Live(run, log=SearchLog(progress), above=progress.line)
        with wiring.stops_recorded(run), look_on, wiring.stages(run, asked.config.jobs) as stages:
            run.listen(look_on)
            wiring.follow(run, stages)
        write_report(run)
    progress.end(search, before + time.monotonic() - began)
    return run


def _opened(asked: Bench, search: Search, folder: Path) -> Run:
    """The search's run, begun now or before, with what is left of the limits."""
    from eureka_loop.report.terminal import LOOKING, waiting
    from eureka_loop.search import assemble as wiring

    begun = plan.runs(folder)
    others = plan.spent(run for each, run in begun.items() if each != search)
    limits: dict[str, Any] = dict(plan.left(asked.config, others))
    if search not in begun:
        with waiting(LOOKING):
            return wiring.create(replace(asked.config_of(search, folder), **limits))
    run = begun[search].lock()
    plan.grant(run, asked.config, limits)
    run.event("resumed")
    return run


def limit(spent: BudgetSpent, config: RunConfig) -> str:
    """Which of the bench's limits it was: a search's own are what was left of them."""
    flag = str(spent).split()[0].rstrip(":")
    value = getattr(config, flag.removeprefix("--").replace("-", "_"), None)
    return str(spent) if value is None else f"{flag} {value:g} is reached; give more to go on"


def _report(folder: Path) -> tuple[Any, Any, list[Path]]:
    from eureka_loop.report.bench.facts import BenchFacts
    from eureka_loop.report.bench.scores import scores
    from eureka_loop.report.bench.write import write

    facts = BenchFacts.of(folder)
    found = scores(facts)
    return facts, found, write(facts, found)


def _stopped(folder: Path, reason: str, status: int) -> int:
    """Write what there is, say how to go on."""
    from eureka_loop.report.bench import terminal

    with contextlib.suppress(RunError):  # a full disk may be why it stopped
        facts, _, paths = _report(folder)
        terminal.print_stopped(facts, reason, facts.bench.command)
        terminal.print_line(f"Report so far: {paths[-1]}")
    return status
