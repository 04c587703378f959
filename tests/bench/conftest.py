"""What benches of the tests are made of."""

from __future__ import annotations

import pytest

from eureka_loop.config import RunConfig
from eureka_loop.report.bench.estimate import Pace
from eureka_loop.report.bench.plan import Bench


@pytest.fixture
def bench() -> Bench:
    config = RunConfig(designer="templates", generations=2, samples=4, steps=1000, report_seeds=3)
    return Bench(
        suite="quick",
        tasks=("reacher-reach", "hopper-hop"),
        searches=2,
        seed=5,
        config=config,
        command="eureka bench quick",
        made_by={"torch": "2.8.0", "cpu": "Some CPU", "cores": 2},
        paces={"Reacher-v5": Pace(10.0, 2.0, 64, 500.0), "Hopper-v5": Pace(10.0, 2.0, 64, 1000.0)},
    )
