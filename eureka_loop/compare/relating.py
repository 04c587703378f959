"""What the rewards of a comparison say of the same transitions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from eureka_loop import files
from eureka_loop.compare.contenders import Contender
from eureka_loop.compare.contest import AGREEMENT, FILMS, Contest, Films, agreements
from eureka_loop.errors import RewardFailure
from eureka_loop.execute.filming import filmed
from eureka_loop.execute.recording import recorded
from eureka_loop.judge.agreement import agreement
from eureka_loop.program.gate import check
from eureka_loop.records import Array, Rollout
from eureka_loop.results import Trained
from eureka_loop.sandbox.process import Terms
from eureka_loop.sandbox.zygote import Zygote
from eureka_loop.store import Run


def relate(contest: Contest, run: Run, zygote: Zygote) -> None:
    """Ask all rewards about the same transitions, each in its locked process; write agreement.json."""
    first, *others = contest.contenders
    if {(each.ours, each.theirs) for each in agreements(run)} == {(first.id, other.id) for other in others}:
        return
    vocabulary = run.vocabulary()
    programs = {each.id: check(each.source, vocabulary, hidden=True) for each in contest.contenders}
    names = tuple(dict.fromkeys((*(name for each in programs.values() for name in each.parameters), "qpos")))
    columns, source, sources = _shared(contest, run, names)
    terms: dict[str, Terms] = {}
    for id, program in programs.items():
        shapes = {name: vocabulary.resolve(name, hidden=True).shape for name in program.parameters}
        try:
            with zygote.start(program, shapes, rows=len(source)) as process:
                terms[id] = process.evaluate({name: columns[name] for name in program.parameters})
        except RewardFailure:
            continue  # its trainings failed for it, too: told there
    found = [
        agreement((first.id, other.id), terms[first.id], terms[other.id], source, sources)
        for other in others
        if first.id in terms and other.id in terms
    ]
    files.write_json(run.folder / AGREEMENT, [files.plain(each) for each in found])


def _shared(contest: Contest, run: Run, names: Sequence[str]) -> tuple[dict[str, Array], Array, list[str]]:
    """The recorded rows of random actions, then an episode of a trained policy of each contender.

    Returns:
        The columns (rows, *shape); (rows,) whose a row is; and who they are.
    """
    probe = run.probe()
    policies = {each.label: path for each in contest.contenders if (path := _policy(contest, run, each))}
    columns = {name: probe[name] for name in names}
    source = np.zeros(len(probe["time"]))
    why = "no policy was trained here"
    if policies:
        folders = tuple(str(path.resolve()) for path in policies.values())
        rollout = Rollout(run.task(), run.config.algo, folders, contest.judging_seeds[0], tuple(names))
        episodes = recorded(rollout, run.folder / "shared")
        columns = {name: np.concatenate([columns[name], episodes[name]]) for name in names}
        source = np.concatenate([source, 1 + episodes["policy"]])
        why = filmed(run.folder / "shared")
    files.write_json(run.folder / FILMS, Films(() if why else tuple(policies), why))
    return columns, source, ["random actions", *(f"policy of {label}" for label in policies)]


def _policy(contest: Contest, run: Run, contender: Contender) -> Path | None:
    """Where the first finished training of a contender left its policy."""
    for seed in contest.training_seeds:
        folder = run.job_folder(contender.id, seed)
        if isinstance(run.result(contender.id, seed), Trained) and (folder / "policy.zip").exists():
            return folder
    return None
