"""report.md of a bench: the same as the page, for a terminal, a diff or a paper's appendix."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from eureka_loop.report import text
from eureka_loop.report.bench import words
from eureka_loop.report.bench.facts import BenchFacts, Searched
from eureka_loop.report.bench.repeat import provenance
from eureka_loop.report.bench.scores import Scores
from eureka_loop.report.markdown import escaped, table

SEARCH_HEADS = ("task", "seed", "state", "winner", "winner's fitness", "hand-written", "sparse", "run")


def lines(facts: BenchFacts, found: Scores, pictures: Mapping[str, str]) -> Iterator[str]:
    """The whole document.

    Args:
        pictures: files beside it, and what they show.
    """
    yield f"# Bench {escaped(facts.bench.suite)}: {escaped(str(facts.bench.config.designer))}"
    yield ""
    yield f"**{escaped(words.headline(found))}** {escaped(words.at_or_above(found))}"
    yield from ("", words.protocol(facts), "")
    yield from table(words.HEADS, [*map(words.row, found.tasks), total(found)])
    yield ""
    yield from (f"- {escaped(note)}" for note in words.notes(facts, found))
    for picture, shown in pictures.items():
        yield from ("", f"![{shown}]({picture})")
    yield from ("", "## What the numbers are", "")
    yield from (f"- {escaped(line)}" for line in words.explanations())
    yield from ("", "## Every search", "")
    yield from table(SEARCH_HEADS, [search_row(facts, each) for each in facts.searches])
    yield from ("", "## How to repeat it", "")
    yield from (f"- {escaped(name)}: {escaped(value)}" for name, value in provenance(facts))


def total(found: Scores) -> list[str]:
    """The table's last line."""
    done, wanted = (sum(getattr(each, name) for each in found.tasks) for name in ("done", "of"))
    score = words.score(found.normalised, several=found.several) if found.normalised else words.UNDEFINED
    share = text.UNKNOWN if found.share is None else text.percent(found.share.value)
    return ["all", f"{done} of {wanted}", score, share, "", "", "", "", *words.costs(found.cost)]


def search_row(facts: BenchFacts, each: Searched) -> list[str]:
    """One search: its winner and references on fresh seeds, and where its run is."""
    run = each.found.run.folder.relative_to(facts.folder) if each.found else ""
    id = each.winner.candidate.id if each.winner else text.UNKNOWN
    return [each.search.task, str(each.search.seed), each.state, id, *text.numbers(each.fitness), str(run)]
