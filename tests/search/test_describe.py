"""Which task is meant, which trainer a run has; inputs of the user are tried before anything is trained."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eureka_loop import files
from eureka_loop.config import RunConfig
from eureka_loop.errors import BadInput
from eureka_loop.propose.write import Gate
from eureka_loop.records import Array, Task, Training
from eureka_loop.reward.expression import episode_mean
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.vocabulary import Observable, Vocabulary
from eureka_loop.search import assemble
from eureka_loop.search.describe import (
    of_its_own,
    read_program,
    require_relabelling,
    task_of,
    with_trainer,
)
from eureka_loop.search.task_measure import try_fitness

OWN = RunConfig(task="walk backwards", env="Walker2d-v5", fitness="-forward_velocity")


def test_a_task_of_the_catalogue_drops_env_and_fitness_of_a_file() -> None:
    hop = of_its_own(replace(OWN, task="hopper-hop"), OWN)
    assert task_of(hop).env_id == "Hopper-v5"
    assert of_its_own(replace(OWN, task="walk on"), OWN).env == "Walker2d-v5"
    assert of_its_own(OWN, OWN) == OWN


def test_an_env_beside_a_task_of_the_catalogue_is_refused() -> None:
    with pytest.raises(BadInput, match="'hopper-hop' is in the catalogue, with env and fitness: leave those"):
        task_of(of_its_own(replace(OWN, task="hopper-hop", env="Ant-v5"), OWN))


@pytest.mark.parametrize("text", ["让半猎豹向后跑", "Corre!", "x" * 101])
def test_what_is_no_name_of_the_catalogue_is_a_text_in_any_script(text: str) -> None:
    with pytest.raises(BadInput, match=r"a task in your own words needs --env .* and --fitness"):
        task_of(RunConfig(task=text))
    assert task_of(replace(OWN, task=text)).env_id == "Walker2d-v5"


def test_arguments_of_an_env_go_to_any_task_and_a_file_of_theirs_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "robot.xml").touch()
    arguments = {"xml_file": "robot.xml", "frame_skip": 3, "other": "none.xml"}
    expected = {**arguments, "xml_file": str(tmp_path / "robot.xml")}
    assert task_of(replace(OWN, env_kwargs=arguments)).env_kwargs == expected
    assert task_of(RunConfig(task="hopper-hop", env_kwargs=arguments)).env_kwargs == expected
    file = replace(OWN, env_kwargs=arguments)
    assert task_of(of_its_own(replace(file, task="hopper-hop"), file)).env_kwargs == {}


def chosen(folder: Path, reason: str = "", **settings: Any) -> Training:
    """After a survey that found this reason against the population trainer."""
    files.write_json(folder / "trainer.json", reason)
    return with_trainer(Training("ppo", {}), RunConfig(**settings), folder)


@pytest.mark.parametrize(("reason", "trainer"), [("", "sb3"), ("no SAC", None)])
def test_the_population_trainer_is_chosen_where_nothing_speaks_against_it(
    reason: str, trainer: str | None, tmp_path: Path
) -> None:
    assert chosen(tmp_path, reason, trainer=trainer).trainer == "sb3"
    assert chosen(tmp_path, reason, trainer=trainer).why == reason
    assert chosen(tmp_path).trainer == "population"


@pytest.mark.parametrize(
    ("settings", "tuned", "why"),
    [
        ({"bank": True}, {}, "SAC, since PPO learns from its own transitions alone"),
        ({"algo": "sac"}, {}, "--bank, which keeps the transitions"),
        ({"algo": "sac", "bank": True}, {"her": True}, "set the hyperparameter her = false"),
    ],
)
def test_relabelling_needs_transitions_that_the_learner_can_use(
    settings: dict[str, Any], tuned: dict[str, object], why: str
) -> None:
    require_relabelling(RunConfig(**settings), tuned)
    require_relabelling(RunConfig(algo="sac", bank=True, relabel=500), {"her": False})
    with pytest.raises(BadInput, match=f"--relabel 500 needs .*{why}"):
        require_relabelling(RunConfig(**settings, relabel=500), tuned)


NAMES = ("height", "time", "terminated")
VOCABULARY = Vocabulary("E-v0", tuple(Observable(name, ()) for name in NAMES), horizon=50, dt=0.1)
HEAD = "def compute_reward(height):\n    return "


def probe_of(lengths: list[int], *, ending: bool) -> dict[str, Array]:
    """Every step of episodes of these lengths, which end by themselves or were cut off."""
    time = np.concatenate([0.1 * np.arange(1, length + 1) for length in lengths])
    terminated = np.concatenate([np.eye(length)[-1] * ending for length in lengths])
    columns = {"height": np.linspace(-1.0, 1.0, len(time)), "time": time, "terminated": terminated}
    return {
        f"{prefix}{name}": column for prefix in ("", "prev_", "init_") for name, column in columns.items()
    }


@pytest.fixture
def gate(fork_server: ForkServer) -> Gate:
    return Gate(VOCABULARY, probe_of([20, 20], ending=False), fork_server)


def try_out(fork_server: ForkServer, expression: str, lengths: list[int], *, ending: bool = False) -> None:
    task = Task("rise", "E-v0", "rise", episode_mean(expression, VOCABULARY))
    try_fitness(task, expression, VOCABULARY, probe_of(lengths, ending=ending), fork_server)


@pytest.mark.parametrize(
    ("expression", "part"),
    [("np.log(height - 5)", "nan"), ("1 / terminated.sum()", "inf"), ("height[99]", "Line 2: IndexError")],
)
def test_a_fitness_that_can_not_be_measured_is_one_clear_line(
    fork_server: ForkServer, expression: str, part: str
) -> None:
    with pytest.raises(BadInput) as caught:
        try_out(fork_server, expression, [20, 20])
    message = str(caught.value)
    head = f"--fitness {expression!r} fails on an episode of 50 steps under random actions: "
    assert message.startswith(head)
    assert part in message
    assert "\n" not in message


def test_a_fitness_for_long_episodes_is_refused_where_episodes_end_early(fork_server: ForkServer) -> None:
    late = "height[40:].mean()"
    try_out(fork_server, late, [20, 20])  # both were cut off: real ones last 50 steps
    with pytest.raises(BadInput, match="episode of 12 steps"):
        try_out(fork_server, late, [20, 12, 17], ending=True)


@pytest.mark.parametrize(
    ("source", "part"),
    [
        (HEAD + "{'a': np.log(height - 5.0)}\n", "nan in 40 of 40 rows"),
        (HEAD + "{'a': height * [1.0][int(2.0)]}\n", "Line 2: IndexError"),
        (HEAD + "{'a': height - np.roll(height, 1)}\n", "mixes rows"),
        ("def compute_reward(hight):\n    return {'a': hight}\n", "did you mean 'height'"),
        ("def compute_reward(hight):\n    import os\n    return {'a': hight}\n", "program:\nLine 1: unknown"),
    ],
)
def test_a_program_that_fails_is_refused_with_every_reason(
    gate: Gate, tmp_path: Path, source: str, part: str
) -> None:
    path = tmp_path / "mine.py"
    path.write_text(source)
    with pytest.raises(BadInput) as caught:
        read_program(path, gate)
    assert part in str(caught.value)
    assert str(caught.value).startswith(str(path))
    assert str(caught.value).count("\n") == 2 * source.count("import")


@pytest.mark.parametrize("name", ["none.py", "folder", "binary.py"])
@pytest.mark.parametrize("option", ["program", "human"])
def test_a_file_that_can_not_be_read_is_an_error_before_the_survey(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str, name: str
) -> None:
    monkeypatch.setattr(assemble, "ForkServer", None)  # nothing may be started
    (tmp_path / "folder").mkdir()
    (tmp_path / "binary.py").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput, match=r"can't read .*: (No such file|Is a directory|it is not text)"):
        assemble.create(RunConfig(task="hopper-hop", out=tmp_path / "runs"), **{option: tmp_path / name})
    assert not (tmp_path / "runs").exists()
