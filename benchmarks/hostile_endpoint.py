"""How replies of an endpoint that sends anything end: time, memory, and how soon Ctrl-C stops a run.

    python benchmarks/hostile_endpoint.py            # every reply of tests/attacks/hostile.py, asked for: minutes
    python benchmarks/hostile_endpoint.py --run 3    # every third in `eureka resume`, interrupted: minutes

Tables in Markdown. The first one's limits are 1 s of silence and 2 s for an answer, the second one's a run's own.
The runs of the second are forked from a process that has imported the program, and have their floors.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from eureka_loop.cli import main as program
from eureka_loop.store import Run
from tests.attacks.hostile import Server, Watch, answered, families

SILENCE, DEADLINE = 1.0, 2.0
AFTER = 0.3  # seconds from the request to Ctrl-C
HONEST, SILENT = "numbers: tokens: null", "drips: silence"
WORDS = (
    "invertedpendulum-balance --steps 100 --minutes 0 --generations 1 --samples 1 --report-seeds 0 "
    "--judge-episodes 1 --jobs 1"
)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", type=int, default=0, metavar="N", help="every N-th reply in a run")
    parser.add_argument("--launch", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.launch:
        return launch()
    with tempfile.TemporaryDirectory() as folder:
        server = Server(families("http://127.0.0.1:9"))
        if chosen.run:
            interrupted(server, Path(folder), chosen.run)
        else:
            asked_for(server, Path(folder))
    return None


def asked_for(server: Server, folder: Path) -> None:
    print("| family | replies | slowest, s | longest without another thread, s of a core | most memory, MB |")
    print("|---|---|---|---|---|")
    answered(server.address(HONEST), Run.create(folder, "warm-up"), SILENCE, DEADLINE)
    for family, names in families("").items():
        seen = []
        for name in names:
            with Watch() as watch:
                address, run = server.address(f"{family}: {name}"), Run.create(folder, "t")
                answered(address, run, SILENCE, DEADLINE)
            seen.append((watch.seconds, watch.stuck, watch.memory / 1e6, name))
        worst = [max(seen, key=lambda row, n=n: row[n]) for n in range(3)]
        cells = " | ".join(f"{row[n]:.{(2, 2, 0)[n]}f} ({row[3]})" for n, row in enumerate(worst))
        print(f"| {family} | {len(seen)} | {cells} |", flush=True)


def launch() -> None:
    """For each line with arguments, a process of the program: its number, and a line when it has ended."""
    import eureka_loop.propose.llm.endpoint
    import eureka_loop.report.live
    import eureka_loop.search.assemble  # noqa: F401 - for all that are forked

    for line in sys.stdin:
        if not (pid := os.fork()):
            signal.signal(signal.SIGINT, signal.default_int_handler)
            null = os.open(os.devnull, os.O_RDWR)
            for stream in range(3):
                os.dup2(null, stream)
            Path("/proc/self/clear_refs").write_text("5")
            program.main(line.split())
        print(pid, flush=True)
        os.waitpid(pid, 0)
        print("ended", flush=True)


def interrupted(server: Server, folder: Path, every: int) -> None:
    env = {**os.environ, "MUJOCO_GL": "disable", "EUREKA_API_KEY": "k"}
    words = [sys.executable, __file__, "--launch"]
    launcher = subprocess.Popen(
        words, cwd=folder, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )

    def one(name: str, words: str) -> tuple[float, float]:
        """Seconds from Ctrl-C to the end, and the most memory of the process in MB."""
        assert launcher.stdin is not None
        assert launcher.stdout is not None
        before = len(server.asked)
        launcher.stdin.write(f"{words} --model m --base-url {server.address(name)}\n")
        launcher.stdin.flush()
        pid = int(launcher.stdout.readline())
        while len(server.asked) == before:
            time.sleep(0.01)
        time.sleep(AFTER)
        begin, peak = time.monotonic(), 0.0
        with contextlib.suppress(OSError):  # some end by themselves
            os.kill(pid, signal.SIGINT)
            status = Path(f"/proc/{pid}/status").read_text().splitlines()
            found = (int(line.split()[1]) / 1e3 for line in status if line.startswith("VmHWM"))
            peak = next(found, 0.0)
        launcher.stdout.readline()
        return time.monotonic() - begin, peak

    one(SILENT, f"run {WORDS} --out {folder / 'first'}")
    (begun,) = (folder / "first").iterdir()

    def resumed(name: str) -> tuple[float, float, str]:
        copied = Path(shutil.copytree(begun, folder / "copy"))
        seconds, peak = one(name, f"resume {copied}")
        shutil.rmtree(copied)
        return seconds, peak, name.partition(": ")[2]

    print("| family | replies | longest from Ctrl-C to the end, s | most memory of the process, MB |")
    print("|---|---|---|---|")
    for family, found in families("").items():
        seen = [resumed(f"{family}: {name}") for name in list(found)[::every]]
        slowest, largest = max(seen), max(seen, key=lambda row: row[1])
        cells = f"{slowest[0]:.2f} ({slowest[2]}) | {largest[1]:.0f} ({largest[2]})"
        print(f"| {family} | {len(seen)} | {cells} |", flush=True)
    launcher.kill()


if __name__ == "__main__":
    main()
