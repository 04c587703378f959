"""Which trainings are done for good."""

from __future__ import annotations

from eureka_loop.results import Failed, Trained, judged_episode, stands


def test_what_crashed_is_not_done() -> None:
    assert stands(Trained("a", 1, 100, (judged_episode(7, 1.0, None, 1),), (), {}, 0.1))
    assert stands(Failed("a", "not_finite", "nan", seed=1))
    assert not stands(Failed("a", "crashed", "killed by signal 9", seed=1))
    assert not stands(None)
