"""Better, worse or can't tell: in one line, and how many more seeds would decide it."""

from __future__ import annotations

from eureka_loop.report import text
from eureka_loop.report.compare.facts import Facts, Part
from eureka_loop.report.comparison import Difference, Standing

LEAST = 4  # seeds a side: three that separate completely do so by chance in 10% of cases
Words = tuple[str, str]  # the verdict, and what it rests on


def headline(facts: Facts) -> str:
    """The verdict on every algorithm, in a few words: "better", or "better with PPO, can't tell with SAC"."""
    told = {part.algorithm: against(part, part.reference)[0] for part in facts.parts}
    if len(set(told.values())) == 1:
        return next(iter(told.values()))
    return ", ".join(f"{verdict} with {algorithm.upper()}" for algorithm, verdict in told.items())


def line(facts: Facts) -> str:
    """The verdict in one line, with all that it rests on; a sentence more for each further algorithm."""
    return " ".join(lines(facts))


def lines(facts: Facts) -> list[str]:
    """The same, one for each algorithm."""
    return [_line(facts, part) for part in facts.parts]


def against(part: Part, reference: Standing | None) -> Words:
    """The verdict on one reference, and the numbers behind it."""
    if part.comparison.unfinished:
        return "can't tell", f"{part.comparison.unfinished} done"
    found = difference(part, reference)
    if found is None:
        return "can't tell", _nothing(part, reference)
    return found.verdict, reason(found) if found.single else f"{improvement(found)}. {reason(found)}"


def difference(part: Part, reference: Standing | None) -> Difference | None:
    found = [each for each in part.comparison.differences if reference and each.reference.id == reference.id]
    return found[0] if found else None


def improvement(found: Difference) -> str:
    """The probability of improvement with its interval."""
    chance = found.improvement
    return f"probability of improvement {chance.value:.2f} [{chance.low:.2f}, {chance.high:.2f}]"


def reason(found: Difference) -> str:
    """Why this verdict, and, where there is none, how many more seeds would decide it."""
    value, low, high = text.numbers([found.interval.value, found.interval.low, found.interval.high])
    chance = f"equal rewards differ as much in {_share(found.p)} of cases"
    seen = f"Fitness differs by {value} [{low}, {high}]; {chance}."
    if found.verdict != "can't tell":
        return seen
    why = found.reason if found.single else _upper(found.reason)  # alone it follows a colon
    return f"{why}. {more_seeds(found)}" if why else f"{seen} {more_seeds(found)}"


def more_seeds(found: Difference) -> str:
    """A power estimate in words."""
    now = int(min(found.reference.fitness.size, 10**6))
    if found.reference.evaluated.failures or "failed" in found.reason:
        return "While trainings fail, more seeds decide nothing."
    if now < LEAST:
        return f"At least {LEAST} seeds a side are needed for any verdict."
    if found.needed is None:
        return "To find a difference so small, more than 100 seeds a side would be needed."
    if found.needed <= now:
        return f"With {now} seeds such a difference is found four times out of five; it was not this time."
    more = f"{found.needed - now} more seeds a side, {found.needed} in all,"
    return f"If the true difference is the one seen, {more} would find it four times out of five."


def looks(facts: Facts) -> str:
    """A caution where seeds were added after a look at the result; "" where they weren't."""
    before = [each for each in facts.contest.looks if each != facts.contest.seeds]
    if not before:
        return ""
    seen = " and ".join(text.plural(each, "seed") for each in before)
    return (
        f"Reports were written at {seen}, too. Each look errs in at most 5% of cases where rewards are "
        "equal; all of them together err more often."
    )


def _line(facts: Facts, part: Part) -> str:
    verdict, why = against(part, part.reference)
    first, other = facts.contest.contenders[0].label, part.reference.label if part.reference else "nothing"
    where = f"with {part.algorithm.upper()}: " if len(facts.parts) > 1 else ""
    if verdict == "can't tell":
        return _upper(f"{where}can't tell {first} from {other}: {why}")
    return _upper(f"{where}{first} is {verdict} than {other}: {why}")


def _nothing(part: Part, reference: Standing | None) -> str:
    for side in (part.standings[0], reference):
        if side is not None and not side.fitness.size:
            return f"no training of the {side.label} reward finished: it failed, which is no score"
    return "there is nothing to compare with"


def _share(p: float) -> str:
    return "under 0.1%" if p < 0.001 else f"{100 * p:.2g}%"


def _upper(words: str) -> str:
    return words[:1].upper() + words[1:]
