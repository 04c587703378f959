"""The verdict of a comparison in one line: better, worse or can't tell."""

from __future__ import annotations

from eureka_loop.report import text
from eureka_loop.report.compare.results import ComparisonResults, Part
from eureka_loop.report.comparison import sentence


def headline(found: ComparisonResults) -> str:
    """The verdict on every algorithm, in a few words: "better", or "better with PPO, can't tell with SAC"."""
    verdicts = {part.algorithm: part.comparison.verdict(part.reference)[0] for part in found.parts}
    if len(set(verdicts.values())) == 1:
        return next(iter(verdicts.values()))
    return ", ".join(f"{each} with {algorithm.upper()}" for algorithm, each in verdicts.items())


def lines(found: ComparisonResults) -> list[str]:
    """The verdict in one line with all that it rests on, for each algorithm."""
    return [_line(part, several=len(found.parts) > 1) for part in found.parts]


def _line(part: Part, *, several: bool) -> str:
    verdict, why = part.comparison.verdict(part.reference)
    first, other = part.results[0].label, part.reference.label if part.reference else "nothing"
    where = f"with {part.algorithm.upper()}: " if several else ""
    if verdict == "can't tell":
        return sentence(f"{where}can't tell {first} from {other}: {why}")
    return sentence(f"{where}{first} is {verdict} than {other}: {why}")


def looks(found: ComparisonResults) -> str:
    """A caution where seeds were added after a look at the result; "" where they weren't."""
    before = [each for each in found.setup.looks if each != found.setup.seeds]
    if not before:
        return ""
    seen = " and ".join(text.plural(each, "seed") for each in before)
    return (
        f"Reports were written at {seen}, too. Each look errs in at most 5% of cases where rewards are "
        "equal; all of them together err more often."
    )
