"""The rewards of a comparison on the same transitions: agreement of their values, videos of the policies."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from eureka_loop import files
from eureka_loop.errors import RewardFailure
from eureka_loop.execute.filming import filmed
from eureka_loop.execute.requests import is_recorded, read, record
from eureka_loop.judge.agreement import Agreement, agreement
from eureka_loop.records import Array, Rollout
from eureka_loop.report.compare.setup import Setup
from eureka_loop.results import Trained
from eureka_loop.reward.gate import check
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.sandbox.process import Terms
from eureka_loop.store import Run

AGREEMENT, FILMS, SHARED = "agreement.json", "films.json", "shared"


@dataclass(frozen=True, slots=True)
class Films:
    """Videos of trained policies: shared/film-0.mp4 is the first label's, and so on.

    Attributes:
        why_not: why there are none, in a line; "" where there are.
    """

    labels: tuple[str, ...] = ()
    why_not: str = "none were made"


def relate(setup: Setup, run: Run, fork_server: ForkServer) -> None:
    """Evaluate all rewards on the same transitions, each in its locked process; have the policies filmed.

    What was recorded for the same policies is kept; a video that could not be made is tried again.
    Writes agreement.json and films.json.
    """
    vocabulary = run.vocabulary()
    parameters = {
        name for each in setup.entries for name in check(each.source, vocabulary, hidden=True).parameters
    }
    policies = {each.label: path for each in setup.entries if (path := _policy(setup, run, each.id))}
    folders = tuple(str(path.resolve()) for path in policies.values())
    names = tuple(sorted({*parameters, "qpos"}))
    rollout = Rollout(run.task(), run.config.algo, folders, setup.judging_seeds[0], names)
    new = not is_recorded(rollout, run.folder / SHARED)
    if policies and new:
        record(rollout, run.folder / SHARED)
    _film(run, tuple(policies), new)
    pairs = [(setup.entries[0].id, other.id) for other in setup.entries[1:]]
    if new or [(each.ours, each.theirs) for each in agreements(run)] != pairs:
        rows, source = _rows(run, rollout)
        terms = _evaluate(setup, run, rows, fork_server)
        sources = ["random actions", *(f"policy of {label}" for label in policies)]
        found = [
            agreement(pair, terms[pair[0]], terms[pair[1]], source, sources)
            for pair in pairs
            if terms.keys() >= {*pair}
        ]
        files.write_json(run.folder / AGREEMENT, [files.plain(each) for each in found])


def agreements(run: Run) -> list[Agreement]:
    """The contents of agreement.json; empty before it is written."""
    path = run.folder / AGREEMENT
    return files.read_json(path, list[Agreement]) if path.exists() else []


def films(run: Run) -> Films:
    """The contents of films.json."""
    path = run.folder / FILMS
    return files.read_json(path, Films) if path.exists() else Films()


def _rows(run: Run, rollout: Rollout) -> tuple[Mapping[str, Array], Array]:
    """Transitions of random actions, then of an episode of each policy: name → (N, *shape), source (N,)."""
    probe = run.probe()
    columns, source = {name: probe[name] for name in rollout.names}, np.zeros(len(probe["time"]))
    if rollout.policies:
        episodes = read(run.folder / SHARED)
        columns = {name: np.concatenate([columns[name], episodes[name]]) for name in columns}
        source = np.concatenate([source, 1 + episodes["policy"]])
    return columns, source


def _evaluate(setup: Setup, run: Run, rows: Mapping[str, Array], fork_server: ForkServer) -> dict[str, Terms]:
    """Each program's terms; a program that fails is left out, as its failed trainings tell."""
    vocabulary, terms = run.vocabulary(), {}
    for each in setup.entries:
        program = check(each.source, vocabulary, hidden=True)
        shapes = {name: vocabulary.resolve(name, hidden=True).shape for name in program.parameters}
        columns = {name: rows[name] for name in program.parameters}
        with (
            contextlib.suppress(RewardFailure),
            fork_server.start(program, shapes, rows=len(rows["qpos"])) as process,
        ):
            terms[each.id] = process.evaluate(columns)
    return terms


def _film(run: Run, labels: tuple[str, ...], new: bool) -> None:
    """Have the recorded episodes drawn, unless they are."""
    drawn = [run.folder / SHARED / f"film-{index}.mp4" for index in range(len(labels))]
    if labels and not new and films(run).labels == labels and all(path.exists() for path in drawn):
        return
    why = filmed(run.folder / SHARED) if labels else "no policy was trained here"
    files.write_json(run.folder / FILMS, Films(() if why else labels, why))


def _policy(setup: Setup, run: Run, id: str) -> Path | None:
    """Folder of the first finished training of an entry."""
    for seed in setup.training_seeds:
        folder = run.job_folder(id, seed)
        if isinstance(run.result(id, seed), Trained) and (folder / "policy.zip").exists():
            return folder
    return None
