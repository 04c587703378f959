"""The gate under atheris, guided by the code it covers. By hand, for as long as wanted:

    pip install atheris
    python tests/attacks/fuzz_gate.py -max_total_time=600

It stops at the first text that makes the gate raise anything but its own refusal, or that takes it too long.
"""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["eureka_loop.reward"]):
    from eureka_loop.errors import Refused
    from eureka_loop.reward.gate import check
    from eureka_loop.reward.parsing import compile_ready
    from eureka_loop.reward.vocabulary import Observable, Vocabulary

VOCABULARY = Vocabulary("any", (Observable("x", ()), Observable("v", (3,))), horizon=100, dt=0.1)
TOKENS = (
    *"def compute_reward(x, v): return {'a': x} np.where( np.sum( axis=1 for in range( if else and not".split(
        " "
    ),
    *"tolerance( .T .shape [:, 0] lambda : = ( ) [ ] , ** 1e999 10**12 dict( list( append( torch.relu( x.clamp( *x .dtype \n \n    ".split(
        " "
    ),
)


def text(data: bytes) -> str:
    """Bytes as a program: those from 128 on stand for a token each, so that the fuzzer need not spell."""
    return "".join(chr(byte) if byte < 128 else f"{TOKENS[byte % len(TOKENS)]} " for byte in data)


def try_one(data: bytes) -> None:
    for source in (text(data), f"def compute_reward(x, v):\n    y = {text(data)}\n    return {{'a': x}}\n"):
        try:
            check(source, VOCABULARY)
        except Refused:
            continue
        compile_ready(source)


if __name__ == "__main__":
    atheris.Setup([*sys.argv, "-timeout=10", "-max_len=400"], try_one)
    atheris.Fuzz()
