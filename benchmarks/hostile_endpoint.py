"""How an endpoint that sends anything ends: time, memory, and how soon Ctrl-C stops a run.

    python benchmarks/hostile_endpoint.py            # every reply of tests/attacks/hostile.py, asked for: minutes
    python benchmarks/hostile_endpoint.py --run      # and in `eureka run`, interrupted half a second later

Tables in Markdown. The limits on silence and on a whole answer are 1 s and 2 s for the first, and the product's
own for the second.
"""

from __future__ import annotations

import argparse
import itertools
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from eureka_loop.store import Run
from tests.attacks.hostile import Server, Watch, answered, families

SILENCE, DEADLINE = 1.0, 2.0
AFTER = 0.5  # seconds from the request to Ctrl-C
WORDS = (
    "run invertedpendulum-balance --model m --steps 100 --generations 1 --samples 1 --report-seeds 0 "
    "--judge-episodes 1 --jobs 1 --base-url"
)
RUN = ("sizes", "compression", "drips", "nesting", "redirects", "kinds", "texts")
PER_FAMILY = 40  # replies in `eureka run`; of longer families every so many


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = Server(families("http://127.0.0.1:9"))
        asked_for(server, Path(folder))
        if chosen.run:
            interrupted(server, Path(folder))


def asked_for(server: Server, folder: Path) -> None:
    print("| family | replies | slowest, s | longest without another thread, s | most memory, MB |")
    print("|---|---|---|---|---|")
    answered(server.address("numbers: tokens: null"), Run.create(folder, "warm-up"), SILENCE, DEADLINE)
    for family, names in families("").items():
        seen = []
        for name in names:
            with Watch() as watch:
                answered(server.address(f"{family}: {name}"), Run.create(folder, "t"), SILENCE, DEADLINE)
            seen.append((watch.seconds, watch.stuck, watch.memory / 1e6, name))
        slowest, stuck, memory = (max(seen, key=lambda row, n=n: row[n]) for n in range(3))
        print(
            f"| {family} | {len(seen)} | {slowest[0]:.2f} ({slowest[3]}) | {stuck[1]:.2f} ({stuck[3]}) | "
            f"{memory[2]:.0f} ({memory[3]}) |",
            flush=True,
        )


def interrupted(server: Server, folder: Path) -> None:
    print("\n| family | replies | longest from Ctrl-C to the end, s | most memory of eureka's process, MB |")
    print("|---|---|---|---|")
    usual = [one(server, "numbers: tokens: null", folder, n) for n in range(2)]
    print(f"| (an honest reply) | {len(usual)} | {max(usual)[0]:.2f} | {max(row[1] for row in usual):.0f} |")
    for family in RUN:
        names = list(families("")[family])
        names = names[:: max(1, len(names) // PER_FAMILY)]
        seen = [(*one(server, f"{family}: {name}", folder, n), name) for n, name in enumerate(names)]
        slowest, largest = max(seen), max(seen, key=lambda row: row[1])
        print(
            f"| {family} | {len(seen)} | {slowest[0]:.2f} ({slowest[2]}) | {largest[1]:.0f} ({largest[2]}) |",
            flush=True,
        )


def one(server: Server, name: str, folder: Path, number: int) -> tuple[float, float]:
    """Seconds from Ctrl-C to the end of a run, and the most memory of its process in MB."""
    here = folder / f"{name.split(':')[0]}-{number}"
    here.mkdir(exist_ok=True)
    env = {**os.environ, "MUJOCO_GL": "disable", "EUREKA_API_KEY": "k"}
    before = len(server.asked)
    process = subprocess.Popen(
        [sys.executable, "-m", "eureka_loop.cli.main", *WORDS.split(), server.address(name)],
        cwd=here, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    for _ in itertools.takewhile(lambda _: len(server.asked) == before, iter(lambda: process.poll(), 0)):
        time.sleep(0.01)
    time.sleep(AFTER)
    status = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    peak = next((int(line.split()[1]) / 1e3 for line in status if line.startswith("VmHWM")), 0.0)
    begin = time.monotonic()
    process.send_signal(signal.SIGINT)
    process.wait()
    return time.monotonic() - begin, peak


if __name__ == "__main__":
    main()
