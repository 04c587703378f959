"""A worker starts without torch's compiler."""

from __future__ import annotations

import subprocess
import sys

MAKE_A_MODEL = """
import sys
from eureka_loop.train.hyperparameters import ALGORITHMS
assert "torch._dynamo" not in sys.modules, "importing is too much already"
ALGORITHMS["ppo"]("MlpPolicy", "InvertedPendulum-v5", device="cpu", n_steps=8, batch_size=8)
sys.exit("torch._dynamo" in sys.modules)
"""


def test_a_fresh_model_imports_no_compiler() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", MAKE_A_MODEL], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
