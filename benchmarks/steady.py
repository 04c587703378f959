"""What waiting costs: a search that waits for whole generations, one that overlaps, and a steady one.

    python benchmarks/steady.py [--generations 3] [--samples 8] [--replies 1 20] [--trainings 2 20] [--speed 8]

Replies take as long as drawn, 1 to 20 s, the same for all three. Trainings are stand-ins in real worker
processes: they sleep for as long as a cohort takes, which grows little with its size (`--fixed` of the time that
four take is spent on a cohort of none). The gate lets everything through. So nothing here needs a core, and a busy
machine measures nearly the same. Everything runs `--speed` times faster than it says; times are printed as they
would be. The rest is the search itself: the writer and its threads, the engine, and whom they wait for.

Last line: wall-clock of the steady search ÷ that of the one that waits, for the first length of training.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from eureka_loop.execute import line, local
from eureka_loop.execute.budget import Deadline
from eureka_loop.execute.evaluate import Evaluation, Plan
from eureka_loop.execute.group import Stretch
from eureka_loop.execute.local import LocalEngine
from eureka_loop.execute.machine import Share
from eureka_loop.execute.processes import Worker, answered
from eureka_loop.propose.designer import ReplySink, Request
from eureka_loop.propose.write import Gate, Writer
from eureka_loop.records import Candidate, Later, Reply, Task, Training
from eureka_loop.results import Evaluated
from eureka_loop.reward.vocabulary import Observable, Vocabulary
from eureka_loop.search import loop
from eureka_loop.search.eureka import EurekaStrategy
from eureka_loop.search.steady import SteadyStrategy
from eureka_loop.search.steady_loop import search_steadily
from eureka_loop.search.strategy import Ask
from eureka_loop.store import Run

VOCABULARY = Vocabulary("E-v0", (Observable("height", ()),), horizon=10, dt=0.1)
TASK = Task("t", "E-v0", "rise", "f")
PROGRAM = "def compute_reward(height, *, weight={}.0):\n    return {{'height': weight * height}}\n"
WAYS = ("whole generations", "overlapping", "steady")
STAND_IN = """
import json, os, sys, time
from pathlib import Path
from eureka_loop import files
from eureka_loop.results import Trained, judged_episode

for text in sys.stdin:
    folders = [Path(folder) for folder in json.loads(text)]
    began = time.time()
    time.sleep({four} * ({fixed} + (1 - {fixed}) * len(folders) / 4) if folders else 0.0)
    for folder in folders:
        score = judged_episode(7, float(len(folder.parent.name)), None, 1)
        done = Trained(folder.parent.name, 0, 10, (score,), (), {{}}, (time.time() - began) / len(folders))
        files.write_json(folder / "result.json", done)
    os.write(1, b"done\\n")
"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--generations", type=int, default=3)
    parser.add_argument("--samples", type=int, default=8)
    parser.add_argument("--replies", type=float, nargs=2, default=(1.0, 20.0), help="s, shortest and longest")
    parser.add_argument("--trainings", type=float, nargs="+", default=(2.0, 20.0), help="s, of four together")
    parser.add_argument("--fixed", type=float, default=0.7)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--speed", type=float, default=8.0)
    options = parser.parse_args()
    line.FIRST_PATIENCE, local.TICK = line.FIRST_PATIENCE / options.speed, local.TICK / options.speed
    ratios = [show(options, seconds) for seconds in options.trainings]
    print(f"ratio: {ratios[0]:.2f}")


def show(options: argparse.Namespace, seconds: float) -> float:
    low, high = options.replies
    print(
        f"replies take {low:g} to {high:g} s, four trainings together {seconds:g} s, {options.workers} workers"
    )
    took = {way: timed(options, way, seconds) for way in WAYS}
    for way, each in took.items():
        times, idle = each.wall / took[WAYS[0]].wall, 1 - each.busy / each.wall / options.workers
        print(f"  {way:18} {each.wall * options.speed:6.0f} s ({times:.2f}), workers idle {100 * idle:3.0f}%")
    return took["steady"].wall / took[WAYS[0]].wall


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds: of the whole search, and of the workers' work."""

    wall: float
    busy: float


def timed(options: argparse.Namespace, way: str, seconds: float) -> Took:
    """One search, in one of three ways."""
    with tempfile.TemporaryDirectory() as folder, Run.create(Path(folder), "t") as run:
        stand_in = Path(folder) / "stand_in.py"
        stand_in.write_text(STAND_IN.format(four=seconds / options.speed, fixed=options.fixed))
        share = Share(options.workers, 32)
        ready = [Worker([str(stand_in)]) for _ in range(share.workers)]
        for worker in ready:
            worker.give([])
            answered([worker], None)
        with LocalEngine(share, ready.pop) as engine:
            stages = staged(run, Slow(options), engine, waits=way == WAYS[0])
            began = time.monotonic()
            search(run, options, stages, steady=way == "steady")
            wall = time.monotonic() - began
        done = [run.evaluated(id).trained[0].seconds for id in run.candidate_ids()]
    return Took(wall, sum(done))


def search(run: Run, options: argparse.Namespace, stages: loop.Stages, *, steady: bool) -> None:
    size = options.generations, options.samples
    if steady:
        search_steadily(run, SteadyStrategy(*size), stages)
    else:
        loop.search(run, EurekaStrategy(*size), stages)


class Slow:
    """A designer whose replies take long; each sample's time follows from its number."""

    name = "slow"

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options

    def propose(self, request: Request, sink: ReplySink) -> None:
        """All at once, as calls in threads are."""
        began = time.monotonic()
        for seconds, sample in sorted((self._seconds(request, each), each) for each in request.wanted):
            time.sleep(max(0.0, began + seconds - time.monotonic()))
            sink.keep(sample, Reply(PROGRAM.format(1 + sample)))

    def _seconds(self, request: Request, sample: int) -> float:
        rng = np.random.default_rng([request.generation, sample])
        return float(rng.uniform(*self._options.replies)) / self._options.speed


class Open(Gate):
    """A gate that lets everything through."""

    def __init__(self) -> None:
        pass

    def admit(self, source: str, *, hidden: bool = False) -> tuple[str, ...]:
        return ("height",)


def staged(run: Run, designer: Slow, engine: LocalEngine, *, waits: bool) -> loop.Stages:
    """The stages of a search; `waits`: none is trained before all of a generation are written."""
    writer = Writer(run, designer, Open(), Deadline(None))
    evaluation = Evaluation(run, engine, Plan(TASK, Training("ppo", {}, "population"), 10), Deadline(None))

    def brief(ask: Ask, history: Sequence[Evaluated]) -> Request:
        request = Request(TASK, VOCABULARY, "ppo", 0.99, 10, ask.generation, ask.samples, 0)
        return replace(request, history=history, only=ask.only)

    def write(requests: Iterable[Request | None]) -> Iterator[Candidate | Later]:
        written = writer.write(requests)
        return iter([each for each in written if isinstance(each, Candidate)]) if waits else written

    return loop.Stages(
        brief=brief,
        write=write,
        train=lambda candidates: evaluation.stream(candidates, Stretch((0,), (7,))),
        retrain=lambda _: [],
    )


if __name__ == "__main__":
    main()
