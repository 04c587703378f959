"""The embedded designer: what it proposes to a request, and that it never repeats itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from eureka_loop.propose.designer import Choice, Repair, Request
from eureka_loop.propose.operators import OPERATORS
from eureka_loop.propose.templates.designer import TemplatesDesigner
from eureka_loop.propose.templates.genome import read
from eureka_loop.propose.templates.pool import pool
from eureka_loop.results import Evaluated
from eureka_loop.reward.vocabulary import Vocabulary
from tests.propose.conftest import proposals

Asks = Callable[..., Request]
Make = Callable[..., Evaluated]


def sources(request: Request) -> list[str]:
    replies = proposals(TemplatesDesigner(), request)
    assert all(reply.source is not None for reply in replies), [reply.problem for reply in replies]
    return [reply.source or "" for reply in replies]


def evaluated(found: list[str], trained: Make) -> list[Evaluated]:
    """The first one is the best."""
    return [trained(f"g0-{at:02d}", source, float(-at)) for at, source in enumerate(found)]


def test_the_best_guess_reads_like_a_persons(asks: Asks) -> None:
    """Golden: a weight is 1 over the reach of random actions (2 m/s), a cost a tenth of the goal."""
    assert sources(asks())[0] == (
        "def compute_reward(forward_velocity, terminated, action, *, speed=0.5, alive=0.2, effort=0.1):\n"
        '    """Hop forward as fast as possible without falling."""\n'
        "    return {\n"
        '        "speed": speed * forward_velocity,  # m/s along +x\n'
        '        "alive": alive * (1.0 - terminated),\n'
        '        "effort": -effort * np.square(action).mean(axis=1),\n'
        "    }\n"
    )
    assert "alive=1.0" in sources(asks(text="stand upright for as long as possible"))[0]


def test_the_same_request_gets_the_same_replies(asks: Asks) -> None:
    whole, designer = sources(asks()), TemplatesDesigner()
    assert sources(asks()) == whole
    assert sources(asks(seed=1)) != whole
    assert [designer.propose(asks(), sample).source for sample in (3, 1)] == [whole[3], whole[1]]


def test_later_generations_descend_from_the_fittest(asks: Asks, trained: Make) -> None:
    history = evaluated(sources(asks()), trained)
    replies = proposals(TemplatesDesigner(), asks(generation=1, history=history, parents=(history[0],)))
    bred = [reply for reply in replies if reply.parents]
    assert len(bred) >= 6
    assert {parent for reply in bred for parent in reply.parents} <= {f"g0-{at:02d}" for at in range(4)}
    assert replies[0].parents == ("g0-00",)
    assert "# m/s along +x" in (replies[0].source or ""), "comments are inherited, too"


@pytest.mark.parametrize("operator", OPERATORS)
def test_operators(asks: Asks, trained: Make, operator: str) -> None:
    first = sources(asks())
    history = evaluated(first, trained)
    pair = (history[3], history[1])
    request = asks(generation=1, history=history, parents=pair, operator=operator)
    replies = proposals(TemplatesDesigner(), request)
    assert len({reply.source for reply in replies} - set(first)) == 8
    made_of = {parent for reply in replies for parent in reply.parents}
    assert made_of <= {"g0-03", "g0-01"}
    assert bool(made_of) is (operator not in ("fresh", "differ"))
    if operator == "cross":
        assert made_of == {"g0-03", "g0-01"}
    if operator == "weights":
        terms = pool(request.task, request.vocabulary).terms
        made = [[gene.term for gene in read(reply.source or "", terms)] for reply in replies]
        assert all(each == made[0] for each in made)


def test_each_sample_has_parents_and_an_operator_of_its_own(asks: Asks, trained: Make) -> None:
    """Whichever sample is asked for first, as after a resume."""
    history = evaluated(sources(asks()), trained)
    history[6] = replace(history[6], candidate=replace(history[6].candidate, parents=("g0-00",)))
    choices = {n: Choice((history[n],), operator) for n, operator in enumerate(OPERATORS)}
    whole = asks(generation=1, samples=len(OPERATORS), history=history, choices=choices)
    designer, again = TemplatesDesigner(), TemplatesDesigner()
    replies = [designer.propose(whole.of(n), n) for n in range(whole.samples)]
    assert [reply.operator for reply in replies] == list(OPERATORS)
    for n, reply in enumerate(replies[:-1]):
        inherits = OPERATORS[reply.operator].inherits
        assert reply.parents[:1] == ((f"g0-{n:02d}",) if inherits else ())
    assert replies[-1].parents == ("g0-00",), "its last step changed terms, and harmed"
    assert [again.propose(whole.of(n), n) for n in reversed(range(whole.samples))] == replies[::-1]
    same = {n: Choice((history[0],), "weights") for n in range(8)}
    whole = asks(generation=1, history=history, choices=same)
    assert len({designer.propose(whole.of(n), n).source for n in range(8)}) == 8


def test_a_parent_by_another_author_is_replaced_by_the_fittest_that_is_read(
    asks: Asks, trained: Make
) -> None:
    history = evaluated(sources(asks()), trained)
    foreign = trained("g1-00", "def compute_reward(dt):\n    return {'x': dt}\n", 9.0)
    request = asks(generation=2, history=(*history, foreign), parents=(foreign,), operator="weights")
    assert TemplatesDesigner().propose(request, 0).parents == ("g0-00",)


def test_no_program_comes_twice_in_a_run(asks: Asks, trained: Make) -> None:
    history: list[Evaluated] = []
    for generation in range(4):
        for at, source in enumerate(sources(asks(generation=generation, samples=12, history=tuple(history)))):
            history.append(trained(f"g{generation}-{at:02d}", source, float(at % 5)))
    assert len({each.candidate.source for each in history}) == 48
    first = sources(asks())
    again = proposals(TemplatesDesigner(), asks(under_way=tuple(first)))
    assert not {reply.source for reply in again} & set(first)


def test_a_repair_is_another_program(asks: Asks) -> None:
    first = sources(asks())[3]
    repairs = [Repair(first, "refused", attempt=attempt) for attempt in (1, 1, 2)]
    repaired = [TemplatesDesigner().propose(asks(repair=each), 3).source for each in repairs]
    assert repaired[0] == repaired[1]
    assert len({first, repaired[0], repaired[2]}) == 3


def test_an_empty_vocabulary_gets_a_reason(asks: Asks) -> None:
    replies = proposals(TemplatesDesigner(), asks(vocabulary=Vocabulary("Empty-v0", ()), samples=2))
    assert [reply.source for reply in replies] == [None, None]
    assert all("vocabulary" in reply.problem for reply in replies)
