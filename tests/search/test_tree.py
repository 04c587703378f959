"""The tree on a scripted landscape: where UCT leads, what visits and values are made of."""

from __future__ import annotations

import pytest

from eureka_loop.propose.designer import Choice
from eureka_loop.results import NOISE, Evaluated
from eureka_loop.search.strategy import ProposalRequest, SearchPlan
from eureka_loop.search.tree import OPERATORS, Node, Tree
from tests.search.conftest import play, program

PLAN = SearchPlan(generations=5, samples=8)


def parent(choice: Choice) -> str:
    return choice.parents[0].candidate.id


def landscape(id: str, choice: Choice) -> Evaluated:
    """The first generation in order of its samples; a child is a little better than its parent."""
    if not choice.parents or choice.operator == "differ":
        return program(id, float(id[-2:]))
    first = choice.parents[0]
    return program(id, (first.fitness or 0.0) + 0.1, parents=(first.candidate.id,))


def below(node: Node) -> list[str]:
    return [each.evaluated.candidate.id for each in node.subtree() if each.evaluated]


def counts(requests: list[ProposalRequest]) -> dict[str, int]:
    """Children of each program of the first generation."""
    chosen = [parent(choice) for request in requests for choice in request.choices if choice.parents]
    return {f"g0-{n:02d}": chosen.count(f"g0-{n:02d}") for n in range(8)}


def test_the_better_has_more_children_and_what_was_not_visited_gets_some() -> None:
    requests = play(Tree(PLAN), landscape)
    found = counts(requests)
    assert found["g0-07"] > found["g0-00"]
    second = [parent(choice) for choice in requests[1].choices[:-1]]
    assert second[:3] == ["g0-07", "g0-06", "g0-05"], "a program asked for counts as a visit without value"
    assert len({*second}) < 7, "the best is changed again before the worst"


def test_uct_comes_to_the_worst_in_the_end() -> None:
    tree = Tree(SearchPlan(2, 3))
    tree.ask()
    tree.tell([program(f"g0-0{n}", float(n)) for n in range(3)])
    assert tree.select() is tree.root.children[2]
    for each in tree.root.children[1:]:
        each.children = [Node(each, evaluated=each.evaluated, value=1.0, weight=1e6)]
    assert tree.select() is tree.root.children[0]


def test_growth_goes_on_from_the_better_child() -> None:
    tree = Tree(PLAN)
    requests = play(tree, landscape)
    later = [parent(choice) for choice in requests[-1].choices]
    assert any(each.startswith(("g1", "g2", "g3")) for each in later)
    grown = [len(below(each)) for each in tree.root.able[:8]]
    assert max(grown) == grown[7]


def test_values_come_from_the_best_and_the_mean_of_a_subtree() -> None:
    low, high = Node(value=0.2, weight=1.0), Node(value=0.8, weight=1.0)
    above = Node(value=0.5, weight=2.0, children=[low, high])
    assert above.visits == 4.0
    assert above.backup == pytest.approx(0.5 * 0.8 + 0.5 * (0.2 + 0.8 + 2 * 0.5) / 4)


def test_few_trainings_are_trusted_less_and_visited_sooner() -> None:
    """Fitness 5 once, and 5 on average over five trainings."""
    tree = Tree(SearchPlan(2, 3))
    tree.ask()
    tree.tell([program("g0-00", 5.0, trainings=5), program("g0-01", 5.0), program("g0-02", 0.0)])
    sure, lucky, bad = tree.root.children
    assert (sure.weight, lucky.weight) == (5 / (5 + NOISE), 1 / (1 + NOISE))
    assert sure.value > lucky.value > bad.value, "the mean of few is drawn to the median"
    lucky.value = sure.value
    assert tree.select() is lucky, "of equal values the one that is less known"


def test_each_child_is_made_by_another_operator_and_the_last_sample_differs() -> None:
    tree = Tree(PLAN)
    requests = play(tree, landscape)
    for request in requests[1:]:
        assert request.choices[-1].operator == "differ"
        for choice in request.choices[:-1]:
            assert choice.operator in OPERATORS
            assert (len(choice.parents) == 2) is (choice.operator == "cross")
            assert choice.operator != "path" or choice.parents[0].candidate.parents
    for node in tree.root.subtree():
        made = [each.operator for each in node.children if node is not tree.root]
        assert len({*made[:4]}) == len(made[:4])
    assert {choice.operator for request in requests[1:] for choice in request.choices} == {
        *OPERATORS,
        "differ",
    }


def test_a_failed_program_has_no_children_and_counts_against_its_parent() -> None:
    tree = Tree(PLAN)
    requests = play(tree, lambda id, choice: program(id, None) if id > "g1" else landscape(id, choice))
    assert all(parent(choice) < "g1" for request in requests[1:] for choice in request.choices)
    tried = sum(each > 0 for each in counts(requests).values())
    assert tried > sum(each > 0 for each in counts(play(Tree(PLAN), landscape)).values())
    nothing = play(Tree(SearchPlan(2, 4)), lambda id, _: program(id, None))
    assert nothing[1].choices == (Choice(),) * 4


def test_the_same_results_lead_to_the_same_requests() -> None:
    assert play(Tree(PLAN), landscape) == play(Tree(PLAN), landscape)
