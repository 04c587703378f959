"""Designers that share a search: shares by credit, who stands in for whom, repairs by their author."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from eureka_loop.config import RunConfig
from eureka_loop.errors import BadInput, BudgetSpent, DesignerError, EndpointError, Unavailable
from eureka_loop.propose.designer import Repair, Request, ScriptedDesigner, settle
from eureka_loop.propose.mixed import MixedDesigner, authors, credits, shares
from eureka_loop.results import Evaluated
from tests.search.conftest import program

NAMES = ["llm", "templates"]


def named(name: str, error: Exception | None = None) -> ScriptedDesigner:
    """Writes its name, or fails."""

    def answer(request: Request, sample: int) -> str:
        if error:
            raise error
        return name

    designer = ScriptedDesigner(answer)
    designer.name = name
    return designer


def generation(number: int, fitness: dict[str, Sequence[float | None]]) -> list[Evaluated]:
    """Candidates by their designers, with their fitness."""
    found: list[Evaluated] = []
    for name, values in fitness.items():
        for value in values:
            one = program(f"g{number}-{len(found):02d}", value)
            found.append(replace(one, candidate=replace(one.candidate, designer=name)))
    return found


def test_shares_begin_equal_with_the_templates_first(ask: Any) -> None:
    assert authors(ask(samples=8), NAMES) == ["templates"] * 4 + ["llm"] * 4


def test_shares_move_with_credit_and_nobody_is_left_out(ask: Any) -> None:
    history = generation(0, {"llm": [5.0, 4.0, 3.0], "templates": [1.0, 2.0, None]})
    assert credits(history, NAMES) == {"llm": 4 / 5, "templates": 1 / 5}
    later = authors(ask(samples=8, generation=1, history=history), NAMES)
    assert (later.count("llm"), later.count("templates")) == (6, 2)
    assert later == authors(ask(samples=8, generation=1, history=history), NAMES)
    assert later != authors(ask(samples=8, generation=1, history=history, seed=1), NAMES), "by chance"
    history += generation(1, {"llm": [0.0] * 6, "templates": [9.0] * 6, "cma-es": [5.0]})
    assert credits(history, NAMES) == {"llm": 4 / 11, "templates": 7 / 11}
    assert shares({"a": 0.99, "b": 0.01}, 8) == {"a": 7, "b": 1}
    assert shares({"a": 1.0, "b": 1.0, "c": 1.0}, 2) == {"a": 1, "b": 1, "c": 0}


@pytest.mark.parametrize("error", [EndpointError("no answer"), BudgetSpent("--max-usd 1")])
def test_another_stands_in_where_one_fails_or_has_spent_its_limit(ask: Any, error: Exception) -> None:
    designer = MixedDesigner([named("llm", error), named("templates")])
    replies = [designer.propose(ask(samples=4), sample) for sample in range(4)]
    assert [(each.source, each.designer) for each in replies] == [("templates", "templates")] * 4
    assert [each.note for each in replies] == ["", "", *[f"in place of llm: {error}"] * 2]


def test_what_somebody_must_mend_stops_the_search(ask: Any) -> None:
    with pytest.raises(Unavailable, match="wrong key"):
        MixedDesigner([named("llm", Unavailable("wrong key")), named("templates")]).propose(ask(samples=2), 1)
    broken = MixedDesigner([named("llm", EndpointError("1")), named("templates", EndpointError("2"))])
    with pytest.raises(DesignerError):
        broken.propose(ask(samples=2), 1)


def test_a_repair_is_asked_of_the_author(ask: Any) -> None:
    designer = MixedDesigner([named("llm"), named("templates")])
    for sample in range(4):
        request = ask(samples=4, repair=Repair("x", "no", designer="llm"))
        assert designer.propose(request, sample).designer == "llm"


def test_a_mix_is_named_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EUREKA_MODEL", "m")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://localhost:1/v1")
    config = settle(RunConfig(designer="llm,templates"))
    assert (config.model, config.base_url) == ("m", "http://localhost:1/v1")
    for wrong in ("templates,templates", "templates,", "replay,templates"):
        with pytest.raises(BadInput, match="name two or more different ones that write, as llm,templates"):
            settle(RunConfig(designer=wrong))
    with pytest.raises(BadInput, match="unknown designer 'lm'; did you mean 'llm'"):
        settle(RunConfig(designer="lm,templates"))
    with pytest.raises(BadInput, match=r"registered: templates, llm, manual, replay$"):
        settle(RunConfig(designer="mixed"))
