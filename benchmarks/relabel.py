"""Gain of beginning a SAC training with the trajectory bank's transitions, relabelled by its own program.

    python benchmarks/relabel.py [--task invertedpendulum-balance] [--steps 1000] [--seeds 3] [--policies 3] [--most 300]

First a bank is made, as a run makes one: random episodes, and one of each policy that programs of the embedded
designer trained. Then two programs that it knows nothing of, the hand-written one and one more of the designer's, are
trained with every seed in turn

- from scratch;
- relabelled: beginning with the bank's transitions, which count towards `learning_starts`;
- later (`--arms relabelled later`): the same, but with as many random steps before learning as from scratch.

Per program: CPU time; fitness of the training's episodes averaged over its steps (the learning curve's height), and
that of the final policy in fresh episodes; differences from scratch, means over seeds with a 95% bootstrap interval;
the ratio of heights where both are above 0. Small on purpose: episodes of 100 steps, networks 64 wide, batches of 64, a learning rate of 1e-3.
In a run with `--samples 8 --steps 100000` on HalfCheetah a second generation finds 11,000 transitions in the bank,
a tenth of its own; here it is up to a third.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from sac import Learnt, difference, learnt, trained

from eureka_loop.envs.registry import find_domain, find_task
from eureka_loop.judge.base import TaskJudge
from eureka_loop.judge.screening import RANDOM
from eureka_loop.judge.trajectory import length, read
from eureka_loop.propose.designer import Request
from eureka_loop.propose.templates.designer import TemplatesDesigner
from eureka_loop.records import Job, Task
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.vocabulary import Vocabulary
from eureka_loop.search.bank import Bank, BankEpisode
from eureka_loop.simulate.recorded import survey
from eureka_loop.train.saved import record_random

EPISODE = 100  # steps
JUDGED = tuple(range(1_000_000, 1_000_010))
SETTINGS = {"batch_size": 64, "learning_rate": 1e-3, "policy_kwargs": {"net_arch": [64, 64]}}
START = 0.1  # of the steps, as 10,000 of 100,000
ARMS = ("scratch", "relabelled", "later")


def main() -> None:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--task", default="invertedpendulum-balance")
    parser.add_argument("--steps", type=int, default=1_000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--policies", type=int, default=3, help="in the bank")
    parser.add_argument("--most", type=int, default=300, help="transitions to begin with")
    parser.add_argument("--arms", nargs="+", default=["relabelled"], choices=ARMS[1:], help="beside scratch")
    options = parser.parse_args()
    options.arms = list(dict.fromkeys(("scratch", *options.arms)))
    torch.set_num_threads(1)
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, torch {torch.__version__}")
    task = replace(find_task(options.task), env_kwargs={"max_episode_steps": EPISODE})
    with tempfile.TemporaryDirectory() as folder, ForkServer() as fork_server:
        vocabulary = survey(task, find_domain(task.env_id)).vocabulary
        *others, last = designed(task, vocabulary, options)
        bank = made(task, vocabulary, others, options, Path(folder), fork_server)
        begin_with = tuple(str(path) for path in bank.transitions(options.most))
        amount = sum(length(Path(path)) for path in begin_with)
        print(
            f"{task.name}, {options.steps} steps; bank: {len(bank.policies)} episodes, fitness {bank.fitness.min():.2f} to "
            f"{bank.fitness.max():.2f}; {len(begin_with)} of them with {amount} transitions to begin with",
            flush=True,
        )
        for name, source in {"hand-written": task.human or "", "the designer's": last}.items():
            show(name, study(task, source, begin_with, amount, options, fork_server))


def designed(task: Task, vocabulary: Vocabulary, options: argparse.Namespace) -> list[str]:
    """Programs for the bank's policies, and one more."""
    blind = replace(task, human=None, human_source="", sparse=None)
    count = options.policies + 1
    request = Request(blind, vocabulary, "sac", 0.99, options.steps, generation=0, samples=count, seed=0)
    designer = TemplatesDesigner()
    return [designer.propose(request, sample).source or "" for sample in range(count)]


def made(
    task: Task,
    vocabulary: Vocabulary,
    sources: Sequence[str],
    options: argparse.Namespace,
    folder: Path,
    fork_server: ForkServer,
) -> Bank:
    record_random(task, find_domain(task.env_id), folder)
    for number, source in enumerate(sources):
        trained(
            job(task, source, options, 1_000 + 100 * number),
            fork_server,
            keep=folder / f"policy-{number}.npz",
        )
    kept = []
    with TaskJudge(fork_server, task, vocabulary) as judge:
        for path in sorted(folder.glob("*.npz")):
            policy = RANDOM if path.stem.startswith(RANDOM) else path.stem
            kept.append(BankEpisode(path, policy, judge.measure(read(path, judge.names))[0]))
    return Bank(kept)


def job(
    task: Task,
    source: str,
    options: argparse.Namespace,
    seed: int,
    begin_with: tuple[str, ...] = (),
    starts: int = 0,
) -> Job:
    settings = {**SETTINGS, "learning_starts": int(START * options.steps) + starts}
    return Job("bench", seed, task, source, "sac", options.steps, settings, JUDGED, begin_with=begin_with)


def study(
    task: Task,
    source: str,
    begin_with: tuple[str, ...],
    amount: int,
    options: argparse.Namespace,
    fork_server: ForkServer,
) -> Mapping[str, list[Learnt]]:
    found = defaultdict(list)
    for seed in range(options.seeds):
        asked = {
            "scratch": job(task, source, options, 100 * seed),
            "relabelled": job(task, source, options, 100 * seed, begin_with),
            "later": job(task, source, options, 100 * seed, begin_with, amount),
        }
        for arm in options.arms:
            found[arm].append(learnt(*trained(asked[arm], fork_server)))
    return found


def show(name: str, found: Mapping[str, list[Learnt]]) -> None:
    print(name)
    for arm in found:
        line = f"  {arm:10} {mean(found[arm], 'cpu'):5.1f} CPU s"
        for measure in ("height", "final"):
            ours, theirs = ([getattr(each, measure) for each in found[side]] for side in (arm, "scratch"))
            line += f"; {measure} {mean(found[arm], measure):+.3f}"
            if arm != "scratch":
                value, low, high = difference(ours, theirs)
                line += f", {value:+.3f} [{low:+.3f}, {high:+.3f}]"
        heights = mean(found[arm], "height"), mean(found["scratch"], "height")
        if arm != "scratch" and min(heights) > 0:
            line += f"; heights' ratio {heights[0] / heights[1]:.2f}"
        print(line, flush=True)


def mean(found: Sequence[Learnt], measure: str) -> float:
    return float(sum(getattr(each, measure) for each in found) / len(found))


if __name__ == "__main__":
    main()
