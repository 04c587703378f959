"""`eureka bench` before anything is trained: its options, its estimate, and the question whether to start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from eureka_loop.cli import bench as command
from eureka_loop.config import RunConfig
from eureka_loop.report.bench.estimate import Pace
from eureka_loop.report.bench.setup import Bench, Search, members

Refused = Callable[[str], str]


@pytest.fixture(autouse=True)
def _measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is timed."""

    def measured(whole: Bench, asked: Bench) -> Bench:
        paces = {task.env_id: Pace(10.0, 5000.0) for task in asked.chosen().values()}
        return replace(whole, paces=paces)

    monkeypatch.setattr(command, "measured", measured)


def config(words: str) -> RunConfig:
    return command.options_of(words.split())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("quick", "bench asks before it starts, and standard input is no terminal: give --yes"),
        ("quik --yes", "unknown suite 'quik'; did you mean 'quick'?"),
        ("quick --yes --tasks hoper-hop", "did you mean 'hopper-hop'"),
        ("quick --yes --tasks ant-run", "unknown task of suite 'quick' 'ant-run'"),
        ("quick --yes --tasks ,", "--tasks names nothing"),
        ("quick --yes --searches 0", "--searches 0 is out of range: give 1 to 1000"),
        ("quick --yes --seed 990 --searches 11", "--searches 11 is out of range: give 1 to 10"),
        ("quick --yes --report-seeds 0", "--report-seeds 0 leaves nothing to tell"),
        ("quick --yes --steps 0", "--steps 0 is out of range"),
        ("quick --yes --designer llm --model m", "OPENAI_API_KEY"),
        ("quick --yes --designer replay", "a bench can't replay a run"),
        ("quick --yes --config none.toml", "none.toml"),
        ("--yes", "SUITE"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing(
    refused: Refused, words: str, said: str, tmp_path: Path
) -> None:
    assert said in refused(f"bench {words}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("answer", ["n", "", "what", EOFError])
def test_anything_but_a_yes_starts_nothing(
    answer: str | type[EOFError],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def reply(prompt: str) -> str:
        if isinstance(answer, str):
            return answer
        raise answer

    monkeypatch.setattr("builtins.input", reply)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    assert command.bench(["quick"]) == 1
    said = " ".join(capsys.readouterr().out.split())
    for part in (
        "4 tasks, 12 searches to do",
        "20,480 steps",
        "roughly",
        "0 tokens, $0.00",
        "runs/bench-quick-templates-",
    ):
        assert part in said, part
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Bench]:
    """The benches that would start."""
    found: list[Bench] = []

    def carry_out(whole: Bench, asked: Bench, folder: Path, expected: object) -> int:
        found.append(asked)
        return 0

    monkeypatch.setattr(command, "carry_out", carry_out)
    return found


@pytest.mark.parametrize("words", [["quick"], ["quick", "--yes"]])
def test_a_yes_starts_it(words: list[str], started: list[Bench], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.input", lambda prompt: "y")
    monkeypatch.setattr("sys.stdin.isatty", lambda: "--yes" not in words)
    assert command.bench(words) == 0
    assert [each.command for each in started] == [f"eureka bench {' '.join(words)}"]
    assert len(started[0].wanted) == 12


def test_a_finished_bench_shows_its_report_without_asking(
    started: list[Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    every = {Search(task.name, seed) for task in members("quick") for seed in range(3)}
    monkeypatch.setattr(command, "finished", lambda folder: every)
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)
    assert command.bench(["quick"]) == 0
    assert len(started) == 1


def test_options_come_before_a_file_and_a_file_before_the_suite(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('steps = 5000\nsamples = 3\ntask = "hopper-hop"\n')
    found = config(f"quick --samples 2 --algo sac --config {tmp_path / 'mine.toml'}")
    assert (found.samples, found.steps, found.generations, found.algo) == (2, 5000, 2, "sac")
    assert config("gymnasium").steps == RunConfig().steps


def test_a_suites_hyperparameters_are_for_its_own_algorithm() -> None:
    assert config("quick").hyperparameters["n_steps"] == 512
    assert config("quick --algo ppo").hyperparameters["n_steps"] == 512
    assert config("quick --algo sac").hyperparameters == {}


def test_quick_is_estimated_to_stay_under_twenty_minutes() -> None:
    """At a speed that two idle cores have: see docs/bench.md."""
    options = command.options_of(["quick", "--designer", "templates"])
    asked = command.asked_for(options, "eureka bench quick")
    estimates = command.estimated(command.measured(asked, asked), asked)
    assert sum(estimates[search.task].seconds for search in asked.wanted) < 20 * 60
