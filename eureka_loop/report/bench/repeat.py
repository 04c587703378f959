"""Everything needed to repeat a bench: command, settings, seeds, versions, hardware."""

from __future__ import annotations

import json
from collections.abc import Iterator

from eureka_loop.report.bench.facts import BenchFacts
from eureka_loop.report.bench.words import cost_line
from eureka_loop.report.compare.view import HARDWARE


def provenance(facts: BenchFacts) -> Iterator[tuple[str, str]]:
    """Names and values."""
    bench, made_by = facts.bench, facts.bench.made_by
    yield "command", bench.command
    yield "seeds of the searches", f"{bench.seed} to {bench.seed + bench.searches - 1}"
    given = bench.config.hyperparameters
    said = ", ".join(f"{name} = {json.dumps(value, default=str)}" for name, value in given.items())
    yield "hyperparameters", said or "each environment's own (`eureka tasks NAME`)"
    machine = [f"{name} {made_by[name]}" for name in HARDWARE if name in made_by]
    yield "machine", ", ".join(machine) or "unknown"
    yield "made by", ", ".join(f"{name} {value}" for name, value in made_by.items() if name not in HARDWARE)
    yield "cost", cost_line(facts.cost)
