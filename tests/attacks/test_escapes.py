"""Ways out of the sandbox, one family a file in `escapes/`: each is stopped by the gate and by the process alone."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from eureka_loop.reward.sandbox.lock import Layer
from tests.attacks.conftest import armed, refusals

FAMILIES = {
    path.stem: runpy.run_path(str(path))["PAYLOADS"]
    for path in sorted(Path(__file__).parent.glob("escapes/*.py"))
}
PAYLOADS = {
    f"{family}-{name}": text for family, payloads in FAMILIES.items() for name, text in payloads.items()
}
every_escape = pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS.keys())


# The gate checks names and syntax; that these write into inputs, return no terms or have
# constants that may change is seen in the dry run.
PASS_THE_GATE = (
    "lookalikes-a term's name in another script",
    "lookalikes-a term's name with an escape sequence",
    "lookalikes-a term's name that ends its line",
    "memory-out by position",
    "state-a dict at the top",
    "state-a list at the top",
    "state-a list within a tuple at the top",
    "state-an array at the top, written",
    "state-an array of lists at the top",
    "state-an array of objects at the top",
    "tampering-an input",
    "tampering-an input, in place",
    "tampering-a component of an input",
    "tampering-an input through its transpose",
    "tampering-an input's alias",
    "tampering-a total of its own",
    "tampering-a key that is no text",
)


@pytest.mark.parametrize("name", [name for name in PAYLOADS if name not in PASS_THE_GATE])
def test_the_gate_refuses_it(name):
    assert refusals(PAYLOADS[name])


@pytest.mark.parametrize("name", PASS_THE_GATE)
def test_the_dry_run_refuses_it(locked, name):
    assert locked.dry_run(PAYLOADS[name]) in ("exception", "mutated_input", "wrong_terms")


@every_escape
def test_without_the_gate_it_reaches_nothing(locked, payload):
    assert locked.damage(locked.run(payload), next_process=False) == []


@every_escape
def test_with_real_builtins_it_reaches_nothing(locked, payload):
    assert locked.damage(locked.run(armed(payload), deadline=1.0)) == []


NUMPY_IO = FAMILIES["numpy_io"]
LIVE = sorted(NUMPY_IO.keys() - {"dumps", "recfromtxt", "pathlib", "linecache"})


@pytest.mark.parametrize("name", LIVE)
def test_in_an_unlocked_process_it_does_reach_a_file(unlocked, name):
    found = unlocked.damage(unlocked.run(armed(NUMPY_IO[name])))
    assert any(each.startswith("file") for each in found), found


@pytest.mark.parametrize("layer", [Layer.LANDLOCK, Layer.SECCOMP, Layer.LIMITS], ids=lambda layer: layer.name)
@pytest.mark.parametrize("name", ["load", "fromfile", "memmap for writing", "save", "tofile", "DataSource"])
def test_each_layer_alone_stops_it(runner, layer, name):
    alone = runner(layer | Layer.PRIVILEGES)  # which the filters need
    assert alone.damage(alone.run(armed(NUMPY_IO[name]))) == []
