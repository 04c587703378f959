"""report.html of a bench: one file that opens anywhere, offline, without a script (see `report.pages`)."""

from __future__ import annotations

from markupsafe import Markup

from eureka_loop.report.bench import charts, markdown, words
from eureka_loop.report.bench.facts import BenchFacts
from eureka_loop.report.bench.repeat import provenance
from eureka_loop.report.bench.scores import Scores
from eureka_loop.report.pages import render


def page(facts: BenchFacts, found: Scores) -> str:
    """The whole document."""
    return render(
        __package__,
        "report.html.j2",
        bench=facts.bench,
        headline=words.headline(found),
        at_or_above=words.at_or_above(found),
        protocol=words.protocol(facts),
        notes=list(words.notes(facts, found)),
        heads=words.HEADS,
        rows=[words.row(each) for each in found.tasks],
        total=markdown.total(found),
        picture=Markup(charts.normalised(found)),
        fitness=Markup(charts.fitness(found)),
        explanations=words.explanations(),
        search_heads=markdown.SEARCH_HEADS,
        searches=[markdown.search_row(facts, each) for each in facts.searches],
        tasks=[task.task for task in facts.tasks],
        provenance=list(provenance(facts)),
    )
