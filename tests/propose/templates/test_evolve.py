from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from eureka_loop.propose.templates.compose import BEST_GUESS, compose
from eureka_loop.propose.templates.evolve import breed, parents, refine
from eureka_loop.propose.templates.layout import write
from eureka_loop.propose.templates.mutations import Standing, mutate, scale
from eureka_loop.propose.templates.pool import Pool, pool
from eureka_loop.records import Candidate, Task
from eureka_loop.results import Evaluated, Failed
from eureka_loop.reward.vocabulary import Vocabulary

Make = Callable[..., Evaluated]


@pytest.fixture
def terms(task: Task, planar: Vocabulary) -> Pool:
    return pool(task, planar)


def draws(count: int) -> list[np.random.Generator]:
    return [np.random.default_rng(seed) for seed in range(count)]


def test_only_the_finished_breed_and_the_fittest_come_first(terms: Pool, trained: Make) -> None:
    source = write(compose(terms, BEST_GUESS, np.random.default_rng(0)), "Hop")
    failed = Evaluated(Candidate("g0-02", 0, source, "templates"), (Failed("g0-02", "exception", "no"),))
    opaque = trained("g0-03", "def compute_reward(x):\n    pass\n", 9.0)
    human = trained("human", source, 9.0)
    low, high = trained("g0-00", source, 1.0), trained("g0-01", source, 2.0)
    found = parents([low, high, failed, opaque, human], best=high)
    assert [parent.id for parent in found] == ["g0-01", "g0-00"]


def test_a_child_differs_and_keeps_a_goal(terms: Pool, trained: Make) -> None:
    sources = [write(compose(terms, BEST_GUESS, rng), "Hop") for rng in draws(1)]
    fittest = parents([trained("g0-00", sources[0], 1.0)], best=None)
    for rng in draws(60):
        child = breed(terms, fittest, rng)
        assert child.note
        assert child.parents == ("g0-00",)
        purposes = [found[0].purpose for gene in child.genome if (found := terms.recognise(gene))]
        assert "goal" in purposes
        assert len({gene.key for gene in child.genome}) == len(child.genome)


def test_refining_changes_weights_alone(terms: Pool, trained: Make, rng: np.random.Generator) -> None:
    source = write(compose(terms, BEST_GUESS, rng), "Hop")
    fittest = parents([trained("g0-00", source, 1.0)], best=None)
    child = refine(terms, fittest, rng)
    assert [gene.form for gene in child.genome] == [gene.form for gene in fittest[0].genome]
    assert child.genome != fittest[0].genome


def test_what_does_harm_or_nothing_goes_first(terms: Pool, rng: np.random.Generator) -> None:
    genome = compose(terms, BEST_GUESS, rng)
    assert {gene.key for gene in genome} == {"speed", "alive", "effort"}
    standings = {
        "effort": Standing(share=0.0, correlation=-0.9),
        "alive": Standing(share=0.4, correlation=0.5),
    }
    dropped = [
        note for each in draws(300) if (note := mutate(terms, standings, genome, each)[1]).endswith("dropped")
    ]
    assert dropped.count("effort dropped") > 3 * dropped.count("alive dropped") > 0


def test_an_idle_term_is_pushed_up_and_a_loud_cost_down(terms: Pool, rng: np.random.Generator) -> None:
    genome = compose(terms, BEST_GUESS, rng)

    def ratios(standing: Standing) -> list[float]:
        found = [scale(terms, {"effort": standing}, genome, each)[0] for each in draws(200)]
        effort = [gene.weights["effort"] for child in found for gene in child if gene.key == "effort"]
        return [weight / 0.1 for weight in effort if weight != 0.1]

    assert np.median(ratios(Standing(share=0.001))) > 1.5
    assert np.median(ratios(Standing(share=0.8))) < 0.7


def test_weights_stay_in_their_ranges(terms: Pool, rng: np.random.Generator) -> None:
    genome = compose(terms, BEST_GUESS, rng)
    for each in draws(30):
        for _ in range(10):
            genome, _ = scale(terms, {}, genome, each)
    for gene in genome:
        found = terms.recognise(gene)
        assert found is not None
        for name, value in gene.weights.items():
            low, high = found[0].ranges[name]
            assert low * 0.95 <= value <= high * 1.05
