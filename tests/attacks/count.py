"""Number of attacks, and of those that each layer stops alone: a table of the suite, which it runs.

    python tests/attacks/count.py

Ends with pytest's own exit status.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest

ALONE = {  # test → the layer that it tries alone
    "test_the_gate_refuses_it": "gate",
    "test_the_dry_run_refuses_it": "dry run",
    "test_what_passes_the_gate_fails_when_it_runs": "dry run",
    "test_without_the_gate_it_reaches_nothing": "process",
    "test_with_real_builtins_it_reaches_nothing": "armed",
    "test_a_bomb_ends_in_time_as_what_it_is": "process",
    "test_a_forgery_is_the_end_of_the_process": "protocol",
}
LAYERS = ("gate", "dry run", "process", "armed", "protocol")


class Tally:
    """Payloads tried by family, and those stopped by (family, layer)."""

    def __init__(self) -> None:
        self.stopped: Counter[tuple[str, str]] = Counter()
        self.payloads: dict[str, set[str]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        file, _, test = report.nodeid.partition("::")
        name, _, payload = test.partition("[")
        if report.when == "call" and name in ALONE:
            family = Path(file).stem.removeprefix("test_")
            if family == "escapes":
                family = payload.partition("-")[0]
            self.payloads.setdefault(family, set()).add(payload)
            self.stopped[family, ALONE[name]] += report.passed

    def lines(self) -> list[str]:
        head = f"{'family':<18}{'tried':>7}" + "".join(f"{layer:>12}" for layer in LAYERS)
        escapes = sorted(self.payloads.keys() - {"bombs", "protocol_alone"})
        sums = {"escapes": escapes, "bombs": ["bombs"], "forgeries": ["protocol_alone"]}
        return [
            head,
            *(self._line(each, [each]) for each in escapes),
            "",
            *(self._line(*each) for each in sums.items()),
        ]

    def _line(self, name: str, families: list[str]) -> str:
        tried = sum(len(self.payloads.get(each, ())) for each in families)
        stopped = [sum(self.stopped[each, layer] for each in families) for layer in LAYERS]
        return f"{name:<18}{tried:>7}" + "".join(f"{count or '-':>12}" for count in stopped)


if __name__ == "__main__":
    tally = Tally()
    status = pytest.main(["-q", "--no-header", str(Path(__file__).parent)], plugins=[tally])
    print("\n" + "\n".join(tally.lines()))
    print("\nstopped by that layer alone; armed: by the process, with real builtins and the real numpy")
    sys.exit(status)
