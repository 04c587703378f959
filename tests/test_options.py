"""Each mistake in the options is one line."""

from __future__ import annotations

import io
from contextlib import redirect_stderr, redirect_stdout

import pytest

from eureka_loop.cli.compare import CompareOptions
from eureka_loop.cli.look import InspectOptions
from eureka_loop.cli.run import ResumeOptions, TrainOptions
from eureka_loop.config import RunConfig
from eureka_loop.errors import BadInput
from eureka_loop.options import in_one_line, parse, take, take_env_arguments, with_expression


@pytest.mark.parametrize(("encoding", "columns"), [("utf-8", "40"), ("ascii", "200")])
@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("x --steps abc", "--steps takes a whole number, not 'abc'"),
        ("x --steps=1e5", "--steps takes a whole number, not '1e5'"),
        ("x --temperature hot", "--temperature takes a number, not 'hot'"),
        ("x --max-usd lots", "--max-usd takes USD, not 'lots'"),
        ("x --algo td3", "--algo takes one of 'ppo', 'sac', not 'td3'"),
        ("x --samples", "--samples needs a value"),
        ("x --step 5", "unknown option --step; did you mean --steps?"),
        ("x --frobnicate", "unknown option --frobnicate"),
        ("walk back slowly", "too much: back, slowly (what belongs together needs quotes)"),
    ],
)
def test_what_is_wrong_is_one_line(
    monkeypatch: pytest.MonkeyPatch, encoding: str, columns: str, words: str, message: str
) -> None:
    """Whatever the terminal can show."""
    monkeypatch.setenv("COLUMNS", columns)
    screen = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    with redirect_stdout(screen), redirect_stderr(screen), pytest.raises(BadInput) as caught:
        parse(RunConfig, "run", words.split(), RunConfig())
    assert str(caught.value) == f"{message}; `eureka run --help` says more"
    assert screen.tell() == 0


def test_an_unknown_message_of_tyro_is_one_line() -> None:
    assert (
        in_one_line("╭─ News ───╮\n│ Something │\n│ is wrong. │\n╰──────────╯\n")
        == "News Something is wrong."
    )


@pytest.mark.parametrize("kind", [RunConfig, TrainOptions, ResumeOptions, InspectOptions, CompareOptions])
def test_help_shows_no_none(kind: type) -> None:
    page = io.StringIO()
    with redirect_stdout(page), pytest.raises(SystemExit) as caught:
        parse(kind, "x", ["--help"])
    assert not caught.value.code
    assert "usage: eureka x" in page.getvalue()
    assert "None" not in page.getvalue()


def test_an_expression_may_begin_with_a_minus() -> None:
    for words in (["run", "--fitness", "-x", "--seed", "3"], ["run", "--seed", "3", "--fitness=-x"]):
        assert with_expression(words) == ["run", "--seed", "3", "--fitness=-x"]


def test_a_flag_is_taken_with_its_value() -> None:
    assert take(["a", "--human", "b", "c"], "--human") == (["a", "c"], "b")
    assert take(["a"], "--human") == (["a"], None)
    with pytest.raises(BadInput, match="--human needs a value"):
        take(["a", "--human"], "--human")


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ("5", 5), ("0.5", 0.5), ("true", True), ("False", False), ("[0.2, 1.0]", [0.2, 1.0]), ("robot.xml", "robot.xml"),
        ("'5'", "5"), ("a=b", "a=b"), ("2020-01-01", "2020-01-01"), ("5\nother = 6", 5), ("", ""),
    ],
)  # fmt: skip
def test_an_argument_of_the_environment_is_read_as_in_toml(given: str, value: object) -> None:
    for flags in (
        ["--env-arg", f"key={given}"],
        [f"--env-arg=key={given}"],
        ["--env-kwargs", f"key={given}"],
    ):
        rest, found = take_env_arguments(["x", *flags, "--env-arg", "b=1", "--steps", "5"])
        assert (rest, found) == (["x", "--steps", "5"], {"key": value, "b": 1})
    with pytest.raises(BadInput, match=r"--env-arg 'a b=1': give KEY=VALUE"):
        take_env_arguments(["--env-arg", "a b=1"])
