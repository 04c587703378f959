"""Plans by a speed, and their correction while a run works."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest

from eureka_loop import files
from eureka_loop.config import RunConfig
from eureka_loop.envs.registry import find_domain
from eureka_loop.records import Training, rows_of_call
from eureka_loop.search import assemble
from eureka_loop.search.planning import (
    MOST_REPORT,
    Schedule,
    TimePlan,
    is_open,
    make_plan,
    speed_of,
    too_short,
    with_numbers,
)
from eureka_loop.store import Event, Run

DOMAIN = find_domain("HalfCheetah-v5")
TRAINING = Training("ppo", DOMAIN.settings("ppo"), "population")
NEEDED = DOMAIN.steps["ppo"]
BOTH = ("generations", "report_seeds")


def plan(speed: float, **given: object) -> tuple[RunConfig, TimePlan]:
    config = RunConfig(task="halfcheetah-run", designer="templates", **given)  # type: ignore[arg-type]
    return make_plan(config, TRAINING, DOMAIN, rewards=3, speed=speed, spent=10.0)


def steps(config: RunConfig) -> float:
    """Of a run without confirmations."""
    trainings = config.generations * config.samples * config.seeds + 3 * (config.report_seeds or 0)
    return trainings * config.steps


def test_more_time_buys_report_seeds_generations_and_candidates_in_that_order() -> None:
    before = RunConfig(steps=NEEDED, generations=2, samples=8, report_seeds=5)
    for speed in (12_000.0, 15_000.0, 30_000.0, 60_000.0, 1e6):
        found, made = plan(speed)
        assert found.steps == NEEDED
        assert "too little" not in made.text
        assert steps(before) <= steps(found) <= 1800 * speed
        assert found.generations >= before.generations
        before = found
    assert (before.generations, before.samples, before.report_seeds) == (10, 16, MOST_REPORT)


def test_too_little_time_cuts_the_steps_and_names_the_minutes_that_do() -> None:
    found, made = plan(2_000.0)
    assert NEEDED / 4 < found.steps < NEEDED
    minutes = float(made.text.split("--minutes ")[1])
    whole, enough = plan(2_000.0, minutes=minutes)
    assert whole.steps == NEEDED
    assert "too little" not in enough.text
    assert "300k steps" in made.text
    assert plan(100.0)[0].confirm == 1, "too short to be worth it"


@pytest.mark.parametrize(("rollouts", "warned"), [(1, True), (2, False)])
def test_a_training_of_one_rollout_is_warned_of(rollouts: int, warned: bool) -> None:
    rollout = rows_of_call(TRAINING)
    config = RunConfig(task="halfcheetah-run", steps=rollouts * rollout)
    assert (f"Give --steps {10 * rollout} or more" in too_short(config, TRAINING)) is warned


def test_explicit_numbers_win() -> None:
    given = {"steps": 5_000, "generations": 7, "report_seeds": 3}
    for speed in (10.0, 1e6):
        found, made = plan(speed, **given)
        assert {name: getattr(found, name) for name in given} == given
        assert made.decides == ()
    assert not is_open(RunConfig(steps=100, generations=1, samples=1))
    assert not is_open(RunConfig(minutes=0))
    assert is_open(RunConfig(steps=100, generations=1))


def test_the_best_are_confirmed_where_trainings_are_long() -> None:
    def confirm(algo: str = "ppo", **given: object) -> int:
        return with_numbers(RunConfig(algo=algo, **given), TRAINING, DOMAIN).confirm  # type: ignore[arg-type]

    assert confirm() == 5
    assert confirm(confirm=2) == 2
    assert confirm(seeds=7) == 7
    assert confirm(steps=10_000) == confirm(steady=True) == confirm("sac") == 1


def events(*listed: tuple[float, str, str] | tuple[float, str]) -> list[Event]:
    made: list[Event] = [{"event": "started", "time": 0.0, "steps": 1000}]
    for time, kind, *id in listed:
        made.append(
            {
                "event": kind,
                "time": time,
                "best": "a",
                **({"id": id[0], "seed": 0, "step": 300} if id else {}),
            }
        )
    return made


TRAINED = events(
    (5.0, "asked"), (20.0, "training", "a"), (22.0, "training", "b"), (30.0, "trained", "b"),
    (40.0, "trained", "a"), (45.0, "ranked", "a"),
)  # fmt: skip


def test_speed_counts_the_time_in_which_anything_trained() -> None:
    assert speed_of(TRAINED) == pytest.approx(2000 / 20)
    assert speed_of(events((5.0, "training", "a"), (9.0, "resumed"), (20.0, "training", "a"))) is None
    stopped = events((5.0, "training", "a"), (6.0, "interrupted"), (90.0, "resumed"), (91.0, "training", "a"))
    more: Event = {"event": "trained", "time": 101.0, "id": "a", "seed": 0}
    assert speed_of([*stopped, more]) == pytest.approx(1000 / 11)


@pytest.mark.parametrize(
    ("minutes", "another", "report"), [(1.0, False, 5), (5.0, True, 7), (60.0, True, 20)]
)
def test_what_is_left_decides_on_a_generation_and_on_the_report(
    minutes: float, another: bool, report: int
) -> None:
    """100 steps a second: each report seed of three rewards takes 30 s, a generation 40 s."""
    schedule = Schedule(
        TimePlan(minutes, 5.0, 100.0, BOTH, ""), RunConfig(steps=1000, samples=8, report_seeds=5), rewards=3
    )
    assert (schedule.reason_to_end(TRAINED) == "") is another
    assert schedule.report_seeds(TRAINED) == report
    assert not schedule.reason_to_end(events((5.0, "asked"))), "one there is"


def test_a_given_number_is_kept_while_the_run_works() -> None:
    """50 report seeds take 1,500 s of 2,000; of the generations none is dropped."""
    config = RunConfig(steps=1000, samples=8, report_seeds=50)
    for decides, ends in ((("generations",), True), ((), False)):
        schedule = Schedule(TimePlan(25, 5.0, 100.0, decides, ""), config, rewards=3)
        assert bool(schedule.reason_to_end(TRAINED)) is ends


def test_a_steady_search_counts_its_candidates() -> None:
    told = [{"event": "told", "time": 50.0 + n, "id": "a"} for n in range(8)]
    schedule = Schedule(TimePlan(1, 5.0, 100.0, BOTH, ""), RunConfig(steps=1000, samples=8), rewards=3)
    assert not schedule.reason_to_end([*TRAINED[:-1], *told[:4]])
    assert schedule.reason_to_end([*TRAINED[:-1], *told])


def test_a_search_ends_on_a_plateau() -> None:
    def ranked(*best: str) -> list[Event]:
        return [{"event": "ranked", "time": float(n), "best": id} for n, id in enumerate(best)]

    schedule = Schedule(
        TimePlan(60, 5.0, 100.0, BOTH, ""), RunConfig(steps=1000, samples=8, report_seeds=5), rewards=3
    )
    assert "g0-01" in schedule.reason_to_end(ranked("g0-00", "g0-01", "g0-01", "g0-01", "g0-01"))
    assert not schedule.reason_to_end([{"event": "ranked", "time": 0.0, "best": None}] * 5)
    for better in (
        ("g0-01",) * 3,
        ("g0-00", "g0-01", "g0-01", "g0-01"),
        ("g0-01", "g0-01", "g0-01", "g3-00"),
    ):
        assert not schedule.reason_to_end(ranked(*better))


@pytest.mark.parametrize(
    ("success", "seeds", "best", "ends"),
    [
        ((1.0, 1.0, 1.0), (0, 100, 200), "aa", True),
        ((1.0, 1.0, 1.0), (0, 100, 200), "a", False),  # nobody has tried for more
        ((1.0, 1.0, 1.0), (0, 100, 200), "ab", False),
        ((1.0, 1.0, 0.9), (0, 100, 200), "aa", False),
        ((1.0, 1.0), (0, 100), "aa", False),  # not confirmed
        ((1.0, 1.0, 1.0), (0, 100, 20_000_000), "aa", False),  # the report's don't count
        ((None, None, None), (0, 100, 200), "aa", False),  # a task without success
    ],
)
def test_a_search_ends_at_the_ceiling_once_another_generation_finds_nothing_better(
    success: Sequence[float | None], seeds: Sequence[int], best: str, ends: bool
) -> None:
    schedule = Schedule(TimePlan(60, 5.0, 100.0, BOTH, ""), RunConfig(steps=1000, samples=8), rewards=3)
    ended: list[Event] = [
        {"event": "trained", "time": 0.0, "id": "a", "seed": seed, "success": value}
        for seed, value in zip(seeds, success, strict=True)
    ]
    ranked: list[Event] = [{"event": "ranked", "time": 1.0, "best": id} for id in best]
    reason = schedule.reason_to_end([*ended, *ranked])
    assert ("a succeeds in every episode of its 3 trainings" in reason) is ends
    assert bool(reason) is ends


def test_a_planned_run_measures_and_keeps_its_numbers(tmp_path: Path) -> None:
    """Real trainings: run.toml has every number, so that it repeats the run without a plan."""
    config = RunConfig(task="invertedpendulum-balance", designer="templates", minutes=2, out=tmp_path)
    run = assemble.create(config)
    numbers = tomllib.loads((run.folder / "run.toml").read_text())
    assert all(numbers[name] > 0 for name in ("steps", "generations", "samples", "report_seeds"))
    made = files.read_json(run.folder / "plan.json", TimePlan)
    assert made.speed > 100
    assert Schedule.of(run) is not None
    assert Schedule.of(Run(tmp_path)) is None
    run.close()
