"""Words for time: hand-counted episodes of some steps, 0.1 s each, and sentences said with them."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import numpy as np
import pytest

from eureka_loop.errors import Refused, RewardFailure
from eureka_loop.records import Array
from eureka_loop.reward import episode
from eureka_loop.reward.contract import Kind
from eureka_loop.reward.episode import alternates, begins, first, held, last, once, per_phase, within
from eureka_loop.reward.expression import as_reward, episode_mean
from eureka_loop.reward.gate import check
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.sandbox.trial import try_out
from eureka_loop.reward.vocabulary import Observable, Vocabulary

DT = 0.1
VOCABULARY = Vocabulary(
    "E-v0",
    tuple(Observable(name, ()) for name in ("air", "turn", "height", "left", "right", "time", "dt", "still")),
    horizon=10,
    dt=DT,
)


def flags(text: str) -> Array:
    return np.array([float(each) for each in text])


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (begins(flags("1101100")), "0001000"),
        (once(flags("0010010")), "0011111"),
        (within(flags("1111111"), 0.2, flags("0100000"), DT), "0111000"),
        (within(flags("0100000"), 0.2, flags("1000000"), DT), "0100000"),
        (within(flags("1111111"), 9.0, flags("0000000"), DT), "0000000"),
        (alternates(flags("0100010"), flags("0001000")), "0001010"),
        (alternates(flags("0101010"), flags("0101010")), "0000000"),  # together
        (alternates(flags("0101000"), flags("0000010")), "0000010"),
    ],
)
def test_conditions(found: Array, expected: str) -> None:
    assert found.tolist() == flags(expected).tolist()


def test_seconds_held() -> None:
    assert held(flags("1101110"), np.full(7, DT)).tolist() == pytest.approx([0.1, 0.2, 0, 0.1, 0.2, 0.3, 0])
    assert held(flags("000"), DT).tolist() == [0, 0, 0]


def test_first_and_last_moments() -> None:
    time = DT * np.arange(1, 6)
    assert first(time, flags("00110")) == pytest.approx(0.3)
    assert last(time, flags("00110")) == pytest.approx(0.4)
    assert first(time, flags("00000"), never=9.0) == last(time, flags("00000"), 9.0) == 9.0


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("max", [3, 3, 0, 7, 7, 7]),
        ("min", [1, 1, 0, 5, 5, 5]),
        ("mean", [2, 2, 0, 6, 6, 6]),
        ("sum", [4, 4, 0, 18, 18, 18]),
        ("first", [1, 1, 0, 6, 6, 6]),
        ("last", [3, 3, 0, 7, 7, 7]),
        ("change", [2, 2, 0, 8, 8, 8]),  # from the step before, which is -1; the first phase has none
    ],
)
def test_a_number_of_each_phase(how: str, expected: list[float]) -> None:
    values = np.array([1.0, 3.0, -1.0, 6.0, 5.0, 7.0])
    assert per_phase(values, flags("110111"), how).tolist() == expected
    assert per_phase(values, flags("000000"), how).tolist() == [0.0] * 6


@pytest.mark.parametrize(
    ("call", "part"),
    [
        (lambda: once(np.zeros((3, 2))), r"once takes a condition of every step, \(T,\), not \(3, 2\)"),
        (lambda: first(np.zeros((3, 2)), np.zeros(3)), r"first takes one value a step, \(3,\), not \(3, 2\)"),
        (lambda: per_phase(np.zeros(3), np.zeros(3), "top"), "no 'top'; there are max, min, mean"),
    ],
)
def test_mistakes_say_what_is_wanted(call: object, part: str) -> None:
    with pytest.raises(ValueError, match=part):
        call()  # type: ignore[operator]


# One flight of 3 steps with most of a turn, one of 4 with a whole one, low; then it stands.
EPISODE = {
    "air": flags("0111011110"),
    "turn": np.array([0.0, 1.0, 3.0, 6.0, 6.0, 8.0, 10.0, 12.0, 12.4, 12.4]),
    "height": np.array([1.0, 1.5, 1.6, 1.5, 1.0, 1.1, 1.2, 1.1, 1.05, 1.0]),
    "left": flags("0100010001"),
    "right": flags("0001000100"),
    "still": flags("1000000001"),
    "time": DT * np.arange(1, 11),
    "dt": np.full(10, DT),
}
SENTENCES = {
    "once it has jumped, it stands still": ("(once(air) * still).max()", 1.0),
    "turns a whole turn in the same hop as it is above 1.4": (
        "((np.abs(per_phase(turn, air, 'change')) > 6.2) & (per_phase(height, air) > 1.4)).max()",
        0.0,
    ),
    "turns a whole turn in one hop": ("(np.abs(per_phase(turn, air, 'change')) > 6.2).max()", 1.0),
    "hops of at least 0.35 s": ("begins(per_phase(dt, air, 'sum') > 0.35).sum()", 1.0),
    "is still immediately after landing": ("within(still, 0.1, begins(1 - air), dt).max()", 1.0),
    "steps alternate": ("alternates(left, right).sum() / (begins(left) + begins(right)).sum()", 0.8),
    "steps a second": ("(begins(left) + begins(right)).sum() / time[-1]", 5.0),
    "the first landing's time": ("first(time, begins(1 - air))", 0.5),
}


@pytest.mark.parametrize("sentence", SENTENCES)
def test_sentences_run_in_the_locked_process(sentence: str, fork_server: ForkServer) -> None:
    expression, expected = SENTENCES[sentence]
    program = check(episode_mean(expression, VOCABULARY), VOCABULARY, "fitness")
    shapes = VOCABULARY.shapes(program.parameters)
    assert try_out(fork_server, program, EPISODE, shapes).values[0, 0] == pytest.approx(expected)
    assert as_reward(expression, VOCABULARY) is None, "a row has no past"


def test_an_expression_over_time_is_a_mean_like_any_other(fork_server: ForkServer) -> None:
    program = check(episode_mean("once(air)", VOCABULARY), VOCABULARY, "fitness")
    assert try_out(fork_server, program, EPISODE, {"air": ()}).values[0, 0] == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("kind", "written", "part"),
    [
        ("fitness", "onse(air)", "unknown name `onse`; did you mean `once`?"),
        ("fitness", "per_phases(turn, air)", "did you mean `per_phase`?"),
        ("fitness", "once", "`once` can't be used as a value: write `once\\(...\\)`"),
        ("fitness", "first(turn, air, nevr=1.0)", "no keyword `nevr=`; did you mean `never`"),
        ("reward", "once(air)", "`once` is for measures of whole episodes; a row knows one step: ask for"),
    ],
)
def test_errors_name_the_words(kind: Kind, written: str, part: str) -> None:
    entry = "compute_reward" if kind == "reward" else kind
    with pytest.raises(Refused, match=part):
        check(f"def {entry}(air, turn):\n    return {written}\n", VOCABULARY, kind)


def test_a_program_may_have_names_of_its_own() -> None:
    source = "def once(x):\n    return x.max()\n\ndef fitness(air):\n    last = once(air)\n    return last\n"
    assert check(source, VOCABULARY, "fitness").parameters == ("air",)


def test_a_failure_says_what_the_function_takes(fork_server: ForkServer) -> None:
    program = check("def fitness(air):\n    return once(air.sum()).max()\n", VOCABULARY, "fitness")
    with pytest.raises(RewardFailure, match=r"Line 2: ValueError: once takes a condition of every step"):
        try_out(fork_server, program, EPISODE, {"air": ()})


PAGE = Path(__file__).parents[2] / "docs" / "measures.md"


def test_the_page_lists_every_function_with_its_parameters() -> None:
    for name, function in episode.EPISODE.items():
        signature = inspect.signature(function)
        bare = signature.replace(
            parameters=[each.replace(annotation=each.empty) for each in signature.parameters.values()],
            return_annotation=signature.empty,
        )
        assert f"`{name}{bare}`".replace("'", '"') in PAGE.read_text()


def written_on_the_page() -> list[str]:
    table = PAGE.read_text().partition("| to be said |")[2].partition("\n\n")[0]
    return [code for code in re.findall(r"`([^`]+)` \|$", table, re.MULTILINE) if "air_time > 0" not in code]


@pytest.mark.parametrize("expression", written_on_the_page())
def test_what_the_page_says_can_be_measured(expression: str, fork_server: ForkServer) -> None:
    names = ("air_time", "upright", "left_contact", "right_contact", "torso_height", "time", "dt")
    known = Vocabulary("E-v0", (*(Observable(name, ()) for name in names), Observable("torso_turn", (3,))))
    program = check(episode_mean(re.sub(r"\bair\b", "(air_time > 0)", expression), known), known, "fitness")
    rows = np.random.default_rng(0).random((50, 3))
    columns = {name: rows if name == "torso_turn" else np.rint(rows[:, 0]) for name in program.parameters}
    try_out(fork_server, program, columns, known.shapes(program.parameters))


def test_every_function_is_there() -> None:
    public = {
        name for name, each in vars(episode).items() if getattr(each, "__module__", "") == episode.__name__
    }
    assert {name for name in public if not name.startswith("_")} == set(episode.EPISODE)
