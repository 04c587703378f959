"""Less training for bad candidates: after a part of the steps the best go on, the others stay where they are.

Successive halving (Jamieson and Talwalkar 2016, "Non-stochastic Best Arm Identification and Hyperparameter
Optimization", AISTATS, figure 2), on fitness. Here a cut keeps one in `eta`, rounded up: as many as there is
room for anyway, where several workers share the last ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from eureka_loop.records import Candidate, Later, Rung
from eureka_loop.results import Evaluated, Halted, ranked
from eureka_loop.search.strategy import in_order

LEAST_EPISODES = 3  # that a policy is judged in, where it is judged in more at the end

Train = Callable[[Iterable[Candidate | Later], Rung], Iterable[Evaluated]]


def ladder(eta: int, whole: Rung) -> tuple[Rung, ...]:
    """The rungs of a generation: from each to the next an eta-th of the candidates, with eta times the rest.

    As many as cuts leave at least one: floor(log_eta(candidates)), and the top. With eta 1 the top alone.

    Args:
        whole: what the top is, but with room for the whole generation.
    """
    cuts = 0
    while eta > 1 and eta ** (cuts + 1) <= whole.places:
        cuts += 1
    return tuple(_rung(number, cuts, eta, whole) for number in range(cuts + 1))


def _rung(number: int, cuts: int, eta: int, whole: Rung) -> Rung:
    share = eta ** (cuts - number)
    return Rung(
        number=number,
        steps=whole.steps // share,
        seeds=_up(whole.seeds, share),
        episodes=max(min(LEAST_EPISODES, whole.episodes), _up(whole.episodes, share)),
        places=_up(whole.places, eta**number),
        last=number == cuts,
    )


def steps_of(rungs: Sequence[Rung]) -> int:
    """Environment steps that a whole generation takes on its way up."""
    total, before = 0, Rung(-1, 0, 0, 0, 0)
    for rung in rungs:
        total += rung.places * (rung.seeds * rung.steps - min(before.seeds, rung.seeds) * before.steps)
        before = rung
    return total


class Halving:
    """
    Args:
        rungs: from the bottom up.
        train: candidates → trained to a rung and judged there, each from where it stopped.
        halt: told whose training ends early, and why.
    """

    def __init__(self, rungs: Sequence[Rung], train: Train, halt: Callable[[Halted], None]) -> None:
        self._rungs, self._train, self._halt = rungs, train, halt

    def train(self, candidates: Iterable[Candidate | Later]) -> Iterator[Evaluated]:
        """Every candidate as it stood at the highest rung that it reached.

        With one rung alone, each as soon as it has ended; else when all have. The places that failed
        candidates leave empty are taken by those next in rank.
        """
        if len(self._rungs) == 1:
            yield from self._train(candidates, self._rungs[0])
            return
        found: dict[str, Evaluated] = {}
        left: Iterable[Candidate | Later] = candidates
        for rung, above in zip(self._rungs, (*self._rungs[1:], None), strict=True):
            evaluated = in_order(self._train(left, rung))
            if above is not None:
                evaluated = self._cut(evaluated, rung, above)
            found |= {each.candidate.id: each for each in evaluated}
            left = [each.candidate for each in evaluated if each.halted is None and not each.failures]
        yield from found.values()

    def _cut(self, evaluated: Sequence[Evaluated], rung: Rung, above: Rung) -> list[Evaluated]:
        """The same, those that don't go on marked so."""
        order = ranked(evaluated)
        halted = {
            each.candidate.id: Halted(
                candidate=each.candidate.id,
                rung=rung.number,
                steps=each.trained[0].steps,
                of=self._rungs[-1].steps,
                fitness=each.fitness or 0.0,
                needed=order[above.places - 1].fitness or 0.0,
                places=above.places,
                among=len(evaluated),
            )
            for each in order[above.places :]
        }
        for each in halted.values():
            self._halt(each)
        return [replace(each, halted=halted.get(each.candidate.id)) for each in evaluated]


def _up(number: int, share: int) -> int:
    """Divided, rounded up."""
    return -(-number // share)
