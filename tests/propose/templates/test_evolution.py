"""Programs as text; later generations: parents by rank, mutations that go by the results of terms."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from eureka_loop.propose.templates.evolution import cross, differ, follow, mutate, parents
from eureka_loop.propose.templates.genome import BEST_GUESS, MIXED, Gene, Program, compose, read, write
from eureka_loop.propose.templates.pool import Pool, pool
from eureka_loop.records import Candidate, Task
from eureka_loop.results import Evaluated, Failed, Score, judged_episode
from eureka_loop.reward.gate import check
from eureka_loop.reward.vocabulary import Vocabulary

Make = Callable[..., Evaluated]
SEEDS = [np.random.default_rng(seed) for seed in range(200)]


@pytest.fixture
def terms(task: Task, planar: Vocabulary) -> Pool:
    return pool(task, planar)


@pytest.fixture
def parent(terms: Pool) -> Program:
    """The best guess: speed, alive, effort."""
    return compose(terms, BEST_GUESS, np.random.default_rng(0))


def test_only_the_finished_breed_and_the_fittest_come_first(
    terms: Pool, parent: Program, trained: Make
) -> None:
    source = write(parent.genome, "Hop")
    failed = Evaluated(Candidate("g0-02", 0, source, "templates"), (Failed("g0-02", "exception", "no"),))
    opaque = trained("g0-03", "def compute_reward(x):\n    pass\n", 9.0)
    low = trained("g0-00", source, 1.0, {"speed": 0.4}, {"speed": -0.5})
    found = parents(terms, [low, trained("g0-01", source, 2.0), failed, opaque])
    assert [each.parents for each in found] == [("g0-01",), ("g0-00",)]
    assert {gene.term.key: gene.odds for gene in found[1].genome} == {
        "speed": 2.5,
        "alive": 1.0,
        "effort": 1.0,
    }


def test_of_those_that_never_succeeded_the_one_of_most_progress_comes_first(
    terms: Pool, parent: Program, trained: Make
) -> None:
    def never(id: str, fitness: float, progress: float) -> Evaluated:
        one = trained(id, write(parent.genome, "Hop"), fitness)
        judged = (judged_episode(0, fitness, 0.0, 9, Score(progress)),)
        return replace(one, results=(replace(one.trained[0], episodes=judged),))

    found = parents(terms, [never("g0-00", 2.0, 0.1), never("g0-01", 1.0, 0.3)])
    assert [each.parents for each in found] == [("g0-01",), ("g0-00",)]


def test_idle_and_misleading_terms_go_first(terms: Pool, parent: Program, trained: Make) -> None:
    assert {gene.term.key for gene in parent.genome} == {"speed", "alive", "effort"}
    shares, correlations = {"effort": 0.0, "alive": 0.4}, {"effort": -0.9, "alive": 0.5}
    (judged,) = parents(terms, [trained("g0-00", write(parent.genome, "Hop"), 1.0, shares, correlations)])
    dropped = " ".join(mutate(terms, judged, rng, "structure").note for rng in SEEDS)
    assert dropped.count("effort dropped") > 3 * dropped.count("alive dropped") > 0


def keys(*programs: Program) -> list[set[str]]:
    return [{gene.term.key for gene in each.genome} for each in programs]


def weighing(program: Program, speed: float) -> Program:
    """The same, with another weight of its first term."""
    first, *others = program.genome
    return replace(program, genome=(replace(first, weights={**first.weights, "speed": speed}), *others))


@pytest.mark.parametrize(("helped", "low", "high"), [(True, 2.4, 4.0), (False, 1.0, 1.7)])
def test_a_path_goes_on_where_its_last_step_helped_and_else_back(
    terms: Pool, parent: Program, helped: bool, low: float, high: float
) -> None:
    for rng in SEEDS:
        found = follow(terms, weighing(parent, 1.0), weighing(parent, 2.0), rng, helped=helped)
        assert low <= found.genome[0].weights["speed"] <= high
        assert found.genome[1:] == parent.genome[1:]
        assert found.operator == "path"


def test_a_step_that_changed_terms_and_harmed_is_left_out(terms: Pool, parent: Program) -> None:
    less = replace(parent, genome=parent.genome[:2])
    back = keys(*(follow(terms, parent, less, rng, helped=False) for rng in SEEDS))
    on = keys(*(follow(terms, parent, less, rng, helped=True) for rng in SEEDS))
    assert sum("effort" in each for each in back) > 150 > 50 > sum("effort" in each for each in on)


def test_structure_keeps_weights_and_weights_keep_structure(terms: Pool, parent: Program) -> None:
    other, moved = weighing(parent, 7.0), 0
    for rng in SEEDS:
        assert keys(mutate(terms, other, rng, "weights")) == keys(other)
        changed = mutate(terms, other, rng, "structure")
        moved += [gene.term for gene in changed.genome] != [gene.term for gene in other.genome]
        weights = {gene.term: gene.weights for gene in other.genome}
        assert all(gene.weights == weights.get(gene.term, gene.weights) for gene in changed.genome)
    assert moved > 0.9 * len(SEEDS), "what is added may be dropped again"


def test_three_parents_are_crossed(terms: Pool) -> None:
    several = [replace(compose(terms, MIXED, rng), parents=(f"g0-0{n}",)) for n, rng in enumerate(SEEDS[:3])]
    shared = [cross(several, rng) for rng in SEEDS]
    assert all(each.parents == ("g0-00", "g0-01", "g0-02") for each in shared)
    own = [
        own - set.union(*(other for other in keys(*several) if other is not own)) for own in keys(*several)
    ]
    assert all(any(each & found for found in keys(*shared)) for each in own if each)
    assert all(found <= set.union(*keys(*several)) for found in keys(*shared))


def test_what_differs_shares_fewer_terms_with_all_so_far(terms: Pool) -> None:
    known = [compose(terms, MIXED, rng) for rng in SEEDS[:5]]

    def shared(program: Program) -> float:
        own = {gene.term for gene in program.genome}
        others = [{gene.term for gene in each.genome} for each in known]
        return max(len(own & each) / len(own | each) for each in others)

    differing = np.mean([shared(differ(terms, known, rng)) for rng in SEEDS])
    assert differing < np.mean([shared(compose(terms, MIXED, rng)) for rng in SEEDS]) - 0.1


def test_a_note_states_the_weights_of_the_program(terms: Pool, parent: Program) -> None:
    checked = 0
    for seed in range(300):
        child = mutate(terms, parent, np.random.default_rng(seed))
        weights = {name: value for gene in child.genome for name, value in gene.weights.items()}
        for name, value in re.findall(r"(\w+) [-\d.e]+ → ([-\d.e]+)", child.note):
            if name in weights:
                assert f"{weights[name]:g}" == value, child.note
                checked += 1
    assert checked > 100


def test_every_term_is_read_again_whatever_its_weights(terms: Pool) -> None:
    for term in terms.terms:
        gene = Gene(term, dict.fromkeys(term.weights, 7.0))
        assert read(write((gene,), "Hop"), terms.terms) == (gene,)
    assert read("no program of ours", terms.terms) == ()


@pytest.mark.parametrize(
    "text",
    [
        'say """now"""', "back\\slash\\", "line\nbreak\x00", "", "é" * 300, "word " * 60, "word " * 5_000,
        "é" * 25_000, "קפוץ \u200fקדימה\u200e", "\u202b\u061cاقفز إلى الأمام\u202c \u2067\u2069", "a\ud800b", "\u2028\ufeff",
    ],
)  # fmt: skip
def test_any_text_makes_a_docstring(text: str, terms: Pool, parent: Program, planar: Vocabulary) -> None:
    source = write(parent.genome, text)
    check(source, planar)
    assert read(source, terms.terms) == parent.genome
