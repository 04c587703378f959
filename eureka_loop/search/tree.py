"""Tree search over programs: UCT chooses the program to change, another operator makes each of its children.

After Gao et al., "RF-Agent: Automated Reward Function Design via Language Agent Tree Search",
arXiv:2602.23876, which has Monte Carlo tree search over reward functions, with mutation, crossover and
reasoning over the path as its actions. UCT is from Kocsis and Szepesvári 2006, "Bandit based Monte-Carlo
planning", ECML. Here a value is mixed of the best and the mean of a subtree, visits count by the noise of
trainings, and a generation is chosen at once: programs that are asked for count as visits without value.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from eureka_loop.propose.designer import Choice
from eureka_loop.results import NOISE, Evaluated, ranked
from eureka_loop.search.strategy import ProposalRequest, SearchPlan

EXPLORATION = 0.25  # UCT's constant, for values from 0 to 1
MIXED = 0.5  # of a value: share of the best in the subtree; the rest is the mean
WIDTH = 1.5  # a node may have this times the root of its visits as children, rounded up
OPERATORS = ("refine", "weights", "structure", "cross", "path")  # in turn, another one for each child
LEAST = 4  # samples of a generation from which the last one is a new child of the root


@dataclass(eq=False)
class Node:
    """A program, asked for or evaluated; the root is none.

    Attributes:
        value: 1 for the best of all so far, 0 for the last and for what failed or isn't there yet.
        weight: of its own visit: trainings ÷ (trainings + NOISE), so that a lucky one is soon tried again.
    """

    parent: Node | None = None
    operator: str = ""
    evaluated: Evaluated | None = None
    children: list[Node] = field(default_factory=list)
    value: float = 0.0
    weight: float = 1.0 / (1.0 + NOISE)

    def subtree(self) -> Iterator[Node]:
        yield self
        for child in self.children:
            yield from child.subtree()

    @property
    def visits(self) -> float:
        return sum(each.weight for each in self.subtree())

    @property
    def backup(self) -> float:
        """The value of the subtree."""
        mean = sum(each.weight * each.value for each in self.subtree()) / self.visits
        return MIXED * max(each.value for each in self.subtree()) + (1.0 - MIXED) * mean

    @property
    def able(self) -> list[Node]:
        """Children with a fitness, which can have children of their own."""
        return [each for each in self.children if each.evaluated and each.evaluated.fitness is not None]


class Tree:
    """The programs of the first generation are the root's children; later each grows where UCT leads."""

    def __init__(self, plan: SearchPlan) -> None:
        self._plan = plan
        self.root = Node(weight=0.0)
        self._generation = self._expanded = 0
        self._asked: list[Node] = []
        self._recent: tuple[Evaluated, ...] = ()

    def ask(self) -> ProposalRequest | None:
        if self._asked or self._generation >= self._plan.generations:
            return None
        samples = tuple(range(self._plan.samples))
        choices = tuple(self._choice(sample) for sample in samples)
        return ProposalRequest(self._generation, samples, len(samples), recent=self._recent, choices=choices)

    def tell(self, evaluated: Sequence[Evaluated]) -> None:
        for node, each in zip(self._asked, evaluated, strict=True):
            trainings = len(each.trained) or 1
            node.evaluated, node.weight = each, trainings / (trainings + NOISE)
        order = self._ranked()
        for place, node in enumerate(order):
            node.value = 1.0 - place / max(1, len(order) - 1)
        self._asked, self._recent, self._generation = [], tuple(evaluated), self._generation + 1

    def select(self) -> Node:
        """Down by UCT, to a node that may have another child."""
        node = self.root
        while node.able and (node is self.root or len(node.children) >= WIDTH * math.sqrt(node.visits)):
            total = math.log(1.0 + node.visits)
            node = max(
                node.able,
                key=lambda each: each.backup + EXPLORATION * math.sqrt(total / each.visits),
            )
        return node

    def _choice(self, sample: int) -> Choice:
        last = self._plan.samples - 1
        node = self.root if sample == last and last + 1 >= LEAST else self.select()
        best = [each.evaluated for each in self._ranked() if each.evaluated]
        if node.evaluated is None:
            operator, parents = "differ" if best else "", best[:1]
        else:
            operator, parents = self._operator(node), [node.evaluated]
            if operator == "cross":
                parents += [each for each in best if each is not node.evaluated][:1]
        self._asked.append(Node(node, operator))
        node.children.append(self._asked[-1])
        return Choice(tuple(parents), operator)

    def _operator(self, node: Node) -> str:
        """The next in turn that the node's children don't have; no path without a way to it."""
        turn = [*OPERATORS[self._expanded % len(OPERATORS) :], *OPERATORS[: self._expanded % len(OPERATORS)]]
        self._expanded += 1
        had = {each.operator for each in node.children}
        had |= {"path"} if node.parent is self.root else set()
        return next((each for each in turn if each not in had), "refine")

    def _ranked(self) -> list[Node]:
        nodes = {id(each.evaluated): each for each in self.root.subtree() if each.evaluated}
        return [
            nodes[id(each)] for each in ranked([each.evaluated for each in nodes.values() if each.evaluated])
        ]
