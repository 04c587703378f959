"""Requests of the strategies, by the results observed."""

from __future__ import annotations

import pytest

from eureka_loop.config import RunConfig
from eureka_loop.errors import UnknownName
from eureka_loop.execute.machine import Share
from eureka_loop.results import ranked
from eureka_loop.search.assemble import search_plan
from eureka_loop.search.eureka import EurekaStrategy
from eureka_loop.search.steady import SteadyStrategy
from eureka_loop.search.strategy import STRATEGIES, ProposalRequest, ScriptedStrategy, SearchPlan
from tests.search.conftest import evaluated


def asked(request: ProposalRequest | None) -> tuple[int, tuple[int, ...]] | None:
    return request and (request.generation, request.samples)


def test_eureka_waits_for_each_of_its_generations() -> None:
    strategy = EurekaStrategy(SearchPlan(2, 3))
    for generation in range(2):
        request = strategy.ask()
        assert asked(request) == (generation, (0, 1, 2))
        assert request is not None
        assert request.barrier
        assert strategy.ask() is None
        strategy.tell([evaluated("g0-00", 1.0)])
    assert strategy.ask() is None


def test_eureka_keeps_the_best_ever_when_a_generation_is_worse() -> None:
    strategy = EurekaStrategy(SearchPlan(3, 1))
    for id, fitness in (("g0-00", 2.0), ("g1-00", 1.0)):
        strategy.ask()
        strategy.tell([evaluated(id, fitness)])
    request = strategy.ask()
    assert request is not None
    assert [each.candidate.id for each in request.parents] == ["g0-00"]
    assert [each.candidate.id for each in request.recent] == ["g1-00"]


def test_nothing_trained_means_no_parent() -> None:
    strategy = EurekaStrategy(SearchPlan(2, 1))
    strategy.ask()
    strategy.tell([evaluated("g0-00", None)])
    request = strategy.ask()
    assert request is not None
    assert request.parents == ()


def test_steady_asks_for_as_many_as_have_ended() -> None:
    strategy = SteadyStrategy(SearchPlan(2, 3))
    assert [asked(strategy.ask()) for _ in range(4)] == [(0, (0,)), (0, (1,)), (0, (2,)), None]
    strategy.tell([evaluated("g0-01", 1.0)])
    assert [asked(strategy.ask()) for _ in range(2)] == [(1, (0,)), None]
    strategy.tell([evaluated("g0-00", 1.0), evaluated("g1-00", None)])
    assert [asked(strategy.ask()) for _ in range(3)] == [(1, (1,)), (1, (2,)), None]
    strategy.tell([evaluated("g0-02", 1.0)])
    assert strategy.ask() is None


def test_steady_asks_for_whole_cohorts() -> None:
    """They are the same samples whatever ended first, and none reaches into the next generation."""
    strategy = SteadyStrategy(SearchPlan(2, 5, cohort=2))
    assert [asked(strategy.ask()) for _ in range(4)] == [(0, (0, 1)), (0, (2, 3)), (0, (4,)), None]
    strategy.tell([evaluated("g0-03", 1.0)])
    assert strategy.ask() is None
    strategy.tell([evaluated("g0-00", 1.0)])
    assert [asked(strategy.ask()) for _ in range(2)] == [(1, (0, 1)), None]


def test_steady_reports_the_best_and_those_that_ended_last() -> None:
    strategy = SteadyStrategy(SearchPlan(9, 2))
    strategy.ask(), strategy.ask()
    for id, fitness in (("g0-01", 5.0), ("g0-00", 1.0), ("g1-00", None)):
        strategy.tell([evaluated(id, fitness)])
        request = strategy.ask()
    assert request is not None
    assert [each.candidate.id for each in request.parents] == ["g0-01"]
    assert [each.candidate.id for each in request.recent] == ["g0-00", "g1-00"]
    assert not request.barrier


@pytest.mark.parametrize(
    ("samples", "seeds", "share", "cohort"),
    [(8, 1, Share(2, 32), 2), (16, 1, Share(1, 32), 8), (3, 1, Share(2, 32), 1), (8, 2, Share(1, 6), 3)],
)
def test_a_steady_cohort_leaves_others_in_the_making(
    samples: int, seeds: int, share: Share, cohort: int
) -> None:
    assert search_plan(RunConfig(samples=samples, seeds=seeds), share).cohort == cohort


def test_the_fake_asks_when_the_request_before_is_observed() -> None:
    requests = [ProposalRequest(n, (0,), 1) for n in range(2)]
    strategy = ScriptedStrategy(requests)
    assert [strategy.ask(), strategy.ask()] == [requests[0], None]
    strategy.tell([evaluated("g0-00", 1.0)])
    assert [strategy.ask(), strategy.ask()] == [requests[1], None]


def test_strategies_have_names() -> None:
    assert STRATEGIES.names()[:2] == ("eureka", "steady")
    with pytest.raises(UnknownName, match="did you mean 'steady'"):
        STRATEGIES.load("stedy")


def test_a_ranking_leaves_failures_out_and_the_earlier_of_equals_comes_first() -> None:
    found = ranked([evaluated("g0-00", None), evaluated("g0-01", -5.0), evaluated("g0-02", -5.0)])
    assert [each.candidate.id for each in found] == ["g0-01", "g0-02"]
