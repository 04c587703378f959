"""K samples a generation; the best ever is kept."""

from __future__ import annotations

from eureka_loop.records import Candidate
from eureka_loop.results import Evaluated, Failed, Trained, judged_episode, ranked
from eureka_loop.search.eureka import EurekaStrategy


def evaluated(id: str, fitness: float | None) -> Evaluated:
    candidate = Candidate(id, 0, "", "scripted")
    if fitness is None:
        return Evaluated(candidate, (Failed(id, "refused", "no"),))
    return Evaluated(candidate, (Trained(id, 0, 1, (judged_episode(0, fitness, None, 1),), (), {}, 0.0),))


def test_it_ends_after_its_generations() -> None:
    strategy = EurekaStrategy(generations=2, samples=3)
    generations = []
    while (ask := strategy.ask()) is not None:
        generations.append((ask.generation, ask.samples))
        strategy.tell([evaluated("a", 1.0)])
    assert generations == [(0, 3), (1, 3)]


def test_the_best_ever_is_kept_when_a_generation_is_worse() -> None:
    strategy = EurekaStrategy(generations=3, samples=1)
    strategy.tell([evaluated("good", 2.0)])
    strategy.tell([evaluated("bad", 1.0)])
    ask = strategy.ask()
    assert ask is not None
    assert ask.best is not None
    assert ask.best.candidate.id == "good"
    assert [each.candidate.id for each in ask.generation_before] == ["bad"]


def test_failures_are_never_ranked() -> None:
    assert [each.candidate.id for each in ranked([evaluated("f", None), evaluated("n", -5.0)])] == ["n"]


def test_ties_go_to_the_earlier() -> None:
    assert [each.candidate.id for each in ranked([evaluated("a", 1.0), evaluated("b", 1.0)])] == ["a", "b"]


def test_nothing_trained_means_no_best() -> None:
    strategy = EurekaStrategy(generations=2, samples=1)
    strategy.tell([evaluated("f", None)])
    assert strategy.best is None
    assert strategy.ask() is not None
