"""Which tasks a suite has, and what is said where it can't be had."""

from __future__ import annotations

import pytest

from eureka_loop.envs.registry import find_domain
from eureka_loop.errors import BadInput, MissingExtra, UnknownName
from eureka_loop.report.bench import suites


def test_the_suites_are_the_catalogues_and_quick() -> None:
    assert suites.names() == ("quick", "gymnasium", "beyond", "robotics", "metaworld")
    assert len(suites.members("gymnasium")) == 11
    assert [task.name for task in suites.members("quick")] == list(suites.QUICK)


def test_quicks_tasks_can_tell_a_hand_written_reward_from_a_sparse_one() -> None:
    for task in suites.members("quick"):
        assert task.human is not None
        assert task.sparse is not None
        assert not find_domain(task.env_id).extra


def test_tasks_keep_the_suites_order_whoever_names_them() -> None:
    chosen = suites.chosen("quick", " hopper-hop,reacher-reach ,")
    assert [task.name for task in chosen] == ["reacher-reach", "hopper-hop"]
    assert suites.chosen("quick", None) == suites.members("quick")


@pytest.mark.parametrize(
    ("suite", "tasks", "said"),
    [
        ("quik", None, "did you mean 'quick'"),
        ("quick", "hoper-hop", "did you mean 'hopper-hop'"),
        ("quick", "ant-run", "unknown task of suite 'quick' 'ant-run'"),
        ("quick", ",", "--tasks names nothing"),
    ],
)
def test_a_wrong_name_is_one_line(suite: str, tasks: str | None, said: str) -> None:
    with pytest.raises((UnknownName, BadInput), match=said) as caught:
        suites.chosen(suite, tasks)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("suite", ["robotics", "metaworld"])
def test_a_suite_that_is_not_installed_names_its_extra(suite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suites, "installed", lambda extra: extra == "")
    with pytest.raises(MissingExtra, match=rf"pip install 'eureka-loop\[{suite}\]'"):
        suites.require_installed(suite)
    suites.require_installed("quick")


def test_quick_has_a_budget_of_its_own() -> None:
    quick, other = suites.settings("quick"), suites.settings("gymnasium")
    assert quick.steps < other.steps
    assert quick.hyperparameters["policy_kwargs"]["net_arch"] == {"pi": [64, 64], "vf": [64, 64]}
    assert not other.hyperparameters
