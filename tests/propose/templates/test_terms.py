"""Every file of the library: it loads, fits somewhere, and renders what the gate lets through."""

from __future__ import annotations

import pytest

from eureka_loop.propose.templates.genes import Gene
from eureka_loop.propose.templates.layout import write
from eureka_loop.propose.templates.pool import pool
from eureka_loop.propose.templates.terms import TermTemplate, library, parse
from eureka_loop.records import Task
from eureka_loop.reward.functions import namespace
from eureka_loop.reward.vocabulary import Vocabulary

WANTED = {  # what issue 2 promises
    "progress", "target_speed", "height", "upright", "facing", "reach", "hold_pose", "spin", "alive",
    "effort", "smoothness", "contact", "stay_near", "action_change", "energy",
}  # fmt: skip


def genes(task: Task, *vocabularies: Vocabulary) -> dict[str, list[Gene]]:
    found: dict[str, list[Gene]] = {}
    for vocabulary in vocabularies:
        for term in pool(task, vocabulary).terms:
            found.setdefault(term.template.name, []).extend(term.genes.values())
    return found


def test_the_library_holds_what_was_promised() -> None:
    assert {template.name for template in library()} >= WANTED
    assert {template.purpose for template in library()} == {"goal", "shaping", "cost"}


@pytest.mark.parametrize("template", library(), ids=lambda template: template.name)
def test_a_template_is_sound(template: TermTemplate) -> None:
    assert template.summary
    assert set(template.positive) <= set(template.shapes)
    assert template.key not in namespace(), "the key becomes a keyword: it must not hide a shaping function"
    assert template.purpose == "cost" or template.prior > 0 or template.words or template.last_resort
    assert all(role.about for role in template.roles)
    assert all(0 < each.low <= 1 <= each.high for each in (template.weight, *template.settings.values()))


def test_every_template_fits_somewhere(planar: Vocabulary, arm: Vocabulary, task: Task) -> None:
    unbound = {template.name for template in library()} - genes(task, planar, arm).keys()
    # These need what neither robot has: sideways speed, a stated distance, ground forces.
    assert unbound <= {"gap", "impact", "straight"}


def test_what_they_render_reads_and_weighs(planar: Vocabulary, arm: Vocabulary, task: Task) -> None:
    for name, rendered in genes(task, planar, arm).items():
        for gene in rendered:
            text = write((gene,), "A task")
            compile(text, name, "exec")
            assert gene.weights, f"{name} has no weight"
            assert all(value > 0 for value in gene.weights.values()), f"{name}: {gene.weights}"
            assert max(map(len, text.splitlines())) <= 115, text


def test_a_wrong_front_matter_is_refused() -> None:
    with pytest.raises(ValueError, match="front matter"):
        parse("odd", '"speed": 1.0,\n')
    with pytest.raises(ValueError, match="colour"):
        parse(
            "odd",
            '+++\npurpose = "goal"\nkey = "k"\nsummary = "s"\nshapes = ["a"]\ncolour = 1\n[roles]\n'
            '[weight]\ndefault = "1"\nrange = [0.1, 2]\n+++\nx',
        )
