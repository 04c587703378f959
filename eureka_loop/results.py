"""Outcomes of a candidate: trained or failed → evaluated.

Frozen, plain data, like `records`. Every record goes into a JSON file and comes back equal (see `files`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean, median
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from eureka_loop.records import Candidate, Count, Id, Seed, Size

FailureKind = Literal[
    "no_code",  # the reply held no program: prose, a refusal, cut off
    "refused",  # the gate
    "exception",
    "timed_out",
    "out_of_memory",
    "killed",  # the reward process died, by its own doing
    "interrupted",  # something outside killed or stopped the reward process again and again
    "not_finite",
    "out_of_range",  # |term| > 1e6
    "wrong_shape",
    "wrong_dtype",
    "wrong_terms",  # not a dict of terms, or its keys change from call to call
    "mutated_input",
    "not_deterministic",  # the same batch, asked twice, differs
    "rows_not_independent",  # a row's terms change with its neighbours
    "diverged",  # training produced non-finite parameters or actions
    "crashed",  # the worker itself; its traceback is in `detail`
    "ranks_backwards",  # not trained: recorded episodes show that it pays for doing worse
]
SKIPPED: FailureKind = "ranks_backwards"  # left out, and nothing broke
NOISE = 0.5  # variance of a program's trainings ÷ that between programs; see benchmarks/choice.py
FITNESS, SUCCESS, PROGRESS = "fitness", "success", "progress"  # scores that the task itself defines


@dataclass(frozen=True, slots=True)
class Failed:
    """A candidate's (or one of its trainings') failure: never a score."""

    candidate: Id
    kind: FailureKind
    message: str
    detail: str = ""
    seed: Seed | None = None

    @property
    def passing(self) -> bool:
        """Whether the machine may be to blame, so that another call tries again."""
        return self.kind in ("crashed", "interrupted")

    @property
    def skipped(self) -> bool:
        """Whether it was left out, and nothing broke."""
        return self.kind == SKIPPED


@dataclass(frozen=True, slots=True)
class TermStats:
    """One term over the transitions between two checkpoints."""

    mean: float
    low: float
    high: float
    share: float  # |term| summed over rows, as a part of all summed terms'; 0 for diagnostics (`_` terms)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Means over the training episodes finished since the checkpoint before; None where none finished.

    Attributes:
        action_noise: standard deviation of the exploring policy's actions, as a share of their bounds; None
            where it depends on the state (SAC).
    """

    step: Count
    episodes: Count
    fitness: float | None
    success: float | None
    episode_length: float | None  # steps
    terms: Mapping[str, TermStats]
    action_noise: float | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """One named score of an episode or of a policy; more is better."""

    value: float | None  # None: unscored
    explanation: str = ""  # reason for the value, or for its absence


def _with_fitness(scores: Mapping[str, Score]) -> Mapping[str, Score]:
    if FITNESS not in scores or scores[FITNESS].value is None:
        raise ValueError("no fitness")
    return scores


@dataclass(frozen=True, slots=True)
class Course:
    """One quantity over an episode.

    Attributes:
        means: over each of ten equal parts; () where it is constant.
        low, high: least and greatest value of a step.
    """

    means: tuple[float, ...]
    low: float
    high: float


def _of_one_episode(courses: Mapping[str, Course]) -> Mapping[str, Course]:
    if len({len(each.means) for each in courses.values()} - {0}) > 1:
        raise ValueError("courses with different numbers of means")
    return courses


@dataclass(frozen=True, slots=True)
class Behaviour:
    """The policy's behaviour in one judged episode, measured without exploration.

    Attributes:
        seconds: length of the episode.
        terminated: whether the environment ended it; else its time limit did.
        succeeded_at: s; the end of the first tenth after which it would count as a success; None: never, or
            from the first step on.
        moved: of the torso, else of the centre of mass, from start to end, m (x, y, z).
        path: length of its way, m.
        turned: whole turns of the torso about the world's x, y, z axes, back turns taken off.
        still_from: s after which nothing moves; None where something does to the end.
        effort: mean |action| as a share of the action's bounds.
        saturated: share of actions at a bound.
        shares: observable of zeros and ones → share of the time at 1.
        pieces: named part of the fitness function → its value, that of an array averaged over time.
        terms: of the reward → mean per step.
        courses: observable (a component: "torso_pos[2]") or "term NAME" → its course; in the median and the
            worst episode of a training alone.
    """

    seconds: Size
    terminated: bool
    succeeded_at: float | None = None
    moved: tuple[float, ...] = ()
    path: float | None = None
    turned: tuple[float, ...] = ()
    still_from: float | None = None
    effort: float | None = None
    saturated: float | None = None
    shares: Mapping[str, float] = field(default_factory=dict)
    pieces: Mapping[str, float] = field(default_factory=dict)
    terms: Mapping[str, float] = field(default_factory=dict)
    courses: Annotated[Mapping[str, Course], AfterValidator(_of_one_episode)] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JudgedEpisode:
    """One judged episode of the final policy: length in steps, scores by name."""

    seed: Seed
    length: Count
    scores: Annotated[Mapping[str, Score], AfterValidator(_with_fitness)]
    behaviour: Behaviour | None = None

    @property
    def fitness(self) -> float:
        return _fitness(self.scores)

    @property
    def success(self) -> float | None:
        """0 or 1; None where the task defines no success."""
        return self.score(SUCCESS)

    @property
    def progress(self) -> float | None:
        """None where it succeeded, or the task defines none."""
        return self.score(PROGRESS)

    def score(self, name: str) -> float | None:
        """None where it is unscored."""
        return self.scores.get(name, UNSCORED).value


UNSCORED = Score(None)


def judged_episode(
    seed: int, fitness: float, success: float | None, length: int, progress: Score | None = None
) -> JudgedEpisode:
    """An episode judged by the task's own programs."""
    also = {} if progress is None else {PROGRESS: progress}
    return JudgedEpisode(seed, length, {FITNESS: Score(fitness), SUCCESS: Score(success), **also})


@dataclass(frozen=True, slots=True)
class Trained:
    """One finished training, judged."""

    candidate: Id
    seed: Seed
    steps: Count
    episodes: Annotated[tuple[JudgedEpisode, ...], Field(min_length=1)]
    checkpoints: tuple[Checkpoint, ...]
    # Term → Pearson correlation of its mean in an episode with fitness, over training episodes; None where
    # undefined (constant, or under 3 episodes).
    correlations: Mapping[str, float | None]
    seconds: Size  # wall-clock time of the training alone

    @property
    def scores(self) -> Mapping[str, Score]:
        """By name: means over the episodes that have it; progress only where no episode succeeded."""
        names = dict.fromkeys(name for episode in self.episodes for name in episode.scores)
        means = {
            name: _mean_score([each.scores[name] for each in self.episodes if name in each.scores])
            for name in names
        }
        progress = [each.scores[PROGRESS] for each in self.episodes if PROGRESS in each.scores]
        if succeeded := [score for score in progress if score.value is None]:
            means[PROGRESS] = succeeded[0]
        return means

    def score(self, name: str) -> float | None:
        """None where it is unscored."""
        return self.scores.get(name, UNSCORED).value

    @property
    def fitness(self) -> float:
        """Mean fitness over the judged episodes."""
        return _fitness(self.scores)

    @property
    def success(self) -> float | None:
        """Share of judged episodes that succeeded; None where the task defines no success."""
        return self.score(SUCCESS)

    @property
    def progress(self) -> float | None:
        """Mean over the judged episodes; None where one succeeded, or the task defines none."""
        return self.score(PROGRESS)


def _mean_score(scores: Sequence[Score]) -> Score:
    mean = mean_known(score.value for score in scores)
    return scores[0] if mean is None else Score(mean)


def mean_known(values: Iterable[float | None]) -> float | None:
    """The mean of those that are known; None where none is."""
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def _fitness(scores: Mapping[str, Score]) -> float:
    value = scores[FITNESS].value
    assert value is not None, f"fitness is unscored: {scores[FITNESS].explanation}"
    return value


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A candidate with its outcome: one result a seed, or a single failure before training."""

    candidate: Candidate
    results: tuple[Trained | Failed, ...]
    elsewhere: tuple[int, ...] = ()  # training seeds of results that were not made here; see `provenance`

    @property
    def trained(self) -> tuple[Trained, ...]:
        return tuple(result for result in self.results if isinstance(result, Trained))

    @property
    def failures(self) -> tuple[Failed, ...]:
        return tuple(result for result in self.results if isinstance(result, Failed))

    @property
    def fitness(self) -> float | None:
        """Mean fitness over seeds; see `score`."""
        return self.score(FITNESS)

    def score(self, name: str) -> float | None:
        """Mean of a score over seeds; None unless every seed finished with one."""
        values = [each.score(name) for each in self.trained]
        return mean_known(values) if None not in values and len(values) == len(self.results) else None


Scores = Callable[[str], float | None]  # by name; None: unscored


def ranked_by(score: Scores) -> str:
    """Progress where there is one: the task defines it, and the policy never succeeded; else fitness."""
    return FITNESS if score(PROGRESS) is None else PROGRESS


def standing(score: Scores) -> tuple[bool, float, float]:
    """Key of the ranking: by fitness; below, by progress (of equals by fitness), what never succeeded."""
    by = ranked_by(score)
    return by == FITNESS, score(by) or 0.0, score(FITNESS) or 0.0


def ranked(evaluated: Sequence[Evaluated]) -> list[Evaluated]:
    """Those with a fitness, best first by `standing`; ties keep their order, so the earlier one wins.

    A mean over n seeds is drawn towards the median of the first generation by n ÷ (n + NOISE): few are luck.
    Only the first, since a median that moves would put untried candidates of earlier generations on top.
    """
    known = [each for each in evaluated if each.fitness is not None]
    means: dict[str, dict[int, list[float]]] = {}
    for each in known:
        by = ranked_by(each.score)
        means.setdefault(by, {}).setdefault(each.candidate.generation, []).append(each.score(by) or 0.0)
    middle = {by: median(found[min(found)]) for by, found in means.items()}

    def key(each: Evaluated) -> tuple[bool, float, float]:
        succeeds, mean, fitness = standing(each.score)
        centre, trainings = middle[ranked_by(each.score)], len(each.results)
        drawn = centre + (mean - centre) * trainings / (trainings + NOISE)
        return succeeds, drawn, fitness

    return sorted(known, key=key, reverse=True)
