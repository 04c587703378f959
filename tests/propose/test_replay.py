"""Replay answers what was recorded, by any designer, and names what wasn't."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from eureka_loop.config import RunConfig
from eureka_loop.errors import BadInput, DesignerError, Refused, RunError
from eureka_loop.propose.designer import Repair
from eureka_loop.propose.llm.extract import extract
from eureka_loop.propose.replay import ReplayDesigner, with_recorded_numbers
from eureka_loop.records import Reply
from eureka_loop.reward.gate import check
from eureka_loop.store import Run
from tests.propose.conftest import proposals

RECORDED = Path(__file__).parents[1] / "conversations" / "halfcheetah"


def record(folder: Path, generation: int, *replies: Sequence[Reply]) -> None:
    """Replies of a generation, each with its repairs, as a run keeps them."""
    for index, turns in enumerate(replies):
        for reply in turns:
            Run(folder).write_reply(f"g{generation}-{index:02d}", reply)


def recorded_run(folder: Path, counts: tuple[int, ...], **settings: str) -> ReplayDesigner:
    for generation, count in enumerate(counts):
        record(folder, generation, *([Reply(f"{generation} {n}")] for n in range(count)))
    (folder / "run.toml").write_text(tomli_w.dumps({"task": "hopper-hop", "an_older_setting": 1, **settings}))
    return ReplayDesigner(folder)


def test_replies_and_repairs_come_back(ask: Any, tmp_path: Path) -> None:
    first = Reply("a = 1", exchange={"messages": [{"role": "user", "content": "U"}], "reply": "A"})
    turns = [Reply(None, problem="the reply is empty"), Reply(None, problem="prose"), Reply("b = 2")]
    crossed = Reply("c = 3", parents=("g0-00", "g0-01"), note="crossed")
    record(tmp_path, 0, [first], turns)
    record(tmp_path, 1, [crossed])
    replay = ReplayDesigner(tmp_path)
    assert proposals(replay, ask(samples=2)) == [first, turns[0]]
    assert proposals(replay, ask(generation=1)) == [crossed]
    for attempt in (1, 2):
        assert replay.propose(ask(repair=Repair(None, "empty", attempt=attempt)), 1) == turns[attempt]


def test_an_unrecorded_reply_is_named(ask: Any, tmp_path: Path) -> None:
    record(tmp_path, 0, [Reply("a")], [Reply("b")])
    replay = ReplayDesigner(tmp_path)
    for change in ({"samples": 3}, {"generation": 1}):
        with pytest.raises(DesignerError, match=r"holds no g\d-\d\d, only g0-00, g0-01; give .* fewer --gen"):
            proposals(replay, ask(**change))
    with pytest.raises(DesignerError, match="holds no g0-00 repaired"):
        replay.propose(ask(repair=Repair("a", "Line 1: no")), 0)


def test_a_folder_without_a_run_and_a_damaged_file(ask: Any, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="is not a recorded run: it has no proposals"):
        ReplayDesigner(tmp_path)
    replay = recorded_run(tmp_path, (1,))
    (tmp_path / "proposals" / "g0-00.json").write_text('[{"source": ')
    with pytest.raises(RunError, match="is damaged"):
        replay.propose(ask(), 0)
    (tmp_path / "run.toml").write_text("task = ")
    with pytest.raises(BadInput, match="is not valid TOML"):
        replay.check(RunConfig(generations=1, samples=1))


def test_the_recorded_conversation_is_that_of_its_replies(ask: Any) -> None:
    """The gate admits its programs but for one, which is repaired; one reply holds no program."""
    replay, refused = ReplayDesigner(RECORDED), []
    vocabulary = ask().vocabulary
    for reply in [each for g in (0, 1) for each in proposals(replay, ask(samples=4, generation=g))]:
        found = extract(reply.exchange["reply"], finish_reason=reply.exchange["finish_reason"], limit=400)
        assert (found.source, found.problem) == (reply.source, reply.problem)
        try:
            check(reply.source or "", vocabulary)
        except Refused as error:
            refused.append((reply.source, str(error)))
    (no_code, _), (invented, problems) = sorted(refused, key=lambda each: each[0] is not None)
    assert no_code is None
    assert "unknown observable 'velocity_x'" in problems
    repaired = replay.propose(ask(repair=Repair(invented, problems)), 1)
    assert check(repaired.source or "", vocabulary).parameters == ("forward_velocity", "torso_pitch")


def test_more_than_was_recorded_is_refused_before_the_run(tmp_path: Path) -> None:
    replay, config = recorded_run(tmp_path, (4, 4, 3)), RunConfig(task="hopper-hop", generations=3)
    replay.check(replace(config, samples=3))
    with pytest.raises(BadInput, match=r"holds no g2-03, only .*; give .* fewer --generations or --samples$"):
        replay.check(replace(config, samples=4))


@pytest.mark.parametrize("other", [{"task": "ant-run"}, {"env": "Ant-v5"}, {"fitness": "obs"}])
def test_another_task_than_the_recorded_one_is_refused(tmp_path: Path, other: dict[str, str]) -> None:
    replay = recorded_run(tmp_path, (1,), env="Hopper-v5", fitness="height")
    same = RunConfig(task="hopper-hop", env="Hopper-v5", fitness="height", generations=1, samples=1)
    replay.check(same)
    with pytest.raises(BadInput, match=f"recorded with {next(iter(other))} '.*', not '.*'; give the same"):
        replay.check(replace(same, **other))
    ReplayDesigner(RECORDED).check(RunConfig(task="ant-run", generations=2, samples=4))  # no run.toml


def test_numbers_that_are_not_given_are_the_recorded_ones(tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text("steps = 700\ngenerations = 2\nreport_seeds = 6\nconfirm = 3\n")
    found = with_recorded_numbers(RunConfig(replay=tmp_path, generations=1))
    assert (found.steps, found.generations, found.samples, found.report_seeds) == (700, 1, 8, 6)
    assert (found.confirm, found.minutes) == (3, 0), "nothing is planned"
    assert with_recorded_numbers(RunConfig()) == RunConfig()
