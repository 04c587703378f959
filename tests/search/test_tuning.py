"""Weights tuned by CMA-ES, with a fitness that is known for each."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from eureka_loop.config import RunConfig
from eureka_loop.errors import BadInput
from eureka_loop.records import Candidate
from eureka_loop.results import Evaluated, Failed, Trained, judged_episode, ranked
from eureka_loop.reward.weights import weights
from eureka_loop.search.eureka import EurekaStrategy, SteadyStrategy
from eureka_loop.search.islands import Islands
from eureka_loop.search.strategy import ProposalRequest, SearchPlan, Strategy
from eureka_loop.search.tree import Tree
from eureka_loop.search.tuning import TunedStrategy, require_movable

TWO = "def compute_reward(x, *, a=1.0, b=-30.0, off=0.0, sharp=1.0):\n    return {'t': (a + b + off) * x, 'u': x**sharp}\n"
Fitness = Callable[[dict[str, float]], float | None]


def near(target: float) -> Fitness:
    """Best where |b / a| is the target."""
    return lambda found: -abs(math.log(abs(found["b"] / found["a"]) / target))


def outcome(id: str, generation: int, source: str, fitness: float | None) -> Evaluated:
    candidate = Candidate(id, generation, source, "scripted")
    if fitness is None:
        return Evaluated(candidate, (Failed(id, "out_of_range", "no"),))
    return Evaluated(candidate, (Trained(id, 0, 1, (judged_episode(0, fitness, None, 1),), (), {}, 0.0),))


def rounds(strategy: Strategy, fitness: Fitness) -> Iterator[tuple[ProposalRequest, list[Evaluated]]]:
    """Each request of a search with its results; a designer's programs have the worst fitness."""
    while request := strategy.ask():
        programs = [each.source or "" for each in request.replies] or [TWO] * len(request.samples)
        found = []
        for id, source in zip(request.ids, programs, strict=True):
            values = {name: each.value for name, each in weights(source).items()}
            reached = fitness(values) if request.replies else -100.0 + len(found)
            found.append(outcome(id, request.generation, source, reached))
        strategy.tell(found)
        yield request, found


def tuned(source: str, fitness: Fitness, generations: int = 6, samples: int = 8) -> list[Evaluated]:
    strategy = TunedStrategy(SearchPlan(generations, samples), 1.0, EurekaStrategy, source)
    return [each for _, found in rounds(strategy, fitness) for each in found]


def test_a_weight_far_too_large_is_found() -> None:
    every = tuned(TWO, near(1.0), generations=10)
    (first, *_), (best, *_) = every, ranked(every)
    assert (len(every), first.candidate.source) == (80, TWO)
    assert first.fitness is not None
    assert best.fitness is not None
    assert (first.fitness < -3.0, best.fitness > -0.3) == (True, True)
    found = weights(best.candidate.source)
    assert (found["a"].value > 0, found["b"].value < 0, found["off"].value) == (True, True, 0.0)


def test_exponents_stay_near_and_failures_are_no_end() -> None:
    every = tuned(TWO, lambda found: found["sharp"] if found["sharp"] < 3.0 else None, generations=30)
    sharp = [weights(each.candidate.source)["sharp"].value for each in every]
    assert max(sharp) < 1.2**7.01
    assert max(value for value in sharp if value < 3.0) > 2.0


@pytest.mark.parametrize("amount", [1, 40])
def test_one_weight_or_forty(amount: int) -> None:
    names = [f"w{n}" for n in range(amount)]
    terms = " + ".join(f"{name} * x" for name in names)
    numbers = ", ".join(f"{name}=3.0" for name in names)
    source = f"def compute_reward(x, *, {numbers}):\n    return {{'t': {terms}}}\n"

    def fitness(found: dict[str, float]) -> float:
        return -float(np.mean([math.log(value) ** 2 for value in found.values()]))

    every = tuned(source, fitness, generations=8)
    assert all(set(weights(each.candidate.source)) == set(names) for each in every)
    assert len({each.candidate.source for each in every}) > 50
    first, best = every[0].fitness, ranked(every)[0].fitness
    assert first is not None
    assert best is not None
    assert best > first


@pytest.mark.parametrize(
    ("numbers", "why"), [("", "has no weights: "), (", *, up=0.0, down=0", "has no weight but 0, ")]
)
def test_nothing_to_tune_is_said(numbers: str, why: str) -> None:
    with pytest.raises(BadInput, match=f"mine.py {why}"):
        require_movable(f"def compute_reward(x{numbers}):\n    return {{'t': x}}\n", Path("mine.py"))


@pytest.mark.parametrize(
    ("generations", "share", "before"), [(10, 0.25, 8), (3, 0.1, 2), (3, 1.0, 1), (4, 0.5, 2), (1, 0.5, 1)]
)
@pytest.mark.parametrize("first", [EurekaStrategy, SteadyStrategy, Islands, Tree])
def test_the_last_share_of_a_search_tunes_its_best_program(
    first: Callable[[SearchPlan], Strategy], generations: int, share: float, before: int
) -> None:
    strategy = TunedStrategy(SearchPlan(generations, 4, cohort=4), share, first, None)
    requests = [request for request, _ in rounds(strategy, near(1.0))]
    assert [request.generation for request in requests] == [*range(generations)]
    assert [bool(request.replies) for request in requests] == [False] * before + [True] * (
        generations - before
    )
    for request in requests[before:]:
        (parent,) = request.parents
        assert (parent.candidate.generation, request.operator) == (0, "weights")
        assert all(each.parents == (parent.candidate.id,) for each in request.replies)
        assert TWO not in {each.source for each in request.replies}


def test_the_same_results_give_the_same_requests() -> None:
    def sources(times: int) -> list[list[str | None]]:
        strategy = TunedStrategy(SearchPlan(5, 6, seed=3), 1.0, EurekaStrategy, TWO)
        return [
            [each.source for each in request.replies]
            for request, _ in [
                pair for pair, _ in zip(rounds(strategy, near(1.0)), range(times), strict=False)
            ]
        ]

    assert sources(5)[:3] == sources(3)
    assert len({source for generation in sources(5) for source in generation}) == 30


def test_without_a_weight_to_tune_programs_are_written_until_there_is_one() -> None:
    plain = "def compute_reward(x):\n    return {'t': x}\n"
    strategy, tuning = TunedStrategy(SearchPlan(4, 4), 0.5, EurekaStrategy, None), []
    for generation, source in enumerate((plain, plain, TWO, plain)):
        request = strategy.ask()
        assert request is not None
        tuning.append(bool(request.replies))
        strategy.tell([outcome(id, generation, source, 1.0) for id in request.ids])
    assert (tuning, strategy.ask()) == ([False, False, False, True], None)


def test_too_few_samples_to_learn_from_are_refused() -> None:
    with pytest.raises(BadInput, match="--samples 3 is too few to tune weights: give 4 or more"):
        RunConfig(tune_share=0.5, samples=3)
