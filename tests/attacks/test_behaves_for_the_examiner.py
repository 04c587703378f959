"""Programs that behave where they are examined, and otherwise in training.

By the number of rows, by what the rows hold, by time. Each is found before it is trained with, or in training
within the rows stated, by a message that says what to write instead.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest

from eureka_loop.errors import RewardFailure
from eureka_loop.reward.contract import Program
from eureka_loop.reward.gate import check
from eureka_loop.reward.sandbox.recheck import ENOUGH, SHARE, CheckedProcess
from eureka_loop.reward.sandbox.trial import try_out
from tests.attacks.conftest import SHAPES, VOCABULARY, AttackRunner, armed, refusals, whole

N = 2_048  # rows of a call in training
HIDDEN = "n = np.ones_like(x).sum()\n"  # the number of rows, as the gate can't see it
MEAN = "m = np.stack([x, x], axis=0).mean(axis=1)[0]\n"  # over the rows of the batch

AT_THE_GATE = {
    "a number of rows": "a = x if len(x) < 300 else x - np.mean(x)",
    "a shape": "big = v.shape[0] > 300\na = np.where(big, 0.0, x)",
    "a size with a name": "n = x.size\na = x + np.clip(n - 300, 0, 1)",
    "a helper's": "def f(q):\n    return len(q) > 300\n---\na = np.where(f(x), 0.0, x)",
}
AT_TRAININGS_SIZE = {  # pass gate, order, and batches of 7, 11, 1 and of the recorded rows
    "a number of ones": f"{HIDDEN}a = np.where(n > 300, 2.0 * x, x)",
    "a last row's number": "n = np.arange(len(x))[-1]\na = np.where(n > 300, 2.0 * x, x)",
    "a count of what is equal": "n = np.count_nonzero(x == x)\na = np.where(n > 300, 2.0 * x, x)",
    "training's number alone": f"{HIDDEN}a = np.where(n == {N}, 2.0 * x, x)",
    "a mean of stacked rows": f"{HIDDEN}{MEAN}a = np.where(n > 300, x - m, x)",
    "a mean that is small": f"{HIDDEN}{MEAN}a = np.where(n > 300, x + 1e-3 * m, x)",
    "a sorted batch": f"{HIDDEN}a = np.where(n > 300, np.sort(x), x)",
    "the row before": f"{HIDDEN}a = np.where(n > 300, np.roll(x, 1), x)",
}
SLOW = {  # in the same terms
    "a table of all pairs": "a = x + 0.0 * np.square(x[:, None] - x[None, :]).sum(axis=1)",
    "a product of all pairs": "a = x + 0.0 * (v @ v.T).sum(axis=1)",
    "an outer product": "a = x + 0.0 * np.outer(x, x).max(axis=1)",
    "loops above some size": f"{HIDDEN}a = x\nfor i in range(int(np.clip(n - 300, 0, 900))):\n    a = x + 0.0 * np.sort(x)",
    "a matrix above some size": f"{HIDDEN}k = int(np.clip(n - 300, 1, 1500))\na = x + 0.0 * np.linalg.det(np.eye(k))",
}
IN_TRAINING = {  # pass the dry run
    "sizes that it doesn't try": f"{HIDDEN}a = np.where((n > 500) & (n < 1500), 2.0 * x, x)",
    "rows that were not recorded": f"{MEAN}a = np.where(x.max() > 5.0, x - m, x)",
    "one row among the others": "far = np.abs(x).max()\na = np.where(far > 5.0, x + far, x)",
    "neighbours, where something is rare": "a = np.where(v.max() > 5.0, np.roll(x, 1), x)",
}
SLOW_IN_TRAINING = {  # each call in time, and many times as long as where it is examined
    "a matrix where rows are rare": "k = int(np.clip(300 * (np.abs(x).max() - 1.0), 1, 700))\na = x",
    "a matrix where a row is far": "k = int(np.where(np.abs(x).max() > 1.5, 700, 1))\na = x",
}
PAST_THE_GATE = {  # with real builtins and numpy
    "a count of calls": "SEEN = []\n---\nSEEN.append(1)\na = x + (len(SEEN) > 3) * len(SEEN)",
    "a clock": "a = x + sys.modules['time'].perf_counter() % 1.0",
}


def program(payload: str) -> str:
    """With its value `a` as the term."""
    return payload + "\nreturn {'a': a}"


@pytest.fixture
def examined(locked: AttackRunner) -> Callable[..., str]:
    """The kind of failure of a payload that passes the gate, on as many rows as a survey records; "" without one."""
    random = np.random.default_rng(0)
    recorded = {"x": random.uniform(-1.0, 1.0, 256), "v": random.uniform(-1.0, 1.0, (256, 3))}

    def run(payload: str, rows: int = N) -> str:
        try:
            try_out(locked.fork_server, check(whole(payload), VOCABULARY), recorded, SHAPES, rows=rows)
        except RewardFailure as failure:
            return failure.kind
        return ""

    return run


@pytest.fixture
def trained(locked: AttackRunner) -> Callable[..., str]:
    """Call a program as a training does, with new rows each time; the kind of its failure, "" without one."""

    def run(source: str, sizes: list[int], calls: int = 40, seed: int = 3) -> str:
        random = np.random.default_rng(seed)
        process = locked.fork_server.start(Program("reward", source, ("x", "v"), {}), SHAPES, rows=N)
        try:
            with CheckedProcess(process, seed) as checked:
                for rows in itertools.islice(itertools.cycle(sizes), calls):
                    given = {"x": 3.0 * random.normal(size=rows), "v": 3.0 * random.normal(size=(rows, 3))}
                    checked.evaluate(given)
        except RewardFailure as failure:
            found = failure
        else:
            return ""
        assert "among others, in training" in str(found)
        assert "that row alone" in str(found) or "write `" in str(found)
        return found.kind

    return run


@pytest.mark.parametrize("name", AT_THE_GATE)
def test_the_gate_refuses_it(name: str) -> None:
    (problem,) = refusals(program(AT_THE_GATE[name]))
    assert "the number of rows is no value to compute with" in problem


@pytest.mark.parametrize("name", AT_TRAININGS_SIZE)
def test_the_dry_run_finds_it_at_trainings_size(examined: Callable[..., str], name: str) -> None:
    payload = program(AT_TRAININGS_SIZE[name])
    assert examined(payload) == "rows_not_independent"


@pytest.mark.parametrize("name", SLOW)
def test_the_dry_run_finds_what_is_slow_at_trainings_size(examined: Callable[..., str], name: str) -> None:
    """At 2,048 rows a table of all pairs takes 9 ms, as honest loops do; at twice as many it shows."""
    assert examined(program(SLOW[name]), rows=2 * N) == "timed_out"


@pytest.mark.parametrize("name", [*AT_TRAININGS_SIZE, *IN_TRAINING])
def test_training_finds_it_within_its_first_rows(
    examined: Callable[..., str], trained: Callable[..., str], name: str
) -> None:
    payload = program({**AT_TRAININGS_SIZE, **IN_TRAINING}[name])
    if name in IN_TRAINING:
        assert examined(payload) == ""
    sizes = [1000] if "sizes" in name else [N]
    assert trained(whole(payload), sizes, calls=4) == "rows_not_independent"


@pytest.mark.parametrize("rows", [1, N])
@pytest.mark.parametrize("name", SLOW_IN_TRAINING)
def test_training_finds_what_is_slow_there(
    examined: Callable[..., str], locked: AttackRunner, name: str, rows: int
) -> None:
    """Within a second or two of computing, or 64 calls: on average, since a call alone may be interrupted."""
    inverses = "\nfor i in range(2):\n    a = a + 0.0 * np.linalg.det(np.eye(k))"
    payload = program(SLOW_IN_TRAINING[name] + inverses)
    assert examined(payload) == ""
    source = Program("reward", whole(payload), ("x", "v"), {})
    given = {"x": np.full(rows, 4.0), "v": np.zeros((rows, 3))}
    slow = pytest.raises(RewardFailure, match=r"in training, on average; .* ms are allowed")
    with CheckedProcess(locked.fork_server.start(source, SHAPES, rows=N), 0) as checked, slow as found:
        for _ in range(2 * ENOUGH):
            checked.evaluate(given)
    assert found.value.kind == "timed_out"


@pytest.mark.parametrize("name", PAST_THE_GATE)
def test_what_got_past_the_gate_is_found_too(trained: Callable[..., str], name: str) -> None:
    assert trained(armed(program(PAST_THE_GATE[name])), [N], calls=8) == "rows_not_independent"


def test_calls_of_few_rows_are_asked_again_together(trained: Callable[..., str]) -> None:
    """As SAC's, which are of one row each: a row alone mixes with nothing."""
    mixed = whole(program(f"{MEAN}a = x - m"))
    assert trained(mixed, [1], calls=ENOUGH) == "rows_not_independent"
    assert trained(mixed, [SHARE], calls=ENOUGH) == "rows_not_independent"
    assert trained(mixed, [1], calls=ENOUGH - 1) == ""


@pytest.mark.parametrize("sizes", [[N], [1], [1, 205, 33], [300, N]], ids=str)
def test_honest_programs_pass(trained: Callable[..., str], sizes: list[int]) -> None:
    """Also one whose product adds in another order for another number of rows."""
    lines = "a = v @ np.array([0.1, 1e3, -1e3]) + np.exp(-x**2) + np.linalg.norm(v, axis=1)"
    assert all(trained(whole(program(lines)), sizes, calls=200, seed=seed) == "" for seed in range(3))


def test_one_huge_value_hides_nothing_later(locked: AttackRunner) -> None:
    """The tolerance goes by a term's size in the calls of which rows are asked again."""
    source = Program("reward", whole(program("a = np.where(x > 1e5, x, x - x.mean())")), ("x", "v"), {})
    random = np.random.default_rng(0)
    with CheckedProcess(locked.fork_server.start(source, SHAPES, rows=N), 0) as checked:
        rows = {"x": np.full(N, 1e6), "v": np.zeros((N, 3))}
        checked.evaluate(rows)
        with pytest.raises(RewardFailure, match="Term 'a' of one row"):
            checked.evaluate(rows | {"x": 0.01 * random.normal(size=N)})


def test_the_rows_that_are_asked_again_follow_from_the_seed(locked: AttackRunner) -> None:
    """And the terms don't: those of a training are the same with any seed."""
    source = Program("reward", whole(program("a = 2.0 * x")), ("x", "v"), {})
    random = np.random.default_rng(0)
    rows = [{"x": random.normal(size=N), "v": random.normal(size=(N, 3))} for _ in range(4)]
    asked: list[list[float]] = []
    for seed in (1, 1, 2):
        process = locked.fork_server.start(source, SHAPES, rows=N)
        with CheckedProcess(process, seed) as checked:
            first = []
            for each in rows:
                assert np.array_equal(checked.evaluate(each).total, 2.0 * each["x"])
                first.append(float(process._columns[0][0]))  # of the rows asked last
        asked.append(first)
    assert asked[0] == asked[1] != asked[2]
