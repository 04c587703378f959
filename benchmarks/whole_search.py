"""Duration of a whole search: the same proposals, trained by SB3 one by one, together, and with halving.

    python benchmarks/whole_search.py [--task halfcheetah-run] [--samples 16] [--generations 3] [--steps 30000]

The embedded designer writes the proposals once; every search replays them, with the same seeds, budget and
hyperparameters, and differs in one option from the one before: `--trainer sb3` (a training a worker, as many
workers as cores), `--trainer population`, and `--halving` on top. What each has chosen is trained afresh on
seeds that no search has seen, and compared with SB3's choice: speed is worth nothing where the choice is worse.
`ratio:` is of wall-clock, SB3's search to the fastest; searches run one after the other.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from halving import Search, search, show_choices

SETTINGS = Path(__file__).parents[1] / "docs" / "demo.toml"
DEVICES = {
    "sb3": ("--trainer", "sb3"),
    "population": ("--trainer", "population"),
    "population, halving 3": ("--trainer", "population", "--halving", "3"),
}


def main() -> None:
    options = arguments()
    with tempfile.TemporaryDirectory() as folder:
        place = options.out or Path(folder)
        shared = ("--config", str(options.config))
        written = found(options, place / "proposals", *shared, "--designer", "templates")
        replay = (*shared, "--designer", "replay", "--replay", str(written.run.folder))
        searches = {
            name: found(options, place / name.replace(", ", "-").replace(" ", "-"), *replay, *device)
            for name, device in DEVICES.items()
        }
        show(options, searches)


def arguments() -> argparse.Namespace:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--task", default="halfcheetah-run")
    parser.add_argument("--samples", type=int, default=16)
    parser.add_argument("--generations", type=int, default=3)
    parser.add_argument("--steps", type=int, default=30_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--config", type=Path, default=SETTINGS, help="file with the hyperparameters")
    parser.add_argument("--report-seeds", type=int, default=8, help="fresh trainings of each choice")
    parser.add_argument("--out", type=Path, help="where the searches' runs are left")
    return parser.parse_args()


def found(options: argparse.Namespace, out: Path, *more: str) -> Search:
    """A search, with a line that says how long it took."""
    done = search(options, out, *more)
    print(
        f"  {out.name:24} {done.wall:6.0f} s, {done.cpu:6.0f} s of CPU time, {done.steps:,} steps", flush=True
    )
    return done


def show(options: argparse.Namespace, searches: dict[str, Search]) -> None:
    print(
        f"{options.task}: {options.generations} generations of {options.samples}, {options.steps:,} steps each"
    )
    slowest, *others = searches
    sb3, holder = searches[slowest], searches["population"].run
    for name in others:
        each = searches[name]
        print(
            f"  {name}: wall-clock {sb3.wall / each.wall:.2f}, CPU time {sb3.cpu / each.cpu:.2f} times less"
        )
        show_choices(options, holder, each.best.candidate.id, sb3.best.candidate.id)
    print(f"ratio: {sb3.wall / min(searches[name].wall for name in others):.2f}")


if __name__ == "__main__":
    main()
