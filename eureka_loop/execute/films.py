"""Films of judged episodes: those of a run's report, and the one that `eureka watch` shows."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

from eureka_loop import numbers, text
from eureka_loop.errors import BadInput, EurekaError
from eureka_loop.execute.local import drawn_here, filmed
from eureka_loop.foreign import read_job, require_known_env
from eureka_loop.provenance import NOT_HERE
from eureka_loop.records import POLICY
from eureka_loop.results import Evaluated, standing
from eureka_loop.store import REFERENCES, Run

ONLY_PICKLES = (
    f"its policies are pickles alone, which may run code and aren't read (there is no {POLICY}): train it "
    "again, or, if you trust them, play policy.zip with Stable-Baselines3"
)


@dataclass(frozen=True, slots=True)
class Film:
    """A judged episode that is played again.

    Attributes:
        label: "g1-02, worst of 80 judged episodes: fitness 0.31".
        path: of the video; moments of the whole episode are beside it, as .png.
        policy: folder of the training.
        seed: of the episode's start.
    """

    label: str
    path: Path
    policy: Path
    seed: int

    @property
    def moments(self) -> Path:
        return self.path.with_suffix(".png")


def film(run: Run, id: str, *, worst: bool = False) -> Film:
    """The median judged episode of a candidate's policies, or the worst; on report seeds where there are any.

    Raises:
        UnknownName: the run has no such candidate.
        BadInput: no policy of it is there, or an env that somebody else has chosen; see `foreign`.
    """
    evaluated, folders = policies(run, id)
    found = [
        (episode, each.seed)
        for each in evaluated.trained
        if each.seed in folders
        for episode in each.episodes
    ]
    found.sort(key=lambda each: standing(each[0].score))
    episode, seed = found[0 if worst else (len(found) - 1) // 2]
    policy = folders[seed]
    if (policy / "job.json").exists():
        read_job(policy, run.task())
    which = f"{'worst' if worst else 'median'} of {numbers.plural(len(found), 'judged episode')}"
    label = f"{text.label(id)}, {which}: fitness {numbers.number(episode.fitness)}"
    label += f" ({NOT_HERE})" * (seed in evaluated.elsewhere)
    path = run.folder / "films" / f"{id}-{policy.name}-episode-{episode.seed}.mp4"
    return Film(label, path, policy, episode.seed)


def policies(run: Run, id: str) -> tuple[Evaluated, dict[int, Path]]:
    """A candidate's results, on report seeds where there are any, and the folders of its policies by seed.

    Raises: as `film`.
    """
    run.candidate(id)
    require_known_env(run)
    evaluated = run.evaluated(id, report=True)
    if not evaluated.trained:
        evaluated = run.evaluated(id)
    folders = {each.seed: run.job_folder(id, each.seed) for each in evaluated.trained}
    found = {seed: folder for seed, folder in folders.items() if (folder / POLICY).exists()}
    if not found and any((folder / "policy.zip").exists() for folder in folders.values()):
        raise BadInput(f"{text.label(id)}: {ONLY_PICKLES}")
    if not found:
        raise BadInput(f"{id} has no trained policy in {run.folder}; `eureka inspect {run.folder}` says why")
    return evaluated, found


def films(run: Run, winner: str) -> tuple[list[Film], str]:
    """Draw the winner's median and worst episode and the median of each reference, unless they are there.

    Returns:
        Those that were drawn here; why another one isn't, in a line, or "".
    """
    references = [id for id in run.candidate_ids() if id in REFERENCES]
    wanted: dict[Path, Film] = {}  # the worst may be the median
    for id, worst in ((winner, False), (winner, True), *((id, False) for id in references)):
        with contextlib.suppress(EurekaError):  # it failed, or its files are damaged; the report says so
            found = film(run, id, worst=worst)
            wanted.setdefault(found.path, found)
    why = filmed({path: (each.policy, each.seed) for path, each in wanted.items()})
    drawn = {path for path, each in wanted.items() if not why or drawn_here(path, each.policy)}
    return [each for path, each in wanted.items() if path in drawn and each.moments.exists()], why
