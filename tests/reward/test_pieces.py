"""A fitness taken apart: its named values and its factors, computed in a locked process."""

from __future__ import annotations

import numpy as np
import pytest

from eureka_loop.envs.registry import tasks
from eureka_loop.reward.contract import Program
from eureka_loop.reward.gate import check
from eureka_loop.reward.pieces import MOST_PIECES, pieces
from eureka_loop.reward.sandbox.fork_server import ForkServer
from eureka_loop.reward.vocabulary import Observable, Vocabulary

VOCABULARY = Vocabulary("Fake-v0", tuple(Observable(name, ()) for name in ("a", "b", "dt", "time")))
A, B = np.array([0.0, 1.0, 2.0]), np.array([1.0, 0.0, 0.0])


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("return a.mean()", {"a": 1.0}),
        ("return (ramp(a, 0.0, 2.0) * (1.0 - b) * dt).sum() / time[-1]", {"ramp(a, 0.0, 2.0)": 0.5, "1.0 - b": 2 / 3}),
        ("return np.mean(a - b)", {"a": 1.0, "b": 1 / 3}),
        ("return -float((a > 0.5).all())", {"(a > 0.5).all()": 0.0}),
        ("up, far = a.max(), a > 0.5\n    return up * (far[-2:].mean() >= 0.9)", {
            "up": 2.0, "far": 2 / 3, "far[-2:].mean() >= 0.9": 1.0}),
        ("a = a + 1.0\n    best: float = a.max()\n    return best", {"a": 2.0, "best": 3.0}),
        ("if a[0] > 5.0:\n        return 0.0\n    return a.mean()", {}),  # which piece counts isn't known before
        ("return 1.0 + 0.0 * time[-1]", {}),
    ],
)  # fmt: skip
def test_pieces(fork_server: ForkServer, body: str, expected: dict[str, float]) -> None:
    source = f"def fitness(a, b, dt, time):\n    {body}\n"
    program, labels = pieces(check(source, VOCABULARY, "fitness"))
    assert labels == tuple(expected)
    if labels:
        shapes = VOCABULARY.shapes(program.parameters)
        with fork_server.start(program, shapes, rows=3) as process:
            terms = process.evaluate({"a": A, "b": B, "dt": np.ones(3), "time": A})
        assert (terms.values == terms.values[:, :1]).all()
        assert dict(zip(labels, terms.values[:, 0], strict=True)) == pytest.approx(expected)


@pytest.mark.parametrize("name", tasks())
def test_every_fitness_of_the_catalogue_comes_apart(name: str) -> None:
    source = tasks()[name].fitness
    parameters = tuple(
        source[source.rindex("def fitness(") :].split("(")[1].split(")")[0].replace(",", " ").split()
    )
    _, labels = pieces(Program("fitness", source, parameters, {}))
    assert labels or parameters == ("time",)
    assert len(labels) <= MOST_PIECES
