"""Learning curves as a picture."""

from __future__ import annotations

from pathlib import Path

from eureka_loop.report.curves import draw_curves, fitness_curve, mean_curve
from eureka_loop.results import Checkpoint, Trained, judged_episode


def trained(fitness: list[float | None]) -> Trained:
    points = tuple(
        Checkpoint(10 * (index + 1), 1, value, None, None, {}) for index, value in enumerate(fitness)
    )
    return Trained("g0-00", 0, 30, (judged_episode(0, 1.0, None, 10),), points, {}, 1.0)


def test_a_picture_is_written(tmp_path: Path) -> None:
    path = tmp_path / "curves.png"
    assert draw_curves(path, [("winner $g_0$", [trained([1.0, 2.0, 3.0])]), ("human", [])], "a $title$")
    assert path.read_bytes().startswith(b"\x89PNG")
    assert not draw_curves(tmp_path / "none.png", [("winner", [trained([None, None])])], "t")
    assert list(tmp_path.iterdir()) == [path]


def test_points_without_a_finished_episode_are_left_out() -> None:
    late, whole = trained([None, 2.0, 3.0]), trained([1.0, 4.0, 5.0])
    assert fitness_curve(late) == {20: 2.0, 30: 3.0}
    assert mean_curve([fitness_curve(late), fitness_curve(whole)]) == {10: 1.0, 20: 3.0, 30: 4.0}
    assert mean_curve([]) == {}
