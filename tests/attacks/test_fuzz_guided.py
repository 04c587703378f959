"""A short run of the coverage-guided fuzzer, where it is installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "fuzz_gate.py"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_guided_fuzzer_finds_nothing(tmp_path):
    pytest.importorskip("atheris")
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "-max_total_time=120"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
