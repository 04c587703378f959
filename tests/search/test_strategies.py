"""Requests of the strategies, by the results observed."""

from __future__ import annotations

import pytest

from eureka_loop.config import RunConfig
from eureka_loop.execute.machine import Share
from eureka_loop.records import Candidate
from eureka_loop.results import Evaluated, Score, Trained, judged_episode, ranked
from eureka_loop.search.eureka import EurekaStrategy, SteadyStrategy
from eureka_loop.search.strategy import ProposalRequest, ScriptedStrategy, SearchPlan, Strategy, search_plan
from tests.search.conftest import evaluated


def asked(strategy: Strategy, times: int) -> list[tuple[int, tuple[int, ...]] | None]:
    requests = [strategy.ask() for _ in range(times)]
    return [request and (request.generation, request.samples) for request in requests]


def test_eureka_waits_for_each_generation_and_keeps_the_best_ever() -> None:
    strategy = EurekaStrategy(SearchPlan(4, 1))
    known: list[tuple[list[str], list[str]]] = []
    for id, fitness in (("g0-00", None), ("g1-00", 2.0), ("g2-00", 1.0), ("g3-00", 1.0)):
        request = strategy.ask()
        assert request is not None
        assert request.barrier
        assert request.ids == [id]
        assert strategy.ask() is None
        known.append(tuple([each.candidate.id for each in of] for of in (request.parents, request.recent)))  # type: ignore[arg-type]
        strategy.tell([evaluated(id, fitness)])
    assert known == [([], []), ([], ["g0-00"]), (["g1-00"], ["g1-00"]), (["g1-00"], ["g2-00"])]
    assert strategy.ask() is None


def test_steady_asks_for_as_many_as_have_ended() -> None:
    strategy = SteadyStrategy(SearchPlan(2, 3))
    assert asked(strategy, 4) == [(0, (0,)), (0, (1,)), (0, (2,)), None]
    strategy.tell([evaluated("g0-01", 1.0)])
    assert asked(strategy, 2) == [(1, (0,)), None]
    strategy.tell([evaluated("g0-00", 1.0), evaluated("g1-00", None)])
    assert asked(strategy, 3) == [(1, (1,)), (1, (2,)), None]
    strategy.tell([evaluated("g0-02", 1.0)])
    assert strategy.ask() is None


def test_steady_asks_for_whole_cohorts() -> None:
    """They are the same samples whatever ended first, and none reaches into the next generation."""
    strategy = SteadyStrategy(SearchPlan(2, 5, cohort=2))
    assert asked(strategy, 4) == [(0, (0, 1)), (0, (2, 3)), (0, (4,)), None]
    strategy.tell([evaluated("g0-03", 1.0)])
    assert strategy.ask() is None
    strategy.tell([evaluated("g0-00", 1.0)])
    assert asked(strategy, 2) == [(1, (0, 1)), None]


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


def test_a_ranking_leaves_failures_out_and_the_earlier_of_equals_comes_first() -> None:
    found = ranked([evaluated("g0-00", None), evaluated("g0-01", -5.0), evaluated("g0-02", -5.0)])
    assert [each.candidate.id for each in found] == ["g0-01", "g0-02"]


def test_progress_ranks_what_never_succeeded_below_what_did() -> None:
    """Also below a worse fitness; fitness decides between equals. A policy that succeeded has no progress."""

    def order(*found: tuple[float, float | None, float | None]) -> str:
        candidates = []
        for id, (fitness, success, progress) in zip("abc", found, strict=False):
            episodes = [judged_episode(0, fitness, success, 1, Score(progress))]
            episodes += [judged_episode(1, fitness, 0.0, 1, Score(-1.0))]
            result = Trained(id, 0, 1, tuple(episodes), (), {}, 0.0)
            candidates.append(Evaluated(Candidate(id, 0, "", "scripted"), (result,)))
        return "".join(each.candidate.id for each in ranked(candidates))

    assert order((0.0, 0.0, -3.0), (0.0, 0.0, -1.0), (0.0, 0.0, -2.0)) == "bca"
    assert order((-0.1, 0.0, -3.0), (-0.2, 0.0, -1.0), (-0.9, 1.0, None)) == "cba"
    assert order((-0.1, 1.0, -3.0), (-0.2, 0.0, -1.0), (-0.1, 0.0, -1.0)) == "cba", "success by luck is none"
    assert order((0.5, 1.0, None), (0.6, 1.0, None)) == "ba"


def test_the_fake_asks_when_the_request_before_is_observed() -> None:
    strategy = ScriptedStrategy([ProposalRequest(n, (0,), 1) for n in range(2)])
    assert asked(strategy, 2) == [(0, (0,)), None]
    strategy.tell([evaluated("g0-00", 1.0)])
    assert asked(strategy, 2) == [(1, (0,)), None]
