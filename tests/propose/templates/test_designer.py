from __future__ import annotations

from collections.abc import Callable

import pytest

from eureka_loop.propose.designer import CollectedReplies, Designer, Repair, Request, collect
from eureka_loop.propose.templates.designer import TemplatesDesigner
from eureka_loop.propose.templates.genes import parse
from eureka_loop.results import Evaluated
from eureka_loop.reward.vocabulary import Vocabulary

Asks = Callable[..., Request]
Make = Callable[..., Evaluated]


def sources(request: Request) -> list[str]:
    replies = collect(TemplatesDesigner(), request)
    assert all(reply.source is not None for reply in replies), [reply.problem for reply in replies]
    return [reply.source or "" for reply in replies]


def test_the_best_guess_reads_like_a_persons(asks: Asks) -> None:
    """Golden: scales are 1 over how far random actions lead (2 m/s), the cost a tenth of the goal's."""
    assert sources(asks())[0] == (
        "def compute_reward(forward_velocity, terminated, action, *, speed=0.5, alive=0.2, effort=0.1):\n"
        '    """Hop forward as fast as possible without falling."""\n'
        "    return {\n"
        '        "speed": speed * forward_velocity,  # m/s forward\n'
        '        "alive": alive * (1.0 - terminated),\n'
        '        "effort": -effort * np.square(action).mean(axis=1),\n'
        "    }\n"
    )


def test_staying_alive_is_paid_in_full_where_it_is_the_task(asks: Asks) -> None:
    assert "alive=1.0" in sources(asks(text="stand upright for as long as possible"))[0]


def test_the_same_request_gets_the_same_replies(asks: Asks) -> None:
    designer: Designer = TemplatesDesigner()
    assert collect(designer, asks()) == collect(designer, asks())
    assert sources(asks(seed=1)) != sources(asks())


def test_later_generations_descend_from_the_fittest(asks: Asks, trained: Make) -> None:
    first = sources(asks())
    history = [trained(f"g0-{at:02d}", source, float(-at)) for at, source in enumerate(first)]
    replies = collect(TemplatesDesigner(), asks(generation=1, history=history, parents=(history[0],)))
    bred = [reply for reply in replies if reply.parents]
    assert len(bred) >= 6
    assert {parent for reply in bred for parent in reply.parents} <= {f"g0-{at:02d}" for at in range(4)}
    assert replies[0].parents == ("g0-00",)


def test_no_program_is_written_that_is_under_way(asks: Asks) -> None:
    first = sources(asks())
    again = collect(TemplatesDesigner(), asks(under_way=tuple(first)))
    assert not {reply.source for reply in again} & set(first)


def test_no_program_comes_twice_in_a_run(asks: Asks, trained: Make) -> None:
    history: list[Evaluated] = []
    for generation in range(4):
        for at, source in enumerate(sources(asks(generation=generation, samples=12, history=tuple(history)))):
            history.append(trained(f"g{generation}-{at:02d}", source, float(at % 5)))
    assert len({each.candidate.source for each in history}) == 48


def test_a_generation_that_failed_whole_is_composed_anew(asks: Asks, trained: Make) -> None:
    history = [trained("g0-00", "def compute_reward(x):\n    pass\n", 1.0)]
    replies = collect(TemplatesDesigner(), asks(generation=1, history=history))
    assert all(reply.source and not reply.parents for reply in replies)


def test_a_repair_is_another_program(asks: Asks) -> None:
    first = sources(asks())[3]
    request = asks(samples=1, only=(3,), repair=Repair(first, "refused"))
    repaired = sources(request)
    assert repaired == sources(request)
    assert len(repaired) == 1
    assert repaired[0] != first


def test_an_empty_vocabulary_gets_a_reason(asks: Asks) -> None:
    replies = collect(TemplatesDesigner(), asks(vocabulary=Vocabulary("Empty-v0", ()), samples=2))
    assert [reply.source for reply in replies] == [None, None]
    assert all("vocabulary" in reply.problem for reply in replies)


@pytest.mark.parametrize(
    "text",
    [
        "walk backwards",
        "spin in place",
        "jump as high as you can",
        "stand still",
        "do a backflip",
        "be happy",
        "",
    ],
)
def test_free_texts_get_diverse_programs(asks: Asks, text: str) -> None:
    found = sources(asks(text=text))
    assert len(set(found)) == len(found)
    for source in found:
        assert parse(source) is not None
        compile(source, "program", "exec")


@pytest.mark.parametrize("only", [(0,), (1, 3), (7,)])
def test_missing_samples_come_as_they_would_have(asks: Asks, only: tuple[int, ...]) -> None:
    whole = sources(asks())
    sink = CollectedReplies()
    TemplatesDesigner().propose(asks(only=only), sink)
    assert {sample: reply.source for sample, reply in sink.replies.items()} == {n: whole[n] for n in only}
