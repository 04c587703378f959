"""Judges: fitness and success programs, further judges by name, and a policy's episodes."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import EntryPoint
from typing import Any

import numpy as np
import pytest

from eureka_loop import registry
from eureka_loop.envs.registry import find_domain, find_task
from eureka_loop.errors import BadInput, RewardFailure, UnknownName
from eureka_loop.judge.base import ScriptedJudge, TaskJudge
from eureka_loop.judge.episodes import judge_policy
from eureka_loop.records import Array, Task
from eureka_loop.results import Score, Trained, judged_episode
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.vocabulary import Observable, Vocabulary
from eureka_loop.simulate.observables import ObservableRegistry

VOCABULARY = Vocabulary(
    "Fake-v0",
    (Observable("speed", ()), Observable("pos", (3,)), Observable("native_reward", (), hidden=True)),
)
TASK = Task("fake", "Fake-v0", "", "def fitness(speed):\n    return speed.mean()\n")


def test_fitness_and_success(fork_server: ForkServer) -> None:
    columns = {"speed": np.array([1.0, 2.0, 6.0]), "pos": np.ones((3, 3)), "init_pos": np.zeros((3, 3))}
    success = "def success(init_pos, pos):\n    return pos[-1, 0] > init_pos[-1, 0]\n"
    with TaskJudge(fork_server, replace(TASK, success=success), VOCABULARY) as judge:
        assert judge.names == ("speed", "init_pos", "pos")
        assert judge.measure(columns) == (3.0, 1.0)
        found = judge.judge(7, {**columns, "pos": -columns["pos"]})
        assert (found.seed, found.length) == (7, 3)
        assert found.scores == {"fitness": Score(3.0), "success": Score(0.0)}


def test_progress_is_a_score_of_judged_episodes_and_nothing_that_training_records(
    fork_server: ForkServer,
) -> None:
    success = "def success(speed):\n    return speed[-1] > 1\n"
    task = replace(TASK, success=success, progress="def progress(pos):\n    return -norm(pos).min()\n")
    with TaskJudge(fork_server, task, VOCABULARY) as judge:
        assert (judge.names, judge.program_names) == (("speed", "pos"), ("speed",))
        found = judge.judge(0, {"speed": np.ones(2), "pos": np.array([[3.0, 4.0, 0.0], [0.0, 6.0, 8.0]])})
        assert (found.fitness, found.success, found.progress) == (1.0, 0.0, -5.0)


def test_success_needs_no_progress_unless_the_episode_begins_with_it(fork_server: ForkServer) -> None:
    success, progress = (
        "def success(speed):\n    return speed[-1] > 1\n",
        "def progress(speed):\n    return 5.0\n",
    )
    with TaskJudge(fork_server, replace(TASK, success=success, progress=progress), VOCABULARY) as judge:
        found = [
            judge.judge(0, {"speed": np.array(speeds)}) for speeds in ([0.0, 2.0], [2.0, 2.0], [2.0, 0.0])
        ]
    assert [(each.success, each.progress) for each in found] == [(1.0, None), (1.0, 5.0), (0.0, 5.0)]


def test_without_success_it_is_unscored_episodes_may_be_long_and_hidden_observables_used(
    fork_server: ForkServer,
) -> None:
    task = replace(TASK, fitness="def fitness(native_reward):\n    return native_reward.mean()\n")
    with TaskJudge(fork_server, task, VOCABULARY) as judge:
        scores = judge.judge(0, {"native_reward": np.arange(5001.0)}).scores
        assert scores == {"fitness": Score(2500.0), "success": Score(None)}


def test_a_failure_names_the_program_and_the_next_episode_is_judged(fork_server: ForkServer) -> None:
    task = replace(TASK, success="def success(speed):\n    return speed[99] > 0\n")
    with TaskJudge(fork_server, task, VOCABULARY) as judge:
        with pytest.raises(RewardFailure, match=r"^success: ") as caught:
            judge.measure({"speed": np.ones(3)})
        assert caught.value.kind == "exception"
        assert judge.measure({"speed": np.ones(100)}) == (1.0, 1.0)


@pytest.fixture
def judged(fork_server: ForkServer, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes the judge of a task that names these judges; `calm` and `again` come from another package."""
    calm = {"calm": lambda columns: float(-np.abs(columns["pos"]).max()), "style": lambda _: None}
    modules = {
        "calm": lambda *_: ScriptedJudge(["pos"], calm),
        "again": lambda *_: ScriptedJudge([], {"fitness": lambda columns: 1.0}),
    }
    found = [EntryPoint(name, f"calm_judges:{name}", "eureka_loop.judges") for name in modules]
    monkeypatch.setattr(registry, "entry_points", lambda group: found)
    monkeypatch.setitem(__import__("sys").modules, "calm_judges", type("calm_judges", (), modules))
    return lambda *names: TaskJudge(fork_server, replace(TASK, judges=names), VOCABULARY)


def test_a_task_may_name_judges_of_other_packages(judged: Any) -> None:
    with judged("calm") as judge:
        assert (judge.names, judge.program_names) == (("speed", "pos"), ("speed",))
        scores = judge.judge(7, {"speed": np.ones(4), "pos": np.full((4, 3), 2.0)}).scores
    assert (scores["fitness"], scores["calm"], scores["style"]) == (Score(1.0), Score(-2.0), Score(None))


def test_judges_that_are_unknown_or_give_a_score_twice(judged: Any) -> None:
    with pytest.raises(UnknownName, match="calm"):
        judged("clam")
    with judged("again") as judge, pytest.raises(BadInput, match="two judges give a score 'fitness'"):
        judge.judge(0, {"speed": np.ones(4)})


def policy(observation: Any) -> Array:
    """Torques that depend on the state, so that episodes differ."""
    return np.tanh(np.array([observation[5], -observation[1], 3 * observation[2]]))


def test_a_policy_is_judged_in_one_episode_a_seed(fork_server: ForkServer) -> None:
    task = find_task("hopper-hop")
    domain = find_domain(task.env_id)
    with TaskJudge(fork_server, task, ObservableRegistry.of_task(task, domain).vocabulary) as judge:
        together = judge_policy(policy, task, domain, (1, 2, 3), judge)
        assert judge_policy(policy, task, domain, (3, 1), judge) == (together[2], together[0])
    assert [episode.seed for episode in together] == [1, 2, 3]
    assert len({episode.fitness for episode in together}) == 3
    assert all(episode.length > 1 and episode.success == 0.0 for episode in together)


def test_a_score_is_the_mean_of_the_episodes_that_have_it() -> None:
    first, second = judged_episode(1, 2.0, 1.0, 9), judged_episode(2, 4.0, None, 9)
    without = replace(second, scores={"fitness": second.scores["fitness"]})
    trained = Trained("a", 0, 10, (first, without), (), {}, 0.1)
    assert (trained.score("fitness"), trained.score("success")) == (3.0, 1.0)
