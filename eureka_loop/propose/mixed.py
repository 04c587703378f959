"""Several designers in one search (`--designer llm,templates`), each with a share of every generation.

Credit of a designer: (1 + hits) / (2 + candidates), of all its candidates that were observed; a hit is one in
the better half of its generation. Shares are in proportion to credit, one sample at least. In generation 0
they are equal, and the templates have the first samples, which hold their best guesses; in later generations
samples are assigned at random.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from eureka_loop.config import RunConfig
from eureka_loop.errors import BadInput, BudgetSpent, DesignerError
from eureka_loop.propose.designer import DESIGNERS, Designer, Request
from eureka_loop.records import Reply
from eureka_loop.results import Evaluated, ranked
from eureka_loop.store import Run


class MixedDesigner:
    """Everything follows from the request, so a resumed run goes on as it would have."""

    def __init__(self, designers: Sequence[Designer]) -> None:
        self._designers = {each.name: each for each in designers}
        self.name = ",".join(self._designers)

    def propose(self, request: Request, sample: int) -> Reply:
        """A program by the designer whose sample it is; by another where that fails or has spent its limit.

        A repair is asked of the program's author.

        Raises:
            DesignerError: none can write it, or one can't go on until somebody acts.
        """
        repaired = request.repair.designer if request.repair else ""
        author = repaired or authors(request, [*self._designers])[sample]
        reason = ""
        for name in sorted(self._designers, key=lambda each: each != author):
            try:
                reply = self._designers[name].propose(request, sample)
            except DesignerError as error:
                if error.lasting and not isinstance(error, BudgetSpent):
                    raise
                failed, reason = error, reason or f"in place of {author}: {error}"
            else:
                return replace(reply, designer=name, note="; ".join(filter(None, [reply.note, reason])))
        raise failed


def authors(request: Request, names: Sequence[str]) -> list[str]:
    """The designer of each sample of a generation."""
    order = [*range(request.samples)]
    if request.generation:
        generator = np.random.default_rng([request.seed, request.generation])
        order = generator.permutation(request.samples).tolist()
    found = [""] * request.samples
    amounts = shares(credits(request.history, names), request.samples)
    first = sorted(names, key=lambda each: each != "templates")
    blocks = [each for each in first for _ in range(amounts[each])]
    for sample, name in zip(order, blocks, strict=True):
        found[sample] = name
    return found


def credits(history: Sequence[Evaluated], names: Sequence[str]) -> dict[str, float]:
    """By designer, between 0 and 1."""
    better: set[str] = set()
    for generation in {each.candidate.generation for each in history}:
        own = [each for each in history if each.candidate.generation == generation]
        better |= {each.candidate.id for each in ranked(own)[: (len(own) + 1) // 2]}
    written = {
        name: [each.candidate.id for each in history if each.candidate.designer == name] for name in names
    }
    return {name: (1 + len(better & {*ids})) / (2 + len(ids)) for name, ids in written.items()}


def shares(credit: Mapping[str, float], samples: int) -> dict[str, int]:
    """Samples in proportion to credit, by largest remainders; one for each as far as there are enough."""
    amounts = dict.fromkeys(credit, 0)
    for place in range(samples):
        lacking = [name for name in credit if not amounts[name]]
        wanted = {name: credit[name] / sum(credit.values()) * samples - amounts[name] for name in credit}
        reserved = len(lacking) >= samples - place
        amounts[max(lacking if reserved else credit, key=wanted.__getitem__)] += 1
    return amounts


def create(config: RunConfig, run: Run | None) -> MixedDesigner:
    """The designers named with commas.

    Raises:
        BadInput: one can't work, or not beside others.
        UnknownName: there is no such designer.
    """
    names = config.designers
    if len({*names}) < 2 or len({*names}) < len(names) or "replay" in names:
        raise BadInput(
            f"--designer {config.designer}: name two or more different ones that write, as llm,templates"
        )
    return MixedDesigner([DESIGNERS.load(name)(config, run) for name in names])
