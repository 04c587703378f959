"""Settings of a file that decide where keys, prompts and programs go are shown, and need a yes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from eureka_loop import files
from eureka_loop.cli import bench, compare, confirm, run
from eureka_loop.config import RunConfig, as_table
from eureka_loop.errors import BadInput
from eureka_loop.records import Task
from eureka_loop.store import Run

URL = "http://example.org/v1"
LOCAL = "http://127.0.0.1:9/v1"
KEYS = {"EUREKA_API_KEY": "k", "OPENAI_API_KEY": "sk"}
SENT = f"prompts go to {URL}, with the key in EUREKA_API_KEY"
PRICED = "model gpt-5-mini writes, for $0.25 and $2 a million tokens"
UNKNOWN = "model mine writes, for an unknown price a million tokens"
IMPORTED = "Python module mine is imported, for environment mine:Own-v0"
MADE = "the environment is made with {'xml_file': 'a.xml'}, which may name files"
REDUCED = "generated programs may run in a sandbox below strict"


@pytest.mark.parametrize(
    ("config", "given", "environ", "found"),
    [
        ({}, {}, {}, []),
        ({"base_url": URL, "model": "gpt-5-mini"}, {}, KEYS, [SENT, PRICED]),
        ({"base_url": URL, "model": "mine"}, {}, {}, [f"prompts go to {URL}, with no key", UNKNOWN]),
        ({"base_url": URL, "model": "mine"}, {"base_url": URL, "model": "mine"}, KEYS, []),
        ({"base_url": URL, "model": "mine"}, {}, {"OPENAI_BASE_URL": URL, "EUREKA_MODEL": "mine"}, []),
        ({"base_url": f"{URL}/", "model": "mine"}, {"model": "mine"}, {"OPENAI_BASE_URL": URL}, []),
        ({"base_url": LOCAL, "model": "mine"}, {"base_url": LOCAL}, KEYS, []),
        ({"base_url": LOCAL, "model": "gpt-5-mini"}, {"base_url": LOCAL}, KEYS, [PRICED]),
        ({"model": "gpt-5-mini"}, {}, KEYS, [PRICED]),
        ({"base_url": URL}, {}, KEYS, []),  # no model: the templates write
        ({"base_url": URL}, {}, {**KEYS, "EUREKA_MODEL": "mine"}, [SENT]),
        ({"base_url": URL, "designer": "llm"}, {}, KEYS, [SENT]),
        ({"base_url": URL, "designer": "templates, llm"}, {}, KEYS, [SENT]),
        ({"base_url": URL, "model": "mine", "designer": "templates"}, {}, KEYS, []),
        (
            {"base_url": "https://api.openai.com/v1", "model": "mine"},
            {"model": "mine"},
            {**KEYS, "OPENAI_BASE_URL": LOCAL},
            ["prompts go to https://api.openai.com/v1, with the key in EUREKA_API_KEY"],
        ),
        ({"allow_reduced_sandbox": True}, {}, {}, [REDUCED]),
        ({"env": "mine:Own-v0"}, {}, {}, [IMPORTED]),
        ({"env": "mine:Own-v0"}, {"env": "mine:Own-v0"}, {}, []),
        ({"env": "Hopper-v5"}, {}, {}, []),
        (
            {"env_kwargs": {"xml_file": "a.xml", "frame_skip": 5}},
            {"env_kwargs": {"frame_skip": 5}},
            {},
            [MADE],
        ),
        ({"env_kwargs": {"xml_file": "a.xml"}}, {"env_kwargs": {"xml_file": "a.xml"}}, {}, []),
        ({"env_kwargs": {"frame_skip": 5}}, {}, {}, []),
        ({"env": "a.xml"}, {}, {}, ["file a.xml is opened, as the environment"]),
        ({"env": "a.xml"}, {"env": "a.xml"}, {}, []),
        ({"fitness": "/a.py"}, {}, {}, ["file /a.py is read, as the fitness"]),
        ({"fitness": "/a.py"}, {"fitness": "/a.py"}, {}, []),
        ({"out": "/away"}, {}, {}, ["runs are written to /away"]),
        ({"out": "../away"}, {}, {}, ["runs are written to ../away"]),
        ({"out": "other"}, {}, {}, []),
        ({"out": "/away"}, {"out": "/away"}, {}, []),
        ({"executor": "slurm"}, {}, {}, ["trainings, with the generated programs, go to executor slurm"]),
        ({"executor": "slurm"}, {"executor": "slurm"}, {}, []),
        ({"allow_reduced_sandbox": True}, {"allow_reduced_sandbox": True}, {}, []),
    ],
)
def test_what_only_a_file_decides(config: Any, given: Any, environ: Any, found: list[str]) -> None:
    config, given = ({**each, "out": Path(each.get("out", "runs"))} for each in (config, given))
    assert list(confirm.from_file(RunConfig(**config), RunConfig(**given), environ)) == found


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The commands that would begin."""
    found: list[str] = []
    monkeypatch.setattr(run, "_go", lambda *_, **__: found.append("resume") or 0)

    def created(*_: Any, **__: Any) -> None:
        found.append("run")
        raise BadInput("begun")

    monkeypatch.setattr(run, "_created", created)
    return found


FILE = "designer = 'llm'\nmodel = 'mine'\nallow_reduced_sandbox = true\nbase_url = "
RESUME, RUN = "resume elsewhere", "run hopper-hop --config elsewhere/run.toml"
GIVEN = f" --base-url {LOCAL} --model mine"


@pytest.mark.parametrize(
    "words", [RESUME, RUN, f"{RESUME} --model mine", f"{RUN} --model mine --designer llm"]
)
def test_without_a_terminal_it_needs_the_flag(
    refused: Callable[[str], str], begun: list[str], words: str, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/run.toml").write_text(f"{FILE}'{LOCAL}'")
    line = refused(words)
    assert f"prompts go to {LOCAL}, with no key; {REDUCED}: if that is what you want, give --trust" in line
    assert begun == []
    assert not (tmp_path / "elsewhere/events.jsonl").exists()
    command, *others = words.split()
    if command == "resume":
        assert run.resume([*others, "--trust"]) == 0
    else:
        with pytest.raises(BadInput, match="begun"):
            run.run([*others, "--trust"])
    assert begun == [command]


@pytest.mark.parametrize("answer", ["y", "n", ""])
def test_on_a_terminal_it_is_shown_and_asked(
    answer: str, begun: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Any
) -> None:
    (tmp_path / "run.toml").write_text(f"{FILE}'{LOCAL}'")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda _: answer)
    if answer == "y":
        assert run.resume([str(tmp_path)]) == 0
    else:
        with pytest.raises(BadInput, match="nothing was sent or run"):
            run.resume([str(tmp_path)])
    assert f"  prompts go to {LOCAL}, with no key\n  {REDUCED}\nGo on? [y/N] " in capsys.readouterr().err
    assert begun == (["resume"] if answer == "y" else [])


def test_a_bench_asks_about_its_file_and_about_a_run_that_was_put_into_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.toml").write_text(f"{FILE}'{LOCAL}'")
    with pytest.raises(BadInput, match=r"mine\.toml decides that prompts go to"):
        bench.bench(["quick", "--yes", "--config", "mine.toml"])
    config = RunConfig(task="hopper-hop", designer="llm", model="mine", base_url=URL)
    (tmp_path / "there/run").mkdir(parents=True)
    (tmp_path / "there/run/run.toml").write_text(tomli_w.dumps(as_table(config)))
    monkeypatch.setattr(bench, "carry_out", lambda *_: 0)
    with pytest.raises(BadInput, match=f"there/run decides that prompts go to {URL}"):
        bench.bench(["quick", "--yes", "--out", "there"])


def test_a_comparison_takes_no_leave_from_a_run(a_run: Any, tmp_path: Path) -> None:
    task = Task("t", "InvertedPendulum-v5", "Balance.", "def fitness(obs): return obs.mean()")
    made: Run = a_run(tmp_path / "elsewhere", task, "def compute_reward(obs): ...")
    table = {**as_table(made.config), "allow_reduced_sandbox": True}
    files.write_text(made.folder / "run.toml", tomli_w.dumps(table))
    (tmp_path / "mine.py").write_text("def compute_reward(obs): ...")
    options = compare.CompareOptions((made.folder,), others="mine.py")
    assert made.config.allow_reduced_sandbox
    assert not compare.setup_of(options, "").config.allow_reduced_sandbox


def test_a_run_that_was_made_here_needs_no_question(a_run: Any, tmp_path: Path) -> None:
    task = Task("t", "InvertedPendulum-v5", "Balance.", "def fitness(obs): return obs.mean()")
    made: Run = a_run(tmp_path / "mine", task, "def compute_reward(obs): ...")
    wanted = RunConfig(allow_reduced_sandbox=True)
    for file in (made.folder, made.folder / "run.toml"):
        confirm.confirm(wanted, RunConfig(), file, trusted=False)
    with (made.folder / "run.toml").open("a") as file:
        file.write("allow_reduced_sandbox = true\n")
    with pytest.raises(BadInput, match="mine decides that generated programs may run"):
        confirm.confirm(wanted, RunConfig(), made.folder, trusted=False)
