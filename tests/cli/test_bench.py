"""`eureka bench` before anything is trained: its options, its estimate, and the question whether to start."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from eureka_loop.cli import bench as command
from eureka_loop.config import RunConfig
from eureka_loop.errors import MissingExtra
from eureka_loop.records import Task
from eureka_loop.report.bench.estimate import Pace
from eureka_loop.report.bench.setup import Bench, Search, members


@pytest.fixture(autouse=True)
def _measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is timed: the speed is that of two idle cores."""

    def measure(tasks: Sequence[Task], config: RunConfig, known: object) -> dict[str, Pace]:
        return {task.env_id: Pace(10.0, 5000.0) for task in tasks}

    monkeypatch.setattr(command, "measure", measure)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("quick", "bench asks before it starts, and standard input is no terminal: give --yes"),
        ("quik --yes", "unknown suite 'quik'; did you mean 'quick'?"),
        ("quick --yes --tasks hoper-hop", "did you mean 'hopper-hop'"),
        ("quick --yes --tasks ant-run", "it must be one of suite 'quick'"),
        ("quick --yes --tasks ,", "--tasks names nothing"),
        ("quick --yes --searches 0", "--searches 0 is out of range: give 1 to 1000"),
        ("quick --yes --seed 990 --searches 11", "--searches 11 is out of range: give 1 to 10"),
        ("quick --yes --report-seeds 0", "--report-seeds 0 leaves no results"),
        ("quick --yes --steps 50", "--steps 50 is out of range"),
        ("quick --yes --designer llm --model m", "OPENAI_API_KEY"),
        ("quick --yes --designer replay", "a bench can't replay a run"),
        ("quick --yes --designer manual", "a bench waits for nobody's answers: give --designer"),
        ("quick --yes --config none.toml", "none.toml"),
        ("--yes", "SUITE"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing(
    refused: Callable[[str], str], words: str, message: str, tmp_path: Path
) -> None:
    assert message in refused(f"bench {words}")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Bench]:
    """The benches that would start."""
    found: list[Bench] = []
    monkeypatch.setattr(command, "carry_out", lambda whole, *_: found.append(whole) or 0)
    return found


@pytest.mark.parametrize("answer", ["n", "", "what", None, "y", "--yes"])
def test_only_a_yes_starts_it(
    answer: str | None, started: list[Bench], monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    def reply(prompt: str) -> str:
        if answer is None:
            raise EOFError
        return answer

    monkeypatch.setattr("builtins.input", reply)
    monkeypatch.setattr("sys.stdin.isatty", lambda: answer != "--yes")
    words = ["quick", "--yes"] if answer == "--yes" else ["quick"]
    agreed = answer in ("y", "--yes")
    assert command.bench(words) == (0 if agreed else 1)
    assert [each.command for each in started] == [f"eureka bench {' '.join(words)}"] * agreed
    shown = " ".join(capsys.readouterr().out.split())
    for part in (
        "4 tasks, 12 searches to do",
        "ppo 20.5k steps",
        "0 tokens, $0.00",
        "runs/bench-quick-templates-",
    ):
        assert part in shown, part
    (minutes,) = re.findall(r"roughly (\d+) min", shown)
    assert int(minutes) < 20, "see docs/bench.md"
    assert list(tmp_path.iterdir()) == []


def test_a_finished_bench_shows_its_report_without_asking(
    started: list[Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    every = {Search(task.name, seed) for task in members("quick") for seed in range(3)}
    monkeypatch.setattr(command, "finished", lambda folder: every)
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)
    assert command.bench(["quick"]) == 0
    assert len(started[0].wanted) == 12


def test_options_come_before_a_file_and_a_file_before_the_suite(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('steps = 5000\nsamples = 3\ntask = "hopper-hop"\n')
    words = f"quick --samples 2 --algo sac --config {tmp_path / 'mine.toml'}"
    found = command.options_of(words.split())
    assert (found.samples, found.steps, found.generations, found.algo) == (2, 5000, 2, "sac")
    assert command.options_of(["gymnasium"]).steps == RunConfig().steps


@pytest.mark.parametrize(("words", "n_steps"), [("", 512), ("--algo ppo", 512), ("--algo sac", None)])
def test_a_suites_hyperparameters_are_for_its_own_algorithm(words: str, n_steps: int | None) -> None:
    assert command.options_of(["quick", *words.split()]).hyperparameters.get("n_steps") == n_steps


@pytest.mark.parametrize("suite", ["robotics", "metaworld"])
def test_a_suite_that_is_not_installed_names_its_extra(suite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "installed", lambda extra: extra == "")
    with pytest.raises(MissingExtra, match=rf"pip install 'eureka-loop\[{suite}\]'"):
        command.bench([suite, "--yes"])
