"""User inputs are tried before anything is trained."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest

from eureka_loop import files
from eureka_loop.config import RunConfig
from eureka_loop.errors import BadInput
from eureka_loop.propose.write import Gate
from eureka_loop.records import Array, Task
from eureka_loop.reward.expression import episode_mean
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.vocabulary import Observable, Vocabulary
from eureka_loop.search import assemble
from eureka_loop.search.user_inputs import read_program, take_human, try_fitness

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


@pytest.fixture(scope="module")
def fork_server() -> Iterator[ForkServer]:
    with ForkServer() as each:
        yield each


@pytest.fixture
def gate(fork_server: ForkServer) -> Gate:
    return Gate(VOCABULARY, probe_of([20, 20], ending=False), fork_server)


def try_out(fork_server: ForkServer, expression: str, probe: Mapping[str, Array]) -> None:
    task = Task("rise", "E-v0", "rise", episode_mean(expression, VOCABULARY))
    try_fitness(task, expression, VOCABULARY, probe, fork_server)


@pytest.mark.parametrize(
    ("expression", "part"),
    [("np.log(height - 5)", "nan"), ("1 / terminated.sum()", "inf"), ("height[99]", "Line 2: IndexError")],
)
def test_a_fitness_that_can_not_be_measured_is_one_clear_line(
    fork_server: ForkServer, expression: str, part: str
) -> None:
    with pytest.raises(BadInput) as caught:
        try_out(fork_server, expression, probe_of([20, 20], ending=False))
    message = str(caught.value)
    head = f"--fitness {expression!r} fails on an episode of 50 steps under random actions: "
    assert message.startswith(head)
    assert part in message
    assert "\n" not in message


def test_a_fitness_for_long_episodes_is_refused_where_episodes_end_early(fork_server: ForkServer) -> None:
    late = "height[40:].mean()"
    try_out(fork_server, late, probe_of([20, 20], ending=False))  # both were cut off: real ones last 50 steps
    with pytest.raises(BadInput, match="episode of 12 steps"):
        try_out(fork_server, late, probe_of([20, 12, 17], ending=True))


@pytest.mark.parametrize(
    ("source", "part"),
    [
        (HEAD + "{'a': np.log(height - 5.0)}\n", "nan in 40 of 40 rows"),
        (HEAD + "{'a': height * [1.0][len(height)]}\n", "Line 2: IndexError"),
        (HEAD + "{'a': height - np.roll(height, 1)}\n", "mixes rows"),
        ("def compute_reward(hight):\n    return {'a': hight}\n", "did you mean 'height'"),
    ],
)
def test_a_program_that_fails_is_one_clear_line(gate: Gate, tmp_path: Path, source: str, part: str) -> None:
    path = tmp_path / "mine.py"
    path.write_text(source)
    with pytest.raises(BadInput) as caught:
        read_program(path, gate)
    assert part in str(caught.value)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_every_problem_of_a_program_is_named(gate: Gate, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text("def compute_reward(hight):\n    import os\n    return {'a': hight}\n")
    with pytest.raises(BadInput, match=r"is not a reward program:\nLine 1: .*\nLine 2: "):
        read_program(path, gate)


def test_a_hand_written_reward_becomes_that_of_the_task(gate: Gate, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(HEAD + "{'height': height}\n")
    take_human(tmp_path, Task("rise", "E-v0", "rise", "f"), path, gate)
    task = files.read_json(tmp_path / "task.json", Task)
    assert (task.human, task.human_source) == (path.read_text(), str(path))
    assert (tmp_path / "human.py").read_text() == path.read_text()


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
