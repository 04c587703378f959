"""report.md of a comparison: the same as the page, for a terminal, a diff or a paper's appendix."""

from __future__ import annotations

from collections.abc import Iterator

from eureka_loop.report import text, words
from eureka_loop.report.compare import measures, programs, tables, verdict
from eureka_loop.report.compare.facts import Facts, Part
from eureka_loop.report.compare.repeat import provenance
from eureka_loop.report.markdown import escaped, fenced, table


def lines(facts: Facts) -> Iterator[str]:
    """The whole document."""
    yield f"# {escaped(facts.task.name)}: {escaped(facts.title)}"
    yield ""
    yield f"**{escaped(verdict.line(facts))}**"
    if caution := verdict.looks(facts):
        yield from ("", escaped(caution))
    yield from ("", f"> {escaped(facts.task.text)}", "", "Fitness, measured on whole episodes:", "")
    yield from fenced(facts.task.fitness)
    for part in facts.parts:
        yield from _numbers(facts, part)
        yield from _failures(part)
        yield from _learning(part)
        yield from _agreements(part)
        yield from _terms_over_training(part)
        yield from _films(part)
    yield from _programs(facts)
    yield from _repeat(facts)


def _numbers(facts: Facts, part: Part) -> Iterator[str]:
    yield from ("", f"## {part.algorithm.upper()}", "", measures.protocol(facts))
    yield ""
    yield from table(measures.HEADS, [measures.row(each) for each in measures.measures(part)])
    yield ""
    for other in part.standings[1:]:
        found, why = verdict.against(part, other)
        yield f"- Against {escaped(other.label)}: **{found}**: {escaped(why)}"
    for line in measures.explanations(part):
        yield f"- {escaped(line)}"
    yield from ("", "Fitness of each seed:", "")
    for each in part.standings:
        values = ", ".join(text.numbers(float(value) for value in each.fitness)) or "none finished"
        yield f"- {escaped(each.label)}: {values}"


def _failures(part: Part) -> Iterator[str]:
    failures = [(each.label, failure) for each in part.standings for failure in each.evaluated.failures]
    if not failures:
        return
    yield from ("", "### Failed trainings", "", "A failure has no score: it is left out, and said.", "")
    rows = [
        (label, f"seed {failure.seed}", words.failure(failure.kind), text.one_line(failure.message, 300))
        for label, failure in failures
    ]
    yield from table(("reward", "when", "failure", "message"), rows)


def _learning(part: Part) -> Iterator[str]:
    heads = [escaped(each) for each in tables.labels(part)]
    if curve := tables.learning(part):
        yield from ("", "### Learning", "")
        yield "Fitness of training episodes: interquartile mean over seeds, with its 95% interval."
        yield ""
        yield from table(["steps", *heads], curve)
    if reached := tables.profiles(part):
        yield from ("", "Performance profile: the share of seeds whose final policy reaches a fitness.", "")
        yield from table(["fitness", *heads], reached)


def _terms_over_training(part: Part) -> Iterator[str]:
    found = [(each, rows) for each in part.standings if (rows := tables.terms(each))]
    if not found:
        return
    yield from (
        "",
        "### Terms over training",
        "",
        "Means over the seeds, with the lowest and the highest seed's.",
    )
    for each, rows in found:
        yield ""
        yield from table([f"term of {escaped(each.label)}", "at first", "at last"], rows)


def _films(part: Part) -> Iterator[str]:
    yield from ("", "### Videos", "")
    if part.films:
        yield f"In report.html: {', '.join(escaped(label) for label, _ in part.films)}, from the same start."
    else:
        yield f"None: {escaped(part.why_no_films)}."


def _agreements(part: Part) -> Iterator[str]:
    by_id = {each.id: each for each in part.standings}
    for each in part.agreements:
        if each.ours not in by_id or each.theirs not in by_id:
            continue
        ours, theirs = by_id[each.ours], by_id[each.theirs]
        names = escaped(ours.label), escaped(theirs.label)
        yield from ("", f"### The same transitions, seen by {' and '.join(names)}", "")
        yield (
            f"Correlation {_signed(each.pearson)}, of ranks {_signed(each.spearman)}, over {each.rows:,} "
            f"transitions ({escaped(', '.join(each.sources))})."
        )
        yield ""
        yield from _terms(programs.term_pairs(each, ours.evaluated, theirs.evaluated), *names)


def _terms(pairs: list[programs.TermPair], ours: str, theirs: str) -> Iterator[str]:
    rows = [(each.ours, each.our_share, each.theirs, each.their_share, each.how) for each in pairs]
    yield from table(
        (f"term of {escaped(ours)}", "share", f"of {escaped(theirs)}", "share", "matched by"), rows
    )


def _programs(facts: Facts) -> Iterator[str]:
    first, *others = facts.contest.contenders
    ours = facts.source(first)
    yield from ("", "## The programs", "", f"{escaped(first.label)}:", "")
    yield from fenced(ours)
    for other in others:
        theirs = facts.source(other)
        yield from ("", f"{escaped(other.label)}:", "")
        yield from fenced(theirs)
        yield from _difference(ours, theirs, (first.label, other.label))


def _difference(ours: str, theirs: str, names: tuple[str, str]) -> Iterator[str]:
    """What to change in the one to get the other."""
    lines = list(programs.unified(ours, theirs, names))
    if not lines:
        yield from ("", "They are the same, letter for letter.")
        return
    yield from ("", f"From {escaped(names[0])} to {escaped(names[1])}:", "")
    yield from fenced("\n".join(lines), "diff")


def _repeat(facts: Facts) -> Iterator[str]:
    yield from ("", "## How to repeat it", "")
    yield from (f"- {escaped(name)}: {escaped(value)}" for name, value in provenance(facts))


def _signed(value: float | None) -> str:
    return "undefined (one is constant)" if value is None else f"{value:+.2f}"
