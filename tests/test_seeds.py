"""No seed serves two purposes."""

from __future__ import annotations

import itertools

from eureka_loop.seeds import Stream, is_report, seeds

STREAMS: tuple[Stream, ...] = ("training", "selection", "report_training", "report")


def test_streams_and_runs_are_disjoint() -> None:
    everything = [seeds(stream, run, 100) for stream in STREAMS for run in (0, 1, 998, 999)]
    flat = list(itertools.chain.from_iterable(everything))
    assert len(set(flat)) == len(flat)


def test_trainings_leave_room_for_their_environments() -> None:
    first, second = seeds("training", 0, 2)
    assert second - first >= 100


def test_report_trainings_are_told_from_the_searchs() -> None:
    assert not any(is_report(seed) for seed in seeds("training", 999, 100))
    assert all(is_report(seed) for seed in seeds("report_training", 0, 100))


def test_every_seed_fits_numpy_and_torch() -> None:
    assert max(seeds("report", 999, 100)) < 2**31
