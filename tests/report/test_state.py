"""State of a run from its events: candidates, totals, time left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from eureka_loop.report.state import RunState
from eureka_loop.results import FITNESS
from eureka_loop.seeds import seeds
from eureka_loop.store import Event

if TYPE_CHECKING:
    from .conftest import Script

STARTED: dict[str, Any] = {
    "task": "t", "designer": "templates", "generations": 2, "samples": 2, "seeds": 2, "steps": 100,
    "report_seeds": 3, "references": ["human", "sparse"],
}  # fmt: skip


def event(name: str, time: float = 0.0, /, **values: Any) -> Event:
    return {"event": name, "time": time, **values}


def take(state: RunState, *events: Event) -> RunState:
    for each in events:
        state.take(each)
    return state


def requested(generation: int, *ids: str) -> list[Event]:
    return [event("asked", ids=list(ids)), event("generation", generation=generation, samples=len(ids))]


def written(*ids: str, time: float = 0.0) -> list[Event]:
    return [event("written", time, id=id, generation=int(id[1]), note="n") for id in ids]


def training(id: str, seed: int = 0, time: float = 0.0) -> Event:
    return event("training", time, id=id, seed=seed, steps=100)


def done(id: str, seed: int = 0, fitness: float = 1.0, time: float = 0.0) -> Event:
    return event("trained", time, id=id, seed=seed, fitness=fitness, success=None, seconds=1.0)


def progress(id: str, step: int, time: float) -> Event:
    return event("progress", time, id=id, seed=0, step=step, steps=100, fitness=None, steps_per_s=1.0)


@pytest.fixture
def state() -> RunState:
    """Two candidates, one training of four done."""
    begun = [event("started", **STARTED), *requested(0, "g0-00", "g0-01"), *written("g0-00", "g0-01")]
    return RunState(
        [*begun, event("gated", id="g0-00", terms=["a"]), training("g0-00"), done("g0-00", fitness=2.0)]
    )


def test_a_candidate_is_done_when_all_its_seeds_are(state: RunState) -> None:
    candidate = state.candidates["g0-00"]
    assert (candidate.status, state.best) == ("training", None)
    take(state, training("g0-00", 100), done("g0-00", 100, 4.0))
    assert (candidate.status, candidate.score(FITNESS), state.best) == ("done", 3.0, candidate)


def test_a_failed_seed_fails_the_candidate_until_it_is_tried_again(state: RunState) -> None:
    candidate = state.candidates["g0-00"]
    for seed in (100, 200):
        state.take(event("failed", id="g0-00", seed=seed, kind="crashed", message="killed"))
    assert (candidate.status, state.best) == ("failed", None)
    take(state, training("g0-00", 100))
    assert candidate.status == "failed", "the other one has still failed"
    take(state, training("g0-00", 200))
    assert (candidate.status, candidate.failure) == ("training", None)


def test_failures_before_training_need_no_trainings(state: RunState) -> None:
    assert state.trainings_wanted == 2 * 2 * 2 + 3 * 3
    take(state, event("failed", id="g0-01", seed=None, kind="no_code", message="prose"))
    assert state.trainings_wanted == 2 * 2 * 2 - 2 + 3 * 3
    take(state, event("failed", id="human", seed=None, kind="exception", message="m"))
    take(state, event("reporting", winner="g0-00", references=["sparse"], seeds=[]))
    assert state.trainings_wanted - 2 * 3 <= 2, "a search that is over has no generation to come"


def test_a_resumed_run_counts_nothing_twice(state: RunState) -> None:
    take(state, *requested(1, "g1-00", "g1-01"), *written("g1-00"), training("g0-01"))
    wanted = state.trainings_wanted
    take(state, event("interrupted"), event("resumed"))
    assert (state.ended, state.candidates["g0-01"].trainings) == ("", {}), "it begins again"
    take(state, event("generation", generation=1, samples=1))
    assert (state.generation, state.being_written) == (1, 1)
    assert (state.trainings_wanted, state.trainings_done) == (wanted, 1)


def test_report_trainings_are_kept_apart_and_summed_up_as_in_the_report(state: RunState) -> None:
    fresh = seeds("report_training", 0, 4)
    take(state, event("reporting", winner="g0-00", references=["human", "sparse"], seeds=[]))
    take(
        state, *(done("g0-00", seed, value) for seed, value in zip(fresh, (0.0, 1.0, 2.0, 9.0), strict=True))
    )
    assert list(state.report) == ["g0-00", "human", "sparse"]
    assert len(state.candidates["g0-00"].trainings) == 1
    assert state.report["g0-00"].score(FITNESS) == 1.5, "the interquartile mean"


def test_every_prefix_of_a_run_has_a_state(script: Script) -> None:
    events = list(script.whole().events())
    for length in range(len(events) + 1):
        state = RunState(events[:length])
        assert 0 <= state.trainings_done <= state.trainings_wanted
        left = state.seconds_left(state.last)
        assert left is None or left >= 0
    assert (state.ended, state.winner, state.trainings_done) == ("finished", "g1-00", state.trainings_wanted)


def test_replies_in_any_order_stand_in_the_order_of_their_samples() -> None:
    ids = ("g0-02", "g0-00", "g0-01")
    state = RunState([event("started", **{**STARTED, "samples": 3}), *requested(0, *ids)])
    for reply, left in zip(written(*ids), (2, 1, 0), strict=True):
        state.take(reply)
        assert state.being_written == left
    take(state, *(done(id, seed) for id in ("g0-02", "g0-01") for seed in (0, 100)))
    assert list(state.candidates) == ["g0-00", "g0-01", "g0-02"]
    assert state.best is state.candidates["g0-01"]  # of equals the earlier one


def test_a_steady_search_shows_what_is_pending_and_what_is_newest() -> None:
    state = RunState(
        [event("started", **{**STARTED, "seeds": 1, "steady": True}), *requested(0, "g0-00", "g0-01")]
    )
    take(state, *written("g0-01"), done("g0-01"), event("told", id="g0-01"), *requested(1, "g1-00"))
    assert (state.observed, state.being_written, state.trainings_wanted) == (1, 2, 2 * 2 + 3 * 3)
    take(state, *written("g0-00", "g1-00"))
    assert [each.id for each in state.current] == ["g0-00", "g1-00"]


# time left


def begun() -> RunState:
    """Both candidates of the first generation in training since second 1; 100 steps each, no report."""
    ids = ("g0-00", "g0-01")
    started = event("started", **{**STARTED, "seeds": 1, "report_seeds": 0})
    trainings = [training(id, time=1.0) for id in ids]
    return RunState([started, *requested(0, *ids), *written(*ids, time=1.0), *trainings])


def test_time_left_is_what_remains_at_the_measured_pace() -> None:
    state = begun()
    assert state.seconds_left(2.0) is None, "nothing is measured yet"
    take(state, progress("g0-00", 15, 3.0))
    assert state.seconds_left(3.0) is None, "the other one may be as far"
    take(state, done("g0-00", time=11.0), done("g0-01", time=11.0))
    assert state.seconds_left(11.0) == pytest.approx(200 / (200 / 10))
    assert state.seconds_left(14.0) == pytest.approx(10 - 3), "it counts down between events"
    take(state, event("stopped", 12.0, reason="--max-hours 1 is reached"))
    assert state.seconds_left(12.0) is None


def test_time_that_is_waited_for_a_person_is_neither_worked_nor_counted_down() -> None:
    state = begun()
    take(state, done("g0-00", time=11.0), done("g0-01", time=11.0), event("idle", 12.0))
    left = state.seconds_left(12.0)
    assert left is not None
    assert left > 0
    assert state.seconds_left(5000.0) == left
    worked = state.worked
    take(state, event("working", 9000.0), event("working", 9003.0))
    assert state.worked == worked + 3.0


def test_the_best_of_generations_to_come_are_expected_to_be_confirmed() -> None:
    """Of two generations of two candidates each: 4 trainings, and 0.75 × 4 of each generation's best."""
    state = begun()
    state.confirm = 5
    assert state.trainings_wanted == 4 + 6
    take(state, done("g0-00", time=11.0), done("g0-01", time=11.0))
    assert state.seconds_left(11.0) == pytest.approx(800 / (200 / 10))
    take(state, *(each for seed in (100, 200) for each in (training("g0-00", seed), done("g0-00", seed))))
    assert (state.trainings_done, state.trainings_wanted) == (4, 10)
    take(state, *requested(1, "g1-00", "g1-01"), *written("g1-00", "g1-01"))
    assert state.trainings_wanted == 4 + 2 + 3, "what a generation didn't need is no longer expected"
    take(state, event("finished", winner="g0-00"))
    assert state.trainings_wanted == 4 + 2


def test_an_interruption_is_no_work() -> None:
    state = take(begun(), done("g0-00", time=101.0), event("resumed", 1000.0))
    assert state.worked == 101.0
    take(state, training("g0-01", time=1000.0), progress("g0-01", 50, 1050.0))
    assert state.seconds_left(1050.0) == pytest.approx(2.5 * 150 / 1.5)
