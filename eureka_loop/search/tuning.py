"""A program's weights tuned by CMA-ES, without an author: other numbers in its signature, the same code.

Each weight keeps its sign and is multiplied, since 0.01 and 10 are as likely as 1; a weight of 0 stays. The
first step is large for a weight that is nothing but a factor, and small for one inside a function: an
exponent, a threshold, a width.

Source: Hansen, "The CMA Evolution Strategy: A Tutorial", arXiv:1604.00772, 2016.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from eureka_loop.errors import BadInput
from eureka_loop.propose.designer import candidate_id
from eureka_loop.records import Array, Reply
from eureka_loop.results import Evaluated, ranked
from eureka_loop.reward.weights import Weight, weights, with_weights
from eureka_loop.search.lineage import changed
from eureka_loop.search.strategy import ProposalRequest, SearchPlan, Strategy

FACTOR, IN_A_FUNCTION = 2.0, 1.2  # of one standard deviation at the start
FARTHEST = 7.0  # standard deviations: factors of 128 and 3.6


class TunedStrategy:
    """Another strategy, then generations of other weights for the best program.

    Args:
        share: of the generations, the last ones.
        first: for the others.
        program: to tune from the start on, in place of the best that `first` finds.
    """

    def __init__(
        self, plan: SearchPlan, share: float, first: Callable[[SearchPlan], Strategy], program: str | None
    ) -> None:
        before = max(1, plan.generations - max(1, round(share * plan.generations)))
        self._plan, self._first = plan, first(plan)
        self._until = 0 if program else before * plan.samples  # candidates that `first` asks for
        self._tuner = WeightTuner(program, plan) if program else None
        self._observed: list[Evaluated] = []
        self._asked = 0  # candidates

    def ask(self) -> ProposalRequest | None:
        ended = self._asked == len(self._observed)
        if self._tuner is None and ended and self._asked >= self._until:
            self._begin()
        request = None
        if self._tuner is None and self._asked < self._until:
            request = self._first.ask()
        elif self._tuner and ended and self._asked < self._plan.generations * self._plan.samples:
            request = self._tuner.ask(self._asked // self._plan.samples)
        self._asked += len(request.samples) if request else 0
        return request

    def tell(self, evaluated: Sequence[Evaluated]) -> None:
        self._observed += evaluated
        (self._tuner or self._first).tell(evaluated)

    def _begin(self) -> None:
        """Tune the best program; where none has a weight, another generation is written first."""
        able = (each for each in ranked(self._observed) if movable(each.candidate.source))
        if (best := next(able, None)) is not None:
            self._tuner = WeightTuner(best.candidate.source, self._plan, best)
        else:
            self._until += self._plan.samples


def movable(source: str) -> dict[str, Weight]:
    """A program's weights that can be tuned."""
    return {name: each for name, each in weights(source).items() if each.value}


def require_movable(source: str, path: Path) -> None:
    """
    Raises:
        BadInput: nothing in a file's program can be tuned.
    """
    if not movable(source):
        what = "has no weight but 0, and weights are multiplied" if weights(source) else "has no weights"
        example = "def compute_reward(height, *, scale=1.0)"
        raise BadInput(f"{path} {what}: give it keyword-only parameters with numbers, as in `{example}`")


class WeightTuner:
    """CMA-ES over the weights of one program, a generation at a time.

    The first sample of a generation is the mean of the distribution: less by luck than any other.

    Args:
        origin: the program's results; None where it is yet to be trained, as the first sample of all.
    """

    def __init__(self, source: str, plan: SearchPlan, origin: Evaluated | None = None) -> None:
        from cmaes import CMA  # slow to import

        self._source, self._size, self._origin = source, plan.samples, origin
        self._weights = movable(source)
        self._steps = np.log([FACTOR if each.scales else IN_A_FUNCTION for each in self._weights.values()])
        dimensions = max(2, len(self._weights))  # cmaes needs two: with one weight the other is not used
        reach = FARTHEST * np.array([[-1.0, 1.0]] * dimensions)
        start = np.zeros(dimensions)
        self._cma = CMA(start, 1.0, bounds=reach, seed=plan.seed, population_size=self._size)
        self._asked: list[Array] = []

    def ask(self, generation: int) -> ProposalRequest:
        self._asked = [self._cma.ask() for _ in range(self._size)]
        if self._origin is None or self._cma.generation:
            self._asked[0] = self._cma.mean
        parent = self._origin.candidate.id if self._origin else candidate_id(0, 0)
        replies = []
        for source in map(self._program, self._asked):
            replies.append(Reply(source, (parent,), changed(self._source, source)))
        if generation == 0:
            replies[0] = Reply(self._source, note="the original")
        return ProposalRequest(
            generation=generation,
            samples=tuple(range(self._size)),
            of=self._size,
            parents=(self._origin,) if self._origin else (),
            operator="weights",
            replies=tuple(replies),
        )

    def tell(self, evaluated: Sequence[Evaluated]) -> None:
        """Failed programs rank last; a generation in which all failed is ignored."""
        places = {each.candidate.id: float(place) for place, each in enumerate(ranked(evaluated))}
        last = float(len(places))
        if places:
            reached = (places.get(each.candidate.id, last) for each in evaluated)
            self._cma.tell([*zip(self._asked, reached, strict=True)])

    def _program(self, point: Array) -> str:
        """With weights of three digits."""
        moved = zip(self._weights.items(), self._steps, point, strict=False)
        values = {name: each.value * np.exp(step * at) for (name, each), step, at in moved if at}
        return with_weights(self._source, {name: float(f"{value:.3g}") for name, value in values.items()})
