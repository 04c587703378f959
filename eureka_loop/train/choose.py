"""Whether the population trainer serves: many learners at once, where env and settings allow it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from eureka_loop.envs.domain import Domain
from eureka_loop.errors import Refused
from eureka_loop.records import Serving, Task, Training
from eureka_loop.references import references
from eureka_loop.reward.gate import check
from eureka_loop.reward.vocabulary import Vocabulary
from eureka_loop.simulate.batched import why_not_batched
from eureka_loop.simulate.hindsight import stated_of
from eureka_loop.train.hyperparameters import settings, try_out
from eureka_loop.train.population.models import trains
from eureka_loop.train.trainer import vocabulary_of


def serving(training: Training, task: Task, domain: Domain, beside: Sequence[str] = ()) -> Serving:
    """Whether the population trainer can train everything that may be written for a task.

    Args:
        beside: sources of programs that are compared, whoever wrote them: they need the same trainer.

    Raises:
        BadInput: a hyperparameter that doesn't exist or can't be used, or an env that can't be had here.
    """
    options = settings(training.algorithm, training.hyperparameters)
    try_out(training.algorithm, options)
    if options.her:
        stated_of(task, domain)
    if training.algorithm != "ppo":
        return Serving(f"the population trainer has no {training.algorithm.upper()}")
    names = list(dict.fromkeys(_names(task, vocabulary_of(task, domain), beside)))
    return Serving(trains(options) or why_not_batched(task, domain, names))


def _names(task: Task, vocabulary: Vocabulary, beside: Sequence[str]) -> Iterator[str]:
    """All that a designer may ask for, and the hidden ones that what it is compared with does."""
    yield from (each.name for each in vocabulary.observables if not each.hidden)
    for source in (*(each.source for each in references(task)), *beside):
        try:
            yield from check(source, vocabulary, hidden=True).parameters
        except Refused:
            continue  # told where the program is used
