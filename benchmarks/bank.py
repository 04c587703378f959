"""Cost of the trajectory bank, and the worth of its verdicts on rewards.

    python benchmarks/bank.py RUN... [--copies FOLDER]

Takes finished runs. A run without a bank is copied and its policies are played once more. Prints, per run:

- its size on disk; what an episode's recording takes beside a training; what asking a program
  takes, median, and at most, where its columns have to be read first;
- verdicts on the references and on every candidate, each with the episodes of all the others;
- verdicts on the same rewards with their signs flipped;
- how often smaller banks, a random half of the policies each, would have had a reward skipped: the references,
  the candidates that came out in the better half, and the others;
- how the tau of candidates, with what was there before their generation, goes with the fitness that they
  reached: the correlation of ranks.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean, median

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from eureka_loop import files, seeds
from eureka_loop.envs.registry import find_domain
from eureka_loop.errors import Refused, UnknownName
from eureka_loop.judge.agreement import ranks
from eureka_loop.judge.screening import (
    LEAST_POLICIES,
    RANDOM,
    Ranking,
    Screened,
    Verdict,
    decided,
    discounted_value,
    one_sided,
    screen,
)
from eureka_loop.judge.statistics import pearson
from eureka_loop.judge.trajectory import FILE
from eureka_loop.records import Candidate, Job
from eureka_loop.reward.gate import check
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.sandbox.process import Terms
from eureka_loop.search.bank import Bank, TrajectoryBank
from eureka_loop.store import REFERENCES, Run
from eureka_loop.train.saved import record_random, record_trained


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--copies", type=Path, help="where copies of runs without a bank are kept")
    arguments = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, numpy {np.__version__}")
    pooled: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory() as folder, ForkServer() as fork_server:
        for path in arguments.runs:
            run = with_bank(Run.open(path), arguments.copies or Path(folder))
            pooled += Bench(run, fork_server).report()
    print(f"all runs: {correlated(pooled)}")


def with_bank(run: Run, copies: Path) -> Run:
    """The run, or a copy of it that has a bank."""
    if any(run.folder.glob(f"candidates/*/**/{FILE}")):
        return run
    copy = copies / run.folder.name
    if not copy.exists():
        shutil.copytree(run.folder, copy, ignore=shutil.ignore_patterns("*tfevents*", ".lock"))
    run, task = Run.open(copy), run.task()
    domain = find_domain(task.env_id)
    if not any(run.task_folder.glob("random-*.npz")):
        record_random(task, domain, run.task_folder)
    finished = [each.parent for each in sorted(run.folder.glob("candidates/g*/seed-*/policy.zip"))]
    folders = [each for each in finished if not (each / FILE).exists() and not is_report(each)]
    if folders:
        begin = time.perf_counter()
        for each in folders:
            record_trained(files.read_json(each / "job.json", Job), domain, each)
        spent = (time.perf_counter() - begin) / len(folders)
        trained = [each.seconds for id in run.candidate_ids() for each in run.evaluated(id).trained]
        print(f"recording: {spent:.2f} s an episode, {spent / fmean(trained):.1%} of a training's time")
    return run


def is_report(folder: Path) -> bool:
    return seeds.is_report(int(folder.name.removeprefix("seed-")))


class Bench:
    """One run."""

    def __init__(self, run: Run, fork_server: ForkServer) -> None:
        self.run, self.fork_server = run, fork_server
        self.task, self.vocabulary, self.discount = run.task(), run.vocabulary(), run.training().discount
        candidates = [run.candidate(id) for id in run.candidate_ids() if id not in REFERENCES]
        self.candidates = [each for each in candidates if self.admitted(each)]

    def admitted(self, candidate: Candidate) -> bool:
        try:
            check(candidate.source, self.vocabulary)
        except (Refused, UnknownName):
            return False
        return True

    def report(self) -> list[tuple[float, float]]:
        """Print it all; (tau, fitness) of candidates that met a bank, each centred within its generation."""
        print(f"\n{self.run.folder.name}: {self.task.name}")
        everything = self.sizes()
        if not everything.policies:
            return []
        for name, source in (("hand-written", self.task.human), ("sparse", self.task.sparse)):
            if source is not None:
                print(f"  {name:12} {said(self.ask(everything, source)[0])}")
        self.times(everything)
        self.verdicts(everything)
        self.halves(everything)
        return self.worth()

    def sizes(self) -> Bank:
        paths = [*self.run.task_folder.glob("random-*.npz"), *self.run.folder.glob(f"candidates/**/{FILE}")]
        packed = sum(each.stat().st_size for each in paths)
        begin = time.perf_counter()
        bank = self.bank(1_000)
        spent = (time.perf_counter() - begin) * 1e3
        print(
            f"  {len(bank.policies)} episodes of {len(set(bank.policies))} policies, {packed / 1e6:.1f} MB "
            f"on disk; gathered and judged in {spent:.0f} ms"
        )
        good = [each.standing[2] for each in bank.episodes if each.policy != RANDOM]
        reached = f"fitness {min(good):.3g} to {max(good):.3g}" if good else "nothing trained"
        print(f"  {reached}; {one_sided(bank.ranks, bank.policies) or 'not one-sided'}")
        return bank

    def bank(self, generation: int) -> Bank:
        bank = TrajectoryBank(self.run, self.fork_server, self.task, self.vocabulary, self.run.training())
        return bank.gather(generation, most=1 << 40)  # nothing is deleted

    def ask(self, bank: Bank, source: str, *, without: str = "") -> tuple[Screened, Screened]:
        """The bank's verdict on a program, and on the same with its sign flipped."""
        program = check(source, self.vocabulary, hidden=True)
        shapes = self.vocabulary.shapes(program.parameters, hidden=True)
        if why := one_sided(bank.ranks, bank.policies):
            return (Screened("abstained", why),) * 2
        terms, lengths = bank.ask(program, shapes, self.fork_server)
        kept = np.array([policy != without for policy in bank.policies])
        values = terms.values[:, np.repeat(kept, lengths)]
        told = [length for length, keep in zip(lengths, kept, strict=True) if keep]
        policies = [policy for policy, keep in zip(bank.policies, kept, strict=True) if keep]
        ranking = Ranking(bank.ranks[kept], policies, rng=np.random.default_rng(0))
        both = [
            screen(Terms(terms.names, sign * values), told, ranking, self.discount) for sign in (1.0, -1.0)
        ]
        return both[0], both[1]

    def times(self, bank: Bank) -> None:
        spent = []
        for each in self.candidates:
            program = check(each.source, self.vocabulary)
            shapes = self.vocabulary.shapes(program.parameters)
            begin, used = time.perf_counter(), time.process_time()
            terms, lengths = bank.ask(program, shapes, self.fork_server)
            asked = time.perf_counter()
            screen(terms, lengths, bank.ranking, self.discount)
            spent.append((asked - begin, time.perf_counter() - asked, time.process_time() - used))
        if not spent:
            return
        process, numbers, used = (median(column) * 1e3 for column in zip(*spent, strict=True))
        most = max(each for *_, each in spent) * 1e3
        print(
            f"  a program: {process:.0f} ms to evaluate {sum(lengths)} rows, {numbers:.0f} ms for the verdict; "
            f"CPU time of this process {used:.0f} ms, where columns are read up to {most:.0f} ms"
        )

    def verdicts(self, bank: Bank) -> None:
        """Each candidate with everybody else's episodes, so that it can't be its own witness."""
        trained = [each for each in self.candidates if self.run.evaluated(each.id).fitness is not None]
        both = [self.ask(bank, each.source, without=each.id) for each in trained]
        for name, found in (("as written", [a for a, _ in both]), ("flipped", [b for _, b in both])):
            print(f"  {name:12} {counted(found)}")
        print(f"  with all others' episodes: {correlated(list(self._pairs(trained, [a for a, _ in both])))}")

    def halves(self, bank: Bank) -> None:
        """Verdicts of random halves of the bank; a candidate's own episodes are never among them."""
        if one_sided(bank.ranks, bank.policies):
            return
        reached = {each.id: self.run.evaluated(each.id).fitness for each in self.candidates}
        middle = median([value for value in reached.values() if value is not None])
        skipped: Counter[str] = Counter()
        asked: Counter[str] = Counter()
        references = {"hand-written": self.task.human, "sparse": self.task.sparse}
        sources = {**references, **{each.id: each.source for each in self.candidates}}
        for id, source in sources.items():
            if source is None or reached.get(id, middle) is None:
                continue
            name = id if id in references else "better half" if reached[id] >= middle else "worse half"
            times = 10 if id in reached else 200
            for verdict in self.on_halves(bank, source, id, times):
                asked[name] += verdict != "abstained"
                skipped[name] += verdict == "backwards"
        print("  halves skip", ", ".join(f"{name} {skipped[name]} of {asked[name]} times" for name in asked))

    def on_halves(self, bank: Bank, source: str, id: str, times: int) -> Iterator[Verdict]:
        program = check(source, self.vocabulary, hidden=True)
        shapes = self.vocabulary.shapes(program.parameters, hidden=True)
        terms, lengths = bank.ask(program, shapes, self.fork_server)
        rewards = np.split(terms.total, np.cumsum(lengths)[:-1])
        values = np.array([discounted_value(each, self.discount) for each in rewards])
        means = np.array([each.mean() for each in rewards])
        others = sorted({*bank.policies} - {id, RANDOM})
        rng = np.random.default_rng(0)
        for _ in range(times):
            drawn = {
                RANDOM,
                *rng.choice(others, size=max(LEAST_POLICIES - 1, len(others) // 2), replace=False),
            }
            kept = np.array([policy in drawn for policy in bank.policies])
            policies = [policy for policy in bank.policies if policy in drawn]
            if one_sided(bank.ranks[kept], policies):
                yield "abstained"
                continue
            ranking = Ranking(bank.ranks[kept], policies, rng=np.random.default_rng(0))
            yield decided(ranking.tau(values[kept]), ranking.tau(means[kept]))[0]

    def worth(self) -> list[tuple[float, float]]:
        """With the episodes of earlier generations alone, as in a run."""
        pairs: list[tuple[float, float]] = []
        for generation in sorted({each.generation for each in self.candidates}):
            bank = self.bank(generation)
            own = [each for each in self.candidates if each.generation == generation]
            own = [each for each in own if self.run.evaluated(each.id).fitness is not None]
            found = [self.ask(bank, each.source)[0] for each in own]
            print(f"  generation {generation}: {counted(found)}; {correlated(list(self._pairs(own, found)))}")
            pairs += centred(list(self._pairs(own, found)))
        return pairs

    def _pairs(
        self, candidates: Sequence[Candidate], found: Sequence[Screened]
    ) -> Iterator[tuple[float, float]]:
        for candidate, screened in zip(candidates, found, strict=True):
            fitness = self.run.evaluated(candidate.id).fitness
            if screened.value is not None and fitness is not None:
                yield screened.value.value, fitness


def centred(pairs: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Ranks within the generation, from -0.5 to 0.5, so that runs of different tasks can be pooled."""
    if len(pairs) < 3:
        return []
    columns = [ranks(np.array(column)) / (len(pairs) - 1) - 0.5 for column in zip(*pairs, strict=True)]
    return list(zip(*(column.tolist() for column in columns), strict=True))


def correlated(pairs: Sequence[tuple[float, float]]) -> str:
    if len(pairs) < 3:
        return "too few to correlate"
    found = pearson(*(ranks(np.array(column)) for column in zip(*pairs, strict=True)))
    value = "undefined" if found is None else f"{found:+.2f}"
    return f"tau against the fitness reached, rank correlation {value} of {len(pairs)}"


def counted(found: Sequence[Screened]) -> str:
    return ", ".join(
        f"{amount} {verdict}" for verdict, amount in Counter(each.verdict for each in found).items()
    )


def said(found: Screened) -> str:
    if found.value is None or found.mean is None:
        return f"{found.verdict}: {found.why}"
    return f"{found.verdict}: tau {found.value}, by the step {found.mean}"


if __name__ == "__main__":
    main()
