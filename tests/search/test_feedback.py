"""Evaluations as text: the numbers are those recorded."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from eureka_loop.records import Candidate
from eureka_loop.results import (
    Checkpoint,
    Course,
    Evaluated,
    Failed,
    Score,
    TermStats,
    Trained,
    judged_episode,
)
from eureka_loop.search.feedback import LONGEST, feedback
from eureka_loop.search.judged import behaviour, changes, courses, in_short, row
from eureka_loop.search.training_table import training_table
from tests.search.conftest import behaving

GOLDEN = Path(__file__).parents[1] / "conversations" / "feedback_words.txt"
Stats = tuple[float, float, float, float]  # mean, low, high, share
Terms = dict[str, Sequence[Stats]]


def trained(
    id: str = "g0-00",
    seed: int = 0,
    *,
    fitness: Sequence[float | None] = (0.5, 1.0, 1.5, 2.0),
    terms: Terms | None = None,
    correlations: dict[str, float | None] | None = None,
    scores: Sequence[float] = (2.0, 3.0),
    success: float | None = None,
) -> Trained:
    terms = terms or {"go": [(0.1 * n, -1.0, 1.0 + n, 0.6) for n in range(len(fitness))]}
    seen = [{name: TermStats(*stats[n]) for name, stats in terms.items()} for n in range(len(fitness))]
    checkpoints = tuple(
        Checkpoint(1000 * (n + 1), 5, value, success, 900.0 + n, seen[n], 1 / (n + 2))
        for n, value in enumerate(fitness)
    )
    judged = tuple(judged_episode(n, value, success, 1000) for n, value in enumerate(scores))
    return Trained(id, seed, 1000 * len(fitness), judged, checkpoints, correlations or {}, 1.0)


def evaluated(id: str, *results: Trained | Failed) -> Evaluated:
    return Evaluated(Candidate(id, int(id[1]), "", "llm"), results)


def acting(result: Trained, turns: float) -> Trained:
    """The same, with behaviour in its episodes: the first ended by the environment, the others turning more."""
    told = (behaving(each, turns + 0.1 * n, terminated=n == 0) for n, each in enumerate(result.episodes))
    return replace(result, episodes=tuple(told))


PARENT = '''def compute_reward(speed, *, fast=1.0):
    """Run."""
    return {"speed": fast * speed, "alive": np.ones_like(speed)}
'''
CHILD = '''def compute_reward(speed, *, fast=2.0):
    """Run."""
    return {"speed": fast * speed, "effort": -np.square(speed)}
'''


def test_what_no_learning_reaches_stands_beside_the_best() -> None:
    floors = {
        "zero actions": trained("zero", scores=[0.01]),
        "random actions": trained("random", scores=[-0.2]),
    }
    text = feedback([evaluated("g0-00", trained())], (), floors=floors)
    without = "Without learning: fitness 0.01 by zero actions, -0.2 by random actions; its fitness is 2.49 above the best of"
    assert text.splitlines()[1] == f"{without} these."


def test_progress_is_told_where_a_task_has_it_and_that_it_ranks() -> None:
    def never(id: str, progress: float) -> Evaluated:
        episodes = (
            judged_episode(0, 0.0, 0.0, 9, Score(progress)),
            judged_episode(1, 0.0, 0.0, 9, Score(progress - 0.2)),
        )
        return evaluated(id, replace(trained(id, fitness=[]), episodes=episodes))

    others = [never("g0-01", -0.5), never("g0-02", -0.4)]
    floors = {"zero actions": never("g0-09", -0.6).trained[0]}
    lines = feedback([never("g0-00", -0.1)], others, floors=floors).splitlines()
    assert "; success 0%; progress -0.2 (-0.3 to -0.1); episode length 9 steps." in lines[0]
    without = "Without learning: fitness 0 by zero actions; progress -0.7 by zero actions; its progress is 0.5 above the best of"
    assert lines[1] == f"{without} these."
    assert lines[-3:] == [
        "The other programs of this generation, by progress, since none of them ever succeeded:",
        "g0-02: fitness 0, success 0%, progress -0.5",
        "g0-01: fitness 0, success 0%, progress -0.6",
    ]
    child = replace(never("g1-00", -0.1), candidate=Candidate("g1-00", 1, "", "llm", parents=("g0-01",)))
    text = feedback([child], [child], history=[*others, child])
    assert "Against its parent g0-01, progress -0.6 → -0.2:" in text
    assert "g0: 2 programs, best g0-02: fitness 0, success 0%, progress -0.5; median progress -0.55" in text


def test_the_whole_text() -> None:
    terms: Terms = {
        "speed": [(0.3 * n, -1.0, 3.3 * n, 0.5 + 0.04 * n) for n in range(1, 13)],
        "upright": [(0.25, -0.5, 0.5, 0.1)] * 12,
        "effort": [(-0.001 * n, -0.01, 0.0, 0.004) for n in range(1, 13)],
        "_held": [(0.7 + 0.01 * n, 0.0, 1.0, 0.0) for n in range(1, 13)],
    }
    correlations = {"speed": 0.97, "upright": -0.7, "effort": -0.9, "_held": None}
    both = []
    for seed, scale, success in ((0, 0.3, 0.5), (100, 0.6, 1.0)):
        fitness = [scale * n for n in range(1, 13)]
        scores = (2.0 + seed / 250, 3.0 + seed / 250)
        values = {"terms": terms, "correlations": correlations, "success": success, "scores": scores}
        both.append(trained("g1-03", seed, fitness=fitness, **values))  # type: ignore[arg-type]
    best = evaluated("g1-03", *(acting(each, 3.5 + 0.1 * n) for n, each in enumerate(both)))
    best = replace(best, candidate=replace(best.candidate, source=CHILD, parents=("g0-02",)))
    parent = evaluated("g0-02", acting(trained("g0-02", scores=[1.9, 2.0]), 1.0))
    parent = replace(parent, candidate=replace(parent.candidate, source=PARENT))
    refused = Failed("g1-01", "refused", "Line 3: unknown observable 'x'\nLine 4: `if` on an array")
    broken = Failed("g1-02", "not_finite", "term 'a' is nan", "line 9: np.log(x)", 1)
    generation = [
        evaluated("g1-00", trained("g1-00", scores=[1.0])),
        evaluated("g1-01", refused),
        evaluated("g1-02", trained("g1-02"), broken),
        best,
        evaluated("g1-04", acting(trained("g1-04", scores=[1.5]), 0.5)),
    ]
    generation[-1] = replace(generation[-1], candidate=replace(best.candidate, id="g1-04"))
    floors = {"zero actions": acting(trained("zero", scores=[0.0]), 0.0)}
    history = [parent, evaluated("g0-00", trained("g0-00", scores=[0.5])), *generation]
    text = feedback([best], generation, floors=floors, history=history) + "\n"
    if os.environ.get("WRITE_GOLDEN"):
        GOLDEN.write_text(text, encoding="utf-8")
    assert text == GOLDEN.read_text(encoding="utf-8")


def test_where_nothing_was_trained() -> None:
    failures = [evaluated("g0-00", Failed("g0-00", "no_code", "the model refused")), evaluated("g0-01")]
    assert feedback([], failures, which="that ended last") == (
        "The programs that ended last:\ng0-00: failed, no code: the model refused\ng0-01: not trained"
    )
    assert feedback([], []) == ""


@pytest.mark.parametrize(("points", "steps"), [(2, ["2k", "4k"]), (9, ["1k", "2k", "3k", "4k"])])
def test_points_are_spread_and_end_with_the_last(points: int, steps: list[str]) -> None:
    assert training_table([trained()], points).splitlines()[1].split() == [
        "step",
        *steps,
        "lowest",
        "highest",
        "share",
    ]


def test_unknown_values_are_dashes_and_without_checkpoints_there_is_no_table() -> None:
    table = training_table([trained(fitness=[None, 1.0, None, 2.0])]).splitlines()
    assert table[2].split() == ["fitness", "–", "1", "–", "2"]
    fitness = "g0-00: the final policy's fitness is 2.5, 2 to 3 in 2 judged episodes"
    assert feedback([evaluated("g0-00", trained(fitness=[]))], []) == f"{fitness}; episode length 1000 steps."


def test_every_judged_episode_is_listed_and_of_many_some_evenly() -> None:
    def listed(amount: int) -> str:
        result = trained(scores=[float(n // 2) for n in range(amount)])
        episodes = (behaving(each, 1.0, terminated=not n) for n, each in enumerate(result.episodes))
        return behaviour([replace(result, episodes=tuple(episodes))]).splitlines()[2]

    how = "worst first (fitness, length, `ended` by the environment)"
    assert listed(4) == f"- episodes, {how}: 0 in 5 s ended; 0 in 50 s; 2 × 1 in 50 s"
    assert listed(60).startswith(f"- 10 of 60 episodes, {how}: 0 in 5 s ended; 3 in 50 s; ")
    assert listed(60).endswith("; 29 in 50 s")
    assert "worst first" not in listed(1)


def test_success_in_the_end_is_success_at_some_time() -> None:
    result = trained(scores=(1.0, 2.0, 3.0))
    episodes = [
        replace(behaving(each, 1.0), scores={**each.scores, "success": Score(success)})
        for each, success in zip(result.episodes, (0.0, 1.0, 1.0), strict=True)
    ]
    episodes[1] = behaving(episodes[1], 1.0, terminated=True)  # a success from the first step on: at no time
    assert "- success: in 2 of 3 episodes at the end, in 3 at some time, first after 10 s\n" in behaviour(
        [replace(result, episodes=tuple(episodes))]
    )


def test_episodes_are_told_by_what_ranks_them_and_what_hardly_varies_as_constant() -> None:
    result = acting(trained(scores=[0.0, 0.0, 0.0]), 1.0)
    flat = Course((1.0, 1.0001), 0.99999, 1.0002)
    episodes = tuple(
        replace(
            each,
            scores={**each.scores, "success": Score(0.0), "progress": Score(-0.5 * n)},
            behaviour=replace(each.behaviour, courses={"flat": flat}, still_from=None if n else 1.0),
        )
        for n, each in enumerate(result.episodes)
        if each.behaviour
    )
    result = replace(result, episodes=episodes)
    assert [line for line in courses([result]).splitlines() if "episode (" in line] == [
        "Median episode (progress -0.5), means over its parts:",
        "Worst episode (progress -1), means over its parts:",
    ]
    assert "constant: flat 1" in courses([result])
    assert "still" not in in_short([result])[0], "the other one moves to the end"


def test_one_episode_shows_no_spread_that_a_change_could_exceed() -> None:
    before, after = acting(trained(scores=[1.0]), 1.0), acting(trained(scores=[1.0]), 2.0)
    assert changes([before], [after]) == []
    again = [acting(trained(seed=1, scores=[1.0]), turns) for turns in (1.0, 2.0)]
    assert "turned about y 1 → 2 turns" in changes([before, again[0]], [after, again[1]])


def test_a_part_of_the_fitness_that_says_nothing_more_is_left_out() -> None:
    (result,) = evaluated("g0-00", acting(trained(), 1.0)).trained

    def shown(**parts: float) -> str:
        return courses(
            [
                replace(
                    result,
                    episodes=tuple(
                        replace(each, behaviour=replace(each.behaviour, pieces=parts))
                        for each in result.episodes
                        if each.behaviour
                    ),
                )
            ]
        )

    assert "taken apart" not in shown(high=1.0)
    assert "taken apart" not in shown(high=1.0, again=1.0)
    assert "low" in shown(high=1.0, again=1.0, low=0.5)
    assert "again" not in shown(high=1.0, again=1.0, low=0.5)


def test_cells_of_a_row_have_no_more_decimals_than_its_means_need() -> None:
    assert row([0.0151, -1.39e-6, None], -0.161, 1234.5) == ["0.0151", "0", "–", "-0.161", "1234"]
    assert row([2e-17, -3e-12], -6e-11, 0.0) == ["0", "0", "0", "0"]
    assert row([math.nan, 12345.6], 0.0, math.inf)[:2] == ["nan", "12346"]


# the programs around


def test_the_spread_between_trainings_is_measured_where_programs_were_trained_again() -> None:
    once = [evaluated(f"g0-0{n}", trained(f"g0-0{n}", scores=[0.1 * n])) for n in range(3)]
    assert "The spread between trainings of one program isn't known" in feedback(
        [once[2]], once, history=once
    )
    again = evaluated("g0-03", *(trained("g0-03", seed, scores=[0.1 * seed]) for seed in (1, 2, 3)))
    text = feedback([again], once, history=[*once, again])
    assert (
        "differ by a standard deviation of 0.1 in fitness (roughly, by 1 program): a difference below 0.283 "
        "between programs trained once, or below 0.163 between means of three trainings, may be chance."
        in text
    )
    same = evaluated("g0-04", *(trained("g0-04", seed, scores=[0.0]) for seed in (1, 2)))
    assert "may be chance" not in feedback([same], [same], history=[same]), "as where none ever succeeds"


def lineage() -> list[Evaluated]:
    """Three generations of one program, another one, and one that failed."""
    source = "def compute_reward(v, prev_z, *, speed={}):\n    return {{'go': speed * v + prev_z}}\n"
    found = []
    for n, (fitness, weight) in enumerate([(1.0, 1.0), (3.0, 2.0), (2.0, 4.0)]):
        origin = {"parents": (f"g{n - 1}-00",), "operator": "weights"} if n else {}
        one = evaluated(f"g{n}-00", trained(f"g{n}-00", scores=[fitness, fitness + 0.1]))
        found.append(replace(one, candidate=replace(one.candidate, source=source.format(weight), **origin)))
    other = evaluated("g0-01", trained("g0-01", scores=[0.5]))
    other = replace(
        other, candidate=replace(other.candidate, source="def compute_reward(z):\n    return {'up': z}\n")
    )
    return [found[0], other, *found[1:], evaluated("g2-01", Failed("g2-01", "no_code", "nothing"))]


def test_a_path_is_told_from_its_root_with_what_each_change_brought() -> None:
    history = lineage()
    parts = feedback([history[3]], history[3:], history=history, operator="path").split("\n\n")
    at = next(n for n, part in enumerate(parts) if part.startswith("The path"))
    assert parts[at : at + 3] == [
        "The path g0-00 → g1-00 → g2-00, from its root, g0-00: fitness 1.05 (terms: go).",
        "g1-00 against g0-00 (weights), fitness 1.05 → 3.05:\n-def compute_reward(v, prev_z, *, speed=1.0):\n"
        "+def compute_reward(v, prev_z, *, speed=2.0):",
        "Against its parent g1-00 (weights), fitness 3.05 → 2.05:\n-def compute_reward(v, prev_z, *, "
        "speed=2.0):\n+def compute_reward(v, prev_z, *, speed=4.0):",
    ]
    assert "The path" not in feedback([history[3]], history[3:], history=history)


def test_what_was_tried_is_told_by_structure() -> None:
    history = lineage()
    text = feedback([history[2]], history[3:], history=history, operator="differ")
    assert (
        "Tried so far, by the observables that a program reads:\n"
        "v, z: 3 programs, best g1-00: fitness 3.05 (terms: go)\n"
        "z: 1 program, best g0-01: fitness 0.5 (terms: go)\n\n"
    ) in text


def test_the_best_before_and_a_line_of_each_earlier_generation() -> None:
    history = [
        evaluated("g0-00", trained("g0-00", scores=[9.0])),
        evaluated("g0-01", Failed("g0-01", "no_code", "nothing")),
        evaluated("g1-00", trained("g1-00", scores=[1.0])),
        evaluated("g2-00", trained("g2-00", scores=[5.0])),
    ]
    text = feedback([history[3]], history[3:], history=history)
    assert "The best so far is g0-00 with fitness 9; this one is 4 below it." in text
    assert "The other programs of this generation, and the best before:\ng0-00: fitness 9 (terms: go)" in text
    assert text.splitlines()[-3:] == [
        "Earlier generations:",
        "g0: 2 programs, best g0-00: fitness 9 (terms: go); median fitness 9; 1 failed",
        "g1: 1 program, best g1-00: fitness 1 (terms: go); median fitness 1",
    ]


def test_it_is_never_longer_than_its_bound_and_the_parents_outcome_stays() -> None:
    terms: Terms = {f"term_{n}": [(0.1 * n, -1.0, 1.0 + n, 0.1)] * 4 for n in range(30)}
    history = [
        evaluated(f"g{g}-{n:02d}", trained(f"g{g}-{n:02d}", scores=[n], terms=terms))
        for g in range(9)
        for n in range(9)
    ]
    text = feedback([history[-1]], history[-9:], history=history)
    assert 4_000 < len(text) <= LONGEST
    assert text.startswith("g8-08: the final policy's fitness is 8")
    assert "g7: 9 programs" in text, "details of the others are left out before the last generations"
