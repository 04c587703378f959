"""A bench in words: the table's cells, the sentences above and below it."""

from __future__ import annotations

from collections.abc import Iterator

from eureka_loop.judge.statistics import Interval
from eureka_loop.report import text
from eureka_loop.report.bench.facts import BenchFacts, Cost
from eureka_loop.report.bench.plan import Bench
from eureka_loop.report.bench.scores import Scores, TaskScore
from eureka_loop.report.compare.view import number, share

UNDEFINED = "undefined"
FEW = 10  # searches below which an interval is too narrow by more than a little
HEADS = (
    "task",
    "searches",
    "human-normalised [95%]",
    "at or above hand-written",
    "success [95%]",
    "winner's fitness [95%]",
    "hand-written",
    "sparse",
    "steps",
    "time",
    "tokens",
    "cost",
)


def row(found: TaskScore) -> list[str]:
    """One line of the table, under `HEADS`."""
    human, sparse = text.numbers([found.human, found.sparse], like=_ends(found.fitness))
    return [
        found.name,
        f"{found.done} of {found.of}",
        normalised(found),
        reached(found),
        success(found),
        fitness(found),
        human,
        sparse,
        *costs(found.facts.cost),
    ]


def normalised(found: TaskScore) -> str:
    """The raw score with its interval, where there are searches enough for one; else why there is none."""
    if not found.done:
        return text.UNKNOWN
    return UNDEFINED if found.normalised is None else score(found.normalised, several=found.several)


def reached(found: TaskScore) -> str:
    """Whether the winners are as good as the hand-written reward."""
    return text.UNKNOWN if found.reached is None else "yes" if found.reached else "no"


def success(found: TaskScore) -> str:
    """Share of judged episodes."""
    if found.success is None or found.several:
        return share(found.success)
    return text.percent(found.success.value)


def fitness(found: TaskScore) -> str:
    """Of the winners."""
    if found.fitness is None or found.several:
        return number(found.fitness, like=_references(found))
    return text.numbers([found.fitness.value], like=_references(found))[0]


def costs(cost: Cost) -> list[str]:
    """Steps, time, tokens, money."""
    money = text.UNKNOWN if cost.usd is None else text.money(cost.usd)
    return [text.count(cost.steps), text.duration(cost.seconds), text.count(cost.tokens), money]


def cost_line(cost: Cost) -> str:
    """All of it in one line."""
    tokens = "no model was asked"
    if cost.tokens:
        tokens = f"{text.count(cost.tokens)} tokens, "
        tokens += "price unknown" if cost.usd is None else text.money(cost.usd)
    trainings = text.plural(cost.trainings, "finished training")
    return f"{trainings}, {cost.steps:,} steps, {text.duration(cost.seconds)} ({hours(cost)} h), {tokens}"


def hours(cost: Cost) -> str:
    """As a number, to be added up."""
    return f"{cost.seconds / 3600:.2f}"


def headline(found: Scores) -> str:
    """The one number, and what it is over."""
    if found.normalised is None:
        return f"No human-normalised score: {UNDEFINED} for every task."
    said = score(found.normalised, several=found.several)
    tasks = f"{found.defined} of {text.plural(len(found.tasks), 'task')}"
    return f"Human-normalised score {said}: interquartile mean over {tasks}; 0 is sparse, 1 hand-written."


def at_or_above(found: Scores) -> str:
    """Share of tasks that reach the hand-written reward; "" where there is none to reach."""
    if found.share is None:
        return ""
    reached = sum(bool(each.reached) for each in found.tasks)
    interval = f" (95% interval {text.percent(found.share.low)} to {text.percent(found.share.high)})"
    tasks = text.plural(found.referred, "task")
    return f"At or above the hand-written reward: {reached} of {tasks}{interval if found.several else ''}."


def budget(bench: Bench) -> str:
    """What every search is given."""
    config = bench.config
    early = f", the best 1 in {config.halving} of them to the end" if config.halving > 1 else ""
    seeds = f" × {text.plural(config.seeds, 'seed')}" if config.seeds > 1 else ""
    written = (
        f"{text.plural(config.generations, 'generation')} × {text.plural(config.samples, 'reward')}{early}"
    )
    return (
        f"{written}, {config.algo.upper()} for {config.steps:,} steps{seeds}; then its winner and each "
        f"reference on {text.plural(config.report_seeds, 'fresh seed')}"
    )


def protocol(facts: BenchFacts) -> str:
    """How it was measured."""
    bench = facts.bench
    who = f"{bench.config.designer}{f' ({bench.config.model})' if bench.config.model else ''}"
    settings = ", hyperparameters as below" if bench.config.hyperparameters else ""
    each = text.plural(bench.config.judge_episodes, "episode")
    return (
        f"{text.plural(len(bench.tasks), 'task')} × {text.plural(bench.searches, 'search')} by {who}, each: "
        f"{budget(bench)}{settings}. Every final policy is judged in {each}. Numbers hold for this budget: "
        "with more steps both the winners and the hand-written rewards do better."
    )


def notes(facts: BenchFacts, found: Scores) -> Iterator[str]:
    """What to know of the table."""
    if facts.unfinished:
        yield f"Not finished: {facts.unfinished} done. What is missing may turn the numbers round."
    for each in found.tasks:
        if each.done and each.undefined:
            yield f"{each.name}: human-normalised score undefined: {each.undefined}."
        if each.inverted:
            yield (
                f"{each.name}: the hand-written reward did worse than the sparse one: the score counts the "
                "gap between the two upward from sparse, and 1 is nobody's."
            )
    for task in facts.tasks:
        for searched in task.searches:
            if searched.failure:
                name = f"{task.task.name}, seed {searched.search.seed}"
                yield f"{name}: counts for nothing, and not as zero: {searched.failure}."
    fewest = min((each.done for each in found.tasks if each.done), default=0)
    if fewest == 1:
        yield "A task with one search has no interval: nothing tells luck from skill."
    elif 1 < fewest < FEW:
        few = text.plural(fewest, "search")
        yield f"Intervals rest on as few as {few} a task: they are too narrow, if anything."


def explanations() -> list[str]:
    """What the columns mean, and what is drawn anew."""
    return [
        "Human-normalised: (winner − sparse) / |hand-written − sparse|, raw; a task's is the interquartile "
        "mean over its searches (below 4: the mean), that of all tasks over all searches of all tasks.",
        "Undefined: a side of that scale is missing, or its two sides can't be told apart (the 95% interval "
        "of their difference holds 0): dividing by their gap would only enlarge noise.",
        "Intervals: 95% bootstrap, stratified by task. Drawn anew: searches, which are what is repeated; in "
        "each its winner's trainings; and the trainings of the hand-written and of the sparse reward, from "
        "those of all searches together.",
        "Winner, hand-written, sparse: fitness on fresh seeds. Success: share of judged episodes, winners "
        "only; its interval is Wilson's, a search counting as one draw. Steps and time: of the searches and "
        "their reports together.",
    ]


def score(found: Interval, *, several: bool) -> str:
    """With its interval, where there are several searches."""
    interval = f" [{found.low:.2f}, {found.high:.2f}]" if several else ""
    return f"{found.value:.2f}{interval}"


def _ends(found: Interval | None) -> list[float]:
    return [] if found is None else [found.value, found.low, found.high]


def _references(found: TaskScore) -> list[float]:
    return [each for each in (found.human, found.sparse) if each is not None]
