"""What the rewards of a comparison say of the same transitions."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from eureka_loop import files
from eureka_loop.errors import RewardFailure
from eureka_loop.execute.filming import filmed
from eureka_loop.execute.recording import is_recorded, read, record
from eureka_loop.judge.agreement import Agreement, agreement
from eureka_loop.records import Array, Rollout
from eureka_loop.report.compare.contenders import Contender
from eureka_loop.report.compare.contest import AGREEMENT, FILMS, Contest, Films, agreements, films
from eureka_loop.results import Trained
from eureka_loop.reward.contract import Program
from eureka_loop.reward.gate import check
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.sandbox.process import Terms
from eureka_loop.reward.vocabulary import Vocabulary
from eureka_loop.store import Run

SHARED = "shared"


def relate(contest: Contest, run: Run, fork_server: ForkServer) -> None:
    """Ask all rewards about the same transitions, each in its locked process; keep what they say.

    What is there and still true is not done again; a video that could not be made is tried again.
    Writes agreement.json and films.json.
    """
    vocabulary = run.vocabulary()
    programs = {each.id: check(each.source, vocabulary, hidden=True) for each in contest.contenders}
    names = tuple(dict.fromkeys((*(name for each in programs.values() for name in each.parameters), "qpos")))
    policies = {each.label: path for each in contest.contenders if (path := _policy(contest, run, each))}
    folders = tuple(str(path.resolve()) for path in policies.values())
    rollout = Rollout(run.task(), run.config.algo, folders, contest.judging_seeds[0], names)
    anew = not is_recorded(rollout, run.folder / SHARED)
    if policies and anew:
        record(rollout, run.folder / SHARED)
    _film(run, tuple(policies), anew)
    if anew or [(each.ours, each.theirs) for each in agreements(run)] != _pairs(contest):
        rows = _rows(run, rollout, ["random actions", *(f"policy of {label}" for label in policies)])
        found = _agreed(contest, _asked(programs, vocabulary, rows, fork_server), rows)
        files.write_json(run.folder / AGREEMENT, [files.plain(each) for each in found])


@dataclass(frozen=True, slots=True)
class Rows:
    """Transitions that every reward is asked about.

    Attributes:
        columns: name → (N, *shape).
        source: (N,) index into `sources`.
        sources: whose they are.
    """

    columns: Mapping[str, Array]
    source: Array
    sources: Sequence[str]


def _rows(run: Run, rollout: Rollout, sources: Sequence[str]) -> Rows:
    """The recorded rows of random actions, then an episode of a trained policy of each contender."""
    probe = run.probe()
    columns, source = {name: probe[name] for name in rollout.names}, np.zeros(len(probe["time"]))
    if rollout.policies:
        episodes = read(run.folder / SHARED)
        columns = {name: np.concatenate([columns[name], episodes[name]]) for name in columns}
        source = np.concatenate([source, 1 + episodes["policy"]])
    return Rows(columns, source, sources)


def _asked(
    programs: Mapping[str, Program], vocabulary: Vocabulary, rows: Rows, fork_server: ForkServer
) -> dict[str, Terms]:
    """What each program says; nothing of one that fails: its trainings failed for it, too, and tell."""
    terms: dict[str, Terms] = {}
    for id, program in programs.items():
        shapes = {name: vocabulary.resolve(name, hidden=True).shape for name in program.parameters}
        with (
            contextlib.suppress(RewardFailure),
            fork_server.start(program, shapes, rows=len(rows.source)) as process,
        ):
            terms[id] = process.evaluate({name: rows.columns[name] for name in program.parameters})
    return terms


def _agreed(contest: Contest, terms: Mapping[str, Terms], rows: Rows) -> list[Agreement]:
    return [
        agreement((ours, theirs), terms[ours], terms[theirs], rows.source, rows.sources)
        for ours, theirs in _pairs(contest)
        if ours in terms and theirs in terms
    ]


def _pairs(contest: Contest) -> list[tuple[str, str]]:
    first, *others = contest.contenders
    return [(first.id, other.id) for other in others]


def _film(run: Run, labels: tuple[str, ...], anew: bool) -> None:
    """Have the recorded episodes drawn, unless they are."""
    drawn = [run.folder / SHARED / f"film-{index}.mp4" for index in range(len(labels))]
    if labels and not anew and films(run).labels == labels and all(path.exists() for path in drawn):
        return
    why = filmed(run.folder / SHARED) if labels else "no policy was trained here"
    files.write_json(run.folder / FILMS, Films(() if why else labels, why))


def _policy(contest: Contest, run: Run, contender: Contender) -> Path | None:
    """Where the first finished training of a contender left its policy."""
    for seed in contest.training_seeds:
        folder = run.job_folder(contender.id, seed)
        if isinstance(run.result(contender.id, seed), Trained) and (folder / "policy.zip").exists():
            return folder
    return None
