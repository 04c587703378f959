"""No seed serves two purposes."""

from __future__ import annotations

import itertools

from eureka_loop.seeds import Stream, env_seeds, is_report, seeds

STREAMS: tuple[Stream, ...] = ("training", "selection", "report_training", "report")


def test_streams_and_runs_are_disjoint() -> None:
    everything = [seeds(stream, run, 100) for stream in STREAMS for run in (0, 1, 998, 999)]
    flat = list(itertools.chain.from_iterable(everything))
    assert len(set(flat)) == len(flat)


def test_report_trainings_are_told_from_the_searchs() -> None:
    assert not any(is_report(seed) for seed in seeds("training", 999, 100))
    assert all(is_report(seed) for seed in seeds("report_training", 0, 100))


def test_no_two_trainings_share_an_environments_seed_however_many_there_are() -> None:
    trainings = [*seeds("training", 0, 3), *seeds("training", 1, 2), *seeds("report_training", 0, 2)]
    everything = [seed for each in trainings for seed in env_seeds(each, 12_345)]
    judged = [*seeds("selection", 0, 1000), *seeds("report", 0, 1000)]
    assert len({*everything, *judged}) == len(everything) + len(judged)
    assert max(seeds("report", 999, 100)) < 2**31, "numpy and torch take it"
    assert env_seeds(300, 3) == (300, 301, 302)
    assert env_seeds(300, 101)[100] > 2**32
