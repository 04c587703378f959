"""Islands on a scripted landscape: apart but for migration, a cell a structure, the operators in turn."""

from __future__ import annotations

from collections.abc import Sequence

from eureka_loop.propose.designer import Choice
from eureka_loop.propose.operators import OPERATORS
from eureka_loop.results import Evaluated
from eureka_loop.search.islands import MIGRATION, Islands
from eureka_loop.search.strategy import SearchPlan
from tests.search.conftest import play, program

PLAN = SearchPlan(generations=6, samples=8, seed=3)


def ids(found: Sequence[Evaluated]) -> list[str]:
    return [each.candidate.id for each in found]


def even(id: str) -> bool:
    return int(id[-2:]) % 2 == 0


def answer(id: str, choice: Choice) -> Evaluated:
    """Even samples are better, later generations too; three structures."""
    number = int(id[-2:])
    fitness = int(id[1]) + 10.0 * even(id) + number / 100
    return program(id, fitness, ["a", "b", "c"][: 1 + number % 3], ids(choice.parents))  # type: ignore[arg-type]


def test_islands_stay_apart_until_their_best_migrate() -> None:
    strategy = Islands(PLAN)
    requests = play(strategy, answer)
    assert [len(request.samples) for request in requests] == [8] * 6
    assert requests[0].choices == (Choice(),) * 8
    for generation, request in enumerate(requests[1:], 1):
        parents = [ids(choice.parents) for choice in request.choices]
        assert all(map(even, (id for each in parents[::2] for id in each))), "what came is worse"
        assert any(even(id) for each in parents[1::2] for id in each) is (generation >= MIGRATION)
        assert ids(request.choices[1].recent)[0] == f"g{generation - 1}-01"
    assert "g1-06" in ids(strategy.islands[1]), "the best of its time"
    assert "g1-06" in ids(strategy.islands[0]), "a copy migrates"
    assert "g1-04" not in ids(strategy.islands[1])


def test_a_cell_keeps_its_best_and_an_island_its_kinds() -> None:
    strategy = Islands(SearchPlan(2, 3))
    play(
        strategy,
        lambda id, _: {
            "g0-00": program(id, 5.0, "ab"),
            "g0-01": program(id, 1.0, "a"),
            "g0-02": program(id, None, "abc"),
            "g1-00": program(id, 4.0, "ab"),
            "g1-01": program(id, 2.0, ["prev_a"]),
        }.get(id, program(id, 3.0, "c")),
    )
    assert ids(strategy.cells(0)) == ["g0-00", "g1-02", "g1-01"]


def test_the_best_is_changed_first_and_every_operator_comes() -> None:
    strategy = Islands(PLAN)
    requests = play(strategy, answer, most=2)
    assert [ids(choice.parents)[0] for choice in requests[1].choices[:2]] == ["g0-06", "g0-07"]
    used = {choice.operator for request in play(strategy, answer) for choice in request.choices}
    assert used == {*OPERATORS} - {"fresh"}
    for request in requests[1:]:
        for choice in request.choices:
            assert (len(choice.parents) > 1) is (choice.operator == "cross")


def test_the_same_results_lead_to_the_same_requests() -> None:
    first, again = (play(Islands(PLAN), answer) for _ in range(2))
    assert first == again
    assert first[1:] != play(Islands(SearchPlan(6, 8, seed=4)), answer)[1:]


def test_where_nothing_was_trained_all_is_written_anew() -> None:
    requests = play(Islands(SearchPlan(2, 8)), lambda id, _: program(id, None))
    assert {(choice.parents, choice.operator) for choice in requests[1].choices} == {((), "")}
