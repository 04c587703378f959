"""Programs as models write them pass the gate and the dry run, and pay for what they should."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from eureka_loop.reward.sandbox.process import Terms
from tests.reward.conftest import ACCEPTED

NAMES = sorted(path.stem for path in ACCEPTED.glob("*.txt"))


def source_of(name: str) -> tuple[str, str]:
    """A program, and the robot that its first line names."""
    source = (ACCEPTED / f"{name}.txt").read_text()
    return source, source.splitlines()[0].removeprefix("# ").strip()


@pytest.mark.parametrize("name", NAMES)
def test_a_realistic_program_passes(name: str, dry_run: Callable[..., Terms]) -> None:
    source, robot = source_of(name)
    assert dry_run(source, robot).values.shape[1] == 64


def test_a_fitness_may_reduce_over_the_episode(dry_run: Callable[..., Terms]) -> None:
    source = """\
def fitness(torso_pos, init_torso_pos, time, forward_velocity):
    far = norm(torso_pos - init_torso_pos).max()
    if far > 3.0 and time[-1] > 10.0:
        return 2.0
    return far / np.cumsum(forward_velocity)[-1] + float(np.mean(np.diff(time)))
"""
    assert dry_run(source, kind="fitness").names == ("fitness",)
    source = "def success(torso_pos):\n    return np.all(torso_pos[-20:, 2] > 0.5)\n"
    assert dry_run(source, kind="success").values[0, 0] == 0.0
