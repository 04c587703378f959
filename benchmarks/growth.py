"""How time and memory of the population trainer grow, one thing at a time: learners, envs, steps, observables.

    python benchmarks/growth.py [--env HalfCheetah-v5] [--rounds 3]

From 16 learners with one env each, rollouts of 512 steps (minibatches of 64, 10 epochs) under the hand-written
reward, each row changes one number. Every row has a process of its own, with one thread; all are started and warmed
up first, then they take turns, a rollout and an update each, so that a busy machine slows all of them. Time is CPU
time a step (median of the turns), the peak of memory that of the process that trains; both beside the first row.
Observables: a program that adds up so many, one after the other from the vocabulary; it asks for them and no more.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from statistics import median

from learners import assembled
from population import PLAIN, answers

ROLLOUT = 512


@dataclass(frozen=True)
class Row:
    """What is trained; `observables` 0: the hand-written reward."""

    learners: int = 16
    envs: int = 1
    steps: int = ROLLOUT
    observables: int = 0


ROWS = (
    Row(),
    *(Row(learners=n) for n in (1, 4, 64)),
    *(Row(envs=n, steps=ROLLOUT // n) for n in (4, 16)),
    *(Row(steps=n) for n in (128, 2_048)),
    *(Row(observables=n) for n in (1, 10, 40)),
)


def main() -> None:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--env", default="HalfCheetah-v5")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--row", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.row:
        with ExitStack() as stack:
            work(options.env, Row(**json.loads(options.row)), stack)
        return
    rows = started(options.env)
    told = [[ask(process) for process in rows.values()] for _ in range(options.rounds)]
    print(f"{options.env}, a thread; beside the first row:")
    first, *others = [
        (median(each["us"] for each in turns), turns[-1]["gb"]) for turns in zip(*told, strict=True)
    ]
    for row, (us, gb) in zip(rows, (first, *others), strict=True):
        print(
            f"  {name(row):58} {us:6.0f} us a step, {us / first[0]:5.2f}; {gb:5.2f} GB, {gb / first[1]:5.2f}"
        )


def name(row: Row) -> str:
    asked = f"{row.observables} observables" if row.observables else "hand-written"
    return f"{row.learners} learners, {row.envs} envs, {row.steps} steps, {asked}"


def started(env: str) -> dict[Row, subprocess.Popen[str]]:
    """A process a row, ready; one after the other, since getting ready takes both cores."""
    one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    found = {}
    for row in ROWS:
        command = [sys.executable, __file__, "--env", env, "--row", json.dumps(asdict(row))]
        pipe = subprocess.PIPE
        found[row] = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env={**os.environ, **one})
        ask(found[row])
    return found


def ask(process: subprocess.Popen[str]) -> dict[str, float]:
    """One turn."""
    print("go", file=process.stdin, flush=True)
    (told,) = answers([process])
    return told


def work(env: str, row: Row, stack: ExitStack) -> None:
    """A row's life: a turn for every line on standard input."""
    from eureka_loop.envs.registry import find_domain

    task = find_domain(env).tasks[0]
    settings = {**PLAIN, "n_envs": row.envs, "n_steps": row.steps}
    source = program(env, row.observables) if row.observables else task.human or ""
    cohort = assembled(task, [source] * row.learners, settings, stack)
    for _ in sys.stdin:
        before = time.process_time()
        cohort.advance()
        steps = row.learners * row.envs * row.steps
        us = 1e6 * (time.process_time() - before) / steps
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        print(json.dumps({"us": us, "gb": peak / 1e9}), flush=True)


def program(env: str, count: int) -> str:
    """The sum of the vocabulary's first so many rows and numbers."""
    from eureka_loop.envs.registry import find_domain
    from eureka_loop.simulate.survey import survey

    domain = find_domain(env)
    flat = [each for each in survey(domain.tasks[0], domain).vocabulary.observables if len(each.shape) < 2]
    shown = [each for each in flat if not each.hidden][:count]
    assert len(shown) == count, f"{env} has {len(shown)} such observables"
    terms = [f"{each.name}.sum(axis=1)" if each.shape else each.name for each in shown]
    names = ", ".join(each.name for each in shown)
    return f"def compute_reward({names}):\n    return {{'sum': {' + '.join(terms)}}}\n"


if __name__ == "__main__":
    main()
