"""Recorded episodes that a measure is tried on before anything is trained, and its scores there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from eureka_loop import numbers
from eureka_loop.errors import BadInput, EurekaError, RewardFailure
from eureka_loop.execute.local import record_episodes
from eureka_loop.foreign import read_job, require_known_env
from eureka_loop.judge.base import TaskJudge
from eureka_loop.judge.screening import Ranking
from eureka_loop.judge.trajectory import read
from eureka_loop.records import POLICY, Array, Recording, Task
from eureka_loop.results import FITNESS, PROGRESS, SUCCESS, JudgedEpisode
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.vocabulary import Vocabulary
from eureka_loop.seeds import RECORDED
from eureka_loop.store import Run

SCRIPTED = {  # label → policy that learns nothing
    "standing still": "zero",
    "random actions": "random",
    "other random actions": "random",
    "every action at its greatest": "greatest",
    "every action at its least": "least",
    "every action swinging": "swinging",
}
MOST_TRAINED = 12  # policies of runs
MOST_PIECES = 8  # of a fitness taken apart
_NO_BOUNDS = (np.array([-np.inf]), np.array([np.inf]))  # of actions: effort is not summarised


@dataclass(frozen=True, slots=True)
class RecordedEpisode:
    """One episode on disk with every observable.

    Attributes:
        label: "standing still", "g1-02 of 20261201-hopper-hop".
        trained: whether its policy was.
    """

    label: str
    path: Path
    trained: bool = False


def record(task: Task, folder: Path, runs: Iterable[Run] = ()) -> list[RecordedEpisode]:
    """Episodes of scripted policies, and of trained ones of runs in the same environment.

    Raises:
        BadInput: the environment can't be made.
        RunError: the worker crashed.
    """
    trained = dict(_policies(runs))
    chosen = np.unique(np.linspace(0, len(trained) - 1, min(MOST_TRAINED, len(trained))).astype(int))
    kept = {label: trained[label] for label in (list(trained)[index] for index in chosen)}
    policies = SCRIPTED | {label: str(path.resolve()) for label, path in kept.items()}
    seeds = tuple(range(RECORDED, RECORDED + len(policies)))
    record_episodes(Recording(task, tuple(policies.values()), seeds), folder)
    found = (RecordedEpisode(label, folder / f"{n}.npz", label in kept) for n, label in enumerate(policies))
    return [each for each in found if each.path.exists()]


def _policies(runs: Iterable[Run]) -> Iterator[tuple[str, Path]]:
    """Label → folder of the first training of each candidate."""
    for run in runs:
        for id in run.candidate_ids():
            folders = (run.job_folder(id, seed) for seed in run.training_seeds(id))
            if (folder := next((each for each in folders if (each / POLICY).exists()), None)) is not None:
                read_job(folder, run.task())
                yield f"{id} of {run.folder.resolve().name}", folder


def runs_in(folder: Path, task: Task) -> list[Run]:
    """Runs of the same environment that this user has made."""
    found = []
    for path in sorted(folder.glob("*/run.toml")):
        try:
            run = Run.open(path.parent)
            require_known_env(run)
            if run.made_here and same_env(run.task(), task):
                list(_policies([run]))  # its jobs can be read
                found.append(run)
        except EurekaError:
            continue  # damaged, or somebody else's
    return found


def same_env(one: Task, other: Task) -> bool:
    return (one.env_id, one.env_kwargs) == (other.env_id, other.env_kwargs)


def score(
    task: Task, vocabulary: Vocabulary, fork_server: ForkServer, episodes: Sequence[RecordedEpisode]
) -> list[JudgedEpisode]:
    """The episodes, judged by the task's programs, with the fitness taken apart.

    Raises:
        Refused: the gate refuses a program.
        BadInput: one failed in an episode.
    """
    with TaskJudge(fork_server, task, vocabulary) as judge:
        names = judge.recorded([])
        found = []
        for each in episodes:
            try:
                found.append(judge.judge_with_behaviour(0, read(each.path, names), None, _NO_BOUNDS))
            except RewardFailure as failure:
                raise BadInput(f"it fails in the episode of {each.label}: {failure}") from failure
        return found


def table(
    episodes: Sequence[RecordedEpisode], scores: Sequence[JudgedEpisode], dt: float
) -> tuple[list[str], list[list[str]]]:
    """Heads and rows, best first: what each episode scores, and what the fitness was computed from.

    Args:
        dt: seconds a step.
    """
    labels = list(dict.fromkeys(label for each in scores for label in _pieces(each)))[:MOST_PIECES]
    known = {name for each in scores for name in each.scores if each.score(name) is not None}
    names = [FITNESS, *(name for name in (SUCCESS, PROGRESS) if name in known)]
    rows = []
    for place in by_fitness(scores):
        judged = scores[place]
        values = [judged.score(name) for name in names] + [_pieces(judged).get(label) for label in labels]
        cells = ["-" if value is None else numbers.compact(value) for value in values]
        rows.append([episodes[place].label, numbers.compact(judged.length * dt), *cells])
    return ["episode", "s", *names, *labels], rows


def by_fitness(scores: Sequence[JudgedEpisode]) -> list[int]:
    """Places of the episodes, best first."""
    return sorted(range(len(scores)), key=lambda place: -scores[place].fitness)


def _pieces(judged: JudgedEpisode) -> Mapping[str, float]:
    return judged.behaviour.pieces if judged.behaviour else {}


def agreement(ours: Sequence[JudgedEpisode], theirs: Sequence[JudgedEpisode]) -> float | None:
    """Kendall's tau of two measures over the same episodes; None where one is the same in all of them."""

    def fitness(episodes: Sequence[JudgedEpisode]) -> Array:
        return np.array([each.fitness for each in episodes])

    ranking = Ranking(fitness(theirs), [str(n) for n in range(len(theirs))], rng=np.random.default_rng(0))
    found = ranking.tau(fitness(ours))
    return None if found is None else found.value
