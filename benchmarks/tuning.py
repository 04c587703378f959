"""Last generations of a search: other weights for its best program beside new programs, at equal steps.

    python benchmarks/tuning.py reacher-reach --searches 4 --steps 20480 --generations 4 --share 0.5

The generations before are the same in both: a search by the embedded designer is forked where its share of
tuning begins. Each side's choice is then trained on fresh seeds, the same for both. A row: fitness of the best
program before the fork, of what new programs end with, of what tuning ends with; means over fresh seeds. The
first is the score in the search, so partly luck; the last line has the difference of the other two.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from eureka_loop.config import RunConfig, amend
from eureka_loop.judge.statistics import Z
from eureka_loop.report.run_data import RunData
from eureka_loop.search import assemble
from eureka_loop.search.describe import keep_task
from eureka_loop.store import Run


def follow(run: Run) -> RunData:
    with run, assemble.assembled(run) as search:
        assemble.follow(search)
    return RunData(run)


def forked(run: Run, name: str, options: argparse.Namespace, share: float) -> tuple[str, float]:
    """The winner of a search that goes on from another's generations, and its fitness on fresh seeds."""
    folder = run.folder.with_name(name)
    shutil.copytree(run.folder, folder)
    numbers = {"generations": options.generations, "report_seeds": options.report_seeds}
    amend(folder / "run.toml", {**numbers, "tune_share": share})
    data = follow(Run.open(folder).lock())
    assert data.winner is not None
    return data.winner.id, float(data.reports[0].fitness or 0.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("task")
    for name, default in (("searches", 4), ("steps", 20_480), ("generations", 4), ("samples", 8)):
        parser.add_argument(f"--{name}", type=int, default=default)
    for name, default in (("confirm", 3), ("report-seeds", 10), ("jobs", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--share", type=float, default=0.5)
    options = parser.parse_args()
    before = options.generations - max(1, round(options.share * options.generations))
    numbers = {name: getattr(options, name) for name in ("task", "steps", "samples", "confirm", "jobs")}
    gains = []
    with tempfile.TemporaryDirectory() as place:
        for seed in range(options.searches):
            config = RunConfig(**numbers, designer="templates", generations=before, report_seeds=0)
            run = assemble.create(replace(config, seed=seed, out=Path(place) / str(seed), minutes=0))
            task = replace(run.task(), human=None, native=(), sparse=None)  # no references
            keep_task(run.task_folder, task)
            best = follow(run).ranking[0]
            (new, fresh), (tuned, reached) = (
                forked(run, name, options, share) for name, share in (("new", 0.0), ("tuned", options.share))
            )
            gains.append(reached - fresh)
            row = f"{best.candidate.id} {best.fitness:.4g}   new {new} {fresh:.4g}   tuned {tuned} {reached:.4g}"
            print(f"search {seed}   {row}", flush=True)
    error = float(np.std(gains, ddof=1)) / len(gains) ** 0.5 if len(gains) > 1 else float("nan")
    print(
        f"tuned - new {np.mean(gains):+.4g} ± {Z * error:.2g}, better in {sum(g > 0 for g in gains)} of {len(gains)}"
    )


if __name__ == "__main__":
    main()
