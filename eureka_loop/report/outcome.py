"""The outcome of `eureka train --json`: always the same keys, null or empty where there is nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from statistics import fmean
from typing import Any

from eureka_loop.errors import BadInput, Refused, RewardFailure
from eureka_loop.report.run_data import RunData, terms
from eureka_loop.report.sections import sentences
from eureka_loop.results import FITNESS, PROGRESS, SUCCESS, Evaluated, Scores, mean_known
from eureka_loop.search.feedback import feedback
from eureka_loop.store import Run

Data = dict[str, Any]


def outcome(run: Run | None, error: BaseException | None = None) -> Data:
    """The program of a run, trained and judged.

    Args:
        run: None where none could be made; of one that was discarded nothing is known, either.
        error: what ended the command early.
    """
    found: Data = {
        "run": None,
        "task": None,
        "steps": None,
        "ended": "",
        **_scores(lambda _: None),
        "seeds": [],
    }
    found |= {"floors": {}, "terms": {}, "feedback": "", "failures": [*_failures_of(error)], "report": None}
    if run is None or not (run.folder / "run.toml").exists():
        return found
    data = RunData(run)
    found |= {"run": str(run.folder), "task": data.task and data.task.name, "steps": data.config.steps}
    floors = {name: _scores(each.score) for name, each in data.floors.items()}
    found |= {"ended": data.state.ended, "floors": floors}
    for each in data.search:
        found |= {
            **_result(run, each),
            "terms": _terms(each),
            "feedback": feedback([each], [], floors=data.floors),
        }
        for failed in each.failures:
            found["failures"] += _failures(failed.kind, failed.message, failed.detail, failed.seed)
    if any(each.results for each in data.reports):
        comparison = data.comparison
        rewards = {each.label: _result(run, each.evaluated) for each in comparison.results}
        found["report"] = {"rewards": rewards, "verdicts": [text for text, _ in sentences(comparison)]}
    return found


def _scores(score: Scores) -> Data:
    return {name: score(name) for name in (FITNESS, SUCCESS, PROGRESS)}


def _result(run: Run, each: Evaluated) -> Data:
    """Means over seeds (null unless every training finished), and each finished training."""
    seeds = [
        {
            "seed": one.seed,
            **_scores(one.score),
            "episode_length": fmean(episode.length for episode in one.episodes),
            "folder": str(run.job_folder(one.candidate, one.seed)),
        }
        for one in each.trained
    ]
    return {**_scores(each.score), "seeds": seeds}


def _terms(each: Evaluated) -> Data:
    """Of each term at the end of training: share of the reward, mean; and correlation with fitness."""
    last = [one.checkpoints[-1].terms for one in each.trained if one.checkpoints]
    return {
        name: {
            "share": share,
            "mean": mean_known(stats[name].mean for stats in last if name in stats),
            "correlation": mean_known(one.correlations.get(name) for one in each.trained),
        }
        for name, share in terms(each.trained).items()
    }


def _failures_of(error: BaseException | None) -> Iterator[Data]:
    """Every problem of a refused program; else the one error."""
    cause = error.__cause__ if error else None
    if isinstance(cause, Refused):
        yield from _failures("refused", str(cause))
    elif isinstance(cause, RewardFailure):
        yield from _failures(cause.kind, str(cause), cause.detail)
    elif error is not None:
        kind = "bad_input" if isinstance(error, BadInput) else "error"
        yield from _failures(kind, str(error) or "interrupted")


def _failures(kind: str, message: str, detail: str = "", seed: int | None = None) -> Iterator[Data]:
    """One for each line of the program that a message names.

    Args:
        seed: of the training that failed.
    """
    for part in re.split(r"\n(?=Line \d+: )", message):
        line = re.match(r"Line (\d+): ", part)
        found = {"kind": kind, "line": int(line[1]) if line else None, "message": part}
        yield {**found, "detail": detail, "seed": seed}
