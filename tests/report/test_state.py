"""State of a run from its events: candidates, totals, time left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from eureka_loop.report.state import RunState
from eureka_loop.seeds import seeds
from eureka_loop.store import Event

if TYPE_CHECKING:
    from .conftest import Script

STARTED: dict[str, Any] = {
    "task": "t", "designer": "templates", "algorithm": "ppo", "generations": 2, "samples": 2, "seeds": 2,
    "steps": 100, "jobs": 2, "report_seeds": 3, "references": ["human", "sparse"],
}  # fmt: skip


def event(name: str, time: float = 0.0, /, **values: Any) -> Event:
    return {"event": name, "time": time, **values}


def written(*ids: str, time: float = 0.0) -> list[Event]:
    return [event("written", time, id=id, note="n", parents=[], source=True) for id in ids]


def done(id: str, seed: int = 0, fitness: float = 1.0, time: float = 0.0) -> Event:
    return event("trained", time, id=id, seed=seed, fitness=fitness, success=None, seconds=1.0)


def progress(id: str, step: int, time: float) -> Event:
    return event("progress", time, id=id, seed=0, step=step, steps=100, fitness=None, steps_per_s=1.0)


@pytest.fixture
def state() -> RunState:
    """Two candidates, one training of four done."""
    return RunState(
        [
            event("started", **STARTED),
            event("generation", generation=0, samples=2),
            *written("g0-00", "g0-01"),
            event("gated", id="g0-00", terms=["a"]),
            event("training", id="g0-00", seed=0, steps=100),
            done("g0-00", fitness=2.0),
        ]
    )


def test_a_candidate_is_done_when_all_its_seeds_are(state: RunState) -> None:
    candidate = state.candidates["g0-00"]
    assert (candidate.status(2), state.best) == ("training", None)
    state.take(event("training", id="g0-00", seed=100, steps=100))
    state.take(done("g0-00", 100, 4.0))
    assert (candidate.status(2), candidate.fitness, state.best) == ("done", 3.0, candidate)


def test_a_failed_seed_fails_the_candidate_until_it_is_tried_again(state: RunState) -> None:
    for seed in (100, 200):
        state.take(event("failed", id="g0-00", seed=seed, kind="crashed", message="killed"))
    candidate = state.candidates["g0-00"]
    assert (candidate.status(3), state.best) == ("failed", None)
    state.take(event("training", id="g0-00", seed=100, steps=100))
    assert candidate.status(3) == "failed", "the other one has still failed"
    state.take(done("g0-00", 100, 4.0))
    state.take(event("training", id="g0-00", seed=200, steps=100))
    assert (candidate.status(3), candidate.message) == ("training", "")


def test_failures_before_training_need_no_trainings(state: RunState) -> None:
    assert state.trainings_wanted == 2 * 2 * 2 + 3 * 3
    state.take(event("failed", id="g0-01", seed=None, kind="no_code", message="prose"))
    assert state.trainings_wanted == 2 * 2 * 2 - 2 + 3 * 3
    state.take(event("failed", id="human", seed=None, kind="exception", message="m"))
    state.take(event("reporting", winner="g0-00", references=["sparse"], seeds=[]))
    assert state.trainings_wanted == 2 * 2 * 2 - 2 + 2 * 3


def test_a_resumed_run_counts_nothing_twice(state: RunState) -> None:
    """Neither a generation that is ranked again nor one that is requested again."""
    state.take(event("ranked", generation=0, best="g0-00", fitness=2.0, order=["g0-00", "g0-01"]))
    state.take(event("generation", generation=1, samples=2))
    state.take(written("g1-00")[0])
    state.take(event("training", id="g0-01", seed=0, steps=100))
    wanted = state.trainings_wanted
    state.take(event("interrupted"))
    state.take(event("resumed"))
    assert (state.ended, state.candidates["g0-01"].trainings) == ("", {}), "it begins again"
    state.take(event("ranked", generation=0, best="g0-00", fitness=2.0, order=["g0-00", "g0-01"]))
    state.take(event("generation", generation=1, samples=1))
    assert (state.generation, state.being_written) == (1, 1)
    assert (state.trainings_wanted, state.trainings_done) == (wanted, 1)


def test_report_trainings_are_kept_apart(state: RunState) -> None:
    state.take(event("reporting", winner="g0-00", references=["human", "sparse"], seeds=[]))
    state.take(event("training", id="g0-00", seed=seeds("report_training", 0, 1)[0], steps=100))
    assert list(state.report) == ["g0-00", "human", "sparse"]
    assert state.winner == "g0-00"
    assert len(state.candidates["g0-00"].trainings) == 1


def test_every_prefix_of_a_run_has_a_state(script: Script) -> None:
    events = list(script.whole().events())
    for length in range(len(events) + 1):
        state = RunState(events[:length])
        assert 0 <= state.trainings_done <= state.trainings_wanted
        left = state.seconds_left(state.last)
        assert left is None or left >= 0
    assert (state.ended, state.winner, state.trainings_done) == ("finished", "g1-00", state.trainings_wanted)


def test_replies_in_any_order_stand_in_the_order_of_their_samples() -> None:
    state = RunState(
        [event("started", **{**STARTED, "samples": 3}), event("generation", generation=0, samples=3)]
    )
    for reply, left in zip(written("g0-02", "g0-00", "g0-01"), (2, 1, 0), strict=True):
        state.take(reply)
        assert state.being_written == left
    for id in ("g0-02", "g0-01"):
        state.take(done(id))
        state.take(done(id, 100))
    assert list(state.candidates) == ["g0-00", "g0-01", "g0-02"]
    assert state.best is state.candidates["g0-01"]  # of equals the earlier one


def test_a_steady_search_shows_what_is_pending_and_what_is_newest() -> None:
    state = RunState([event("started", **{**STARTED, "seeds": 1, "steady": True})])
    state.take(event("generation", generation=0, samples=2))
    state.take(event("written", id="g0-01", generation=0, note="", parents=[], source=True))
    state.take(done("g0-01"))
    state.take(event("generation", generation=1, samples=1))
    assert (state.candidates_done, state.being_written, state.trainings_wanted) == (1, 2, 2 * 2 + 3 * 3)
    state.take(event("written", id="g0-00", generation=0, note="late", parents=[], source=True))
    state.take(event("written", id="g1-00", generation=1, note="", parents=[], source=True))
    assert [each.id for each in state.current] == ["g0-00", "g1-00"]
    assert [each.id for each in state.past] == ["g0-01"]


# time left


def training(generations: int = 2, candidates: int = 2) -> RunState:
    """All candidates of the first generation in training since second 1; 100 steps each, no report."""
    started = {**STARTED, "generations": generations, "samples": candidates, "seeds": 1, "report_seeds": 0}
    ids = [f"g0-0{n}" for n in range(candidates)]
    return RunState(
        [
            event("started", 0.0, **started),
            event("generation", 0.0, generation=0, samples=candidates),
            *written(*ids, time=1.0),
            *(event("training", 1.0, id=id, seed=0, steps=100) for id in ids),
        ]
    )


def test_time_left_is_what_remains_at_the_measured_pace() -> None:
    state = training()
    assert state.seconds_left(2.0) is None, "nothing is measured yet"
    state.take(progress("g0-00", 15, 3.0))
    assert state.seconds_left(3.0) is None, "the other one may be as far"
    state.take(done("g0-00", time=11.0))
    state.take(done("g0-01", time=11.0))
    assert state.seconds_left(11.0) == pytest.approx(200 / (200 / 10))
    assert state.seconds_left(14.0) == pytest.approx(10 - 3), "it counts down between events"
    state.take(event("stopped", 12.0, reason="--max-hours 1 is reached"))
    assert state.seconds_left(12.0) is None


def test_the_pace_is_measured_anew_after_a_resume() -> None:
    state = training()
    state.take(done("g0-00", time=101.0))
    state.take(event("resumed", 1000.0))
    assert state.worked == 100.0, "an interruption is no work"
    assert state.seconds_left(1000.0) is None
    state.take(event("training", 1001.0, id="g0-01", seed=0, steps=100))
    state.take(progress("g0-01", 50, 1006.0))
    assert state.seconds_left(1006.0) == pytest.approx((400 - 150) * 5 / 50)


def test_with_halving_the_steps_of_all_rungs_count(script: Script) -> None:
    started = {**STARTED, "generations": 1, "samples": 3, "seeds": 1, "steps": 300, "report_seeds": 0}
    assert RunState([event("started", **started)]).steps_wanted == 900
    assert RunState([event("started", **started, halving=3)]).steps_wanted == 3 * 100 + 200
