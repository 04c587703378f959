"""The catalogue itself."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from eureka_loop import files
from eureka_loop.envs.domain import Domain
from eureka_loop.envs.registry import domains, find_domain, find_task, suites, tasks
from eureka_loop.errors import BadInput, Damaged, UnknownName
from eureka_loop.records import Algorithm, Task
from eureka_loop.train.hyperparameters import settings, try_out


def test_every_task_is_in_one_suite() -> None:
    assert {suite: len(members) for suite, members in suites().items()} == {
        "gymnasium": 11,
        "beyond": 13,
        "robotics": 25,
        "metaworld": 50,
    }
    members = [task.name for suite in suites().values() for task in suite]
    assert sorted(members) == sorted(tasks())
    own = {task.env_id for task in suites()["gymnasium"]}
    assert len(own) == 11
    assert {task.env_id for task in suites()["beyond"]} <= own


def test_an_unknown_task_gets_the_nearest_names() -> None:
    with pytest.raises(UnknownName, match=r"did you mean 'halfcheetah-run'.*eureka tasks"):
        find_task("halfchetah-run")


def test_progress_without_success_is_refused_where_a_task_is_declared_and_where_it_is_read(
    tmp_path: Path,
) -> None:
    progress = "def progress(action):\n    return 0.0\n"
    with pytest.raises(BadInput, match=r"'mine' has progress without success.*give it a success program"):
        Task("mine", "HalfCheetah-v5", "", progress, progress=progress)
    files.write_json(
        tmp_path / "task.json", {**files.plain(find_task("halfcheetah-run")), "progress": progress}
    )
    with pytest.raises(Damaged, match="'halfcheetah-run' has progress without success"):
        files.read_json(tmp_path / "task.json", Task)


def test_an_env_without_a_domain_file_gets_the_generic_domain() -> None:
    domain = find_domain("HalfCheetah-v4")
    assert domain.env_id == "HalfCheetah-v4"
    assert domain.observables == ()
    assert set(domain.hyperparameters) == {"ppo", "sac"}


CLASH = Domain("clash", "Clash-v0", tasks=(Task("hopper-hop", "Clash-v0", "Hop.", ""),))


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (f"{__name__}:CLASH", "domain 'clash': there is a task 'hopper-hop' already"),
        ("nowhere.at_all:DOMAIN", r"domain 'own' \(nowhere.at_all:DOMAIN\) can't be imported"),
    ],
)
def test_a_domain_of_another_package_that_cannot_be_used_is_named(
    register_domain: Callable[..., None], target: str, message: str
) -> None:
    register_domain("own", target)
    with pytest.raises(BadInput, match=message):
        tasks()


HYPERPARAMETERS = [
    pytest.param(domain.settings(algorithm, which), algorithm, id=f"{domain.env_id}-{algorithm}-{which}")
    for domain in (*domains(), find_domain(""))
    for algorithm in domain.hyperparameters
    for which in ("tuned", "zoo")
    if which == "zoo" or algorithm in domain.tuned
]


@pytest.mark.parametrize(("own", "algorithm"), HYPERPARAMETERS)
def test_stable_baselines_takes_the_hyperparameters(own: dict[str, Any], algorithm: Algorithm) -> None:
    """Without a warning: SB3 warns, for one, of a last minibatch cut short."""
    hyperparameters = dict(own)
    assert json.loads(json.dumps(hyperparameters)) == hyperparameters
    more = {"buffer_size": 10} if algorithm == "sac" else {}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try_out(algorithm, settings(algorithm, hyperparameters | more))


def test_tuned_settings_come_first_and_published_ones_on_request() -> None:
    cheetah, humanoid = find_domain("HalfCheetah-v5"), find_domain("Humanoid-v5")
    assert cheetah.settings("ppo") == cheetah.tuned["ppo"] != cheetah.settings("ppo", "zoo")
    assert cheetah.settings("ppo", "zoo") == cheetah.hyperparameters["ppo"]
    assert cheetah.settings("sac") == cheetah.hyperparameters["sac"]
    assert humanoid.settings("ppo") == humanoid.hyperparameters["ppo"]


def test_hyperparameters_are_cited_and_batching_is_stated_or_ruled_out() -> None:
    for domain in domains():
        assert set(domain.hyperparameters) == {"ppo", "sac"}, domain.name
        assert "ppo.yml" in domain.hyperparameters_source, domain.name
        assert "sac.yml" in domain.hyperparameters_source, domain.name
        assert bool(domain.tuned) == bool(domain.tuned_source), domain.name
        stated = domain.vectorised
        batched = [stated(task) if callable(stated) else stated for task in domain.tasks]
        assert all(batched) or domain.not_vectorised, domain.name
