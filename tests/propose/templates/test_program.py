"""Programs are written from terms and read again."""

from __future__ import annotations

import pytest

from eureka_loop.propose.templates.pool import pool
from eureka_loop.propose.templates.program import Gene, read, write
from eureka_loop.records import Task
from eureka_loop.reward.vocabulary import Vocabulary


def test_every_term_is_read_again_whatever_its_weights(planar: Vocabulary, task: Task) -> None:
    terms = pool(task, planar).terms
    for term in terms:
        gene = Gene(term, dict.fromkeys(term.weights, 7.0))
        assert read(write((gene,), task.text), terms) == (gene,)
    assert read("no program of ours", terms) == ()


@pytest.mark.parametrize(
    "text", ['say """now"""', "back\\slash\\", "line\nbreak\x00", "", "é" * 300, "word " * 60]
)
def test_any_text_makes_a_docstring(text: str, planar: Vocabulary, task: Task) -> None:
    terms = pool(task, planar).terms
    genome = (Gene(terms[0], terms[0].weights),)
    source = write(genome, text)
    compile(source, "text", "exec")
    assert read(source, terms) == genome
