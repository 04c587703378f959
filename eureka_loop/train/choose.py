"""Whether a trainer can train everything that may be written for a task."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from eureka_loop.envs.domain import Domain
from eureka_loop.errors import Refused
from eureka_loop.records import Task, Training
from eureka_loop.references import references
from eureka_loop.reward.gate import check
from eureka_loop.reward.vocabulary import Vocabulary
from eureka_loop.simulate.hindsight import stated_of
from eureka_loop.simulate.observables import ObservableRegistry
from eureka_loop.train.base import TRAINERS
from eureka_loop.train.hyperparameters import settings, try_out


def support(training: Training, task: Task, domain: Domain, beside: Sequence[str] = ()) -> str:
    """Reason why the training's trainer can't train all that may be written for a task; "" where it can.

    Args:
        beside: sources of programs that are compared with them, and so need the same trainer.

    Raises:
        UnknownName: no such trainer.
        BadInput: a hyperparameter that doesn't exist or can't be used, or an env that can't be made.
    """
    options = settings(training.algorithm, training.hyperparameters)
    try_out(training.algorithm, options)
    if options.her:
        stated_of(task, domain)
    names = list(dict.fromkeys(_names(task, ObservableRegistry.of_task(task, domain).vocabulary, beside)))
    return TRAINERS.load(training.trainer)().supports(training, task, domain, names)


def _names(task: Task, vocabulary: Vocabulary, beside: Sequence[str]) -> Iterator[str]:
    """All observables that a designer may use, and those of the programs that are compared."""
    yield from (each.name for each in vocabulary.observables if not each.hidden)
    for source in (*(each.source for each in references(task)), *beside):
        try:
            yield from check(source, vocabulary, hidden=True).parameters
        except Refused:
            continue  # reported where the program is used
