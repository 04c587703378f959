"""One configuration, from flags and files, with limits that say what is allowed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import tomli_w

from eureka_loop.config import LIMITS, OPEN, RunConfig, amend, as_table, load, slug
from eureka_loop.errors import BadInput


def test_a_configuration_survives_its_file(tmp_path: Path) -> None:
    config = RunConfig(
        task="ant-run", algo="sac", max_hours=1.5, replay=Path("runs/a"), hyperparameters={"net_arch": [8, 8]}
    )
    path = tmp_path / "run.toml"
    path.write_text(tomli_w.dumps({**as_table(config), "made_by": {"python": "3.11"}}))
    assert load(path) == config


def test_a_file_gives_defaults_and_keeps_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text("steps = 1234\n")
    assert load(path, RunConfig(task="hopper-hop")) == RunConfig(task="hopper-hop", steps=1234)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"generation = 3\n", "did you mean 'generations'"),
        (b"steps = ", "is not valid TOML"),
        (b"\xff\xfe", "it is not text"),
        (b'steps = "many"\n', "steps = 'many'"),
        (None, "No such file"),
    ],
)
def test_a_mistake_in_a_file_is_bad_input(tmp_path: Path, content: bytes | None, problem: str) -> None:
    path = tmp_path / "x.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadInput, match=problem):
        load(path)


@pytest.mark.parametrize(("name", "least", "most"), LIMITS)
def test_every_limit_says_what_is_allowed(name: str, least: float, most: float) -> None:
    for value in (-1 if name in OPEN else least - 1, most * 2):
        with pytest.raises(BadInput, match=f"--{name.replace('_', '-')} .*{most}"):
            RunConfig(**{name: value})


def test_a_run_s_limits_can_be_changed_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    config = RunConfig(task="hopper-hop", max_usd=1.0)
    path.write_text(tomli_w.dumps({**as_table(config), "made_by": {"python": "3.11"}}))
    amend(path, {"max_usd": 2.0, "max_tokens": 1000})
    assert load(path) == replace(config, max_usd=2.0, max_tokens=1000)
    assert 'python = "3.11"' in path.read_text()


def test_halving_of_an_older_version_is_an_error_where_it_was_used(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text("halving = 1\nsteps = 300\n")
    assert load(path) == RunConfig(steps=300)
    path.write_text("halving = 3\n")
    with pytest.raises(BadInput, match=r"run\.toml: halving = 3: .*; leave it out, and all candidates"):
        load(path)


@pytest.mark.parametrize("other", [{"confirm": 3}, {"relabel": 1000}])
def test_what_goes_by_generations_is_refused_beside_a_steady_search(other: dict[str, int]) -> None:
    with pytest.raises(BadInput, match=f"--{next(iter(other))} goes by whole generations"):
        RunConfig(steady=True, **other)  # type: ignore[arg-type]
    assert RunConfig(steady=True, confirm=2, seeds=2).steady


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Walk *on*, left_leg first!", "walk-on-left-leg-first"),
        ("让半猎豹向后跑", "让半猎豹向后跑"),
        ("पीछे चलो", "पीछे-चलो"),
        ("../../etc", "etc"),
        ("🦿", "task"),
        ("a" * 39 + " b c", "a" * 39),
    ],
)
def test_a_folder_is_named_in_the_texts_own_script(text: str, name: str) -> None:
    assert slug(text) == name
