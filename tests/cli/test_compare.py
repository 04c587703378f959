"""`eureka compare`: what it says of itself."""

from __future__ import annotations

from eureka_loop.cli.compare import CompareOptions, command
from eureka_loop.options import parse


def test_the_command_asks_for_the_same_again() -> None:
    words = (
        "runs/r --with human,b.py --seeds 4 --steps 500 --algo ppo,sac --judge-episodes 3 --seed 7 --out d "
        "--allow-reduced-sandbox"
    ).split()
    options = parse(CompareOptions, "compare", words)
    assert command(options).split() == ["eureka", "compare", *words]
    assert "--allow" not in command(parse(CompareOptions, "compare", ["runs/r"]))
