"""Replay answers what was recorded, whoever wrote it, and says clearly what wasn't."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from eureka_loop import files
from eureka_loop.config import RunConfig
from eureka_loop.errors import BadInput, DesignerError, Refused, RunError
from eureka_loop.propose.choose import settle
from eureka_loop.propose.designer import Designer, Repair, ScriptedDesigner, gathered
from eureka_loop.propose.llm.extract import extract
from eureka_loop.propose.replay import ReplayDesigner
from eureka_loop.records import Reply, Usage
from eureka_loop.reward.gate import check

RECORDED = Path(__file__).parents[1] / "conversations" / "halfcheetah"


def record(
    folder: Path, generation: int, replies: list[Reply], repairs: dict[int, Reply] | None = None
) -> None:
    """What a run keeps of a generation."""
    for index, reply in enumerate(replies):
        turns = [reply, *([repairs[index]] if repairs and index in repairs else [])]
        exchanges = [
            {
                **turn.exchange,
                "source": turn.source,
                "problem": turn.problem,
                "note": turn.note,
                "parents": list(turn.parents),
            }
            for turn in turns
        ]
        files.write_json(folder / "candidates" / f"g{generation}-{index:02d}" / "exchange.json", exchanges)


def same(replies: list[Reply], others: list[Reply]) -> bool:
    return [free(reply) for reply in replies] == [free(reply) for reply in others]


def free(reply: Reply) -> Reply:
    return Reply(reply.source, reply.parents, reply.note, reply.problem, reply.exchange, Usage())


def test_a_model_s_replies_come_back(script: Any, designer: Any, ask: Any, tmp_path: Path) -> None:
    script.then(script.says("No."), script.writes(), script.says("```python\ndef comp", finish="length"))
    asked = designer(parallel=1)
    replies = gathered(asked, ask(samples=3))
    (mended,) = gathered(asked, ask(repair=Repair(None, "No.", replies[0].exchange)))
    record(tmp_path, 0, replies, {0: mended})
    replay = ReplayDesigner(tmp_path)
    again = gathered(replay, ask(samples=3))
    assert same(again, replies)
    assert same(gathered(replay, ask(repair=Repair(None, "No."), only=(0,))), [mended])
    assert all(reply.usage == Usage() for reply in again)


def test_any_designer_s_replies_come_back(ask: Any, tmp_path: Path) -> None:
    author: Designer = ScriptedDesigner(["a = 1", "b = 2"])
    first = gathered(author, ask(samples=2))
    second = [Reply("c = 3", parents=("g0-00", "g0-01"), note="crossed", exchange={"genes": [1]})]
    record(tmp_path, 0, first)
    record(tmp_path, 1, second)
    replay = ReplayDesigner(tmp_path)
    assert same(gathered(replay, ask(samples=2)), first)
    assert same(gathered(replay, ask(generation=1)), second)


@pytest.mark.parametrize("how", [{"samples": 3}, {"generation": 1}])
def test_what_isn_t_recorded_is_said(ask: Any, tmp_path: Path, how: dict[str, int]) -> None:
    record(tmp_path, 0, [Reply("a"), Reply("b")])
    with pytest.raises(DesignerError, match=r"holds no g\d-\d\d, only g0-00, g0-01; ask for no more"):
        gathered(ReplayDesigner(tmp_path), ask(**how))


def test_a_repair_that_isn_t_recorded_is_said(ask: Any, tmp_path: Path) -> None:
    record(tmp_path, 0, [Reply("a")])
    with pytest.raises(DesignerError, match="g0-00 holds no repair"):
        gathered(ReplayDesigner(tmp_path), ask(repair=Repair("a", "Line 1: no")))


def test_a_folder_that_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="is not a recorded run: it has no candidates"):
        ReplayDesigner(tmp_path)


def test_a_damaged_file(ask: Any, tmp_path: Path) -> None:
    record(tmp_path, 0, [Reply("a")])
    (tmp_path / "candidates" / "g0-00" / "exchange.json").write_text('[{"source": ')
    with pytest.raises(RunError, match="is damaged"):
        gathered(ReplayDesigner(tmp_path), ask())


def test_the_recorded_conversation_is_what_its_replies_say(ask: Any) -> None:
    replay = ReplayDesigner(RECORDED)
    for generation in (0, 1):
        for reply in gathered(replay, ask(samples=4, generation=generation)):
            found = extract(reply.exchange["reply"], finish_reason=reply.exchange["finish_reason"], limit=400)
            assert (found.source, found.problem) == (reply.source, reply.problem)


def test_the_gate_lets_the_recorded_programs_through_but_for_one(ask: Any) -> None:
    replay, refused = ReplayDesigner(RECORDED), []
    vocabulary = ask().vocabulary
    for reply in [each for g in (0, 1) for each in gathered(replay, ask(samples=4, generation=g))]:
        try:
            check(reply.source or "", vocabulary)
        except Refused as error:
            refused.append((reply.source, str(error)))
    (no_code, _), (invented, problems) = sorted(refused, key=lambda each: each[0] is not None)
    assert no_code is None
    assert "velocity_x" in invented
    assert "unknown observable 'velocity_x'" in problems
    (mended,) = gathered(replay, ask(only=(1,), repair=Repair(invented, problems)))
    assert check(mended.source or "", vocabulary).parameters == ("forward_velocity", "torso_pitch")


def recorded_run(folder: Path, counts: tuple[int, ...], **settings: str) -> ReplayDesigner:
    for generation, count in enumerate(counts):
        record(folder, generation, [Reply(f"{generation} {n}") for n in range(count)])
    (folder / "run.toml").write_text(tomli_w.dumps({"task": "hopper-hop", "an_older_setting": 1, **settings}))
    return ReplayDesigner(folder)


@pytest.mark.parametrize(
    ("counts", "advice"),
    [
        ((4, 4), "--generations 2 --samples 4"),
        ((8, 8), "--generations 2 --samples 8"),
        ((8, 8, 3), "--generations 2 --samples 8"),
        ((3, 8, 8), "--generations 3 --samples 3"),
    ],
)
def test_more_than_was_recorded_is_refused_before_the_run(
    tmp_path: Path, counts: tuple[int, ...], advice: str
) -> None:
    replay = recorded_run(tmp_path, counts)
    with pytest.raises(BadInput) as caught:
        replay.check(RunConfig(task="hopper-hop", generations=3, samples=8))
    assert str(caught.value).endswith(f"give {advice}")
    words = advice.split()
    replay.check(RunConfig(task="hopper-hop", generations=int(words[1]), samples=int(words[3])))


@pytest.mark.parametrize("other", [{"task": "ant-run"}, {"env": "Ant-v5"}, {"fitness": "obs"}])
def test_another_task_than_the_recorded_one_is_refused(tmp_path: Path, other: dict[str, str]) -> None:
    replay = recorded_run(tmp_path, (1,), env="Hopper-v5", fitness="height")
    same = RunConfig(task="hopper-hop", env="Hopper-v5", fitness="height", generations=1, samples=1)
    replay.check(same)
    with pytest.raises(BadInput, match=f"recorded with {next(iter(other))} '.*', not '.*'; give the same"):
        replay.check(replace(same, **other))


def test_replies_without_a_run_fit_any_task(tmp_path: Path) -> None:
    ReplayDesigner(RECORDED).check(RunConfig(task="ant-run", generations=2, samples=4))
    record(tmp_path, 0, [Reply("a")])
    (tmp_path / "run.toml").write_text("task = ")
    with pytest.raises(BadInput, match="can't read"):
        ReplayDesigner(tmp_path).check(RunConfig(generations=1, samples=1))


def test_settling_a_configuration_checks_its_recording(tmp_path: Path) -> None:
    recorded_run(tmp_path, (2,))
    config = RunConfig(task="hopper-hop", generations=1, samples=2, replay=tmp_path)
    assert settle(config).designer == "replay"
    for wrong in ({"samples": 3}, {"task": "ant-run"}, {"designer": "templates"}):
        with pytest.raises(BadInput):
            settle(replace(config, **wrong))  # type: ignore[arg-type]
