"""Contents that the screen and report.md share: tables and sentences about a run and its report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from eureka_loop import numbers, text
from eureka_loop.config import RunConfig
from eureka_loop.judge.statistics import clipped
from eureka_loop.provenance import NOT_HERE
from eureka_loop.report.comparison import Comparison, RewardResult, beside_floor, sentence
from eureka_loop.report.run_data import RunData, terms
from eureka_loop.results import FITNESS, PROGRESS, SUCCESS, Evaluated, Failed, ranked_by
from eureka_loop.reward.weights import weights
from eureka_loop.store import FLOORS, REFERENCES

STYLES = {"better": "green", "as good": "green", "worse": "red", "can't tell": "yellow"}
NOT_BETTER = "no better weights found: these are not shown to be better than the original"
TERMS = "terms, by share of the reward"

Grid = tuple[list[str], list[list[str]]]  # a table's heads and rows


def ranking(data: RunData, *, notes: bool = False) -> Grid:
    """Completely trained candidates, best first; each seed and further scores where there are any."""
    found, several = data.ranking, any(len(each.results) > 1 for each in data.search)
    by = ranked_by(found[0].score) if found else FITNESS
    names = dict.fromkeys(name for each in found for result in each.trained for name in result.scores)
    scored = [
        name for name in names if name != FITNESS and any(each.score(name) is not None for each in found)
    ]
    each_seed = "each seed" if by == FITNESS else f"{by} of each seed"
    heads = ["#", "id", "fitness", *([each_seed] if several else []), *scored, TERMS, "from"]
    rows = []
    for place, each in enumerate(found, start=1):
        values = (result.score(by) for result in each.trained)
        seeds = [", ".join(numbers.column(values))] if several else []
        scores = [
            numbers.percent(each.score(name)) if name == SUCCESS else numbers.number(each.score(name))
            for name in scored
        ]
        own = f"{fitness(data, each)}{f' ({NOT_HERE})' * bool(each.elsewhere)}"
        cells = [str(place), each.candidate.id, own, *seeds, *scores, _shares(each)]
        made = [text.origin(each.candidate), each.candidate.note]
        cells += made if notes else [", ".join(each.candidate.parents)]
        rows.append(cells)
    return [*heads, *(["note"] if notes else [])], rows


def ranked_how(found: list[Evaluated]) -> str:
    """The score by which candidates are ranked, in words."""
    by = {ranked_by(each.score) for each in found}
    if by == {PROGRESS}:
        lucky = ", but where a start is a success" if any(each.score(SUCCESS) for each in found) else ""
        return f"by progress: nobody succeeded{lucky}"
    never = "; those that never succeeded, by progress" if PROGRESS in by else ""
    return f"by mean fitness of the final policy{never}"


def trainings(config: RunConfig) -> str:
    """Of each candidate: "1 training each, 3 of each generation's best"."""
    more = f", {config.confirm} of each generation's best" if config.confirm > config.seeds else ""
    return f"{numbers.plural(config.seeds, 'training')} each{more}"


def fitness(data: RunData, each: Evaluated) -> str:
    """With as many decimals as all of the ranking."""
    return numbers.column([each.fitness], like=[one.fitness for one in data.ranking])[0]


def failures(evaluated: list[Evaluated], floors: Sequence[Failed] = ()) -> Grid:
    """Every failure: candidate (or policy that learns nothing), seed, kind and message."""
    rows = [
        [
            FLOORS.get(failure.candidate, text.label(failure.candidate)),
            "before training" if failure.seed is None else f"seed {failure.seed}",
            text.failure(failure.kind),
            text.message(failure.message),
        ]
        for failure in (*(failure for each in evaluated for failure in each.failures), *floors)
    ]
    return ["id", "when", "failure", "message"], rows


def damaged(data: RunData) -> Grid:
    """Candidates with files that can't be read."""
    return ["id", "message"], [[text.label(id), text.message(why)] for id, why in data.damaged.items()]


def report(comparison: Comparison) -> Grid:
    """One line a reward of the report: fitness with its interval, success, and every seed."""
    everyone = [float(value) for each in comparison.results for value in each.fitness]
    rows = []
    for each in comparison.results:
        values = numbers.column((float(value) for value in each.fitness), like=everyone)
        kinds = Counter(text.failure(failure.kind) for failure in each.evaluated.failures)
        failed = [f"{amount} × failed: {kind}" for kind, amount in kinds.items()]
        fitness, interval = each.status, numbers.UNKNOWN
        if (found := each.interval) is not None:
            fitness, low, high = numbers.column([found.value, found.low, found.high], like=everyone)
            interval = f"[{low}, {high}]" if len(values) > 1 else interval
        rows.append(
            [
                name(each) + each.origin,
                fitness,
                interval,
                numbers.percent(each.success),
                ", ".join([*values, *failed]),
            ]
        )
    for label, floor in comparison.floors.items():
        (reached,) = numbers.column([floor.fitness], like=everyone)
        rows.append([label, reached, numbers.UNKNOWN, numbers.percent(floor.success), ""])
    return with_progress(comparison, ["reward", "fitness", "95% interval", "success", "each seed"], rows)


def with_progress(comparison: Comparison, heads: list[str], rows: list[list[str]]) -> Grid:
    """A table of rewards, then floors, with a column of progress behind success, where any has it."""
    progress = [each.evaluated.score(PROGRESS) for each in comparison.results]
    progress += [each.progress for each in comparison.floors.values()]
    if any(value is not None for value in progress):
        place = 1 + next(n for n, head in enumerate(heads) if head.startswith(SUCCESS))
        for row, value in zip([heads, *rows], ["progress", *numbers.column(progress)], strict=True):
            row.insert(place, value)
    return heads, rows


def name(result: RewardResult) -> str:
    """ "winner g1-02", "hand-written"."""
    return result.label if result.label != "winner" else f"winner {result.id}"


UNCONFIRMED = "By a measure that was drafted or sent, and that nobody here has confirmed."


def sentences(comparison: Comparison) -> Iterator[tuple[str, str]]:
    """Verdicts and the human-normalised score, each with a style."""
    if comparison.unconfirmed:
        yield UNCONFIRMED, "yellow"
    if comparison.unfinished:
        yield f"The report is not finished ({comparison.unfinished}): there is no verdict yet.", "yellow"
        return
    for each in comparison.differences:
        yield str(each), STYLES[each.verdict]
    if comparison.results and not comparison.differences:
        first = comparison.results[0]
        if flaw := beside_floor(first, comparison.floors):
            yield sentence(f"{first.label} {flaw}."), "red"
    if len(comparison.results) > 2 and (score := _normalised(comparison)):
        yield f"Human-normalised score: {score}", ""


def _normalised(comparison: Comparison) -> str:
    """The winner's score, or why it is undefined; "" without a winner."""
    winner, scale = comparison.results[0], comparison.scale
    if winner.id in REFERENCES:
        return ""
    found = comparison.normalised(winner)
    if isinstance(scale, str) or found is None:
        why = scale if isinstance(scale, str) else winner.failed
        return f"not defined, since {why}." if why else ""
    within = clipped(found)
    remark = f" (clipped to [0, 3]: {within:.2f})" if within != found else ""
    return f"{found:.2f}{remark}; {scale.explanation}"


def tuned(data: RunData) -> tuple[str, Grid]:
    """Whether better weights were found, and a table of them; ("", no rows) of a run that tunes none."""
    best, original = data.best, data.task.original if data.task else None
    heads = ["weight", "original", "tuned", "factor"]
    if best is None or original is None:
        return "", (heads, [])
    if best.source == original:
        return "no better weights found: none ranks above the original", (heads, [])
    before, after = weights(original), weights(best.source)
    values = [(name, each.value, after[name].value) for name, each in before.items() if name in after]
    rows = [
        [name, *map(numbers.compact, (old, new, new / old if old else None))] for name, old, new in values
    ]
    verdicts = [each.verdict for each in data.comparison.differences if not data.comparison.unfinished]
    found = "not yet compared with the original on fresh seeds"
    if verdicts:
        found = "better than the original" if verdicts == ["better"] else NOT_BETTER
    return found, (heads, rows)


def origin(elsewhere: int, of: int) -> str:
    """A sentence on results that were not made here; "" where all were."""
    if not elsewhere:
        return ""
    count = f"{elsewhere} of {numbers.plural(of, 'training')}"
    return f"{count} {'was' if of == 1 else 'were'} {NOT_HERE}: nothing shows how the results came about."


def trainer(data: RunData) -> str:
    """The trainer, and why not the population trainer: "sb3 (SAC is trained by Stable-Baselines3)"."""
    if not (data.run.task_folder / "training.json").exists():
        return ""
    training = data.run.training()
    why = "--trainer" if data.config.trainer else training.why
    return f"{training.trainer}{f' ({why})' if why else ''}"


def _shares(evaluated: Evaluated) -> str:
    """ "speed 81%, effort 19%"; diagnostics by name alone."""
    shares = terms(evaluated.trained).items()
    return ", ".join(
        name if name.startswith("_") else f"{name} {numbers.percent(share)}" for name, share in shares
    )
